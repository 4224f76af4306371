"""Quote and commit, with exact values; a refusal leaves nothing behind."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefits.errors import (
    CouponBelowThreshold,
    CouponExpired,
    CouponNotForThisStore,
    CouponNotFound,
    CouponNotOpen,
    CouponNotYetValid,
    ExternalNumberMissing,
    InTheFuture,
    LinesInvalid,
    NotAStore,
    PointsInvalid,
    QuoteChanged,
    TendersInvalid,
    TooManyCoupons,
)
from benefits.models import Charge, Coupon, TierPrice
from benefits.services import checkout, coupons, tiers
from loyalty.errors import NotEnoughPoints, PurchaseExists, TendersDoNotAddUp
from loyalty.interfaces import DraftLine
from loyalty.models import Purchase, Tender, Transaction
from members.errors import MemberClosed, Refused
from members.models import Event, Member, Membership, Request
from tests.benefits.shop import Shop


def test_a_purchase_with_tier_price_coupon_and_points(shop: Shop):
    shop.put_on(shop.gold)
    shop.buy(50_000, store=shop.cast.cvs_1)  # no tier price there, 1.5 × points: 750
    coupon = shop.coupon(shares=[(shop.cast.group, "50"), (shop.cast.hotel, "30"), (None, "20")])
    answer = shop.buy(10_000, 5_000, 333, coupons=(coupon.code,), points=500, tenders=[("wechat", 12_066)])

    # 153.33 − 5 % line by line (95.00, 47.50, 3.16) = 145.66; − 20.00 = 125.66; 500 points pay 5.00
    assert answer["list_amount"] == 15_333
    assert answer["tier_discount"] == 500 + 250 + 17
    assert answer["coupon_discount"] == 2_000
    assert answer["net_amount"] == 12_566
    assert answer["points_amount"] == 500
    assert answer["to_pay"] == 12_066
    assert answer["points_earned"] == 180  # ⌊120 × 1.5⌋: on what money paid
    assert answer["points_balance"] == 750 - 500 + 180 == shop.balance
    assert answer["tier"] == answer["tier_before"] == "gold"
    assert [line["coupon_discount"] for line in answer["lines"]] == [1_305, 652, 43]

    purchase = Purchase.objects.get(pk=answer["id"])
    assert dict(purchase.tenders.values_list("kind", "amount")) == {"points": 500, "wechat": 12_066}
    coupon.refresh_from_db()
    assert (coupon.state, coupon.purchase) == ("redeemed", purchase)
    charge = Charge.objects.get()
    assert (charge.amount, charge.business, charge.purchase) == (2_000, shop.cast.mall, purchase)
    assert charge.shares == [
        {"payer": shop.cast.group.pk, "amount": 1_000},
        {"payer": shop.cast.hotel.pk, "amount": 600},
        {"payer": shop.cast.mall.pk, "amount": 400},
    ]


def test_without_tenders_the_rest_was_paid_some_other_way(shop: Shop):
    answer = shop.buy(10_000)
    assert list(Tender.objects.filter(purchase=answer["id"]).values_list("kind", "amount")) == [("other", 10_000)]


def test_a_free_basket_has_no_tender(shop: Shop):
    answer = shop.buy(2_000, coupons=(shop.coupon(threshold=0).code,))
    assert (answer["net_amount"], answer["points_earned"]) == (0, 0)
    assert not Tender.objects.filter(purchase=answer["id"]).exists()


def test_the_store_learns_to_know_the_member(shop: Shop):
    shop.buy(100, store=shop.cast.hotel_1)
    assert Membership.objects.filter(member=shop.member, business=shop.cast.hotel).exists()


def test_tier_benefits_begin_on_their_day(shop: Shop):
    shop.put_on(shop.black)
    shop.programme.benefits_from = shop.at + timedelta(seconds=1)
    shop.programme.save()
    tiers.forget()
    before = shop.buy(10_000)
    shop.at += timedelta(seconds=1)
    after = shop.buy(10_000)
    assert (before["net_amount"], before["points_earned"], before["tier"]) == (10_000, 100, "black")
    assert (after["net_amount"], after["points_earned"], after["tier"]) == (9_000, 180, "black")


def test_a_late_purchase_is_priced_at_the_tier_of_its_time(shop: Shop):
    yesterday = shop.at - timedelta(days=1)
    assert shop.buy(100_000)["tier"] == "gold"
    late = checkout.commit(shop.basket(10_000, at=yesterday), origin=shop.origin())
    assert (late["tier_before"], late["net_amount"], late["points_earned"]) == ("basic", 10_000, 100)


# Quotes ---------------------------------------------------------------------------------------------------------


def test_a_quote_is_what_is_then_committed(shop: Shop):
    shop.put_on(shop.gold)
    shop.buy(50_000)
    coupon = shop.coupon()
    basket = shop.basket(10_000, 5_001, coupons=(coupon.code,), points=100)
    quoted = checkout.quote(basket)
    answer = checkout.commit(replace(basket, quote=quoted["quote"]), origin=shop.origin())
    same = ("list_amount", "tier_discount", "coupon_discount", "net_amount", "points_amount", "to_pay", "lines")
    assert {key: quoted[key] for key in same} == {key: answer[key] for key in same}
    assert [award["given"] for award in quoted["awards"]] == [award["given"] for award in answer["awards"]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_quote_and_commit_are_one_calculation(shop: Shop, data):
    member, store = shop.new_member(), data.draw(st.sampled_from([shop.cast.mall_1, shop.cast.cvs_1]))
    shop.buy(100_000, member=member, store=shop.cast.cvs_1)  # 1,000 points
    lines = data.draw(
        st.lists(
            st.builds(DraftLine, amount=st.integers(0, 50_000), category=st.sampled_from(["", "toys"])), min_size=1
        )
    )
    facts = {"amount": data.draw(st.integers(1, 60_000)), "categories": data.draw(st.sampled_from([[], ["toys"]]))}
    coupon = shop.coupon(member=member, threshold=0, **facts)
    basket = shop.basket(*lines, member=member, store=store)
    usable = [offer["code"] for offer in checkout.quote(basket)["usable_coupons"]]
    basket = replace(basket, coupons=tuple(code for code in usable if code == coupon.code))
    basket = replace(basket, points=data.draw(st.integers(0, checkout.quote(basket)["most_points"])))
    quoted = checkout.quote(basket)
    answer = checkout.commit(replace(basket, quote=quoted["quote"]), origin=shop.origin())
    shown = quoted.keys() & answer.keys() - {"awards", "points_balance", "tier"}
    assert {key: quoted[key] for key in shown} == {key: answer[key] for key in shown}
    assert [award["given"] for award in quoted["awards"]] == [award["given"] for award in answer["awards"]]
    purchase = Purchase.objects.get(pk=answer["id"])
    assert sum(line.net_amount for line in purchase.lines.all()) == purchase.net_amount
    assert sum(purchase.tenders.values_list("amount", flat=True)) == purchase.net_amount


def test_a_quote_changes_nothing(shop: Shop):
    coupon = shop.coupon()
    rows = (Purchase, Request, Event, Charge, Transaction)
    before = [model.objects.count() for model in rows]
    checkout.quote(shop.basket(20_000, coupons=(coupon.code,)))
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.ISSUED
    assert [model.objects.count() for model in rows] == before


def test_a_changed_price_refuses_the_old_quote(shop: Shop):
    shop.put_on(shop.gold)
    basket = shop.basket(10_000)
    token = checkout.quote(basket)["quote"]
    TierPrice.objects.filter(tier=shop.gold).update(percent=90)
    tiers.forget()
    with pytest.raises(QuoteChanged) as refusal:
        checkout.commit(replace(basket, quote=token), origin=shop.origin())
    assert refusal.value.details == {"to_pay": 9_000}
    assert not Purchase.objects.exists()
    assert checkout.commit(basket, origin=shop.origin())["net_amount"] == 9_000  # whatever the price is now


def test_a_quote_proposes_points_and_the_best_coupon_first(shop: Shop):
    shop.buy(50_000)
    small, large = shop.coupon(amount=500), shop.coupon(amount=5_000, threshold=0)
    shop.coupon(threshold=100_000)
    shop.coupon(owner=shop.cast.hotel)
    offers = checkout.quote(shop.basket(20_000))
    assert [(offer["code"], offer["discount"]) for offer in offers["usable_coupons"]] == [
        (large.code, 5_000),
        (small.code, 500),
    ]
    assert (offers["points_balance"], offers["most_points"], offers["most_points_amount"]) == (500, 500, 500)


# Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason", "field"),
    [
        ({"amounts": ()}, LinesInvalid, "lines"),
        ({"amounts": (100, -1)}, LinesInvalid, "lines"),
        ({"points": -1}, PointsInvalid, "points"),
        ({"points": 100}, NotEnoughPoints, None),
        ({"number": ""}, ExternalNumberMissing, "external_number"),
        ({"coupons": ("A", "B")}, TooManyCoupons, "coupons"),
        ({"coupons": ("NOSUCHCODE",)}, CouponNotFound, "coupons"),
        ({"tenders": [("cash", 9_999)]}, TendersDoNotAddUp, "tenders"),
        ({"tenders": [("cash", 10_001), ("cash", -1)]}, TendersInvalid, "tenders"),
        ({"tenders": [("points", 10_000)]}, TendersInvalid, "tenders"),
        ({"tenders": [("shells", 10_000)]}, TendersInvalid, "tenders"),
    ],
)
def test_bad_input_is_refused_with_its_field_and_leaves_nothing(shop: Shop, options: dict, reason, field):
    amounts = options.pop("amounts", (10_000,)) if "amounts" in options else (10_000,)
    before = Request.objects.count()
    with pytest.raises(reason) as refusal:
        shop.buy(*amounts, **options)
    assert refusal.value.field == field or field is None
    assert not Purchase.objects.exists()
    assert not Transaction.objects.exists()
    assert Request.objects.count() == before


def test_only_a_store_sells(shop: Shop):
    with pytest.raises(NotAStore):
        shop.buy(100, store=shop.cast.mall)


def test_a_till_ahead_of_its_time_is_refused(shop: Shop):
    with pytest.raises(InTheFuture):
        checkout.commit(shop.basket(100, at=shop.at + timedelta(hours=1)), origin=shop.origin())


def test_a_closed_member_buys_nothing(shop: Shop):
    shop.member.status = Member.Status.CLOSED
    shop.member.save()
    with pytest.raises(MemberClosed):
        shop.buy(100)


def test_one_number_is_one_purchase_in_a_store(shop: Shop):
    shop.buy(100, number="7")
    with pytest.raises(PurchaseExists):
        shop.buy(100, number="7")
    shop.buy(100, number="7", store=shop.cast.mall_2)
    assert Purchase.objects.count() == 2


def test_the_same_reference_gets_the_same_answer(shop: Shop):
    basket, origin = shop.basket(12_345), shop.origin("till-1")
    assert checkout.commit(basket, origin=origin) == checkout.commit(basket, origin=origin)
    assert Purchase.objects.count() == 1
    assert shop.balance == 123


def test_a_coupon_is_good_in_its_time_and_place_only(shop: Shop):
    elsewhere = shop.coupon(owner=shop.cast.hotel)
    later = shop.coupon(from_day=1)
    dear = shop.coupon(threshold=20_001)
    toys = shop.coupon(threshold=0, categories=["toys"])
    for coupon, reason in (
        (elsewhere, CouponNotForThisStore),
        (later, CouponNotYetValid),
        (dear, CouponBelowThreshold),
        (toys, CouponBelowThreshold),
    ):
        with pytest.raises(reason) as refusal:
            shop.buy(20_000, coupons=(coupon.code,))
        assert refusal.value.field == "coupons"
    shop.at += timedelta(days=31)
    with pytest.raises(CouponExpired):
        shop.buy(30_000, coupons=(dear.code,))
    assert not Purchase.objects.exists()


def test_a_coupon_of_chosen_businesses_is_good_there_whoever_issued_it(shop: Shop):
    template = shop.template(owner=shop.cast.hotel)
    template.businesses.set([shop.cast.mall, shop.cast.hotel])
    first, second = (coupons.issue_coupon(template, shop.member, origin=shop.origin())["code"] for _ in range(2))
    assert shop.buy(20_000, coupons=(first,))["coupon_discount"] == 2_000
    with pytest.raises(CouponNotForThisStore):
        shop.buy(20_000, coupons=(second,), store=shop.cast.cvs_1)


def test_a_coupon_of_a_category_falls_on_its_lines_only(shop: Shop):
    coupon = shop.coupon(categories=["toys"], threshold=5_000, amount=6_000)
    answer = shop.buy(DraftLine(9_000), DraftLine(5_000, category="toys"), coupons=(coupon.code,))
    assert [line["coupon_discount"] for line in answer["lines"]] == [0, 5_000]


def test_nobody_redeems_another_members_coupon(shop: Shop):
    coupon = shop.coupon(member=shop.new_member())
    with pytest.raises(CouponNotFound):
        shop.buy(20_000, coupons=(coupon.code,))


def test_a_coupon_is_redeemed_once(shop: Shop):
    coupon = shop.coupon()
    shop.buy(20_000, coupons=(coupon.code.lower(),))
    with pytest.raises(CouponNotOpen):
        shop.buy(20_000, coupons=(coupon.code,))
    assert Charge.objects.count() == 1


# Batches --------------------------------------------------------------------------------------------------------


def test_a_refused_item_does_not_stop_its_batch(shop: Shop):
    batch = [(shop.basket(amount), shop.origin(f"b{i}")) for i, amount in enumerate((10_000, -1, 20_000))]
    first, second, third = checkout.record_batch(batch)
    assert (first["answer"]["points_earned"], third["answer"]["points_earned"]) == (100, 200)
    assert (second["reference"], second["error"]["code"], second["error"]["field"]) == ("b1", "lines_invalid", "lines")
    assert Purchase.objects.count() == 2
    assert checkout.record_batch(batch) == [first, second, third]
    assert shop.balance == 300


def test_a_batch_has_its_limits(shop: Shop):
    item = (shop.basket(100), shop.origin())
    with pytest.raises(Refused) as refusal:
        checkout.record_batch([item] * 501)
    assert refusal.value.code == "batch_too_large"


def test_points_multiply_by_tier_after_the_base_is_floored(shop: Shop):
    shop.put_on(shop.gold)
    answer = shop.buy(199, store=shop.cast.cvs_1)
    assert answer["awards"][0]["base"] == 1
    assert Decimal(answer["awards"][0]["multiplier"]) == Decimal("1.5")
    assert answer["points_earned"] == 1
