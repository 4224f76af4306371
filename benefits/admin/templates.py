"""Coupon templates: kind → worth → threshold → validity → quantity → where → what for → terms → who pays."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from benefits.admin.forms import CouponTemplateForm, ShareForm, SharesFormSet
from benefits.admin.words import worth
from benefits.models import CouponShare, CouponTemplate
from members.interfaces.admin import ChoicesInSight, OwnedAdmin
from members.interfaces.admin_approval import ApprovedAdmin


class ShareInline(ChoicesInSight, TabularInline):
    model = CouponShare
    form = ShareForm
    formset = SharesFormSet
    fields = ("payer", "percent")
    extra = 0
    min_num = 1
    hide_title = True


@admin.register(CouponTemplate)
class CouponTemplateAdmin(ApprovedAdmin, OwnedAdmin):
    owner = "owner"
    form = CouponTemplateForm
    list_display = ("name", "owner", "shown_worth", "period", "issued_of", "limit", "is_welcome_gift", "is_active")
    list_filter = ("is_active", "is_welcome_gift", ("owner", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("owner",)
    search_fields = ("code", "name")
    search_help_text = _("编码或名称")
    inlines = (ShareInline,)
    fieldsets = (
        (None, {"fields": (("code", "name"), ("owner", "is_active"))}),
        (_("类型与面额"), {"fields": (("kind", "amount"),)}),
        (_("使用门槛"), {"fields": ("threshold",)}),
        (_("有效期"), {"fields": ("validity", "valid_from", "valid_until", ("from_day", "for_days"))}),
        (_("数量与限领"), {"fields": (("total_quantity", "per_member"), "is_welcome_gift")}),
        (_("适用范围"), {"fields": ("businesses", "categories")}),
        (_("使用说明"), {"fields": ("terms_text", "on_refund")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: CouponTemplate | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[CouponTemplate]:
        return super().get_queryset(request).select_related("owner")

    def has_delete_permission(self, request: HttpRequest, obj: CouponTemplate | None = None) -> bool:
        """What has issued coupons is stopped, not deleted."""
        return super().has_delete_permission(request, obj) and (obj is None or not obj.issued)

    @display(description=_("优惠"), ordering="amount")
    def shown_worth(self, template: CouponTemplate) -> str:
        return worth(template.amount, template.threshold)

    @display(description=_("有效期"))
    def period(self, template: CouponTemplate) -> str:
        if template.validity == CouponTemplate.Validity.DATES:
            return f"{template.valid_from:%Y-%m-%d} – {template.valid_until:%Y-%m-%d}"
        start = gettext("次日起 ") if template.from_day == 1 else gettext("第 %d 天起 ") % template.from_day
        return (start if template.from_day else "") + gettext("%d 天") % template.for_days

    @display(description=_("每人限领"), ordering="per_member")
    def limit(self, template: CouponTemplate) -> str:
        return str(template.per_member or gettext("不限"))

    @display(description=_("已发 / 总量"), ordering="issued")
    def issued_of(self, template: CouponTemplate) -> str:
        return f"{template.issued:,} / {f'{template.total_quantity:,}' if template.total_quantity else gettext('不限')}"
