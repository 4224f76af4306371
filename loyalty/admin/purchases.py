"""Purchases and refunds to look at: lines, tenders, and which rule gave what."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from loyalty.admin.ledger import ReadOnlyInline
from loyalty.models import Award, Purchase, PurchaseLine, Refund, RefundLine, Tender
from members.interfaces.admin import ReadOnlyAdmin
from members.interfaces.money import yuan


class LineInline(ReadOnlyInline):
    model = PurchaseLine
    fields = (
        "number",
        "sku",
        "name",
        "category",
        "brand",
        "quantity",
        "amount",
        "tier_discount",
        "coupon_discount",
        "points_amount",
        "refunded_amount",
    )
    show_change_link = False


class TenderInline(ReadOnlyInline):
    model = Tender
    fields = ("kind", "amount")
    show_change_link = False


class AwardInline(ReadOnlyInline):
    model = Award
    fields = ("rule", "eligible_amount", "base", "multiplier", "given", "cap")
    show_change_link = False


class RefundLineInline(ReadOnlyInline):
    model = RefundLine
    fields = ("line", "amount", "points_restored")
    show_change_link = False


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin):
    list_display = ("external_number", "member", "business", "store", "at", "net", "with_points", "refunded", "channel")
    list_filter = (("business", admin.RelatedOnlyFieldListFilter), ("channel", admin.RelatedOnlyFieldListFilter), "at")
    list_select_related = ("member", "business", "store", "channel")
    search_fields = ("external_number", "member__member_no")
    search_help_text = _("外部单号或会员号")
    inlines = (LineInline, TenderInline, AwardInline)

    @display(description=_("实付"), ordering="net_amount")
    def net(self, purchase: Purchase) -> str:
        return yuan(purchase.net_amount)

    @display(description=_("积分抵扣"), ordering="points_amount")
    def with_points(self, purchase: Purchase) -> str:
        return yuan(purchase.points_amount) if purchase.points_amount else "—"

    @display(description=_("已退"), ordering="refunded_amount")
    def refunded(self, purchase: Purchase) -> str:
        return yuan(purchase.refunded_amount) if purchase.refunded_amount else "—"


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ("id", "purchase", "store", "at", "shown_amount", "points_restored", "operator", "reason")
    list_filter = ("at",)
    list_select_related = ("purchase", "store", "operator")
    search_fields = ("purchase__external_number", "external_number")
    search_help_text = _("外部单号")
    inlines = (RefundLineInline,)

    @display(description=_("退款"), ordering="amount")
    def shown_amount(self, refund: Refund) -> str:
        return yuan(refund.amount)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("loyalty.view_refund")
