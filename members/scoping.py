"""What an operator or a channel may see: rows of the subtree it stands on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db.models import QuerySet

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
