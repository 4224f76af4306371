"""The day roll: in its order, and the same when it is run again."""

from datetime import timedelta

import pytest

from benefits.models import Coupon, MemberTier
from benefits.services import coupon_clock, day_roll, tier_review
from benefits.tasks import release_overdue_coupons, roll_the_day
from loyalty.models import AssetPolicy, EarnRule
from loyalty.services import clock
from tests.benefits.shop import LONG_AGO, Shop


def test_the_order(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    steps = []
    for module, name in (
        (clock, "activate_due"),
        (tier_review, "review_all"),
        (clock, "expire_due"),
        (coupon_clock, "expire_due"),
    ):
        verb = getattr(module, name)

        def noted(now, *, verb=verb, name=f"{module.__name__}.{name}"):
            steps.append(name)
            return verb(now)

        monkeypatch.setattr(module, name, noted)
    day_roll.roll(shop.at)
    assert steps == [
        "loyalty.services.clock.activate_due",
        "benefits.services.tier_review.review_all",
        "loyalty.services.clock.expire_due",
        "benefits.services.tier_review.review_all",
        "benefits.services.coupon_clock.expire_due",
    ]


def test_a_day_passes(shop: Shop):
    AssetPolicy.objects.create(
        name="一个月", org_unit=shop.cast.group, starts_at=LONG_AGO, lasts=30, unit="days", align="day"
    )
    EarnRule.objects.update(pending_days=7)
    shop.coupon()
    shop.buy(100_000)
    assert shop.balance == 0
    week = day_roll.roll(shop.at + timedelta(days=7))
    assert week["activated"] == {"accounts": 1, "quantity": 1_000}
    assert (shop.balance, shop.tier) == (1_000, "gold")

    month = day_roll.roll(shop.at + timedelta(days=31))
    assert month["expired"] == {"accounts": 1, "quantity": 1_000}
    assert (month["tiers_changed"], month["tiers_changed_after_expiry"], month["coupons_expired"]) == (1, 0, 1)
    assert (shop.balance, shop.tier) == (0, "basic")
    assert Coupon.objects.get().state == Coupon.State.EXPIRED

    rows = MemberTier.objects.count()
    again = day_roll.roll(shop.at + timedelta(days=31))
    assert again["expired"]["quantity"] == again["tiers_changed"] == again["coupons_expired"] == 0
    assert MemberTier.objects.count() == rows


def test_the_tasks_run(shop: Shop):
    assert roll_the_day.delay().get()["coupons_expired"] == 0
    assert release_overdue_coupons.delay().get() == 0
