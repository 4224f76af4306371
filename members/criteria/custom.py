"""Rules over attributes that operators have defined: known only to the database, so read when a rule is."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from members.criteria.leaves import COMPARISONS
from members.criteria.moment import Moment
from members.criteria.vocabulary import CODE, Condition, Leaf, Node, as_list
from members.errors import InvalidAttribute
from members.models import Attribute, AttributeValue
from members.services import attributes

Kind = Attribute.Kind
ORDERED = ("eq", "gt", "gte", "lt", "lte")
ASKED = {
    Kind.TEXT: ("eq", "in"),
    Kind.CHOICE: ("eq", "in"),
    Kind.CHOICES: ("eq", "in"),
    Kind.NUMBER: ORDERED,
    Kind.DATE: ORDERED,
    Kind.BOOLEAN: ("eq",),
}
LOOKUPS = {"eq": "", "gt": "__gt", "gte": "__gte", "lt": "__lt", "lte": "__lte"}
EXAMPLES = {Kind.TEXT: "…", Kind.NUMBER: 100, Kind.DATE: "2024-05-31", Kind.BOOLEAN: True}


class CustomLeaf(Leaf):
    """{"custom": "shoe_size", "cmp": "gte", "value": 40}; of several choices, whether one of them was chosen."""

    key = "custom"
    label = _("自定义属性")

    def schema(self) -> dict[str, Any]:
        value = {"type": ["string", "number", "boolean", "array"]}
        return {
            "properties": {"custom": CODE.schema, "cmp": {"enum": [*LOOKUPS, "in"]}, "value": value},
            "required": ["custom", "cmp", "value"],
        }

    def problems(self, node: Node) -> Iterator[tuple[str, str]]:
        attribute = _named(node["custom"])
        if attribute is None:
            yield "custom", str(_("没有“%s”") % node["custom"])
            return
        if node["cmp"] not in ASKED[Kind(attribute.kind)]:
            yield "cmp", str(_("只能是 %s") % "、".join(ASKED[Kind(attribute.kind)]))
        elif isinstance(node["value"], list) != (node["cmp"] == "in"):
            yield "value", str(_("in 后面是列表 […]，其他是一个值"))
        else:
            yield from _unreadable(attribute, node)

    def examples(self) -> Iterator[tuple[str, Node]]:
        for attribute in Attribute.objects.active():
            value = next(iter(attribute.options), EXAMPLES.get(Kind(attribute.kind)))
            if value is not None:
                yield attribute.name, {"custom": attribute.code, "cmp": "eq", "value": value}

    def condition(self, node: Node, moment: Moment) -> Condition:
        rows = AttributeValue.objects.filter(member=OuterRef("pk"), attribute__code=node["custom"])
        attribute = Attribute.objects.get(code=node["custom"])
        values = [attributes.read(attribute, one) for one in as_list(node["value"])]
        column = attributes.COLUMNS[Kind(attribute.kind)]
        if attribute.kind == Kind.CHOICES:
            return Exists(rows.filter(words__overlap=[word for words in values for word in words]))
        if node["cmp"] == "in":
            return Exists(rows.filter(**{f"{column}__in": values}))
        return Exists(rows.filter(**{f"{column}{LOOKUPS[node['cmp']]}": values[0]}))

    def describe(self, node: Node) -> str:
        attribute = _named(node["custom"])
        shown = "、".join(map(_shown, as_list(node["value"])))
        return f"{attribute or node['custom']} {COMPARISONS[node['cmp']][0]} {shown}"


def _named(code: str) -> Attribute | None:
    return Attribute.objects.filter(code=code).first()


def _unreadable(attribute: Attribute, node: Node) -> Iterator[tuple[str, str]]:
    for one in as_list(node["value"]):
        try:
            attributes.read(attribute, one)
        except InvalidAttribute as reason:
            yield "value", str(reason.message)


def _shown(value: Any) -> str:
    return str(_("是") if value else _("否")) if isinstance(value, bool) else str(value)
