"""What an operator or a channel may see: rows of the subtree it stands on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from members.models import OrgUnit


def rows_within(queryset: QuerySet, node: "OrgUnit | None", *, business: str, store: str | None = None) -> QuerySet:
    """Narrow `queryset` to a node: nothing without one, all for the group, else by business, or by store path below it.

    `business` and `store` are the lookups that lead from a row to its business and its store. Rows that have no store
    (`store=None`) are visible from the business upwards, and from below it as the business's own.
    """
    if node is None:
        return queryset.none()
    if node.is_group:
        return queryset
    if node.kind == "business" or store is None:
        return queryset.filter(**{business: node.business_id or node.pk})
    return queryset.filter(**{f"{store}__path__startswith": node.path})


def of_visible_members(member: str = "member") -> Callable:
    """Build `visible_to` for rows that are visible exactly where their member is."""

    def visible_to(self: QuerySet, actor) -> QuerySet:
        return rows_within(self, actor.reach, business=f"{member}__memberships__business")

    return visible_to


def lineage(node: "OrgUnit") -> list[str]:
    """The paths of a node and of every node above it."""
    return [node.path[: node.steplen * depth] for depth in range(1, node.depth + 1)]


def rows_reaching(queryset: QuerySet, node: "OrgUnit | None", *, owner: str) -> QuerySet:
    """Rows owned below `node`, at it, or above it; nothing without a node."""
    if node is None:
        return queryset.none()
    below = Q(**{f"{owner}__path__startswith": node.path})
    return queryset.filter(below | Q(**{f"{owner}__path__in": lineage(node)}))


def of_owners_in_sight(owner: str) -> Callable:
    """Build `visible_to` for what nodes decide: one sees one's own subtree's, and what is decided above."""

    def visible_to(self: QuerySet, actor) -> QuerySet:
        return rows_reaching(self, actor.reach, owner=owner)

    return visible_to
