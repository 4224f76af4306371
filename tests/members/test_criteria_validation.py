"""A wrong rule is refused with the place and the reason, in words an operator understands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from members import criteria
from tests.cast import build_cast

pytestmark = pytest.mark.django_db

POINTS = {"attr": "points_balance", "cmp": "gte", "value": 100}


def problems(tree) -> dict[str, str]:
    with pytest.raises(criteria.InvalidRule) as refusal:
        criteria.validate(tree)
    return {problem.path: problem.message for problem in refusal.value.problems}


def nested(depth: int) -> dict:
    return POINTS if depth == 1 else {"op": "and", "children": [nested(depth - 1)]}


def test_a_string_for_a_number_names_its_place():
    tree = {"op": "and", "children": [POINTS, {**POINTS, "value": "一百"}]}
    assert problems(tree) == {"children[1].value": "应为整数，实际是“一百”"}


def test_every_problem_is_told_at_once():
    tree = {"op": "or", "children": [{"attr": "points_balance"}, {**POINTS, "cmp": "like"}, {"foo": 1}]}
    assert list(problems(tree)) == ["children[0]", "children[1].cmp", "children[2]"]


@pytest.mark.parametrize(
    ("tree", "path", "said"),
    [
        (None, "", "应为对象"),
        ([], "", "应为对象"),
        ({}, "", "op、attr、event、bucket"),
        ({"op": "and", "children": []}, "children", "至少 1"),
        ({"op": "xor", "children": [POINTS]}, "op", "and、or"),
        ({"attr": "password", "cmp": "eq", "value": 1}, "attr", "只能是"),
        ({**POINTS, "value": True}, "value", "应为整数"),
        ({**POINTS, "value": 1.5}, "value", "应为整数"),
        ({**POINTS, "value": 10**16}, "value", "太大"),
        ({**POINTS, "cmp": "in"}, "value", "应为列表"),
        ({**POINTS, "not": "yes"}, "not", "true"),
        ({**POINTS, "sql": "1=1"}, "", "sql"),
        ({"attr": "gender", "cmp": "gt", "value": "m"}, "cmp", "eq、ne、in"),
        ({"attr": "gender", "cmp": "eq", "value": "x"}, "value", "没有“x”"),
        ({"attr": "gender", "cmp": "eq", "value": "m\x00"}, "value", "格式"),
        ({"attr": "registered_on", "cmp": "gt", "value": "2024-02-30"}, "value", "2024-05-31"),
        ({"attr": "business", "cmp": "eq", "value": "NOWHERE"}, "value", "没有“NOWHERE”"),
        ({"event": "purchase", "agg": "sum"}, "", "cmp、value"),
        ({"event": "purchase", "window": {"last_days": 0}}, "window.last_days", "至少 1"),
        ({"event": "purchase", "window": {"last_days": 5, "from": "2024-01-01"}}, "window", "只能选一种"),
        ({"event": "purchase", "where": {"colour": "red"}}, "where", "colour"),
        ({"event": "purchase", "where": {"business": ["MALL", 5]}}, "where.business[1]", "应为文字"),
        ({"bucket": [0, 10_000], "salt": "a"}, "bucket[1]", "9999"),
        ({"bucket": [9, 3], "salt": "a"}, "bucket", "大于"),
    ],
)
def test_what_is_refused(tree, path, said):
    build_cast()
    found = problems(tree)
    assert said in found[path], found


def test_depth_and_size_are_bounded():
    criteria.validate(nested(5))
    assert "5 层" in problems(nested(6))["children[0].children[0].children[0].children[0].children[0]"]
    criteria.validate({"op": "and", "children": [POINTS] * 49})
    assert "50" in problems({"op": "and", "children": [POINTS] * 50})[""]


def test_a_hostile_depth_does_not_exhaust_the_stack():
    tree = POINTS
    for _ in range(5_000):
        tree = {"op": "and", "children": [tree]}
    assert "5 层" in str(problems(tree))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["op", "children", "attr", "cmp", "value", "event", "window", "not", "bucket", "salt", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_anything_else_is_refused_and_never_crashes(tree):
    with pytest.raises(criteria.InvalidRule):
        criteria.validate({"op": "and", "children": [tree, None]})


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(criteria.schema())
    json.dumps(criteria.schema())


def test_a_rule_is_described_in_words():
    build_cast()
    tree = {
        "op": "and",
        "children": [
            POINTS,
            {"attr": "business", "cmp": "in", "value": ["MALL", "HOTEL"]},
            {
                "op": "or",
                "not": True,
                "children": [
                    {"event": "purchase", "window": {"last_days": 90}, "where": {"business": "CVS"}},
                    {"event": "purchase", "agg": "sum", "cmp": "gte", "value": 123450},
                ],
            },
        ],
    }
    assert criteria.describe(tree) == (
        "可用积分 ≥ 100 且 业态会员 ∈ 梧桐广场、梧桐酒店"
        " 且 （非（近 90 天消费（业态：梧桐便利）：有 或 消费合计 ≥ ¥1,234.50））"
    )
    assert criteria.describe(None) == "全部会员"


def test_every_example_is_a_rule():
    build_cast()
    examples = dict(criteria.examples())
    for rule in examples.values():
        criteria.validate(rule)
    assert examples["业态会员"] == {"attr": "business", "cmp": "eq", "value": "MALL"}
    assert {"可用积分", "消费·业态", "消费·合计", "随机一成会员"} <= set(examples)
