"""The one rule language: a typed JSON tree, validated by a schema, compiled to one ORM condition over Member.

    group   {"op": "and" | "or", "children": [node, …]}
    attr    {"attr": "points_balance", "cmp": "gte", "value": 1000}
    event   {"event": "purchase", "where": {"business": "HOTEL"}, "window": {"last_days": 90},
             "agg": "count", "cmp": "gte", "value": 3}
    custom  {"custom": "shoe_size", "cmp": "gte", "value": 40}
    tag     {"tag": "vip"}                       (contributed by marketing)
    consent {"consent": "marketing", "business": "HOTEL", "medium": "sms"}
    bucket  {"bucket": [0, 999], "salt": "2025-spring"}

Every node may carry "not": true. Without "agg" an event asks whether there was one. Windows are half-open
in the group's local days, up to `as_of`: {"last_days": N}, or {"from": day, "before": day}. A missing value
makes a leaf false and its `not` true. Counts and sums of nothing are 0, avg and max of nothing are missing.
"""

from collections.abc import Iterable

from members.criteria.compiler import compile, describe, examples, matches
from members.criteria.consents import ConsentLeaf
from members.criteria.custom import CustomLeaf
from members.criteria.fields import RuleField
from members.criteria.leaves import AttributeLeaf, BucketLeaf, EventLeaf
from members.criteria.moment import AsOf, Moment
from members.criteria.person import business_names, entries, store_names, trade_names
from members.criteria.schema import InvalidRule, schema, validate
from members.criteria.vocabulary import (
    BOOLEAN,
    CODE,
    DATE,
    INTEGER,
    MONEY,
    Attribute,
    Condition,
    EventField,
    EventKind,
    Leaf,
    Node,
    Relation,
    Vocabulary,
    install_leaves,
    unknown_codes,
)

__all__ = [
    "BOOLEAN",
    "CODE",
    "DATE",
    "INTEGER",
    "MONEY",
    "AsOf",
    "Attribute",
    "Condition",
    "EventField",
    "EventKind",
    "InvalidRule",
    "Leaf",
    "Moment",
    "Node",
    "Relation",
    "RuleField",
    "Vocabulary",
    "business_names",
    "compile",
    "describe",
    "entries",
    "examples",
    "install",
    "matches",
    "schema",
    "store_names",
    "trade_names",
    "unknown_codes",
    "validate",
]


def install(entries: Iterable[Attribute | Relation | EventKind | Leaf]) -> Vocabulary:
    """Say what rules may speak of; called once, by config, at start-up."""
    entries = tuple(entries)
    return install_leaves(
        (
            AttributeLeaf(entry for entry in entries if isinstance(entry, Attribute | Relation)),
            EventLeaf(entry for entry in entries if isinstance(entry, EventKind)),
            BucketLeaf(),
            CustomLeaf(),
            ConsentLeaf(),
            *(entry for entry in entries if isinstance(entry, Leaf)),
        )
    )
