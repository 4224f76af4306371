"""The arithmetic of the ledger, without a database."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.interfaces import DraftLine
from loyalty.rules import (
    BurnTerms,
    EarnTerms,
    apportion,
    earned,
    eligible_amount,
    expiry,
    kept_part,
    local_midnight,
    most_points,
    round_half_up,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
amounts = st.integers(0, 10**9)


@given(amounts, st.lists(amounts, min_size=1, max_size=12))
def test_apportioned_parts_sum_to_the_total_and_stray_less_than_one(total: int, weights: list[int]):
    parts = apportion(total, weights)
    whole = sum(weights)
    assert sum(parts) == (total if whole else 0)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole)


@given(st.lists(amounts, min_size=1, max_size=12), st.data())
def test_no_part_is_larger_than_its_weight_when_less_than_all_is_split(weights: list[int], data: st.DataObject):
    total = data.draw(st.integers(0, sum(weights)))
    assert all(part <= weight for part, weight in zip(apportion(total, weights), weights, strict=True))


def test_the_largest_remainder_wins_and_ties_go_to_the_earlier():
    assert apportion(100, [1, 1, 1]) == [34, 33, 33]
    assert apportion(10, [3, 3, 4]) == [3, 3, 4]
    assert apportion(5, [0, 0]) == [0, 0]


def test_halves_are_rounded_away_from_nothing():
    assert [round_half_up(Decimal(number)) for number in ("0.5", "1.49", "2.5", "-0.5")] == [1, 1, 3, -1]


@pytest.mark.parametrize(
    ("earned_on", "lasts", "unit", "align", "last_day_is_before"),
    [
        ((2021, 11, 21), 36, "months", "month", (2024, 12, 1)),
        ((2021, 11, 21), 36, "months", "day", (2024, 11, 22)),
        ((2024, 2, 29), 12, "months", "day", (2025, 3, 2)),  # there is no 29 February 2025: through 1 March
        ((2023, 2, 28), 12, "months", "day", (2024, 2, 29)),
        ((2026, 1, 31), 1, "months", "day", (2026, 3, 2)),
        ((2026, 1, 31), 1, "months", "month", (2026, 3, 1)),
        ((2026, 12, 31), 2, "months", "month", (2027, 3, 1)),
        ((2026, 12, 31), 1, "days", "day", (2027, 1, 2)),
        ((2026, 6, 1), 0, "months", "year", (2027, 1, 1)),
    ],
)
def test_expiry_is_rounded_up_to_the_members_benefit(earned_on, lasts, unit, align, last_day_is_before):
    earned_at = datetime(*earned_on, 23, 59, tzinfo=SHANGHAI)
    expires_at = expiry(earned_at, SHANGHAI, lasts=lasts, unit=unit, align=align)
    assert expires_at == datetime(*last_day_is_before, tzinfo=SHANGHAI)


def test_what_never_expires_has_no_end():
    assert expiry(datetime(2026, 1, 1, tzinfo=SHANGHAI), SHANGHAI, lasts=1, unit="never", align="day") is None


def test_the_day_is_the_groups_local_day():
    late_in_new_york = datetime(2026, 3, 31, 23, 30, tzinfo=NEW_YORK)  # already April in Shanghai
    options = {"lasts": 1, "unit": "months", "align": "month"}
    assert expiry(late_in_new_york, NEW_YORK, **options) == datetime(2026, 5, 1, tzinfo=NEW_YORK)
    assert expiry(late_in_new_york, SHANGHAI, **options) == datetime(2026, 6, 1, tzinfo=SHANGHAI)


def test_a_day_of_a_clock_change_is_still_one_day():
    before = datetime(2026, 3, 8, 0, 30, tzinfo=NEW_YORK)  # this day has 23 hours
    assert local_midnight(before, NEW_YORK, days=1) == datetime(2026, 3, 9, tzinfo=NEW_YORK)


def terms(**facts) -> EarnTerms:
    return EarnTerms(
        **{
            "points": 1,
            "per_amount": 100,
            "multiplier": Decimal(1),
            "base": "paid",
            "categories": frozenset(),
            "brands": frozenset(),
            "cap_per_purchase": 0,
            "cap_per_day": 0,
        }
        | facts
    )


def test_base_is_floored_once_then_multiplied_then_floored():
    result = earned(1999, terms(multiplier=Decimal("1.5")), boost=Decimal("1.1"), given_today=0)
    assert (result.base, result.multiplier, result.given) == (19, Decimal("1.65"), 31)


@pytest.mark.parametrize(
    ("caps", "given_today", "given", "cap"),
    [
        ({}, 999, 30, ""),
        ({"cap_per_purchase": 20}, 0, 20, "purchase"),
        ({"cap_per_purchase": 30}, 0, 30, ""),
        ({"cap_per_day": 40}, 25, 15, "day"),
        ({"cap_per_day": 40}, 50, 0, "day"),
        ({"cap_per_day": 40, "cap_per_purchase": 20}, 25, 15, "day"),
    ],
)
def test_caps_limit_what_is_given_and_say_which(caps: dict, given_today: int, given: int, cap: str):
    result = earned(3000, terms(**caps), boost=Decimal(1), given_today=given_today)
    assert (result.given, result.cap) == (given, cap)


LINE = DraftLine(amount=1000, category="酒", tier_discount=50, coupon_discount=150, points_used=200, points_amount=200)


@pytest.mark.parametrize(("base", "eligible"), [("paid", 600), ("net", 800), ("list", 1000)])
def test_what_is_eligible_is_a_choice_of_the_rule(base: str, eligible: int):
    other = DraftLine(amount=500, category="茶")
    assert eligible_amount([LINE, other], terms(base=base, categories=frozenset(["酒"]))) == eligible


@given(st.data())
def test_what_is_kept_of_a_line_shrinks_to_nothing_step_by_step(data: st.DataObject):
    amount = data.draw(st.integers(0, 10**6))
    discount = data.draw(st.integers(0, amount))
    paid_in_points = data.draw(st.integers(0, amount - discount))
    line = DraftLine(
        amount=amount, coupon_discount=discount, points_used=paid_in_points * 3, points_amount=paid_in_points
    )
    assert kept_part(line, 0).net_amount == line.net_amount
    refunded = data.draw(st.integers(0, line.net_amount))
    kept = kept_part(line, refunded)
    assert kept.net_amount == line.net_amount - refunded
    assert 0 <= kept.points_amount <= kept.net_amount <= kept.amount
    assert 0 <= kept.points_used <= line.points_used
    if refunded == line.net_amount and refunded:
        assert (kept.points_amount, kept.points_used, kept.amount) == (0, 0, 0)


def test_points_are_used_in_steps_from_a_minimum_within_a_share():
    burn = BurnTerms(points=100, amount=100, minimum=500, step=100, share_cap=Decimal(50), categories=frozenset())
    assert most_points(2050, 99_999, burn) == 2000
    assert most_points(2050, 1234, burn) == 1200
    assert most_points(2050, 499, burn) == 0
    assert most_points(2050, -10, burn) == 0
