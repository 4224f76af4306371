"""Real connections at once: as many coupons as there are, one winner for each, one effect for a reference."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connections

from benefits.errors import CouponLimitReached, CouponNotOpen, CouponsSoldOut
from benefits.models import Charge, Coupon, MemberTier
from benefits.services import checkout, coupons
from benefits.services.tier_review import review_all
from loyalty.models import Account, Purchase
from loyalty.services.verify import violations
from members.errors import Refused
from members.interfaces import Answer
from tests.benefits.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(times: int, verb: Callable[[int], Answer], *, connections_at_once: int = 20) -> list[Answer | type]:
    """Run `verb(i)` so many times, on parallel connections; a refusal comes back as its class."""

    def run(i: int) -> Answer | type:
        try:
            return verb(i)
        except Refused as refusal:
            return type(refusal)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(connections_at_once) as pool:
        return list(pool.map(run, range(times)))


def outcomes(answers: list[Answer | type]) -> Counter:
    return Counter(answer if isinstance(answer, type) else "done" for answer in answers)


def test_a_hundred_claims_for_ten_coupons(open_shop: Shop):
    template = open_shop.template(total_quantity=10)
    crowd = [open_shop.new_member() for _ in range(10)]
    answers = at_once(
        100, lambda i: coupons.issue_coupon(template, crowd[i % 10], origin=open_shop.origin(f"claim-{i}"))
    )
    assert outcomes(answers) == {"done": 10, CouponsSoldOut: 90}
    template.refresh_from_db()
    assert template.issued == template.coupons.count() == 10


def test_the_limit_per_member_holds(open_shop: Shop):
    template = open_shop.template(per_member=2)
    answers = at_once(
        30, lambda i: coupons.issue_coupon(template, open_shop.member, origin=open_shop.origin(f"claim-{i}"))
    )
    assert outcomes(answers) == {"done": 2, CouponLimitReached: 28}
    template.refresh_from_db()
    assert template.issued == 2


def test_one_coupon_at_two_tills(open_shop: Shop):
    coupon = open_shop.coupon()
    stores = (open_shop.cast.mall_1, open_shop.cast.cvs_1)
    answers = at_once(10, lambda i: open_shop.buy(20_000, coupons=(coupon.code,), store=stores[i % 2]))
    assert outcomes(answers) == {"done": 1, CouponNotOpen: 9}
    assert Purchase.objects.count() == Charge.objects.count() == 1


def test_one_coupon_at_tills_with_receipts_of_their_own(open_shop: Shop):
    coupon, store = open_shop.coupon(), open_shop.cast.hotel_1
    answers = at_once(
        10,
        lambda i: coupons.redeem_coupon(
            Coupon.objects.get(pk=coupon.pk), 20_000, store=store, origin=open_shop.origin(f"redeem-{i}")
        ),
    )
    assert outcomes(answers) == {"done": 1, CouponNotOpen: 9}
    assert Charge.objects.count() == 1


def test_the_same_purchase_twenty_times_is_one(open_shop: Shop):
    coupon = open_shop.coupon()
    basket = open_shop.basket(200_000, coupons=(coupon.code,))
    answers = at_once(20, lambda i: checkout.commit(basket, origin=open_shop.origin("till-1")))
    assert all(answer == answers[0] for answer in answers)
    assert isinstance(answers[0], dict)
    assert Purchase.objects.count() == 1
    assert Account.objects.get(asset="points").balance == 1_980
    assert open_shop.history() == [("basic", "start"), ("gold", "upgrade")]


def test_batches_in_opposite_orders_do_not_lock_each_other_out(open_shop: Shop):
    crowd = [open_shop.new_member() for _ in range(6)]
    for member in crowd:
        open_shop.buy(100, member=member)

    def batch(i: int) -> Answer:
        chosen = crowd if i % 2 else list(reversed(crowd))
        items = [
            (open_shop.basket(10_000, member=member), open_shop.origin(f"batch-{i}-{member.pk}")) for member in chosen
        ]
        return {"items": checkout.record_batch(items)}

    answers = at_once(8, batch, connections_at_once=4)
    assert all("answer" in item for answer in answers for item in answer["items"])
    assert Purchase.objects.count() == 6 + 48
    assert set(Account.objects.values_list("balance", flat=True)) == {1 + 800}


def test_refunds_of_one_purchase_never_exceed_it(open_shop: Shop):
    bought = open_shop.buy(10_000)
    answers = at_once(10, lambda i: open_shop.refund(bought, amount=3_000))
    assert outcomes(answers)["done"] == 3
    assert Purchase.objects.get().refunded_amount == 9_000
    assert [violation for _, violation in violations() if violation] == []


def test_the_nightly_review_and_purchases_at_once(open_shop: Shop):
    crowd = [open_shop.new_member() for _ in range(5)]

    def act(i: int) -> Answer:
        if i % 4 == 0:
            return {"moved": review_all(open_shop.at)}
        return open_shop.buy(40_000, member=crowd[i % 5], store=open_shop.cast.cvs_1)

    answers = at_once(40, act, connections_at_once=8)
    assert set(outcomes(answers)) == {"done"}
    review_all(open_shop.at)
    assert MemberTier.objects.open().count() == 6  # one each, with the shop's own member
    for member in crowd:
        assert MemberTier.objects.open().get(member=member).tier.code == "gold"


def test_a_quote_in_the_hand_of_many_is_good_once(open_shop: Shop):
    open_shop.buy(100_000, store=open_shop.cast.cvs_1)
    basket = open_shop.basket(50_000, points=1_000, store=open_shop.cast.cvs_1)
    token = checkout.quote(basket)["quote"]
    answers = at_once(
        5,
        lambda i: checkout.commit(
            replace(basket, quote=token, draft=replace(basket.draft, external_number=f"n{i}")),
            origin=open_shop.origin(f"till-{i}"),
        ),
    )
    assert outcomes(answers)["done"] == 1
    assert Purchase.objects.count() == 2
