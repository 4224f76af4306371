"""What rules may ask of tiers."""

from django.db.models import Expression, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from benefits.models import MemberTier, Tier
from members.criteria import CODE, Attribute, Moment


def group_tiers():
    """The rungs of the group's ladder, lowest first."""
    return Tier.objects.filter(programme__is_active=True, programme__org_unit__depth=1).order_by("rank")


def tier(moment: Moment) -> Expression:
    """The group tier that a member stood on at that moment. Who has no row yet stands on the lowest."""
    held = MemberTier.objects.at(moment.end).filter(member=OuterRef("pk"), tier__in=group_tiers().order_by())
    return Coalesce(
        Subquery(held.order_by("-since", "-pk").values("tier__code")[:1]),
        Subquery(group_tiers().values("code")[:1]),
    )


def tier_names() -> dict[str, str]:
    return dict(group_tiers().values_list("code", "name"))


entries = (Attribute("tier", _("等级"), CODE, tier, tier_names),)
