"""Random rules over a random population: the one SQL statement answers as a slow, obvious reference does."""

import random
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from itertools import product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from members import criteria
from members.models import Member
from tests.cast import build_cast
from tests.members.population import ZONE, Person, random_person, save

COMPARE = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "in": lambda left, right: left in right,
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}


def says(tree: dict, person: Person, member_id: int, as_of: date) -> bool:
    if "op" in tree:
        answers = [says(child, person, member_id, as_of) for child in tree["children"]]
        said = all(answers) if tree["op"] == "and" else any(answers)
    elif "attr" in tree:
        said = says_attribute(tree, person, as_of)
    elif "event" in tree:
        said = says_event(tree, person, as_of)
    else:
        bucket = int(sha256(f"{tree['salt']}:{member_id}".encode()).hexdigest()[:8], 16) % 10_000
        said = tree["bucket"][0] <= bucket <= tree["bucket"][1]
    return said != tree.get("not", False)


def says_attribute(tree: dict, person: Person, as_of: date) -> bool:
    registered_on = person.registered_at.astimezone(ZONE).date()
    value = tree["value"]
    if tree["attr"] == "business":
        return any(code in person.businesses for code in (value if tree["cmp"] == "in" else [value]))
    actual = {
        "gender": person.gender or None,
        "birthday_month": person.birthday and person.birthday.month,
        "registered_on": registered_on.isoformat(),
        "registered_days": (as_of - registered_on).days,
        "points_balance": person.points or 0,
    }[tree["attr"]]
    return actual is not None and COMPARE[tree["cmp"]](actual, value)


def says_event(tree: dict, person: Person, as_of: date) -> bool:
    window = tree.get("window", {})
    end = datetime.combine(as_of, time.min, ZONE)
    start = end - timedelta(days=window.get("last_days", 100_000))
    if "from" in window:
        start = datetime.combine(date.fromisoformat(window["from"]), time.min, ZONE)
    if "before" in window:
        end = min(end, datetime.combine(date.fromisoformat(window["before"]), time.min, ZONE))
    codes = tree.get("where", {}).get("business", ["MALL", "HOTEL", "CVS"])
    rows = [one for one in person.bought if one.stands and start <= one.at < end and one.business in codes]
    if "agg" not in tree:
        return bool(rows)
    amounts = [one.kept for one in rows]
    if tree["agg"] in ("avg", "max") and not rows:
        return False
    if tree["agg"] == "avg":
        return COMPARE[tree["cmp"]](sum(amounts), tree["value"] * len(rows))
    number = {
        "count": len(rows),
        "count_days": len({one.at.astimezone(ZONE).date() for one in rows}),
        "count_businesses": len({one.business for one in rows}),
        "sum": sum(amounts),
        "max": max(amounts, default=0),
    }[tree["agg"]]
    return COMPARE[tree["cmp"]](number, tree["value"])


orders = st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"])
days = st.dates(date(2024, 4, 25), date(2024, 6, 10)).map(date.isoformat)
codes = st.lists(st.sampled_from(["MALL", "HOTEL", "CVS"]), min_size=1, max_size=2, unique=True)
negations = st.sampled_from([{}, {}, {"not": True}, {"not": False}])


def attribute(name: str, values, cmps=orders):
    one = st.fixed_dictionaries({"attr": st.just(name), "cmp": cmps, "value": values})
    several = st.fixed_dictionaries(
        {"attr": st.just(name), "cmp": st.just("in"), "value": st.lists(values, min_size=1, max_size=3)}
    )
    return one | several


attributes = st.one_of(
    attribute("gender", st.sampled_from(["m", "f"]), st.sampled_from(["eq", "ne"])),
    attribute("birthday_month", st.integers(1, 12)),
    attribute("registered_on", days),
    attribute("registered_days", st.integers(0, 150)),
    attribute("points_balance", st.sampled_from([0, 49, 50, 100, 150])),
    attribute("business", st.sampled_from(["MALL", "HOTEL", "CVS"]), st.just("eq")),
)
windows = st.one_of(
    st.fixed_dictionaries({"last_days": st.integers(1, 45)}),
    st.fixed_dictionaries({"from": days, "before": days}),
    st.fixed_dictionaries({"before": days}),
)
asked_of_events = st.one_of(
    st.just({}),
    st.builds(
        lambda agg, cmp, value: {"agg": agg, "cmp": cmp, "value": value},
        st.sampled_from(["count", "count_days", "count_businesses"]),
        orders,
        st.integers(0, 3),
    ),
    st.builds(
        lambda agg, cmp, value: {"agg": agg, "cmp": cmp, "value": value},
        st.sampled_from(["sum", "avg", "max"]),
        orders,
        st.sampled_from([0, 500, 1000, 5000, 10_000]),
    ),
)
events = st.builds(
    lambda asked, more: {"event": "purchase", **asked, **more},
    asked_of_events,
    st.fixed_dictionaries({}, optional={"window": windows, "where": st.fixed_dictionaries({"business": codes})}),
)
buckets = st.builds(
    lambda low, more, salt: {"bucket": [low, min(low + more, 9_999)], "salt": salt},
    st.integers(0, 9_999),
    st.integers(0, 6_000),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=5),
)
leaves = st.builds(lambda leaf, negation: {**leaf, **negation}, attributes | events | events | buckets, negations)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda op, children, negation: {"op": op, "children": children, **negation},
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
        negations,
    ),
    max_leaves=6,
)


def depth(tree: dict) -> int:
    return 1 + max((depth(child) for child in tree.get("children", ())), default=0)


def populate(seed: int) -> dict[int, Person]:
    """Forty random people in the database, by primary key."""
    cast = build_cast()
    dice = random.Random(seed)
    people = [random_person(dice) for _ in range(40)]
    return {save(person, cast).pk: person for person in people}


def assert_agreement(tree: dict, people: dict[int, Person], as_of: date) -> None:
    criteria.validate(tree)
    found = set(Member.objects.filter(criteria.compile(tree, as_of=as_of)).values_list("pk", flat=True))
    assert found == {pk for pk, person in people.items() if says(tree, person, pk, as_of)}, tree


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_random_rules_answer_as_the_reference_does(seed):
    people = populate(seed)

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(trees, st.dates(date(2024, 5, 1), date(2024, 6, 10)))
    def agree(tree, as_of):
        assume(depth(tree) <= 5)
        assert_agreement(tree, people, as_of)
        assert criteria.describe(tree)

    agree()


@pytest.mark.django_db
@pytest.mark.parametrize("agg", ["count", "count_days", "count_businesses", "sum", "avg", "max"])
def test_every_comparison_at_its_limits_answers_as_the_reference_does(agg):
    people = populate(3)
    values = (0, 1, 2) if agg.startswith("count") else (0, 5_000, 10_000)
    for cmp, value, negation in product(["eq", "ne", "gt", "gte", "lt", "lte"], values, [False, True]):
        rule = {"event": "purchase", "window": {"last_days": 20}, "agg": agg, "cmp": cmp, "value": value}
        assert_agreement({**rule, "not": negation}, people, date(2024, 6, 1))
