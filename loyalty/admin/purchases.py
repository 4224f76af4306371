"""Purchases and refunds to look at: lines, tenders, and which rule gave what."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from loyalty.admin import history
from loyalty.admin.ledger import ReadOnlyInline
from loyalty.models import Award, Purchase, PurchaseLine, Refund, RefundLine, Tender
from members.interfaces.admin import ReadOnlyAdmin, in_yuan
from members.interfaces.big_lists import BigList, InSightFilter


class PartInline(ReadOnlyInline):
    """A part of a receipt: it has no page of its own."""

    show_change_link = False
    hide_title = True

    def get_readonly_fields(self, request: HttpRequest, obj=None) -> tuple[str, ...]:
        return self.fields


class LineInline(PartInline):
    model = PurchaseLine
    fields = (
        "number",
        "sku",
        "name",
        "category",
        "brand",
        "quantity",
        "full",
        "off_by_tier",
        "off_by_coupon",
        "with_points",
        "refunded",
    )
    full = in_yuan("amount", _("金额"))
    off_by_tier = in_yuan("tier_discount", _("等级优惠"))
    off_by_coupon = in_yuan("coupon_discount", _("券优惠"))
    with_points = in_yuan("points_amount", _("积分抵扣"))
    refunded = in_yuan("refunded_amount", _("已退"))


class TenderInline(PartInline):
    model = Tender
    fields = ("kind", "paid")
    paid = in_yuan("amount", _("金额"))


class AwardInline(PartInline):
    model = Award
    fields = ("rule", "eligible", "base", "multiplier", "given", "cap")
    eligible = in_yuan("eligible_amount", _("计分金额"))


class RefundLineInline(PartInline):
    model = RefundLine
    fields = ("line", "refunded", "points_restored")
    refunded = in_yuan("amount", _("退款"))


@admin.register(Purchase)
class PurchaseAdmin(BigList, ReadOnlyAdmin):
    list_display = ("external_number", "member", "business", "store", "at", "net", "with_points", "refunded", "channel")
    list_filter = (("business", InSightFilter), ("channel", InSightFilter), "at")
    list_select_related = ("member", "business", "store", "channel")
    search_fields = ("external_number", "member__member_no")
    search_help_text = _("外部单号或会员号")
    inlines = (LineInline, TenderInline, AwardInline)
    fields = (
        ("external_number", "member"),
        ("business", "store"),
        ("at", "posted_at"),
        ("full", "net"),
        ("points_used", "with_points"),
        "refunded",
        ("channel", "operator"),
        "card",
    )
    full = in_yuan("list_amount", _("原价"))
    net = in_yuan("net_amount", _("实付"))
    with_points = in_yuan("points_amount", _("积分抵扣"))
    refunded = in_yuan("refunded_amount", _("已退"))

    def get_urls(self) -> list:
        return [*history.urls(self.admin_site), *super().get_urls()]


@admin.register(Refund)
class RefundAdmin(BigList, ReadOnlyAdmin):
    list_display = ("id", "purchase", "store", "at", "shown_amount", "points_restored", "operator", "reason")
    list_filter = ("at",)
    list_select_related = ("purchase", "store", "operator")
    search_fields = ("purchase__external_number", "external_number")
    search_help_text = _("外部单号")
    inlines = (RefundLineInline,)
    fields = (
        ("purchase", "store"),
        ("at", "posted_at"),
        ("shown_amount", "points_part"),
        ("points_restored", "reason"),
        ("channel", "operator"),
    )
    shown_amount = in_yuan("amount", _("退款"))
    points_part = in_yuan("points_amount", _("其中积分部分"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("loyalty.view_refund")
