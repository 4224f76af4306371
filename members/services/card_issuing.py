"""Making a card and putting it into somebody's hands: what the verbs of members.services.cards share.

Locks: people first, by key; then the card.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from members.errors import (
    CardHolderMissing,
    CardNumberTaken,
    CardOfAnother,
    CardPrincipalMissing,
    CardPrincipalNotAllowed,
    CardTypeNotHere,
    CardTypeStopped,
    InvalidCardNumber,
    MemberClosed,
    NotYours,
)
from members.interfaces import Origin
from members.models import Card, CardType, Member, OrgUnit
from members.rules import canonical_card_number, valid_until
from members.services import card_identities
from members.services.card_serials import numbering_of, reserve
from members.services.card_states import Verb, check, lock, take, write
from members.services.locking import OVER


def is_served_by(card: Card, actor) -> bool:
    """Whether an operator or channel may do more with a card than see it and report it lost: its business, or above."""
    reach = actor.reach
    return reach is not None and (reach.is_group or card.org_unit.business_id in (None, reach.business_id))


def require_service(card: Card, origin: Origin) -> None:
    """A lost card is reported anywhere; for the rest one goes to the business that gave it out."""
    if not is_served_by(card, origin.actor or origin.channel):
        raise NotYours


def place_of_issue(card_type: CardType, node: OrgUnit) -> OrgUnit:
    """Where somebody who stands on `node` gives out cards of a type: there, or at the type's own node below it."""
    return card_type.org_unit if card_type.org_unit.path.startswith(node.path) else node


def make(
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
        lock_people(member, principal)
    card = numbered(
        Card(card_type=card_type, org_unit=org_unit, member=member, principal=principal, issued_at=origin.at),
        number,
    )
    if member:
        card_identities.add(card, origin=origin)
    write(card, Verb.ISSUE, before="", origin=origin)
    return card


def numbered(card: Card, written: str) -> Card:
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


def hand_to(card: Card, member: Member | None, principal: Member | None, origin: Origin) -> Card:
    require_service(card, origin)
    holder, principal = member or card.member, principal or card.principal
    if holder is None:
        raise CardHolderMissing(field="member")
    _check_people(card.card_type, holder, principal)
    lock_people(holder, principal)
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
        expires_at=validity_of(card, origin.at),
    )


def _check_people(card_type: CardType, holder: Member, principal: Member | None) -> None:
    if card_type.spends_for_another and principal is None:
        raise CardPrincipalMissing(field="principal")
    if principal and (principal == holder or not card_type.spends_for_another):
        raise CardPrincipalNotAllowed(field="principal")


def lock_people(*people: Member | None) -> None:
    """Nobody is closed or merged away while he gets a card. Raises MemberClosed for who is already."""
    keys = {person.pk for person in people if person}
    rows = Member.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=keys).order_by("pk")
    if any(row.status in OVER for row in rows):
        raise MemberClosed


def validity_of(card: Card, start: datetime) -> datetime | None:
    days = card.card_type.valid_days
    return valid_until(start, days, card.org_unit.zone) if days else None
