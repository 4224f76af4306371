"""What member 360 shows of the member himself."""

from typing import Any

from members.models import Event, Member, Operator
from members.services.successors import selves

ROWS = 50


def events(member: Member, actor: Operator) -> dict[str, Any]:
    """What was done to the member within the operator's reach, latest first."""
    rows = Event.objects.visible_to(actor).filter(member__in=selves(member))
    return {"events": rows.select_related("channel", "operator", "store", "business")[:ROWS]}
