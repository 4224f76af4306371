"""What member 360 shows of the member himself."""

from typing import Any

from members.models import Event, Member, Operator

ROWS = 50


def events(member: Member, actor: Operator) -> dict[str, Any]:
    """What was done to the member within the operator's reach, latest first."""
    rows = Event.objects.visible_to(actor).filter(member=member)
    return {"events": rows.select_related("channel", "operator", "store", "business")[:ROWS]}
