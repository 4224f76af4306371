"""That somebody has looked at a member's personal data behind its mask: a look is recorded like a change."""

from collections.abc import Sequence

from members import events
from members.interfaces import Origin
from members.models import Event, Member


def record(member: Member, *, page: str, what: Sequence[str], origin: Origin) -> Event:
    """`page` is where (360, form, attributes), `what` the kinds of data that were shown; never the data itself."""
    return events.record("member.unmasked", origin=origin, member=member, data={"page": page, "what": list(what)})
