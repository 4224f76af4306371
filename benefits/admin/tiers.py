"""Tier programmes with their tiers and prices, who would move, and who stood where when."""

from collections import Counter
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display

from benefits.admin.forms import TierForm
from benefits.admin.words import link_to
from benefits.models import MemberTier, Tier, TierPrice, TierProgramme
from benefits.services import tiers
from benefits.services.tier_review import Mover, movers
from members.interfaces.admin import ChoicesInSight, OwnedAdmin, ReadOnlyAdmin, in_yuan
from members.interfaces.admin_approval import ApprovedAdmin
from members.interfaces.big_lists import BigList, InSightFilter
from members.interfaces.money import yuan

SHOWN = 200  # movers listed by name; the picture counts them all
REASONS = {"start": "default", "upgrade": "success", "downgrade": "warning", "manual": "info"}


class TierInline(TabularInline):
    model = Tier
    form = TierForm
    fields = ("rank", "code", "name", "threshold", "points_multiplier", "prices", "look")
    readonly_fields = ("prices",)
    extra = 0
    hide_title = True
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        return super().get_queryset(request).prefetch_related("prices__business")

    @display(description=_("等级价"))
    def prices(self, tier: Tier) -> str:
        return _prices(tier)


class TierPriceInline(ChoicesInSight, TabularInline):
    model = TierPrice
    fields = ("business", "percent", "label")
    readonly_fields = ("label",)
    extra = 0
    hide_title = True

    @display(description=_("折扣"))
    def label(self, price: TierPrice) -> str:
        return price.label if price.pk else "—"


class ProgrammeTermsAdmin(ApprovedAdmin, OwnedAdmin):
    """Whatever of a programme is saved, this process knows it at once; the others within seconds."""

    def save_related(self, request: HttpRequest, form, formsets, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        tiers.forget()


@admin.register(TierProgramme)
class TierProgrammeAdmin(ProgrammeTermsAdmin):
    owner = "org_unit"
    list_display = ("name", "code", "org_unit", "metric", "window_days", "ladder", "starts_at", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("org_unit",)
    fields = ("code", "name", "org_unit", "metric", "window_days", "starts_at", "benefits_from", "is_active")
    inlines = (TierInline,)
    actions_detail = ("dry_run",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TierProgramme]:
        return super().get_queryset(request).prefetch_related("tiers")

    def get_readonly_fields(self, request: HttpRequest, obj: TierProgramme | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    @display(description=_("等级"))
    def ladder(self, programme: TierProgramme) -> str:
        return " → ".join(tier.name for tier in programme.tiers.all())

    def has_dry_run_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        programme = self.get_queryset(request).filter(pk=object_id).first()
        return bool(programme) and self.has_change_permission(request, programme)

    @action(description=_("试算"), permissions=["dry_run"], icon="calculate")
    def dry_run(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who the next nightly review would move, as things stand now. Changes nothing."""
        programme = get_object_or_404(self.get_queryset(request), pk=object_id)
        now = timezone.now()
        found = tiers.ladder(now)
        if found is None or found.programme != programme:
            messages.warning(request, gettext("只有启用中的集团等级体系会评级，可以试算。"))
            return redirect("admin:benefits_tierprogramme_change", programme.pk)
        moving = list(movers(now))
        flows = Counter((_from(mover, found), mover.target) for mover in moving)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("试算：%s") % programme,
            "opts": self.opts,
            "programme": programme,
            "now": now,
            "total": len(moving),
            "movers": [(mover, _from(mover, found), yuan(mover.spend)) for mover in moving[:SHOWN]],
            "chart": _chart(flows),
        }
        return TemplateResponse(request, "admin/benefits/dry_run.html", context)


@admin.register(Tier)
class TierAdmin(ProgrammeTermsAdmin):
    """A tier with its prices; it is reached from its programme."""

    owner = "programme.org_unit"
    form = TierForm
    list_display = ("name", "programme", "rank", "shown_threshold", "points_multiplier", "prices", "look")
    list_filter = (("programme", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("programme__org_unit",)
    fields = ("programme", ("code", "name"), ("rank", "threshold"), ("points_multiplier", "look"))
    inlines = (TierPriceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        return super().get_queryset(request).prefetch_related("prices__business")

    def get_readonly_fields(self, request: HttpRequest, obj: Tier | None = None) -> tuple[str, ...]:
        return ("programme", "code") if obj else ()

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        """A tier is added to a programme that one keeps."""
        if db_field.name == "programme" and request.user.reach:
            kwargs["queryset"] = TierProgramme.objects.filter(org_unit__path__startswith=request.user.reach.path)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("门槛"), ordering="threshold")
    def shown_threshold(self, tier: Tier) -> str:
        return yuan(tier.threshold) if tier.threshold else gettext("无门槛")

    @display(description=_("等级价"))
    def prices(self, tier: Tier) -> str:
        return _prices(tier)


@admin.register(MemberTier)
class MemberTierAdmin(BigList, ReadOnlyAdmin):
    list_display = ("shown_member", "tier", "shown_reason", "shown_spend", "since", "until", "programme")
    list_filter = (
        ("tier", InSightFilter),
        "reason",
        ("until", admin.EmptyFieldListFilter),
        "since",
    )
    list_select_related = ("member", "tier", "programme")
    list_display_links = None
    ordering = ("-pk",)
    search_fields = ("member__member_no",)
    search_help_text = _("会员号")
    fields = ("shown_member", "programme", "tier", "reason", "shown_spend", "since", "until")
    shown_spend = in_yuan("spend", _("依据消费"))

    @display(description=_("会员"), ordering="member")
    def shown_member(self, row: MemberTier) -> str:
        return link_to(reverse("admin:members_member_360", args=[row.member_id]), row.member.member_no)

    @display(description=_("原因"), ordering="reason", label=REASONS)
    def shown_reason(self, row: MemberTier) -> tuple[str, str]:
        return row.reason, row.get_reason_display()


def _prices(tier: Tier) -> str:
    return "、".join(f"{price.business} {price.label}" for price in tier.prices.all()) if tier.pk else ""


def _from(mover: Mover, found: tiers.Ladder) -> Tier:
    return mover.before or found.lowest


def _chart(flows: Counter[tuple[Tier, Tier]]) -> dict[str, Any]:
    """From where to where, as streams."""
    ordered = sorted(flows.items(), key=lambda flow: (flow[0][0].rank, flow[0][1].rank))
    links = [{"source": _now(before), "target": _then(target), "value": count} for (before, target), count in ordered]
    names = dict.fromkeys(end for link in links for end in (link["source"], link["target"]))
    return {
        "id": "dry_run",
        "title": gettext("等级变动"),
        "summary": gettext("左为现在，右为评级之后；单位：人"),
        "option": {"series": [{"type": "sankey", "data": [{"name": name} for name in names], "links": links}]},
        "columns": [gettext("现在"), gettext("评级之后"), gettext("人数")],
        "rows": [[before.name, target.name, f"{count:,}"] for (before, target), count in ordered],
    }


def _now(tier: Tier) -> str:
    return gettext("%s（现在）") % tier.name


def _then(tier: Tier) -> str:
    return gettext("%s（之后）") % tier.name
