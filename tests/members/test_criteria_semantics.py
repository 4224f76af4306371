"""What each leaf means, at its limits."""

from datetime import date

import pytest

from members import criteria
from members.models import Member
from tests.cast import Cast
from tests.members.population import Bought, Person, local, save

pytestmark = pytest.mark.django_db
AS_OF = date(2024, 6, 1)


def answer(tree: dict, person: Person, cast: Cast, as_of=AS_OF) -> bool:
    """By `compile`, which must agree with `matches`, and both with `validate`."""
    member = save(person, cast)
    criteria.validate(tree)
    found = Member.objects.filter(criteria.compile(tree, as_of=as_of), pk=member.pk).exists()
    assert criteria.matches(tree, member, as_of=as_of) is found
    return found


def purchases(cmp: str, value: int, agg: str = "count", **more) -> dict:
    return {"event": "purchase", "agg": agg, "cmp": cmp, "value": value, **more}


LAST_WEEK = {"last_days": 7}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local(2024, 5, 24, 23, 59), False),  # the last minute before the window
        (local(2024, 5, 25), True),  # its first instant
        (local(2024, 5, 31, 23, 59), True),  # its last minute: in UTC still the afternoon
        (local(2024, 6, 1), False),  # as_of itself is outside
    ],
)
def test_a_window_of_days_is_half_open_in_local_days(cast, at, expected):
    person = Person(bought=(Bought(at, "MALL", 100),))
    assert answer({"event": "purchase", "window": LAST_WEEK}, person, cast) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local(2024, 4, 30, 23, 59), False),
        (local(2024, 5, 1), True),
        (local(2024, 5, 9, 23, 59), True),
        (local(2024, 5, 10), False),
    ],
)
def test_a_window_of_dates_is_half_open_in_local_days(cast, at, expected):
    window = {"from": "2024-05-01", "before": "2024-05-10"}
    person = Person(bought=(Bought(at, "MALL", 100),))
    assert answer({"event": "purchase", "window": window}, person, cast) is expected


def test_a_moment_sees_its_own_day_until_then(cast):
    person = Person(bought=(Bought(local(2024, 6, 1, 9), "MALL", 100),))
    rule = {"event": "purchase", "window": LAST_WEEK}
    assert answer(rule, person, cast, as_of=local(2024, 6, 1, 9)) is False
    assert answer(rule, person, cast, as_of=local(2024, 6, 1, 9, 1)) is True
    assert answer(rule, person, cast, as_of=local(2024, 6, 8, 9)) is True
    assert answer(rule, person, cast, as_of=local(2024, 6, 8, 9, 1)) is False


def test_nothing_after_as_of_is_seen_whatever_the_window(cast):
    person = Person(bought=(Bought(local(2024, 6, 2), "MALL", 100),))
    assert answer({"event": "purchase"}, person, cast) is False
    assert answer({"event": "purchase", "window": {"before": "2024-07-01"}}, person, cast) is False


@pytest.mark.parametrize(
    "rule",
    [
        purchases("lt", 1),
        purchases("lt", 3),
        purchases("lte", 0),
        purchases("eq", 0),
        purchases("lt", 5, "count_days"),
    ],
)
def test_counting_below_a_number_includes_who_has_no_event(cast, rule):
    assert answer(rule, Person(), cast) is True
    assert answer({**rule, "not": True}, Person(), cast) is False


@pytest.mark.parametrize("agg", ["avg", "max"])
@pytest.mark.parametrize("cmp", ["lt", "gte", "ne"])
def test_average_and_maximum_of_nothing_are_false_and_their_negation_true(cast, agg, cmp):
    rule = purchases(cmp, 0, agg)
    assert answer(rule, Person(), cast) is False
    assert answer({**rule, "not": True}, Person(), cast) is True


def test_the_sum_of_nothing_is_zero(cast):
    assert answer(purchases("eq", 0, "sum"), Person(), cast) is True


def test_aggregates_are_net_of_refunds(cast):
    person = Person(
        bought=(
            Bought(local(2024, 5, 30, 10), "MALL", 10_000, refunded=4_000),
            Bought(local(2024, 5, 30, 11), "HOTEL", 5_000, refunded=5_000),  # undone whole: it is no purchase
        )
    )
    for agg, value in {"sum": 6_000, "max": 6_000, "avg": 6_000, "count": 1, "count_businesses": 1}.items():
        assert answer(purchases("eq", value, agg), person, cast) is True, agg
    assert answer({"event": "purchase", "where": {"business": "HOTEL"}}, person, cast) is False


def test_averages_are_exact(cast):
    person = Person(bought=tuple(Bought(local(2024, 5, 30, hour), "MALL", fen) for hour, fen in ((8, 1), (9, 2))))
    assert answer(purchases("gt", 1, "avg"), person, cast) is True
    assert answer(purchases("gte", 2, "avg"), person, cast) is False


def test_days_are_local_days(cast):
    """Two purchases on one UTC day, and on two days in Shanghai."""
    person = Person(
        bought=(Bought(local(2024, 5, 30, 23), "MALL", 1), Bought(local(2024, 5, 31, 1), "MALL", 1)),
    )
    assert answer(purchases("eq", 2, "count_days"), person, cast) is True


def test_events_are_narrowed_by_one_code_or_several(cast):
    person = Person(
        bought=(Bought(local(2024, 5, 30), "MALL", 100), Bought(local(2024, 5, 30), "HOTEL", 100)),
    )
    assert answer(purchases("eq", 1, where={"business": "MALL"}), person, cast) is True
    assert answer(purchases("eq", 2, where={"business": ["MALL", "HOTEL"]}), person, cast) is True
    assert answer(purchases("eq", 1, where={"store": "HOTEL-1"}), person, cast) is True
    assert answer({"event": "purchase", "where": {"business": "CVS"}, "not": True}, person, cast) is True


@pytest.mark.parametrize("cmp", ["eq", "ne", "lt", "gte"])
def test_a_missing_attribute_is_false_and_its_negation_true(cast, cmp):
    rule = {"attr": "birthday_month", "cmp": cmp, "value": 6}
    assert answer(rule, Person(), cast) is False
    assert answer({**rule, "not": True}, Person(), cast) is True
    assert answer({"op": "and", "not": True, "children": [rule]}, Person(), cast) is True


def test_attributes(cast):
    person = Person(
        registered_at=local(2024, 5, 2, 0, 30),  # the first of May in UTC
        birthday=date(1990, 6, 15),
        gender="f",
        points=120,
        businesses=("MALL",),
    )
    for attr, cmp, value in [
        ("registered_on", "eq", "2024-05-02"),
        ("registered_days", "eq", 30),
        ("birthday_month", "in", [6, 7]),
        ("gender", "ne", "m"),
        ("points_balance", "gte", 120),
        ("business", "in", ["MALL", "HOTEL"]),
    ]:
        assert answer({"attr": attr, "cmp": cmp, "value": value}, person, cast) is True, attr
    assert answer({"attr": "business", "cmp": "eq", "value": "HOTEL"}, person, cast) is False
    assert answer({"attr": "points_balance", "cmp": "gt", "value": 120}, person, cast) is False


def test_who_has_no_account_has_no_points(cast):
    assert answer({"attr": "points_balance", "cmp": "eq", "value": 0}, Person(), cast) is True


def test_no_rule_means_everybody(cast):
    member = save(Person(), cast)
    assert criteria.matches(None, member, as_of=AS_OF) is True
    assert Member.objects.filter(criteria.compile({}, as_of=AS_OF)).count() == 1


def test_existence_is_exists_and_its_negation_not_exists(cast):
    some = {"event": "purchase", "window": LAST_WEEK}
    for rule in ({**some, "not": True}, purchases("eq", 0, window=LAST_WEEK)):
        sql = str(Member.objects.filter(criteria.compile(rule, as_of=AS_OF)).query)
        assert "NOT EXISTS" in sql
        assert " IN (SELECT" not in sql
