"""A card's number is an identity of its holder: found by it, he has one person's page whatever he shows."""

from django.db import IntegrityError, transaction

from members.errors import IdentityTaken
from members.interfaces import Origin
from members.models import Card, FormerIdentity, Identity
from members.personal_data import blind_indexes
from members.services import identities

KIND = Identity.Kind.CARD


def add(card: Card, *, origin: Origin) -> None:
    """Let the number find the holder. Raises IdentityTaken where somebody else is known by it."""
    known = _of(card)
    if known is None:
        try:
            with transaction.atomic():
                identities.write(card.member, {KIND: card.number}, origin, verified_at=origin.posted_at)
            return
        except IntegrityError as error:
            if not identities.is_taken(error):
                raise
            known = _of(card)
    if known and known.member_id != card.member.pk:
        raise IdentityTaken.by(known.member, field="number")


def remove(card: Card, *, origin: Origin) -> None:
    """The number finds nobody any more."""
    known = _of(card)
    if known and known.member_id == card.member_id:
        identities.retire([known], reason=FormerIdentity.Reason.CHANGED, at=origin.posted_at)


def _of(card: Card) -> Identity | None:
    found = Identity.objects.filter(kind=KIND, value_index__in=blind_indexes(KIND, card.number))
    return found.select_related("member").first()
