"""Cards in people's hands: giving them out, blocking and freeing them, replacing, renewing, taking them back.

The holder's identities follow in the same transaction: a card's number finds its holder from the day it is his until
it is replaced (then the new number does) or closed; also while it is lost or frozen, so that the desk finds him.
Locks: people first, by key; then cards, by key.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from members.errors import (
    CardHolderMissing,
    CardNotFound,
    CardNumberTaken,
    CardOfAnother,
    CardPrincipalMissing,
    CardPrincipalNotAllowed,
    CardReplacementUnfit,
    CardTypeNotHere,
    CardTypeStopped,
    InvalidCardNumber,
    MemberClosed,
    ReasonMissing,
)
from members.interfaces import Answer, Origin
from members.models import Card, CardType, Channel, Member, OrgUnit
from members.rules import canonical_card_number, valid_until
from members.services import card_identities
from members.services.card_serials import numbering_of, reserve
from members.services.card_states import OVER, State, Verb, check, lock, note, standing, take, write
from members.services.organisation import own_origin
from members.services.requests import idempotent

EXPIRED_AT_ONCE = 500


def find(number: str, *, actor) -> Card:
    """The card with a number as scanned or typed, if the actor may see it. Raises CardNotFound."""
    cards = Card.objects.visible_to(actor).select_related("card_type", "member", "principal", "org_unit")
    card = cards.filter(number=canonical_card_number(number)).first()
    if card is None:
        raise CardNotFound(field="number")
    return card


def place_of_issue(card_type: CardType, node: OrgUnit) -> OrgUnit:
    """Where somebody who stands on `node` gives out cards of a type: there, or at the type's own node below it."""
    return card_type.org_unit if card_type.org_unit.path.startswith(node.path) else node


def describe(card: Card) -> Answer:
    return {
        "number": card.number,
        "card_type": card.card_type.code,
        "state": card.state,
        "member_no": card.member.member_no if card.member else None,
        "principal_no": card.principal.member_no if card.principal else None,
        "expires_at": card.expires_at,
        "deposit": card.deposit,
    }


# --- Giving out -------------------------------------------------------------------------------------------------


@idempotent("cards.issue")
def issue(
    card_type: CardType,
    *,
    org_unit: OrgUnit,
    member: Member | None = None,
    principal: Member | None = None,
    number: str = "",
    origin: Origin,
) -> Answer:
    """Make a card, with a number of its own or the next one of its type; it has still to be activated.

    Raises CardTypeStopped, CardTypeNotHere, InvalidCardNumber, CardNumberTaken, CardNumbersExhausted,
    CardPrincipalMissing, CardPrincipalNotAllowed, IdentityTaken, MemberClosed.
    """
    return describe(_issue(card_type, org_unit, member, principal, number, origin))


@idempotent("cards.activate")
def activate(card: Card, member: Member | None = None, *, principal: Member | None = None, origin: Origin) -> Answer:
    """Give a card that was made to its holder (绑卡), and let it spend; the deposit is taken, validity begins.

    Raises CardHolderMissing, CardOfAnother, CardStateForbids, and what `issue` raises.
    """
    return describe(_activate(card, member, principal, origin))


@idempotent("cards.issue_to")
def issue_to(
    member: Member,
    card_type: CardType,
    *,
    org_unit: OrgUnit,
    principal: Member | None = None,
    number: str = "",
    origin: Origin,
) -> Answer:
    """Make a card for a member and activate it at once (办卡). Raises what `issue` and `activate` raise."""
    card = _issue(card_type, org_unit, member, principal, number, origin)
    return describe(_activate(card, member, principal, origin))


def _issue(
    card_type: CardType,
    org_unit: OrgUnit,
    member: Member | None,
    principal: Member | None,
    number: str,
    origin: Origin,
) -> Card:
    if not card_type.is_active:
        raise CardTypeStopped
    if not org_unit.path.startswith(card_type.org_unit.path):
        raise CardTypeNotHere
    if member:
        _check_people(card_type, member, principal)
        _lock_people(member, principal)
    card = _numbered(
        Card(card_type=card_type, org_unit=org_unit, member=member, principal=principal, issued_at=origin.at),
        number,
    )
    if member:
        card_identities.add(card, origin=origin)
    write(card, Verb.ISSUE, before="", origin=origin)
    return card


def _numbered(card: Card, written: str) -> Card:
    """Save the card under the number that was asked for, or the next free one of its type."""
    rule = numbering_of(card.card_type)
    if written:
        card.number = canonical_card_number(written)
        if rule.serial_of(card.number) is None:
            raise InvalidCardNumber(field="number")
        if not _saved(card):
            raise CardNumberTaken(field="number")
        return card
    while True:  # numbers given by hand may stand in the way
        card.number = rule.number(reserve(card.card_type, 1))
        if _saved(card):
            return card


def _saved(card: Card) -> bool:
    """Whether nobody has the number."""
    try:
        with transaction.atomic():
            card.pk = None
            card.save(force_insert=True)
    except IntegrityError as error:
        if "number" not in (error.__cause__.diag.constraint_name or ""):
            raise
        return False
    return True


def _activate(card: Card, member: Member | None, principal: Member | None, origin: Origin) -> Card:
    holder, principal = member or card.member, principal or card.principal
    if holder is None:
        raise CardHolderMissing(field="member")
    _check_people(card.card_type, holder, principal)
    _lock_people(holder, principal)
    card = lock(card)
    check(card, Verb.ACTIVATE, at=origin.posted_at)
    if card.member not in (None, holder) or card.principal not in (None, principal):
        raise CardOfAnother(field="number")
    if not card.member and not card.card_type.is_active:
        raise CardTypeStopped
    card.member, card.principal = holder, principal
    card_identities.add(card, origin=origin)
    return take(
        card,
        Verb.ACTIVATE,
        origin=origin,
        member=holder,
        principal=principal,
        deposit=card.card_type.deposit,
        activated_at=origin.at,
        expires_at=_validity(card, origin.at),
    )


def _check_people(card_type: CardType, holder: Member, principal: Member | None) -> None:
    if card_type.spends_for_another and principal is None:
        raise CardPrincipalMissing(field="principal")
    if principal and (principal == holder or not card_type.spends_for_another):
        raise CardPrincipalNotAllowed(field="principal")


def _lock_people(*people: Member | None) -> None:
    """Nobody is closed or merged away while he gets a card. Raises MemberClosed for who is already."""
    keys = {person.pk for person in people if person}
    rows = Member.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=keys).order_by("pk")
    if any(row.status in (Member.Status.CLOSED, Member.Status.MERGED) for row in rows):
        raise MemberClosed


def _validity(card: Card, start: datetime) -> datetime | None:
    days = card.card_type.valid_days
    return valid_until(start, days, card.org_unit.zone) if days else None


# --- Blocking and freeing ---------------------------------------------------------------------------------------


@idempotent("cards.report_lost")
def report_lost(card: Card, *, reason: str, origin: Origin) -> Answer:
    """挂失: nothing is spent with it from the commit on. Raises CardStateForbids, ReasonMissing."""
    return describe(_step(card, Verb.REPORT_LOST, reason, origin))


@idempotent("cards.recover")
def recover(card: Card, *, reason: str, origin: Origin) -> Answer:
    """解挂: found again; back to where it stood before. Raises CardStateForbids, CardExpired, ReasonMissing."""
    return describe(_step(card, Verb.RECOVER, reason, origin))


@idempotent("cards.freeze")
def freeze(card: Card, *, reason: str, origin: Origin) -> Answer:
    """Raises CardStateForbids, ReasonMissing."""
    return describe(_step(card, Verb.FREEZE, reason, origin))


@idempotent("cards.unfreeze")
def unfreeze(card: Card, *, reason: str, origin: Origin) -> Answer:
    """Raises CardStateForbids, CardExpired, ReasonMissing."""
    return describe(_step(card, Verb.UNFREEZE, reason, origin))


def _step(card: Card, verb: Verb, reason: str, origin: Origin) -> Card:
    return take(lock(card), verb, reason=_required(reason), origin=origin)


def _required(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing(field="reason")
    return reason.strip()


# --- Replacing, renewing, ending --------------------------------------------------------------------------------


@idempotent("cards.replace")
def replace(card: Card, *, reason: str, number: str = "", origin: Origin) -> Answer:
    """补换卡: the number changes, everything else follows: holder, principal, type, validity, deposit, a freeze.

    `number`: of a card of the same type that lies ready; else the next one of the type. Limits of the card's own are
    found along `replaces` (loyalty). The answer describes the new card, and names the old as `replaces`.
    Raises CardStateForbids, CardExpired, ReasonMissing, CardReplacementUnfit, InvalidCardNumber.
    """
    reason = _required(reason)
    spare = Card.objects.filter(number=canonical_card_number(number)).first() if number else None
    old, spare = _lock_both(card, spare)
    check(old, Verb.REPLACE, at=origin.posted_at)
    new, before = _successor(old, spare, number, origin), spare.state if spare else ""
    follows = {"deposit": old.deposit, "expires_at": old.expires_at, "activated_at": origin.at}
    follows |= {"state": standing(old), "member": old.member, "principal": old.principal, "replaces": old}
    for field, value in follows.items():
        setattr(new, field, value)
    card_identities.remove(old, origin=origin)
    old.deposit, old_state, old.state = 0, old.state, State.REPLACED
    old.save(update_fields=["state", "deposit"])
    new.save(update_fields=list(follows))
    card_identities.add(new, origin=origin)
    write(old, Verb.REPLACE, before=old_state, reason=reason, origin=origin, new=new.number)
    note(new, Verb.REPLACE, before=before, reason=reason, origin=origin)
    return describe(new) | {"replaces": old.number}


def _lock_both(card: Card, spare: Card | None) -> tuple[Card, Card | None]:
    locked = {row.pk: row for row in map(lock, sorted(filter(None, {card, spare}), key=lambda row: row.pk))}
    return locked[card.pk], locked[spare.pk] if spare else None


def _successor(old: Card, spare: Card | None, number: str, origin: Origin) -> Card:
    """The card that lies ready, or a new one."""
    if spare is None:
        return _numbered(Card(card_type=old.card_type, org_unit=old.org_unit, issued_at=origin.at), number)
    fits = spare.card_type == old.card_type and spare.state == State.ISSUED
    if not fits or spare.member not in (None, old.member):
        raise CardReplacementUnfit(field="number")
    return spare


@idempotent("cards.renew")
def renew(card: Card, *, reason: str = "", origin: Origin) -> Answer:
    """续期: another term of its type, from the end of this one, or from now. A lost card stays lost.

    Raises CardStateForbids, MemberClosed.
    """
    _lock_people(card.member, card.principal)
    card = lock(card)
    check(card, Verb.RENEW, at=origin.posted_at)
    start = max(origin.at, card.expires_at or origin.at)
    return describe(take(card, Verb.RENEW, reason=reason, origin=origin, expires_at=_validity(card, start)))


@idempotent("cards.close")
def close(card: Card, *, reason: str, origin: Origin) -> Answer:
    """退卡, for ever; `deposit_due` is to be paid back, in fen. Raises CardStateForbids, ReasonMissing."""
    card = lock(card)
    return describe(card) | {"state": State.CLOSED, "deposit": 0, "deposit_due": end(card, _required(reason), origin)}


@transaction.atomic
def close_all_of(member: Member, *, reason: str, origin: Origin) -> list[tuple[str, int]]:
    """For who leaves: his cards, and those of others that spend for him. Returns (number, deposit due in fen)."""
    held = Card.objects.filter(member=member) | Card.objects.filter(principal=member)
    cards = [lock(card) for card in held.exclude(state__in=OVER).order_by("pk")]
    return [(card.number, end(card, reason, origin)) for card in cards if card.state not in OVER]


def end(card: Card, reason: str, origin: Origin) -> int:
    """Close a locked card. Returns the deposit that is due, in fen."""
    due = card.deposit
    check(card, Verb.CLOSE, at=origin.posted_at)
    card_identities.remove(card, origin=origin)
    before, card.state, card.deposit = card.state, State.CLOSED, 0
    card.save(update_fields=["state", "deposit"])
    write(card, Verb.CLOSE, before=before, reason=reason, origin=origin, deposit_due=due)
    return due


def expire_due(now: datetime) -> int:
    """Mark the cards whose validity has ended; safe beside payments with them, which it passes over till next time.

    Nothing waits for it: a card past its validity spends nothing anyhow. Returns how many.
    """
    count = 0
    while expired := _expire_some(now):
        count += expired
    return count


@transaction.atomic
def _expire_some(now: datetime) -> int:
    people = ("card_type", "member", "principal", "org_unit__business")
    due = Card.objects.overdue(now).select_related(*people).order_by("pk")
    cards = list(due.select_for_update(of=("self",), skip_locked=True)[:EXPIRED_AT_ONCE])
    for card in cards:
        place = card.org_unit.business
        take(card, Verb.EXPIRE, origin=own_origin(Channel.Kind.CLOCK, business=place, at=card.expires_at))
    return len(cards)
