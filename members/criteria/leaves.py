"""The leaves that every floor shares: attributes, events in a window, and stable random buckets."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.db import models
from django.db.models import (
    Avg,
    Count,
    Exists,
    Expression,
    F,
    Func,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat, TruncDate
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, In, LessThan, LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from members.criteria.moment import Moment
from members.criteria.vocabulary import (
    CODE,
    DATE,
    INTEGER,
    Attribute,
    Choices,
    Condition,
    EventField,
    EventKind,
    Leaf,
    Node,
    Relation,
    ValueType,
    as_list,
    example_of,
    unknown_codes,
)

COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], Condition]]] = {
    "eq": ("=", Exact),
    "ne": ("≠", lambda left, right: ~Exact(left, right)),
    "in": ("∈", In),
    "gt": (">", GreaterThan),
    "gte": ("≥", GreaterThanOrEqual),
    "lt": ("<", LessThan),
    "lte": ("≤", LessThanOrEqual),
}
AGGREGATES = {
    "count": _("次数"),
    "count_days": _("天数"),
    "count_businesses": _("业态数"),
    "sum": _("合计"),
    "avg": _("平均"),
    "max": _("最大"),
}
OF_A_MEASURE = ("sum", "avg", "max")
BUCKETS = 10_000


def compare(left: Expression | F, cmp: str, value: Any, value_type: ValueType) -> Condition:
    def typed(one: Any) -> Value:
        return Value(value_type.parse(one), output_field=value_type.field)

    right = [typed(one) for one in value] if cmp == "in" else typed(value)
    return COMPARISONS[cmp][1](left, right)


def one_or_several(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value, or of a list of them."""
    return {"if": {"type": "array"}, "then": several(schema), "else": schema}


def several(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "minItems": 1, "maxItems": 500}


def when(key: str, value: str, then: dict[str, Any], **otherwise: Any) -> dict[str, Any]:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then, **otherwise}


def names(value: Any, value_type: ValueType, choices: Choices | None) -> str:
    known = choices() if choices else {}
    return str(_("、")).join(str(known.get(one) or value_type.show(one)) for one in as_list(value))


class AttributeLeaf(Leaf):
    key = "attr"
    label = _("会员属性")

    def __init__(self, attributes: Iterable[Attribute | Relation]) -> None:
        self.attributes = {attribute.name: attribute for attribute in attributes}

    def schema(self) -> dict[str, Any]:
        return {
            "properties": {
                "attr": {"enum": list(self.attributes)},
                "cmp": {"enum": list(COMPARISONS)},
                "value": {},
            },
            "required": ["attr", "cmp", "value"],
            "allOf": [when("attr", name, self._value_schema(one)) for name, one in self.attributes.items()],
        }

    @staticmethod
    def _value_schema(attribute: Attribute | Relation) -> dict[str, Any]:
        value = attribute.type.schema
        return {
            "properties": {"cmp": {"enum": list(attribute.comparisons)}},
            **when(
                "cmp",
                "in",
                {"properties": {"value": several(value)}},
                **{"else": {"properties": {"value": value}}},
            ),
        }

    def problems(self, node: Node) -> Iterator[tuple[str, str]]:
        return unknown_codes("value", node["value"], self.attributes[node["attr"]].choices)

    def examples(self) -> Iterator[tuple[str, Node]]:
        for name, attribute in self.attributes.items():
            value = example_of(attribute.type, attribute.choices)
            if value is not None:
                yield attribute.label, {"attr": name, "cmp": attribute.comparisons[0], "value": value}

    def condition(self, node: Node, moment: Moment) -> Condition:
        attribute = self.attributes[node["attr"]]
        if isinstance(attribute, Relation):
            return Exists(attribute.rows(moment).filter(**{f"{attribute.path}__in": as_list(node["value"])}))
        return compare(attribute.expression(moment), node["cmp"], node["value"], attribute.type)

    def describe(self, node: Node) -> str:
        attribute = self.attributes[node["attr"]]
        value = names(node["value"], attribute.type, attribute.choices)
        return f"{attribute.label} {COMPARISONS[node['cmp']][0]} {value}"


class EventLeaf(Leaf):
    """Whether, how often or how much, in a window of local days."""

    key = "event"
    label = _("会员行为")

    def __init__(self, kinds: Iterable[EventKind]) -> None:
        self.kinds = {kind.name: kind for kind in kinds}

    def schema(self) -> dict[str, Any]:
        window = {
            "type": "object",
            "properties": {
                "last_days": {"type": "integer", "minimum": 1, "maximum": 36_500},
                "from": DATE.schema,
                "before": DATE.schema,
            },
            "additionalProperties": False,
            "minProperties": 1,
            "dependentSchemas": {"last_days": {"maxProperties": 1}},
        }
        return {
            "properties": {
                "event": {"enum": list(self.kinds)},
                "where": {"type": "object"},
                "window": window,
                "agg": {"enum": list(AGGREGATES)},
                "cmp": {"enum": [cmp for cmp in COMPARISONS if cmp != "in"]},
                "value": INTEGER.schema,
            },
            "required": ["event"],
            "dependentRequired": {"agg": ["cmp", "value"], "cmp": ["agg", "value"], "value": ["agg", "cmp"]},
            "allOf": [when("event", name, self._kind_schema(kind)) for name, kind in self.kinds.items()],
        }

    @staticmethod
    def _kind_schema(kind: EventKind) -> dict[str, Any]:
        where = {
            "properties": {field.name: one_or_several(CODE.schema) for field in kind.fields},
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"properties": {"where": where, "agg": {"enum": list(kind.aggregates)}}}

    def problems(self, node: Node) -> Iterator[tuple[str, str]]:
        for field in narrowed_by(self.kinds[node["event"]], node):
            yield from unknown_codes(f"where.{field.name}", node["where"][field.name], field.choices)

    def examples(self) -> Iterator[tuple[str, Node]]:
        for name, kind in self.kinds.items():
            window = {"last_days": 90}
            yield kind.label, {"event": name, "window": window}
            for field in kind.fields:
                code = example_of(CODE, field.choices)
                if code is not None:
                    where = {field.name: code}
                    yield f"{kind.label}·{field.label}", {"event": name, "where": where, "window": window}
            for agg in kind.aggregates:
                value = kind.measure_type.example if agg in OF_A_MEASURE else 3
                asked = {"event": name, "window": window, "agg": agg, "cmp": "gte", "value": value}
                yield f"{kind.label}·{AGGREGATES[agg]}", asked

    def condition(self, node: Node, moment: Moment) -> Condition:
        kind = self.kinds[node["event"]]
        rows = self._rows(kind, node, moment)
        if "agg" not in node or asks_for_any(node):
            return Exists(rows)
        if asks_for_none(node):
            return ~Exists(rows)
        aggregate, value_type, of_nothing = aggregation(kind, node["agg"], moment)
        number = Subquery(
            rows.order_by().values(kind.member).annotate(_number=aggregate).values("_number"),
            value_type.field,
        )
        if of_nothing is not None:
            number = Coalesce(number, Value(of_nothing), output_field=value_type.field)
        return compare(number, node["cmp"], node["value"], value_type)

    @staticmethod
    def _rows(kind: EventKind, node: Node, moment: Moment) -> QuerySet:
        start, end = moment.span(node.get("window"))
        rows = kind.rows().filter(**{kind.member: OuterRef("pk"), f"{kind.time}__lt": end})
        if start is not None:
            rows = rows.filter(**{f"{kind.time}__gte": start})
        for field in narrowed_by(kind, node):
            rows = rows.filter(**{f"{field.path}__in": as_list(node["where"][field.name])})
        return rows

    def describe(self, node: Node) -> str:
        kind = self.kinds[node["event"]]
        where = str(_("，")).join(
            str(_("%(name)s：%(value)s"))
            % {"name": field.label, "value": names(node["where"][field.name], CODE, field.choices)}
            for field in narrowed_by(kind, node)
        )
        what = str(_("%(window)s%(events)s")) % {"window": describe_window(node.get("window")), "events": kind.label}
        what = what.strip() + (str(_("（%s）") % where) if where else "")
        if "agg" not in node:
            return str(_("%s：有") % what)
        value_type = kind.measure_type if node["agg"] in OF_A_MEASURE else INTEGER
        measure = str(_("%(what)s%(aggregate)s")) % {"what": what, "aggregate": AGGREGATES[node["agg"]]}
        return f"{measure} {COMPARISONS[node['cmp']][0]} {value_type.show(node['value'])}"


def narrowed_by(kind: EventKind, node: Node) -> list[EventField]:
    return [field for field in kind.fields if field.name in node.get("where", {})]


AT_LEAST_ONE = {("gte", 1), ("gt", 0), ("ne", 0)}
NONE_AT_ALL = {("lt", 1), ("lte", 0), ("eq", 0)}


def asks_for_any(node: Node) -> bool:
    return node["agg"].startswith("count") and (node["cmp"], node["value"]) in AT_LEAST_ONE


def asks_for_none(node: Node) -> bool:
    return node["agg"].startswith("count") and (node["cmp"], node["value"]) in NONE_AT_ALL


EXACT_AVERAGE = replace(INTEGER, field=models.DecimalField())


def aggregation(kind: EventKind, agg: str, moment: Moment) -> tuple[Expression, ValueType, int | None]:
    """(aggregate, its type, its value where there is no event at all: None = missing)."""
    if agg == "count":
        return Count("pk"), INTEGER, 0
    if agg == "count_days":
        return Count(TruncDate(kind.time, tzinfo=moment.zone), distinct=True), INTEGER, 0
    if agg == "count_businesses":
        return Count(kind.business, distinct=True), INTEGER, 0
    if agg == "sum":
        return Cast(Sum(kind.measure), models.BigIntegerField()), INTEGER, 0
    if agg == "avg":
        return Avg(kind.measure, output_field=models.DecimalField()), EXACT_AVERAGE, None
    return Max(kind.measure), INTEGER, None


def describe_window(window: dict[str, Any] | None) -> str:
    if not window:
        return ""
    if "last_days" in window:
        return str(_("近 %d 天") % window["last_days"])
    if "before" not in window:
        return str(_("自 %s 起") % window["from"])
    if "from" not in window:
        return str(_("%s 之前") % window["before"])
    return str(_("自 %(from)s 起%(before)s 之前") % window)


class BucketOf(Func):
    """int(sha256(expression)[:8], 16) % 10000, with built-in functions only."""

    template = (
        "mod(('x' || substr(encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex'), 1, 8))"
        f"::bit(32)::bigint, {BUCKETS})"
    )
    output_field = models.IntegerField()


class BucketLeaf(Leaf):
    """A stable random share of all members: both ends belong to it, [0, 999] is a tenth."""

    key = "bucket"
    label = _("随机分组")

    def schema(self) -> dict[str, Any]:
        number = {"type": "integer", "minimum": 0, "maximum": BUCKETS - 1}
        return {
            "properties": {
                "bucket": {"type": "array", "items": number, "minItems": 2, "maxItems": 2},
                "salt": CODE.schema,
            },
            "required": ["bucket", "salt"],
        }

    def problems(self, node: Node) -> Iterator[tuple[str, str]]:
        low, high = node["bucket"]
        if low > high:
            yield "bucket", str(_("起始号 %(low)d 大于结束号 %(high)d") % {"low": low, "high": high})

    def examples(self) -> Iterator[tuple[str, Node]]:
        yield str(_("随机一成会员")), {"bucket": [0, 999], "salt": "2025-spring"}

    def condition(self, node: Node, moment: Moment) -> Condition:
        low, high = node["bucket"]
        salted = Concat(Value(f"{node['salt']}:"), Cast("pk", models.TextField()), output_field=models.TextField())
        bucket = BucketOf(salted)
        return compare(bucket, "gte", low, INTEGER) & compare(bucket, "lte", high, INTEGER)

    def describe(self, node: Node) -> str:
        low, high = node["bucket"]
        return str(_("随机分组“%(salt)s”的 %(low)d–%(high)d 号（共 %(all)d 号）")) % {
            "salt": node["salt"],
            "low": low,
            "high": high,
            "all": BUCKETS,
        }
