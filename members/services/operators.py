"""Who may appoint, change and dismiss whom: down the tree only, and only whoever may do less than oneself."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from members.models import Operator


def permissions_of(operator: Operator) -> QuerySet[Permission]:
    """What he may do, or could if he were active again; of a superuser everything."""
    if operator.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(group__user=operator) | Q(user=operator))


def may_manage(actor: Operator, operator: Operator) -> bool:
    """Whether `actor` may change, dismiss, or give a new password to `operator`.

    Not himself, nobody outside his subtree, and nobody who may do as much as he or more: with a new password he could
    act, and approve what he asked for, in the other's name. Superusers are left to superusers.
    """
    if actor.is_superuser:
        return True
    if operator.is_superuser or operator.pk == actor.pk or not _stands_below(operator, actor):
        return False
    own, his = _keys(actor), _keys(operator)
    return his < own or (his == own and operator.org_unit_id != actor.org_unit_id)


def roles_within(actor: Operator) -> QuerySet[Group]:
    """The roles that he may hand out: those whose every permission he has himself."""
    if actor.is_superuser:
        return Group.objects.all()
    beyond = Permission.objects.exclude(pk__in=permissions_of(actor).values("pk"))
    return Group.objects.exclude(permissions__in=beyond)


def may_edit_role(actor: Operator, role: Group) -> bool:
    """Roles are headquarters' affair; nobody widens the one that he carries, nor one that may do more than he."""
    if actor.is_superuser:
        return True
    reach = actor.reach
    if reach is None or not reach.is_group or actor.groups.filter(pk=role.pk).exists():
        return False
    return roles_within(actor).filter(pk=role.pk).exists()


def _stands_below(operator: Operator, actor: Operator) -> bool:
    """On the actor's node, or below it."""
    node, reach = operator.org_unit, actor.reach
    return node is not None and reach is not None and node.path.startswith(reach.path)


def _keys(operator: Operator) -> set[int]:
    return set(permissions_of(operator).values_list("pk", flat=True))
