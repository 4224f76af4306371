"""Where care happens: who of the operators sees a business or store, and events that belong to it."""

from dataclasses import replace

from django.db.models import Q, QuerySet

from members.errors import OperatorOutOfReach
from members.interfaces import Origin
from members.models import Operator, OrgUnit
from members.scoping import lineage


def placed(origin: Origin, *, business: OrgUnit | None, store: OrgUnit | None) -> Origin:
    """The origin of something done in a matter of this place, from wherever: its event belongs to the place."""
    return replace(origin, business=business, store=store)


def check_reach(operator: Operator | None, *, business: OrgUnit | None, store: OrgUnit | None) -> None:
    """Raises OperatorOutOfReach where the operator would not see what he is to do."""
    if operator is None:
        return
    reach, place = operator.reach, store or business
    if reach is None or not operator.is_active:
        raise OperatorOutOfReach(field="assigned_to")
    if not reach.is_group and not (place and place.path.startswith(reach.path)):
        raise OperatorOutOfReach(field="assigned_to")


def colleagues(actor: Operator) -> QuerySet[Operator]:
    """Those to whom an operator may hand work: in his own reach, and above him in his business."""
    reach = actor.reach
    if reach is None:
        return Operator.objects.none()
    above = Q() if reach.is_group else Q(org_unit__path__in=lineage(reach)[1:])
    seen = Operator.objects.filter(Q(org_unit__path__startswith=reach.path) | above | Q(pk=actor.pk))
    return seen.filter(is_active=True).order_by("org_unit__path", "username")
