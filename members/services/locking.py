"""Who of the members may do something now: read under a lock, so that the answer holds until the commit.

Order everywhere: the member's row, then his accounts (by the fences), then cards. The row is locked FOR NO KEY UPDATE:
rows that only point to him (events, purchases) are written meanwhile, or a checkout and a closing would deadlock.
"""

from members.errors import MemberClosed, MemberFrozen
from members.interfaces.steps import fences
from members.models import Member

OVER = (Member.Status.CLOSED, Member.Status.MERGED)


def locked(member: Member) -> Member:
    """The member's row as it stands now, locked. Raises MemberClosed, also for one who was merged into another."""
    member = Member.objects.select_for_update(of=("self",), no_key=True).get(pk=member.pk)
    if member.status in OVER:
        raise MemberClosed(member_no=member.member_no, status=member.status)
    return member


def fenced(member: Member) -> Member:
    """The same, with all that he could spend locked too: spending that has begun ends first, none begins until commit.

    What is spent asks `refuse_inactive_now` once it has its own locks.
    """
    member = locked(member)
    for fence in fences:
        fence.lock(member)
    return member


def refuse_inactive(member: Member, *, field: str | None = None) -> None:
    """Raises MemberFrozen, MemberClosed."""
    if member.is_active:
        return
    refusal = MemberFrozen if member.status == Member.Status.FROZEN else MemberClosed
    raise refusal(field=field, member_no=member.member_no, status=member.status)


def refuse_inactive_now(member: Member, *, field: str | None = None) -> None:
    """The same of his row as it stands now: for what spends, when it has locked his accounts."""
    member.status = Member.objects.values_list("status", flat=True).get(pk=member.pk)
    refuse_inactive(member, field=field)
