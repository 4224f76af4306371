"""The rules that operators decide. One that has given something keeps its terms: it may be ended, and copied."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from loyalty.models import AssetPolicy, BurnRule, EarnRule, PointsPrice
from loyalty.services import terms
from members.criteria import trade_names
from members.interfaces.admin import OwnedAdmin
from members.interfaces.admin_approval import ApprovedAdmin

STAYS_OPEN = ("name", "ends_at", "is_active")


class RuleAdmin(ApprovedAdmin, OwnedAdmin):
    """Rules of nodes above are seen here and kept there; what has been used is ended and copied, not rewritten."""

    owner = "org_unit"
    list_filter = ("is_active", ("org_unit", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("org_unit",)
    search_fields = ("name",)
    actions = ("copy",)

    def is_used(self, rule) -> bool:
        return rule.starts_at <= timezone.now()

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not self.is_used(obj))

    def get_readonly_fields(self, request: HttpRequest, obj=None) -> list[str]:
        if obj is None or not self.is_used(obj):
            return []
        return [field.name for field in self.opts.fields if field.editable and field.name not in ("id", *STAYS_OPEN)]

    def formfield_for_dbfield(self, db_field, request: HttpRequest, **kwargs):
        """Trades are chosen from the group's list, not typed."""
        if db_field.name == "trades":
            return forms.MultipleChoiceField(
                label=db_field.verbose_name,
                help_text=db_field.help_text,
                required=False,
                choices=trade_names().items,
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        terms.forget()

    @admin.action(description=_("复制为新规则（停用）"), permissions=["add"])
    def copy(self, request: HttpRequest, queryset: QuerySet) -> None:
        rules = [rule for rule in queryset if self.is_kept_here(request, rule)]
        for rule in rules:
            rule.pk, rule.is_active, rule.starts_at = None, False, timezone.now()
            rule.name = gettext("%s（副本）") % rule.name
            rule.ends_at = None
            rule.save()
        messages.success(request, gettext("已复制 %d 条，请修改后启用。") % len(rules))


@admin.register(EarnRule)
class EarnRuleAdmin(RuleAdmin):
    list_display = ("name", "asset", "org_unit", "in_words", "starts_at", "ends_at", "priority", "is_active")
    fieldsets = (
        (None, {"fields": ("name", "org_unit", "asset", "starts_at", "ends_at", "is_active")}),
        (_("给多少"), {"fields": (("points", "per_amount"), "multiplier", "base", "boosted_by_tier", "pending_days")}),
        (_("对什么、对谁"), {"fields": ("trades", "categories", "brands", "audience")}),
        (_("上限与次序"), {"fields": (("cap_per_purchase", "cap_per_day"), ("priority", "is_exclusive"))}),
    )

    def is_used(self, rule: EarnRule) -> bool:
        return rule.awards.exists()

    @display(description=_("规则"))
    def in_words(self, rule: EarnRule) -> str:
        facts = {"amount": rule.per_amount / 100, "points": rule.points, "multiplier": rule.multiplier.normalize()}
        return gettext("每满 %(amount)g 元得 %(points)d，×%(multiplier)s") % facts


@admin.register(BurnRule)
class BurnRuleAdmin(RuleAdmin):
    list_display = ("name", "org_unit", "in_words", "minimum", "share_cap", "starts_at", "ends_at", "is_active")
    fieldsets = (
        (None, {"fields": ("name", "org_unit", "starts_at", "ends_at", "is_active")}),
        (_("抵多少"), {"fields": (("points", "amount"), ("minimum", "step"), "share_cap")}),
        (_("对什么"), {"fields": ("trades", "categories", "priority")}),
    )

    @display(description=_("规则"))
    def in_words(self, rule: BurnRule) -> str:
        return gettext("%(points)d 积分抵 %(amount)g 元") % {"points": rule.points, "amount": rule.amount / 100}


@admin.register(PointsPrice)
class PointsPriceAdmin(ApprovedAdmin, OwnedAdmin):
    owner = "issuer"
    list_display = ("issuer", "price", "starts_at")
    list_filter = (("issuer", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("issuer",)

    def has_change_permission(self, request: HttpRequest, obj: PointsPrice | None = None) -> bool:
        """A price that lots may carry stays; a new one begins at a later date."""
        return super().has_change_permission(request, obj) and (obj is None or obj.starts_at > timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: PointsPrice | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.starts_at > timezone.now())


@admin.register(AssetPolicy)
class AssetPolicyAdmin(RuleAdmin):
    list_display = ("name", "asset", "org_unit", "lasts", "unit", "align", "shortfall", "starts_at", "is_active")
