"""What operators and channels see of this floor's decisions: their own, and those from above that hold for them."""

from collections.abc import Callable

from django.db.models import Q, QuerySet

from members.models import OrgUnit


def lineage(node: OrgUnit) -> list[str]:
    """The paths of a node and of every node above it."""
    return [node.path[: node.steplen * depth] for depth in range(1, node.depth + 1)]


def rows_reaching(queryset: QuerySet, node: OrgUnit | None, *, owner: str) -> QuerySet:
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
