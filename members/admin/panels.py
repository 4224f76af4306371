"""What member 360 shows of the member himself."""

from typing import Any

from members.models import AuditEntry, Event, Member, Operator
from members.services import audit
from members.services.successors import selves

ROWS = 50


def events(member: Member, actor: Operator) -> dict[str, Any]:
    """What was done to the member within the operator's reach, latest first."""
    rows = Event.objects.visible_to(actor).filter(member__in=selves(member))
    return {"events": rows.select_related("channel", "operator", "store", "business")[:ROWS]}


def changes(member: Member, actor: Operator) -> dict[str, Any]:
    """What was changed of the person and of his identities, column by column, latest first."""
    rows = AuditEntry.objects.visible_to(actor).filter(member__in=selves(member))
    entries = rows.select_related("operator", "channel")[:ROWS]
    return {"entries": [(entry, audit.model_in_words(entry.model), list(audit.changes(entry))) for entry in entries]}
