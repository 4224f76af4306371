"""Refunds undo everything that a purchase did, by lines, by amount or whole, and end in one place in any order."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefits.errors import RefundBeforePurchase
from benefits.models import Charge, Coupon, CouponTemplate
from benefits.services import checkout
from loyalty.errors import RefundNothing, RefundTooMuch
from loyalty.interfaces import RefundItem
from loyalty.models import Purchase, Refund
from loyalty.services.verify import violations
from members.models import Member
from tests.benefits.shop import Shop


@pytest.fixture(autouse=True)
def _proven(db: None):
    """Whatever a test did, the ledger must be whole afterwards."""
    yield
    assert [violation for _, violation in violations() if violation] == []


def borne(member: Member) -> dict[int, int]:
    """What each payer bears after all, in fen."""
    total: Counter[int] = Counter()
    for shares in Charge.objects.filter(member=member).values_list("shares", flat=True):
        for share in shares:
            total[share["payer"]] += share["amount"]
    return dict(total)


def test_a_whole_refund_undoes_the_whole_purchase(shop: Shop):
    shop.buy(60_000, store=shop.cast.cvs_1)
    coupon = shop.coupon(shares=[(shop.cast.group, "50"), (None, "50")])
    bought = shop.buy(20_000, 10_000, coupons=(coupon.code,), points=600)
    assert shop.balance == 600 - 600 + 274  # ⌊(300 − 20 − 6)⌋
    answer = shop.refund(bought, whole=True, reason="不合适")

    assert answer["amount"] == 28_000
    assert (answer["points_restored"], answer["points_amount"], answer["to_pay_back"]) == (600, 600, 27_400)
    assert answer["points_clawed_back"] == 274
    assert (answer["points_balance"], shop.balance) == (600, 600)
    assert answer["kept_amount"] == 0
    assert (answer["coupon_discount_undone"], answer["coupons_returned"]) == (2_000, [coupon.code])
    coupon.refresh_from_db()
    assert (coupon.state, coupon.purchase, coupon.redeemed_at) == ("returned", None, None)
    assert set(borne(shop.member).values()) == {0}
    assert shop.buy(20_000, coupons=(coupon.code,))["coupon_discount"] == 2_000


def test_a_part_is_undone_in_the_original_ratio(shop: Shop):
    group, hotel, mall = shop.cast.group, shop.cast.hotel, shop.cast.mall
    coupon = shop.coupon(amount=10_000, shares=[(group, "50"), (hotel, "30"), (None, "20")])
    bought = shop.buy(25_000, 25_000, coupons=(coupon.code,))
    answer = shop.refund(bought, {1: 20_000})
    assert answer["coupon_discount_undone"] == 5_000
    assert answer["coupons_returned"] == []
    undoing = Charge.objects.latest("pk")
    assert (undoing.amount, undoing.undoes, undoing.refund_id) == (
        -5_000,
        Charge.objects.original().get(),
        answer["id"],
    )
    assert borne(shop.member) == {group.pk: 2_500, hotel.pk: 1_500, mall.pk: 1_000}
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.REDEEMED


def test_a_line_that_the_coupon_did_not_touch_leaves_its_charge(shop: Shop):
    bought = shop.buy(20_000, 0, coupons=(shop.coupon().code,))
    assert shop.refund(bought, amount=9_000)["coupon_discount_undone"] == 1_000
    assert shop.refund(bought, whole=True)["coupon_discount_undone"] == 1_000


def test_what_a_coupon_paid_whole_can_be_refunded_too(shop: Shop):
    coupon = shop.coupon(threshold=0)
    bought = shop.buy(1_500, coupons=(coupon.code,))
    answer = shop.refund(bought, whole=True)
    assert (answer["id"], answer["amount"], answer["coupon_discount_undone"]) == (None, 0, 1_500)
    assert answer["coupons_returned"] == [coupon.code]
    with pytest.raises(RefundNothing):
        shop.refund(bought, whole=True)


def test_a_coupon_whose_time_is_over_does_not_come_back_to_life(shop: Shop):
    coupon = shop.coupon()
    bought = shop.buy(20_000, coupons=(coupon.code,))
    shop.at += timedelta(days=60)
    shop.refund(bought, whole=True)
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.EXPIRED


def test_a_coupon_stays_used_where_its_terms_say_so(shop: Shop):
    coupon = shop.coupon(on_refund=CouponTemplate.OnRefund.KEEP)
    CouponTemplate.objects.update(on_refund=CouponTemplate.OnRefund.RETURN)  # too late for this one
    answer = shop.refund(shop.buy(20_000, coupons=(coupon.code,)), whole=True)
    coupon.refresh_from_db()
    assert (coupon.state, answer["coupons_returned"]) == ("redeemed", [])
    assert answer["coupon_discount_undone"] == 2_000


def test_a_refund_is_refused_beyond_what_is_left(shop: Shop):
    bought = shop.buy(10_000)
    shop.refund(bought, amount=4_000)
    for options in ({"amount": 6_001}, {"lines": {1: 6_001}}):
        with pytest.raises(RefundTooMuch):
            shop.refund(bought, **options)
    with pytest.raises(RefundNothing):
        shop.refund(bought)
    assert Refund.objects.count() == 1
    assert shop.balance == 60


def test_nothing_is_refunded_before_it_was_bought(shop: Shop):
    bought = shop.buy(10_000)
    shop.at -= timedelta(seconds=1)
    with pytest.raises(RefundBeforePurchase):
        shop.refund(bought, whole=True)


def test_the_same_refund_sent_twice_is_one(shop: Shop):
    purchase = Purchase.objects.get(pk=shop.buy(10_000)["id"])
    first, second = (
        checkout.refund(purchase, [RefundItem(1, 3_000)], origin=shop.origin("refund-1")) for _ in range(2)
    )
    assert first == second
    assert Refund.objects.count() == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_parts_in_any_order_end_where_a_whole_refund_ends(shop: Shop, data):
    """Random lines, shares and points, at a tier price; refunded in random parts, nothing is left, nothing drifts."""
    member = shop.new_member()
    shop.buy(100_000, member=member, store=shop.cast.cvs_1)  # 1,000 points, and gold
    amounts = data.draw(st.lists(st.integers(1, 9_999), min_size=1, max_size=4))
    percents = data.draw(st.sampled_from([("100",), ("50", "30", "20"), ("33.33", "33.33", "33.34")]))
    shares = list(zip((shop.cast.group, shop.cast.hotel, None), percents, strict=False))
    coupon = shop.coupon(member=member, amount=data.draw(st.integers(1, sum(amounts))), threshold=0, shares=shares)
    priced = checkout.quote(shop.basket(*amounts, member=member, coupons=(coupon.code,)))
    points = data.draw(st.integers(0, priced["most_points"]))
    bought = shop.buy(*amounts, member=member, coupons=(coupon.code,), points=points)
    purchase = Purchase.objects.get(pk=bought["id"])
    for _ in range(data.draw(st.integers(0, 4))):
        left = {line.number: line.net_amount - line.refunded_amount for line in purchase.lines.all()}
        if not any(left.values()):
            break
        number = data.draw(st.sampled_from([number for number, rest in left.items() if rest]))
        answer = shop.refund(bought, {number: data.draw(st.integers(1, left[number]))})
    purchase.refresh_from_db()
    if purchase.kept_amount or not purchase.net_amount:
        answer = shop.refund(bought, whole=True)
    assert answer["points_balance"] == 1_000
    charge = Charge.objects.get(coupon=coupon, undoes=None)
    assert charge.amount == priced["coupon_discount"]
    assert sum(charge.undone_by.values_list("amount", flat=True)) == -charge.amount
    assert set(borne(member).values()) <= {0}
    assert all(sum(share["amount"] for share in row.shares) == row.amount for row in Charge.objects.all())
    coupon.refresh_from_db()
    assert coupon.state == Coupon.State.RETURNED
