"""A card's number is an identity of its holder: found by it, he has one person's page whatever he shows."""

from django.db import IntegrityError, transaction

from members.errors import IdentityTaken
from members.interfaces import Origin
from members.models import Card, Identity
from members.personal_data import blind_index

KIND = Identity.Kind.CARD


def add(card: Card, *, origin: Origin) -> None:
    """Let the number find the holder. Raises IdentityTaken where somebody else is known by it."""
    index = blind_index(KIND, card.number)
    known = Identity.objects.filter(kind=KIND, value_index=index).first()
    if known:
        if known.member_id != card.member.pk:
            raise IdentityTaken(field="number")
        return
    try:
        with transaction.atomic():
            Identity.objects.create(
                member=card.member,
                kind=KIND,
                value=card.number,
                value_index=index,
                last_four=card.number[-4:],
                verified_at=origin.at,
                channel=origin.channel,
            )
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name == "identity_belongs_to_one_member":
            raise IdentityTaken(field="number") from error
        raise


def remove(card: Card) -> None:
    """The number finds nobody any more."""
    if card.member:
        index = blind_index(KIND, card.number)
        Identity.objects.filter(member=card.member, kind=KIND, value_index=index).delete()
