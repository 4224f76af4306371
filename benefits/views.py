"""A member's own coupons, and what the tier adds to the home page."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from benefits.models import Coupon
from benefits.services.tiers import standing
from members.interfaces.pages import member_required
from members.models import Member, Operator, OrgUnit

State = Coupon.State
TABS = {"unused": _("未使用"), "used": _("已使用"), "expired": _("已失效")}
AT_ONCE = 200  # more than anybody holds; a list without end would be slow for all
SOON = 2  # coupons shown at home


@never_cache
@require_GET
@member_required
def coupons(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("tab", "unused")
    tab = chosen if chosen in TABS else "unused"
    context = {"tab": tab, "tabs": TABS, "now": timezone.now(), "coupons": _in_tab(request.member, tab)[:AT_ONCE]}
    return render(request, "member/coupons.html", context)


@never_cache
@require_GET
@member_required
def coupon(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(_of(request.member), code=code)
    places = OrgUnit.objects.filter(pk__in=found.terms["places"])
    return render(request, "member/coupon.html", {"coupon": found, "places": places, "now": timezone.now()})


def _of(member: Member) -> QuerySet[Coupon]:
    return Coupon.objects.filter(member=member).select_related("template", "issuer", "purchase__store")


def _in_tab(member: Member, tab: str) -> QuerySet[Coupon]:
    """By what the member can do with them; the clock may not have swept yet, so the time counts, not only the state."""
    mine, now = _of(member), timezone.now()
    open_or_held = Q(state__in=(*Coupon.OPEN, State.HELD))
    if tab == "unused":
        return mine.filter(open_or_held, valid_until__gt=now).order_by("valid_until", "pk")
    if tab == "used":
        return mine.filter(state=State.REDEEMED).order_by("-redeemed_at")
    over = Q(state__in=(State.EXPIRED, State.REVOKED)) | open_or_held & Q(valid_until__lte=now)
    return mine.filter(over).order_by("-valid_until")


# --- Panels of the members' home page, installed by config --------------------------------------------------


def tier_panel(member: Member, actor: Operator | None) -> dict[str, Any]:
    return {"tier": standing(member, timezone.now())}


def coupons_panel(member: Member, actor: Operator | None) -> dict[str, Any]:
    unused = _in_tab(member, "unused")
    return {"count": unused.count(), "coupons": unused[:SOON], "now": timezone.now()}
