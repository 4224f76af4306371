"""Which accounts an event moves: against the worked example, and for any facts at all."""

import json
from collections import defaultdict
from decimal import Decimal
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement import rules
from settlement.models import AccountCode
from settlement.rules import Leg

D = Decimal
BOOKS = ("MALL", "HOTEL", "CVS", "FUND")
values = st.decimals(min_value=0, max_value=10**9, places=6)
books = st.sampled_from(BOOKS)
cuttings = st.lists(st.integers(1, 50), min_size=1, max_size=6)

FUND = {"holder": "FUND"}
EXAMPLE_A = {
    "E1": rules.issue(issuer="MALL", value=D(5000), **FUND),
    "E2": rules.issue(issuer="HOTEL", value=D(6000), **FUND),
    "E3": rules.burn(redeemer="CVS", value=D(3000), face=D(3000), reimbursed=D(3000), **FUND),
    "E4": rules.burn(redeemer="PROP", value=D(2000), face=D(2000), reimbursed=D(2000), **FUND)
    + rules.burn(redeemer="PROP", value=D(2000), face=D(2000), reimbursed=D(2000), **FUND),
    "E5": rules.claw_back(issuer="MALL", value=D(1000), taken_from="FUND", taken_value=D(1000), **FUND),
    "E6": rules.expire(value=D(500), **FUND),
    "E7": rules.reversal(
        rules.burn(redeemer="CVS", value=D(3000), face=D(3000), reimbursed=D(3000), **FUND),
        before=0,
        after=300,
        whole=600,
    ),
}

# What POS and ERP post of the same event is theirs; what is left of it at the redeemer is the part paid in points.
ACCOUNT_OF = {
    "PointsCost": AccountCode.POINTS_COST,
    "PointsLiability": AccountCode.POINTS_LIABILITY,
    "BreakageIncome": AccountCode.BREAKAGE,
    "Cash": AccountCode.POINTS_TENDER,
    "Revenue": AccountCode.POINTS_TENDER,
}


def example() -> dict[str, dict]:
    path = Path(__file__).with_name("settlement_example.json")
    return {event["id"]: totals_of_example(event) for event in json.loads(path.read_text())["model_A"]}


def totals_of_example(event: dict) -> dict:
    totals = defaultdict(Decimal)
    for book, account, amount in event["entries"]:
        if account.startswith("IC."):
            totals[book, AccountCode.INTER_COMPANY, account.removeprefix("IC.")] += amount
        else:
            totals[book, ACCOUNT_OF[account], None] += amount
    return dict(totals)


def totals(legs: list[Leg]) -> dict:
    return {(leg.book, leg.account, leg.counterparty): leg.amount for leg in rules.merged(legs)}


def assert_balanced(legs: list[Leg]) -> None:
    by_book, by_pair = defaultdict(Decimal), defaultdict(Decimal)
    for leg in legs:
        by_book[leg.book] += leg.amount
        if leg.account == AccountCode.INTER_COMPANY:
            assert leg.counterparty != leg.book
            by_pair[frozenset((leg.book, leg.counterparty))] += leg.amount
        assert leg.amount == rules.posted(leg.amount)
    assert set(by_book.values()) | set(by_pair.values()) <= {D(0)}


@pytest.mark.parametrize("event", sorted(EXAMPLE_A))
def test_each_row_of_the_worked_example(event):
    assert totals(EXAMPLE_A[event]) == example()[event]


def test_a_redeemer_that_is_not_reimbursed_bears_the_promotion():
    legs = rules.burn(holder="FUND", redeemer="CVS", value=D(30), face=D(20), reimbursed=D(0))
    assert totals(legs) == {
        ("CVS", "points_tender", None): -20,
        ("CVS", "promotion_cost", None): 20,
        ("FUND", "points_liability", None): 30,
        ("FUND", "margin", None): -30,
    }


def test_margin_takes_either_sign():
    legs = rules.burn(holder="FUND", redeemer="CVS", value=D(30), face=D(50), reimbursed=D(40))
    assert totals(legs)["FUND", "margin", None] == 10
    assert totals(legs)["CVS", "promotion_cost", None] == 10


def test_who_issues_and_redeems_himself_posts_no_inter_company():
    legs = rules.burn(holder="MALL", redeemer="MALL", value=D(30), face=D(30), reimbursed=D(30))
    assert totals(legs) == {("MALL", "points_tender", None): -30, ("MALL", "points_liability", None): 30}


def test_under_a_a_clawback_from_a_dearer_lot_leaves_a_margin_at_the_fund():
    legs = rules.claw_back(issuer="MALL", holder="FUND", value=D(50), taken_from="FUND", taken_value=D(60))
    assert totals(legs) == {
        ("MALL", "points_cost", None): -50,
        ("MALL", "inter_company", "FUND"): 50,
        ("FUND", "inter_company", "MALL"): -50,
        ("FUND", "points_liability", None): 60,
        ("FUND", "margin", None): -10,
    }


def test_under_b_a_clawback_from_anothers_lot_leaves_that_one_owing():
    legs = rules.claw_back(issuer="MALL", holder="MALL", value=D(50), taken_from="HOTEL", taken_value=D(60))
    assert totals(legs) == {
        ("HOTEL", "points_liability", None): 60,
        ("HOTEL", "inter_company", "MALL"): -60,
        ("MALL", "inter_company", "HOTEL"): 60,
        ("MALL", "points_cost", None): -50,
        ("MALL", "margin", None): -10,
    }


def test_a_debt_and_its_cure_from_a_dearer_lot():
    debt = rules.claw_back_into_debt(issuer="MALL", holder="FUND", value=D(50))
    cure = rules.relieve("FUND", D(60), creditor="FUND") + rules.debt_cured(holder="FUND", value=D(50))
    assert totals(debt)["FUND", "member_receivable", None] == 50
    assert totals(cure) == {
        ("FUND", "points_liability", None): 60,
        ("FUND", "member_receivable", None): -50,
        ("FUND", "margin", None): -10,
    }


def test_a_coupon_is_borne_by_its_payers():
    """¥100: group 50, mall 30, the redeeming hotel 20."""
    legs = rules.coupon(redeemer="HOTEL", shares=[("GROUP", D(5000)), ("MALL", D(3000)), ("HOTEL", D(2000))])
    assert totals(legs) == {
        ("HOTEL", "coupon_tender", None): -10000,
        ("HOTEL", "promotion_cost", None): 2000,
        ("HOTEL", "inter_company", "GROUP"): 5000,
        ("HOTEL", "inter_company", "MALL"): 3000,
        ("GROUP", "promotion_cost", None): 5000,
        ("GROUP", "inter_company", "HOTEL"): -5000,
        ("MALL", "promotion_cost", None): 3000,
        ("MALL", "inter_company", "HOTEL"): -3000,
    }


@given(st.data())
def test_every_event_balances_in_every_book_and_cancels_across_books(data):
    value, taken_value, face = (data.draw(values) for _ in range(3))
    a, b, c = (data.draw(books) for _ in range(3))
    reimbursed = rules.posted(face * data.draw(st.decimals(0, 100, places=4)) / 100)
    burned = rules.burn(holder=a, redeemer=b, value=value, face=face, reimbursed=reimbursed)
    assert_balanced(burned)
    assert_balanced(rules.issue(issuer=a, holder=b, value=value))
    assert_balanced(rules.expire(holder=a, value=value))
    assert_balanced(rules.claw_back(issuer=a, holder=b, value=value, taken_from=c, taken_value=taken_value))
    assert_balanced(rules.claw_back_into_debt(issuer=a, holder=b, value=value))
    assert_balanced(rules.relieve(a, value, creditor=b))
    assert_balanced(rules.debt_cured(holder=a, value=value))
    assert_balanced(rules.coupon(redeemer=a, shares=[(a, value), (b, face), (c, taken_value)]))


@given(
    value=values, face=values, cuts=st.lists(st.integers(1, 50), min_size=1, max_size=6), books=st.tuples(books, books)
)
def test_a_reversal_in_any_parts_negates_the_original_exactly(value, face, cuts, books):
    burned = rules.burn(holder=books[0], redeemer=books[1], value=value, face=face, reimbursed=rules.posted(face / 3))
    whole, before, undone = sum(cuts), 0, []
    for cut in cuts:
        part = rules.reversal(burned, before=before, after=before + cut, whole=whole)
        assert_balanced(part)
        undone += part
        before += cut
    assert rules.merged([*burned, *undone]) == []


@given(st.integers(0, 10**9), cuttings)
def test_shares_of_any_cutting_sum_to_the_whole(amount, cuts):
    ends = [0, *accumulate(cuts)]
    parts = [rules.share(amount, before=start, after=end, whole=ends[-1]) for start, end in pairwise(ends)]
    assert sum(parts) == amount


@given(
    before=st.decimals(-(10**6), 10**6, places=6), parts=st.lists(st.decimals(-(10**6), 10**6, places=6), max_size=8)
)
def test_a_statement_foots_and_no_line_is_off_by_a_fen(before, parts):
    movement = rules.in_fen(before + sum(parts)) - rules.in_fen(before)
    lines = rules.footed(movement, parts)
    assert sum(lines) == movement
    assert all(abs(line - part) < 1 for line, part in zip(lines, parts, strict=True))


@given(st.lists(st.integers(-1000, 1000), max_size=12))
def test_netting_settles_everybody_with_few_payments(nets):
    nets = dict(enumerate([*nets, -sum(nets)]))
    paid = rules.payments(nets)
    for payer, payee, amount in paid:
        assert amount > 0
        nets[payer] += amount
        nets[payee] -= amount
    assert set(nets.values()) <= {0}
    assert len(paid) <= max(0, len(nets) - 1)


def test_equal_claims_and_debts_settle_in_one_payment():
    assert rules.payments({"a": -5, "b": -3, "c": 5, "d": 3}) == [("a", "c", 5), ("b", "d", 3)]
