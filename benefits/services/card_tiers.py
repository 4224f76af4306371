"""Cards that carry a tier (CardType.carries_tier): the holder stands on it, or higher, while the card is in use.

The nightly review (tier_review) keeps him there, and decides by his spend once the card is closed or expired.
"""

from benefits.services.tiers import lift
from loyalty.models import Asset
from loyalty.services.clock import clock_origin
from loyalty.services.ledger import lock_account
from members.models import Card, Event
from members.services.card_states import IN_USE


def carry(event: Event) -> None:
    """The reaction to "card.activated" and "card.renewed". A card that is given back already carries nothing."""
    card = Card.objects.select_related("card_type", "member").filter(number=event.data["card"]).first()
    if card is None or card.state not in IN_USE or not card.card_type.carries_tier:
        return
    holder = lock_account(card.member, Asset.POINTS).member
    lift(holder, card.card_type.carries_tier, origin=clock_origin(f"card-tier:{event.pk}", event.posted_at))
