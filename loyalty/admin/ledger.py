"""The ledger to look at, from account to lot to entry; changed here only by adjusting, with a reason."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from loyalty.admin.forms import AdjustForm
from loyalty.models import Account, Entry, Hold, Lot, Transaction
from loyalty.services import points
from members.errors import Refused
from members.interfaces.admin import ReadOnlyAdmin, admin_origin
from members.interfaces.approval_messages import tell_asked
from members.interfaces.big_lists import BigList, InSightFilter
from members.models import Member

KIND_LABELS = {
    "earn": "success",
    "activate": "success",
    "restore": "info",
    "burn": "warning",
    "capture": "warning",
    "expire": "default",
    "claw_back": "danger",
    "adjust": "primary",
    "cure": "info",
}


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True
    per_page = 20
    ordering = ("pk",)

    def has_add_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


class LotInline(ReadOnlyInline):
    model = Lot
    fields = ("issuer", "quantity", "remaining", "held", "unit_price", "earned_at", "available_at", "expires_at")
    ordering = ("-pk",)


class EntryInline(ReadOnlyInline):
    model = Entry
    fk_name = "transaction"
    fields = ("lot", "bucket", "quantity", "undoes")


class LotEntryInline(ReadOnlyInline):
    model = Entry
    fk_name = "lot"
    fields = ("transaction", "bucket", "quantity", "undoes")


@admin.register(Account)
class AccountAdmin(BigList, ReadOnlyAdmin):
    list_display = ("member", "asset", "balance", "pending", "held")
    list_filter = ("asset",)
    list_select_related = ("member",)
    search_fields = ("member__member_no",)
    search_help_text = _("会员号")
    inlines = (LotInline,)

    def get_urls(self) -> list:
        adjust = self.admin_site.admin_view(self.adjust)
        return [path("adjust/<int:member>/", adjust, name="loyalty_account_adjust"), *super().get_urls()]

    def adjust(self, request: HttpRequest, member: int) -> HttpResponse:
        """Add or take points with a reason: before → change → after, live."""
        if not request.user.has_perm("loyalty.adjust_account"):
            raise PermissionDenied
        person = get_object_or_404(Member.objects.visible_to(request.user), pk=member)
        form = AdjustForm(request.POST or None, member=person, actor=request.user)
        if request.method == "POST" and form.is_valid():
            try:
                self._adjust(request, form)
            except Refused as refusal:
                form.add_error(None, str(refusal.message))
            else:
                return redirect("admin:members_member_360", person.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("调整积分"),
            "form": form,
            "member": person,
        }
        return TemplateResponse(request, "admin/loyalty/adjust.html", context | {"opts": self.opts})

    def _adjust(self, request: HttpRequest, form: AdjustForm) -> None:
        """At once, or when a second person has agreed. The token makes a double click one of either."""
        origin = admin_origin(request, reference=f"adjust:{form.cleaned_data['token']}")
        if form.is_for_two:
            tell_asked(request, form.ask(origin))
            return
        answer = form.apply(origin)
        messages.success(request, gettext("已调整，现有可用 %d。") % answer["balance"])


@admin.register(Lot)
class LotAdmin(BigList, ReadOnlyAdmin):
    list_display = (
        "id",
        "member",
        "issuer",
        "quantity",
        "remaining",
        "held",
        "unit_price",
        "earned_at",
        "activated_at",
        "expires_at",
    )
    list_filter = (("issuer", InSightFilter), "account__asset", "expires_at")
    list_select_related = ("account__member", "issuer")
    search_fields = ("account__member__member_no",)
    search_help_text = _("会员号")
    inlines = (LotEntryInline,)

    @display(description=_("会员"))
    def member(self, lot: Lot) -> Member:
        return lot.account.member


@admin.register(Transaction)
class TransactionAdmin(BigList, ReadOnlyAdmin):
    list_display = (
        "id",
        "member",
        "asset",
        "shown_kind",
        "quantity",
        "balance_after",
        "business",
        "store",
        "channel",
        "operator",
        "card",
        "at",
        "reason",
    )
    list_filter = ("kind", "account__asset", ("business", InSightFilter), "at")
    list_select_related = ("account__member", "business", "store", "channel", "operator", "card")
    search_fields = ("account__member__member_no", "request__reference", "purchase__external_number")
    search_help_text = _("会员号、参考号或外部单号")
    inlines = (EntryInline,)
    actions = ("reverse_transactions",)

    def has_reverse_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("loyalty.reverse_transaction")

    @admin.action(description=_("冲正"), permissions=["reverse"])
    def reverse_transactions(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> None:
        for transaction in queryset.select_related("account__member"):
            origin = admin_origin(request, reference=f"reverse:{transaction.pk}")
            try:
                answer = points.reverse(transaction, reason=gettext("后台冲正"), origin=origin)
            except Refused as refusal:
                messages.error(request, f"#{transaction.pk}：{refusal.message}")
            else:
                messages.success(request, gettext("#%(id)d 已冲正 %(quantity)+d。") % {"id": transaction.pk, **answer})

    @display(description=_("会员"))
    def member(self, transaction: Transaction) -> str:
        page = reverse("admin:members_member_360", args=[transaction.account.member_id])
        return format_html('<a href="{}">{}</a>', page, transaction.account.member)

    @display(description=_("资产"))
    def asset(self, transaction: Transaction) -> str:
        return transaction.account.get_asset_display()

    @display(description=_("类型"), ordering="kind", label=KIND_LABELS)
    def shown_kind(self, transaction: Transaction) -> tuple[str, str]:
        return transaction.kind, transaction.get_kind_display()


@admin.register(Hold)
class HoldAdmin(BigList, ReadOnlyAdmin):
    list_display = ("id", "member", "quantity", "captured", "shown_state", "until", "business", "store", "created_at")
    list_filter = ("state", ("business", InSightFilter))
    list_select_related = ("account__member", "business", "store")
    search_fields = ("account__member__member_no",)

    @display(description=_("会员"))
    def member(self, hold: Hold) -> Member:
        return hold.account.member

    @display(
        description=_("状态"),
        ordering="state",
        label={"open": "info", "captured": "success", "released": "default", "timed_out": "warning"},
    )
    def shown_state(self, hold: Hold) -> tuple[str, str]:
        return hold.state, hold.get_state_display()
