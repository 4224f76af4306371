"""The pure price: what it may never do, whatever the basket."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefits.errors import CouponBelowThreshold
from benefits.rules import (
    CouponTerms,
    TierTerms,
    canonical_code,
    coupon_part_refunded,
    coupon_period,
    new_coupon_code,
    price,
    reached,
    split,
    undoing_shares,
    window,
)
from loyalty.interfaces import DraftLine, PurchaseDraft

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
NOON = datetime(2026, 3, 10, 12, tzinfo=SHANGHAI)
LADDER = [SimpleNamespace(threshold=threshold) for threshold in (0, 1_000, 5_000)]

lines = st.lists(
    st.builds(DraftLine, amount=st.integers(0, 10**7), category=st.sampled_from(["", "toys"])), min_size=1, max_size=8
).map(tuple)
percents = st.decimals("0.01", "100", places=2)


def coupon(**facts) -> CouponTerms:
    terms = CouponTerms(
        amount=2_000,
        threshold=0,
        places=frozenset({1}),
        categories=frozenset(),
        valid_from=NOON,
        valid_until=NOON + timedelta(days=1),
    )
    return replace(terms, **facts)


def draft(lines: tuple[DraftLine, ...]) -> PurchaseDraft:
    return PurchaseDraft(member=None, store=None, at=NOON, lines=lines)


@given(lines, percents, st.integers(1, 10**7), st.sampled_from([frozenset(), frozenset({"toys"})]))
def test_discounts_never_exceed_a_line_and_add_up(lines, percent, amount, categories):
    terms = coupon(amount=amount, categories=categories)
    at_tier_price = price(draft(lines), TierTerms(percent=percent)).draft
    covered = sum(line.net_amount for line in at_tier_price.lines if terms.covers(line))
    if not covered:
        with pytest.raises(CouponBelowThreshold):
            price(draft(lines), TierTerms(percent=percent), [terms], lineage=[1])
        return
    priced = price(draft(lines), TierTerms(percent=percent), [terms], lineage=[1, 2])
    assert priced.discounts == (min(amount, covered),)
    assert sum(line.coupon_discount for line in priced.draft.lines) == priced.discounts[0]
    for line in priced.draft.lines:
        assert 0 <= line.tier_discount <= line.amount
        assert 0 <= line.coupon_discount <= line.amount - line.tier_discount
        assert terms.covers(line) or line.coupon_discount == 0


def test_half_a_fen_goes_up_line_by_line():
    priced = price(draft((DraftLine(10), DraftLine(30))), TierTerms(percent=Decimal(95)))
    assert [line.net_amount for line in priced.draft.lines] == [10, 29]  # 9.5 and 28.5


@given(st.integers(1, 10**8), st.lists(st.integers(1, 10**4), min_size=1, max_size=5), st.data())
def test_shares_sum_to_the_charge_and_undo_to_nothing(amount, weights, data):
    whole = sum(weights)
    shares = [{"payer": i + 1, "percent": str(Decimal(weight) * 100 / whole)} for i, weight in enumerate(weights)]
    shares = [share | {"percent": f"{Decimal(share['percent']):.2f}"} for share in shares]
    original = split(amount, shares, redeemer=99)
    if all(share["percent"] == "0.00" for share in shares):
        return
    assert sum(share["amount"] for share in original) == amount
    undone, target = [], 0
    while target < amount:
        target = data.draw(st.integers(target + 1, amount)) if len(undone) < 5 else amount
        undone.append(undoing_shares(original, undone, target))
        assert -sum(share["amount"] for shares in undone for share in shares) == target
        for i, share in enumerate(original):
            assert 0 <= -sum(shares[i]["amount"] for shares in undone) <= share["amount"]
    assert all(sum(shares[i]["amount"] for shares in undone) == -share["amount"] for i, share in enumerate(original))


def test_ties_go_to_the_earlier_share_and_no_payer_is_the_redeemer():
    shares = [{"payer": 1, "percent": "50.00"}, {"payer": None, "percent": "50.00"}]
    assert split(101, shares, redeemer=7) == [{"payer": 1, "amount": 51}, {"payer": 7, "amount": 50}]


def test_a_coupon_is_refunded_with_the_lines_it_lay_on():
    free = SimpleNamespace(coupon_discount=100, refunded_amount=0, net_amount=0)
    half = SimpleNamespace(coupon_discount=300, refunded_amount=50, net_amount=100)
    untouched = SimpleNamespace(coupon_discount=0, refunded_amount=500, net_amount=500)
    assert coupon_part_refunded([free, half, untouched], 400) == 150
    half.refunded_amount = 100
    assert coupon_part_refunded([free, half, untouched], 400) == 400


@pytest.mark.parametrize(("spend", "threshold"), [(-5, 0), (0, 0), (999, 0), (1_000, 1_000), (9_999, 5_000)])
def test_the_highest_tier_that_is_reached(spend: int, threshold: int):
    assert reached(spend, LADDER).threshold == threshold


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK])
def test_a_window_is_whole_local_days_and_ends_with_the_day_itself(zone: ZoneInfo):
    # New York's clocks went forward on 2026-03-08: the window is still whole days.
    start, end = window(datetime(2026, 3, 10, 3, 59, tzinfo=UTC), 7, zone)
    today = 10 if zone is SHANGHAI else 9
    assert start == datetime(2026, 3, today - 6, tzinfo=zone)
    assert end == datetime(2026, 3, today + 1, tzinfo=zone)


@pytest.mark.parametrize(
    ("from_day", "for_days", "begins", "ends"),
    [
        (0, 1, NOON, datetime(2026, 3, 11, tzinfo=SHANGHAI)),
        (0, 30, NOON, datetime(2026, 4, 9, tzinfo=SHANGHAI)),
        (1, 7, datetime(2026, 3, 11, tzinfo=SHANGHAI), datetime(2026, 3, 18, tzinfo=SHANGHAI)),
    ],
)
def test_a_coupon_lasts_whole_local_days(from_day, for_days, begins, ends):
    template = SimpleNamespace(validity="days", from_day=from_day, for_days=for_days)
    assert coupon_period(template, NOON, SHANGHAI) == (begins, ends)


def test_codes_are_read_as_people_write_them():
    code = new_coupon_code()
    assert len(code) == 16
    assert canonical_code(f" {code[:4].lower()}-{code[4:]} ") == code
    assert canonical_code("oil-0") == "0110"
