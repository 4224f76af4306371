"""A rule becomes one condition over Member, which the ORM turns into one statement."""

from collections.abc import Iterator
from functools import reduce
from operator import and_, or_

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.criteria.moment import AsOf, Moment
from members.criteria.vocabulary import Node, installed, negation
from members.models import Member


def compile(tree: Node | None, *, as_of: AsOf) -> Q:
    """The rule as a filter for `Member.objects.filter(…)`. No rule means everybody.

    Events are seen before `as_of` only (a date: before its local midnight), attributes as they are stored
    now. The tree must have passed `validate`.
    """
    return _condition(tree, Moment.of(as_of)) if tree else Q()


def matches(tree: Node | None, member: Member, *, as_of: AsOf) -> bool:
    """The same question for one member, answered by the same statement."""
    return not tree or Member.objects.filter(compile(tree, as_of=as_of), pk=member.pk).exists()


def describe(tree: Node | None) -> str:
    """The rule in one sentence for operators."""
    if not tree:
        return str(_("全部会员"))
    if "op" not in tree:
        sentence = installed().leaf(tree).describe(tree)
        return str(_("非“%s”") % sentence) if tree.get("not") else sentence
    word = str(_(" 且 ") if tree["op"] == "and" else _(" 或 "))
    sentence = word.join(
        describe(child) if "op" not in child else str(_("（%s）") % describe(child)) for child in tree["children"]
    )
    return str(_("非（%s）") % sentence) if tree.get("not") else sentence


def examples() -> Iterator[tuple[str, Node]]:
    """Everything that can be asked, one leaf for each: what it is about, and how it is written."""
    for leaf in installed().leaves.values():
        yield from leaf.examples()


def _condition(node: Node, moment: Moment, *, negated: bool = False) -> Q:
    """Negation sinks to the leaves (De Morgan), where it is exact, missing values included, and cheap."""
    negated ^= node.get("not", False)
    if "op" in node:
        children = (_condition(child, moment, negated=negated) for child in node["children"])
        return reduce(and_ if (node["op"] == "and") != negated else or_, children)
    condition = installed().leaf(node).condition(node, moment)
    return Q(negation(condition) if negated else condition)
