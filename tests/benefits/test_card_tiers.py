"""A card that carries a tier: up when it is activated, kept by night while it is in use, then by spend again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from benefits.services.tier_review import movers, review_all
from members.models import Card
from members.services import cards, deliveries
from members.services.organisation import own_origin
from tests.benefits.shop import Shop
from tests.factories import CardTypeFactory


@pytest.fixture
def card(shop: Shop) -> Card:
    shop.at = timezone.now()
    card_type = CardTypeFactory(org_unit=shop.cast.group, carries_tier="gold", valid_days=10)
    answer = cards.issue_to(shop.member, card_type, org_unit=shop.cast.group, origin=own_origin("desk"))
    return Card.objects.get(number=answer["number"])


def react() -> None:
    deliveries.dispatch(timezone.now())


def tonight():
    return timezone.now() + timedelta(hours=1)


def test_activating_gives_the_tier_once(shop, card):
    assert shop.history() == []
    react()
    assert shop.history() == [("basic", "start"), ("gold", "manual")]
    cards.renew(card, origin=own_origin("desk"))
    react()
    assert shop.history() == [("basic", "start"), ("gold", "manual")]


def test_who_stands_higher_stays_there(shop, card):
    shop.buy(600_000)
    react()
    assert shop.history() == [("basic", "start"), ("black", "upgrade")]


def test_the_night_keeps_it_while_the_card_is_in_use_also_lost_or_replaced(shop, card):
    react()
    assert review_all(tonight()) == 0
    cards.report_lost(card, reason="丢", origin=own_origin("desk"))
    assert list(movers(tonight())) == []
    cards.replace(card, reason="补", origin=own_origin("desk"))
    assert list(movers(tonight())) == []
    assert shop.tier == "gold"


def test_the_night_goes_by_spend_and_card_whichever_is_higher(shop, card):
    react()
    shop.buy(500_000)
    later = tonight() + timedelta(days=40)
    assert [(mover.before, mover.target) for mover in movers(later)] == [(shop.black, shop.gold)]


@pytest.mark.parametrize("end", ["close", "expire"])
def test_when_the_card_has_ended_the_night_decides_by_spend(shop, card, end):
    react()
    if end == "close":
        cards.close(card, reason="退", origin=own_origin("desk"))
    else:
        cards.expire_due(timezone.now() + timedelta(days=12))
    assert shop.tier == "gold"
    assert review_all(tonight()) == 1
    assert shop.history()[-1] == ("basic", "downgrade")


def test_renewing_an_expired_card_gives_it_again(shop, card):
    react()
    cards.expire_due(timezone.now() + timedelta(days=12))
    review_all(tonight())
    assert shop.tier == "basic"
    cards.renew(card, origin=own_origin("desk", at=tonight()))
    react()
    assert shop.tier == "gold"


def test_a_card_given_back_before_the_clock_came_carries_nothing(shop, card):
    cards.close(card, reason="退", origin=own_origin("desk"))
    react()
    assert shop.history() == []


def test_a_type_that_names_no_tier_of_the_programme_carries_nothing(shop):
    shop.at = timezone.now()
    for code in ("", "none"):
        card_type = CardTypeFactory(org_unit=shop.cast.group, carries_tier=code)
        cards.issue_to(shop.member, card_type, org_unit=shop.cast.group, origin=own_origin("desk"))
    react()
    assert shop.history() == []
