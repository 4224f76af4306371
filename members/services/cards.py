"""Cards in people's hands: giving them out, blocking and freeing them, replacing, renewing, taking them back.

The holder's identities follow in the same transaction: a card's number finds its holder from the day it is his until
it is replaced (then the new number does) or closed; also while it is lost or frozen, so that the desk finds him.
Freezing a member leaves cards where they are: loyalty spends nothing for him, and nothing with what he holds. Closing
his account closes what he holds and what spends for him (`close_all_of`). Locks: people first, by key; then cards.
"""

from datetime import datetime

from django.db import transaction

from members.errors import (
    CardNotFound,
    CardReplacementUnfit,
    InvalidCardNumber,
)
from members.interfaces import Answer, Origin
from members.models import Card, CardType, Channel, Member, OrgUnit
from members.rules import canonical_card_number, required_reason
from members.services import card_identities
from members.services.card_issuing import (
    hand_to,
    lock_people,
    make,
    numbered,
    place_of_issue,
    require_service,
    validity_of,
)
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
    return describe(make(card_type, org_unit, member, principal, number, origin))


@idempotent("cards.activate")
def activate(card: Card, member: Member | None = None, *, principal: Member | None = None, origin: Origin) -> Answer:
    """Give a card that was made to its holder (绑卡), and let it spend; the deposit is taken, validity begins.

    Raises CardHolderMissing, CardOfAnother, CardStateForbids, and what `issue` raises.
    """
    return describe(hand_to(card, member, principal, origin))


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
    card = make(card_type, org_unit, member, principal, number, origin)
    return describe(hand_to(card, member, principal, origin))


@idempotent("cards.hand_over")
def hand_over(
    member: Member,
    *,
    node: OrgUnit,
    number: str = "",
    card_type: CardType | None = None,
    principal: Member | None = None,
    origin: Origin,
) -> Answer:
    """What a desk does: the card from the drawer by its number, or a new one of a type, given out on `node`.

    Raises CardNotFound, InvalidCardNumber (of another type), and what `issue` and `activate` raise.
    """
    card = None
    if number:
        card = _in_sight(number, origin)
    if card and card_type and card.card_type != card_type:
        raise InvalidCardNumber(field="number")
    if card is None:
        if card_type is None:
            raise CardNotFound(field="number")
        card = make(card_type, place_of_issue(card_type, node), member, principal, number, origin)
    return describe(hand_to(card, member, principal, origin))


def _in_sight(number: str, origin: Origin) -> Card | None:
    """The card of this number, where whoever asks may see it: another business's drawer is not his."""
    seen = Card.objects.visible_to(origin.actor or origin.channel).select_related("card_type", "org_unit")
    return seen.filter(number=canonical_card_number(number)).first()


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
    if verb != Verb.REPORT_LOST:
        require_service(card, origin)
    return take(lock(card), verb, reason=required_reason(reason), origin=origin)


# --- Replacing, renewing, ending --------------------------------------------------------------------------------


@idempotent("cards.replace")
def replace(card: Card, *, reason: str, number: str = "", origin: Origin) -> Answer:
    """补换卡: the number changes, everything else follows: holder, principal, type, validity, deposit, a freeze.

    `number`: of a card of the same type that lies ready; else the next one of the type. Limits of the card's own are
    found along `replaces` (loyalty). The answer describes the new card, and names the old as `replaces`.
    Raises CardStateForbids, CardExpired, ReasonMissing, CardReplacementUnfit, InvalidCardNumber, CardNumberTaken,
    MemberClosed.
    """
    require_service(card, origin)
    reason = required_reason(reason)
    spare = _in_sight(number, origin) if number else None
    lock_people(card.member, card.principal)
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
        return numbered(Card(card_type=old.card_type, org_unit=old.org_unit, issued_at=origin.at), number)
    fits = spare.card_type == old.card_type and spare.state == State.ISSUED
    if not fits or spare.member not in (None, old.member):
        raise CardReplacementUnfit(field="number")
    return spare


@idempotent("cards.renew")
def renew(card: Card, *, reason: str = "", origin: Origin) -> Answer:
    """续期: another term of its type, from the end of this one, or from now. A lost card stays lost.

    Raises CardStateForbids, MemberClosed.
    """
    require_service(card, origin)
    lock_people(card.member, card.principal)
    card = lock(card)
    check(card, Verb.RENEW, at=origin.posted_at)
    start = max(origin.at, card.expires_at or origin.at)
    return describe(take(card, Verb.RENEW, reason=reason, origin=origin, expires_at=validity_of(card, start)))


@idempotent("cards.close")
def close(card: Card, *, reason: str, origin: Origin) -> Answer:
    """退卡, for ever; `deposit_due` is to be paid back, in fen. Raises CardStateForbids, ReasonMissing."""
    require_service(card, origin)
    reason, card = required_reason(reason), lock(card)
    return describe(card) | {"state": State.CLOSED, "deposit": 0, "deposit_due": end(card, reason, origin)}


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
