"""The day roll: what the clock does to members' assets, in the one order that is right."""

from dataclasses import asdict
from datetime import datetime

from benefits.services import coupon_clock, tier_review
from loyalty.services import clock
from members.interfaces import Answer


def roll(now: datetime) -> Answer:
    """Activate what was pending → review tiers → expire → review tiers again; overdue holds before, coupons after.

    Activation comes first, so that what a member has waited for counts; the second review sees what has lapsed.
    Safe to run twice: whatever has been done is not due any more.
    """
    return {
        "holds_released": clock.release_overdue_holds(now),
        "activated": asdict(clock.activate_due(now)),
        "tiers_changed": tier_review.review_all(now),
        "expired": asdict(clock.expire_due(now)),
        "tiers_changed_after_expiry": tier_review.review_all(now),
        "coupons_released": coupon_clock.release_overdue(now),
        "coupons_expired": coupon_clock.expire_due(now),
    }


def preview(now: datetime) -> Answer:
    """The dry run: how much would become spendable, how many would move, and how many accounts would lose how much."""
    return {
        "activated": asdict(clock.due_activation(now)),
        "tiers_changed": sum(1 for _ in tier_review.movers(now)),
        "expired": asdict(clock.due_expiry(now)),
    }
