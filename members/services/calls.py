"""Who called or came, and why; and finding him by whatever was typed or scanned."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from members import events
from members.errors import MemberNotFound, ReasonOfCallMissing, Refused
from members.interfaces import Answer, Origin
from members.models import Call, Card, Identity, Member, Operator, OrgUnit
from members.personal_data import blind_index, blind_indexes
from members.rules import canonical_phone, is_member_no
from members.services import cards, people
from members.services.member_code import is_member_code, resolve_member_code
from members.services.requests import idempotent

SEPARATORS = str.maketrans("", "", " -\t")


@dataclass(frozen=True)
class Caller:
    """Who is meant by what was typed. `phone` (E.164) where it was one; without a member it is a stranger's."""

    member: Member | None
    phone: str = ""
    card: Card | None = None


def recognise(written: str, *, actor: Operator, at: datetime) -> Caller:
    """The caller behind a phone, member number, member code or card number, in at most a handful of queries.

    Whom the actor's business does not know is a stranger. Raises MemberNotFound for what is no phone and nobody's.
    """
    text = written.strip()
    digits = text.translate(SEPARATORS)
    if is_member_code(digits) and (member := _by_code(digits, actor, at)):
        return Caller(member)
    if is_member_no(digits) and (member := _resolved(digits, actor)):
        return Caller(member)
    if card := _card(digits, actor):
        return Caller(_holder(card, actor), card=card)
    if not (phone := _phone(text)):
        raise MemberNotFound
    return Caller(_resolved(phone, actor), phone=phone)


def _resolved(written: str, actor: Operator) -> Member | None:
    try:
        return people.resolve(written, actor=actor)
    except MemberNotFound:
        return None


def _by_code(digits: str, actor: Operator, at: datetime) -> Member | None:
    try:
        member = resolve_member_code(digits, at=at)
    except Refused:  # stale; or a card with as many digits
        return None
    return Member.objects.visible_to(actor).filter(pk=member.pk).first()


def _card(digits: str, actor: Operator) -> Card | None:
    try:
        return cards.find(digits, actor=actor)
    except Refused:  # not written like one, or nobody's
        return None


def _holder(card: Card, actor: Operator) -> Member:
    """Raises MemberNotFound for a card that nobody holds yet, or somebody whom the actor doesn't see."""
    holder = card.member or card.principal
    if holder is None:
        raise MemberNotFound
    return people.resolve(holder.member_no, actor=actor)


def _phone(text: str) -> str:
    try:
        return canonical_phone(text)
    except Refused:
        return ""


def earlier(caller: Caller, *, actor: Operator) -> QuerySet[Call]:
    """Earlier calls of this person or from this number that the actor may see, and his own; latest first."""
    same = Q(phone_index__in=blind_indexes(Identity.Kind.PHONE, caller.phone)) if caller.phone else Q()
    if caller.member:
        same |= Q(member=caller.member)
    mine = Call.objects.filter(same & Q(operator=actor)) if same else Call.objects.none()
    seen = Call.objects.visible_to(actor).filter(same) if same else Call.objects.none()
    return (seen | mine).select_related("operator", "business", "store").order_by("-id")


@idempotent("calls.record")
def record(
    caller: Caller,
    *,
    reason: str,
    business: OrgUnit | None,
    store: OrgUnit | None = None,
    origin: Origin,
) -> Answer:
    """Write down that somebody called. Answers {"id"}. Raises ReasonOfCallMissing."""
    if not reason.strip():
        raise ReasonOfCallMissing(field="reason")
    call = Call.objects.create(
        member=caller.member,
        phone=caller.phone or None,
        phone_index=blind_index(Identity.Kind.PHONE, caller.phone) if caller.phone else "",
        last_four=caller.phone[-4:],
        reason=reason.strip()[:200],
        business=business,
        store=store,
        operator=origin.actor,
        at=origin.at,
    )
    events.record("call.taken", origin=origin, member=caller.member, data={"call": call.pk})
    return {"id": call.pk}
