"""What member 360 and the member list show of tiers and coupons."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from benefits.admin.words import worth
from benefits.models import Coupon, MemberTier, Tier
from benefits.services.tiers import ladder, standing
from members.models import Member, Operator

ROWS = 50  # a tab shows the latest; the lists behind it have all
SOON = 3  # coupons named on the card


def tier(member: Member, actor: Operator | None) -> dict[str, Any]:
    return {"tier": standing(member, timezone.now())}


def usable_coupons(member: Member, actor: Operator | None) -> dict[str, Any]:
    """The card: how many can be used now, and which go first."""
    usable = Coupon.objects.visible_to(actor).filter(member=member).usable(timezone.now())
    return {"count": usable.count(), "coupons": _with_worth(usable.order_by("valid_until", "pk")[:SOON])}


def coupons(member: Member, actor: Operator | None) -> dict[str, Any]:
    rows = Coupon.objects.visible_to(actor).filter(member=member).select_related("issuer", "purchase__store")
    return {"coupons": _with_worth(rows[:ROWS])}


def tier_history(member: Member, actor: Operator | None) -> dict[str, Any]:
    rows = MemberTier.objects.visible_to(actor).filter(member=member).select_related("tier", "programme")
    return {"rows": rows.order_by("-since", "-pk")[:ROWS]}


def tiers(keys: Sequence[int]) -> Mapping[int, str]:
    """The column 等级 of the member list: who has no row yet stands on the lowest."""
    found = ladder(timezone.now())
    if found is None:
        return {}
    held = MemberTier.objects.open().filter(member__in=keys, programme=found.programme)
    return dict.fromkeys(keys, found.lowest.name) | dict(held.values_list("member", "tier__name"))


class TierFilter(SimpleListFilter):
    title = _("等级")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return [(str(tier.pk), tier.name) for tier in self._ladder()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Member]) -> QuerySet[Member]:
        chosen = next((tier for tier in self._ladder() if str(tier.pk) == self.value()), None)
        if chosen is None:
            return queryset
        held = MemberTier.objects.open().filter(programme=chosen.programme_id)
        if chosen == self._ladder()[0]:
            return queryset.exclude(pk__in=held.exclude(tier=chosen).values("member"))
        return queryset.filter(pk__in=held.filter(tier=chosen).values("member"))

    @staticmethod
    def _ladder() -> tuple[Tier, ...]:
        found = ladder(timezone.now())
        return found.tiers if found else ()


def _with_worth(rows: QuerySet[Coupon]) -> list[Coupon]:
    found = list(rows)
    for coupon in found:
        coupon.worth = worth(coupon.terms["amount"], coupon.terms["threshold"])
    return found
