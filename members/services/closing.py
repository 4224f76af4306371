"""Closing an account: the person is pseudonymised, what he has lapses by policy, the ledger stays.

Every floor adds its step (config/steps.py); all of it is one transaction. What an identity was stays as a digest, so
that nobody harvests welcome gifts by leaving and coming back.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from members import events
from members.errors import MemberFrozen
from members.interfaces import Answer, Origin
from members.interfaces.steps import close_steps
from members.models import (
    AttributeValue,
    Device,
    Duplicate,
    FollowUp,
    FormerIdentity,
    ImportantDate,
    Member,
    Reminder,
)
from members.rules import required_reason
from members.services import cards, consents, identities
from members.services.locking import fenced
from members.services.requests import idempotent
from members.services.successors import selves

PSEUDONYMOUS = {"name": None, "name_index": "", "gender": "", "birthday": None, "source": ""}


@dataclass(frozen=True)
class Loss:
    """One line of what closing would do."""

    label: str
    text: str


def preview(member: Member) -> list[Loss]:
    """What he would lose, floor by floor."""
    return [Loss(label, text) for step in close_steps for label, text in step.preview(member).items()]


@idempotent("members.close")
def close(member: Member, *, reason: str, origin: Origin) -> Answer:
    """Let a member go, for ever; an operator says why. `deposits_due` (fen, by card number) are to be paid back.

    Raises ReasonMissing, MemberFrozen for a frozen one who asks himself, MemberClosed, and what the steps refuse: money
    that must be paid out first, an order under way.
    """
    reason = required_reason(reason) if origin.actor else reason.strip()
    member = fenced(member)
    if member.status == Member.Status.FROZEN and origin.actor is None:
        raise MemberFrozen
    done = {step.name: step.close(member, origin) for step in close_steps}
    member.status, member.closed_at = Member.Status.CLOSED, origin.posted_at
    for field, value in PSEUDONYMOUS.items():
        setattr(member, field, value)
    member.save(update_fields=["status", "closed_at", *PSEUDONYMOUS])
    events.record("member.closed", origin=origin, member=member, data={"reason": reason, "steps": done})
    return {
        "member_no": member.member_no,
        "closed_at": origin.posted_at.isoformat(),
        "deposits_due": done.get("person", {}).get("deposits_due", {}),
    }


# --- This floor's own step --------------------------------------------------------------------------------------


def preview_person(member: Member) -> dict[str, str]:
    count = member.identities.count()
    said = {_("个人资料"): _("姓名、生日与 %d 个身份标识将删除") % count}
    held = member.cards.exclude(state__in=cards.OVER).count()
    return said | ({_("会员卡"): _("%d 张，将退卡") % held} if held else {})


def close_person(member: Member, origin: Origin) -> Answer:
    """Forget who he was, and end what waits for him. Rows that were merged into his go with him."""
    deposits = cards.close_all_of(member, reason=_("会员注销"), origin=origin)
    identities.retire(member.identities.all(), reason=FormerIdentity.Reason.CLOSED, at=origin.posted_at)
    people = selves(member)  # where both had the same, the merge left it with the loser
    ended = consents.end_all(people, at=origin.posted_at)
    for model in (AttributeValue, ImportantDate, Device):
        model.objects.filter(member__in=people).delete()
    member.calls.update(phone=None, phone_index="", last_four="")
    FollowUp.objects.open().filter(member=member).update(state=FollowUp.State.CANCELLED)
    Reminder.objects.open().filter(member__in=people).update(state=Reminder.State.DISMISSED, done_at=origin.posted_at)
    _dismiss_suspicions(member, origin)
    Member.objects.filter(pk__in=people).update(**PSEUDONYMOUS)
    return {"consents": ended, "deposits_due": {number: due for number, due in deposits if due}}


def _dismiss_suspicions(member: Member, origin: Origin) -> None:
    open_ones = Duplicate.objects.open()
    of_his = open_ones.filter(first=member) | open_ones.filter(second=member)
    of_his.update(state=Duplicate.State.DISMISSED, decided_at=origin.posted_at, decided_by=origin.actor)
