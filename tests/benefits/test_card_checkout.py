"""A purchase identified by a card: whose it is, what may be spent, and what is refused though nothing is spent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from benefits.errors import QuoteChanged
from benefits.interfaces import Checkout
from benefits.services import checkout
from loyalty.errors import CardAssetNotAllowed, CardLimitExceeded, CardNotUsable
from loyalty.models import CardAllowance, Purchase, Transaction
from loyalty.services import cards as spending
from members.errors import Refused
from members.models import Card, Member
from members.services import cards
from tests.benefits.shop import Shop
from tests.factories import CardTypeFactory


@pytest.fixture
def card(shop: Shop) -> Card:
    """A driver's card on the account of the shop's member, who has 5,000 points: 1,000 of them a day."""
    card_type = CardTypeFactory(org_unit=shop.cast.group, kind="group")
    CardAllowance.objects.create(card_type=card_type, asset="points", per_day=1_000)
    driver = shop.new_member()
    answer = cards.issue_to(
        driver, card_type, org_unit=shop.cast.mall, principal=shop.member, origin=shop.origin("issue")
    )
    shop.buy(500_000, store=shop.cast.cvs_1)
    shop.at += timedelta(days=1)
    return cards.find(answer["number"], actor=shop.cast.sees_all)


def with_card(shop: Shop, card: Card, *amounts: int, **asked) -> Checkout:
    basket = shop.basket(*amounts, store=shop.cast.cvs_1, **asked)
    return replace(basket, draft=replace(basket.draft, member=card.spender, card=card))


def buy(shop: Shop, card: Card, *amounts: int, **asked) -> dict:
    return checkout.commit(with_card(shop, card, *amounts, **asked), origin=shop.origin(store=shop.cast.cvs_1))


def refuses(shop: Shop, basket: Checkout, why: type[Refused]) -> Refused:
    """Quote and commit refuse it alike, and nothing is written."""
    before = (shop.balance, Purchase.objects.count(), Transaction.objects.count())
    with pytest.raises(why):
        checkout.quote(basket)
    with pytest.raises(why) as refusal:
        checkout.commit(basket, origin=shop.origin(store=shop.cast.cvs_1))
    assert (shop.balance, Purchase.objects.count(), Transaction.objects.count()) == before
    return refusal.value


def test_it_is_the_principals_purchase_and_says_with_which_card(shop: Shop, card: Card) -> None:
    answer = buy(shop, card, 10_000, points=800)
    assert (answer["member_no"], answer["card"], answer["points_used"]) == (shop.member.member_no, card.number, 800)
    purchase = Purchase.objects.get(pk=answer["id"])
    assert (purchase.member, purchase.card) == (shop.member, card)
    assert set(purchase.transactions.values_list("kind", "card")) == {("burn", card.pk), ("earn", card.pk)}
    assert shop.member.memberships.filter(business=shop.cast.cvs).exists()


def test_a_quote_offers_what_the_card_may_still_spend(shop: Shop, card: Card) -> None:
    assert checkout.quote(with_card(shop, card, 100_000))["most_points"] == 1_000
    buy(shop, card, 10_000, points=600)
    quoted = checkout.quote(with_card(shop, card, 100_000))
    assert (quoted["most_points"], quoted["most_points_amount"]) == (400, 400)
    assert quoted["points_balance"] == shop.balance > 4_000
    without = checkout.quote(shop.basket(1_000_000, store=shop.cast.cvs_1))
    assert without["most_points"] == shop.balance


def test_what_is_above_the_cards_limit_is_refused(shop: Shop, card: Card) -> None:
    refusal = refuses(shop, with_card(shop, card, 100_000, points=1_100), CardLimitExceeded)
    assert refusal.details == {"wanted": 1_100, "left": 1_000, "per_use": 0, "per_day": 1_000}


def test_a_refund_gives_the_day_back(shop: Shop, card: Card) -> None:
    bought = buy(shop, card, 10_000, points=1_000)
    assert spending.room(card, "points", at=shop.at).left == 0
    shop.refund(bought, amount=5_000)
    assert spending.room(card, "points", at=shop.at).left == 500
    undone = Transaction.objects.filter(refund__isnull=False)
    assert set(undone.values_list("kind", "card")) == {("restore", card.pk), ("claw_back", card.pk)}


def test_a_card_of_a_kind_that_spends_no_points_only_says_who_it_is(shop: Shop, card: Card) -> None:
    CardAllowance.objects.all().delete()
    assert checkout.quote(with_card(shop, card, 10_000))["most_points"] == 0
    refuses(shop, with_card(shop, card, 10_000, points=100), CardAssetNotAllowed)
    assert buy(shop, card, 10_000)["points_earned"] == 200  # black by now: two for one


@pytest.mark.parametrize("block", [cards.report_lost, cards.freeze, cards.close])
def test_a_blocked_card_is_refused_though_nothing_is_spent(shop: Shop, card: Card, block) -> None:
    block(card, reason="不见了", origin=shop.origin())
    refuses(shop, with_card(shop, card, 10_000), CardNotUsable)


def test_an_expired_card_is_refused_though_nothing_is_spent(shop: Shop, card: Card) -> None:
    Card.objects.filter(pk=card.pk).update(expires_at=shop.at)
    assert refuses(shop, with_card(shop, card, 10_000), CardNotUsable).details == {"state": "expired"}


def test_a_frozen_principals_card_is_refused(shop: Shop, card: Card) -> None:
    Member.objects.filter(pk=shop.member.pk).update(status=Member.Status.FROZEN)
    card.refresh_from_db()
    refuses(shop, with_card(shop, card, 10_000), Refused)


def test_a_purchase_sent_late_asks_the_card_as_it_is_now(shop: Shop, card: Card) -> None:
    basket = with_card(shop, card, 10_000, at=shop.at - timedelta(days=3))
    Card.objects.filter(pk=card.pk).update(expires_at=shop.at - timedelta(days=1))
    with pytest.raises(CardNotUsable):
        checkout.quote(basket, now=shop.at)
    with pytest.raises(CardNotUsable):
        checkout.commit(basket, origin=shop.origin(store=shop.cast.cvs_1))


def test_a_quote_for_a_card_is_for_this_card(shop: Shop, card: Card) -> None:
    basket = with_card(shop, card, 10_000, points=500)
    token = checkout.quote(basket)["quote"]
    without = replace(basket, quote=token, draft=replace(basket.draft, card=None))
    with pytest.raises(QuoteChanged):
        checkout.commit(without, origin=shop.origin(store=shop.cast.cvs_1))
    checkout.commit(replace(basket, quote=token), origin=shop.origin(store=shop.cast.cvs_1))
    assert Purchase.objects.latest("pk").card == card


def test_a_batch_refuses_the_one_with_the_lost_card(shop: Shop, card: Card) -> None:
    cards.report_lost(card, reason="不见了", origin=shop.origin())
    place = {"store": shop.cast.cvs_1}
    good, bad = shop.basket(10_000, **place), with_card(shop, card, 10_000)
    results = checkout.record_batch([(good, shop.origin("one", **place)), (bad, shop.origin("two", **place))])
    assert "answer" in results[0]
    assert (results[1]["error"]["code"], results[1]["error"]["field"]) == ("card_not_usable", "card")
