"""Freezing a member: he is still himself and may look at what he has, but nothing is earned or spent, anywhere."""

from members import events
from members.errors import MemberFrozen, MemberNotFrozen
from members.interfaces import Answer, Origin
from members.models import Member
from members.rules import required_reason
from members.services.locking import fenced, locked
from members.services.requests import idempotent

Status = Member.Status


@idempotent("members.freeze")
def freeze(member: Member, *, reason: str, origin: Origin) -> Answer:
    """From the commit on he spends nothing. Raises ReasonMissing, MemberFrozen if he is already, MemberClosed."""
    reason = required_reason(reason)
    member = fenced(member)
    if member.status == Status.FROZEN:
        raise MemberFrozen
    return _become(member, Status.FROZEN, "member.frozen", reason, origin)


@idempotent("members.unfreeze")
def unfreeze(member: Member, *, reason: str, origin: Origin) -> Answer:
    """Raises ReasonMissing, MemberNotFrozen, MemberClosed."""
    reason = required_reason(reason)
    member = locked(member)
    if member.status != Status.FROZEN:
        raise MemberNotFrozen
    return _become(member, Status.ACTIVE, "member.unfrozen", reason, origin)


def _become(member: Member, status: Status, event: str, reason: str, origin: Origin) -> Answer:
    member.status = status
    member.save(update_fields=["status"])
    events.record(event, origin=origin, member=member, data={"reason": reason})
    return {"member_no": member.member_no, "status": status.value}
