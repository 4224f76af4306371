"""Periods are cut and locked by headquarters, after a question; payments are what a cut came to."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect
from unfold.dataclasses import ActionDialog, UnfoldAction
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from members.interfaces.admin import ReadOnlyAdmin, admin_origin, in_yuan, refusals_as_messages
from settlement.admin.drill_down import InSightFilter, link_to
from settlement.models import NettingPayment, Period
from settlement.services import periods
from settlement.services.export import export

STATES = {
    Period.State.OPEN: "info",
    Period.State.CUT_OFF: "warning",
    Period.State.ISSUED: "warning",
    Period.State.CONFIRMED: "warning",
    Period.State.LOCKED: "success",
    Period.State.PAID: "success",
}
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def asking(title: str, description: str) -> ActionDialog:
    """A question before the act, which is then a POST."""
    return {"title": title, "description": description, "form_class": BaseDialogForm, "form_submit_text": _("确定")}


@admin.register(Period)
class PeriodAdmin(ReadOnlyAdmin):
    list_display = ("name", "starts_at", "ends_at", "shown_state", "shown_statements", "cut_at", "locked_at")
    list_filter = ("state",)
    search_fields = ("name",)
    fields = ("name", ("starts_at", "ends_at"), "state", ("cut_at", "locked_at"), "shown_statements")
    actions_detail = actions_row = ("cut", "lock", "download")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Period]:
        return super().get_queryset(request).annotate(stated=Count("statements"))

    @display(description=_("状态"), ordering="state", label=STATES)
    def shown_state(self, period: Period) -> tuple[str, str]:
        return period.state, period.get_state_display()

    @display(description=_("结算单"))
    def shown_statements(self, period: Period) -> str:
        if not period.stated:
            return gettext("未出单")
        page = reverse("admin:settlement_statement_changelist")
        return link_to(f"{page}?period__id__exact={period.pk}", gettext("查看结算单"))

    # Cutting and locking --------------------------------------------------------------------------------------

    def has_close_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """A period is the whole group's: a business, whatever it may do, doesn't close it."""
        reach = request.user.reach
        return bool(reach) and reach.is_group and request.user.has_perm("settlement.lock_period")

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[UnfoldAction]:
        """A closed period's page keeps the export alone; from the list the service says why not."""
        shown = super().get_actions_detail(request, object_id)
        is_open = Period.objects.open().filter(pk=object_id).exists()
        return [one for one in shown if is_open or one.action_name.endswith("download")]

    @action(
        description=_("关账"),
        permissions=["close"],
        icon="receipt_long",
        dialog=asking(_("关账？"), _("汇集至今的凭证，重新出具本期和更早未锁定账期的结算单。锁定之前可以重复。")),
    )
    def cut(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._do(request, object_id, periods.cut, gettext("%s 已关账，结算单已出具。"))

    @action(
        description=_("锁定"),
        permissions=["close"],
        icon="lock",
        variant=ActionVariant.DANGER,
        dialog=asking(_("锁定账期？"), _("锁定后本期不再变更，之后的更正记入以后的账期。此操作不能撤销。")),
    )
    def lock(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._do(request, object_id, periods.lock, gettext("%s 已锁定。"))

    def _do(self, request: HttpRequest, object_id: str, verb: Callable, told: str) -> HttpResponse:
        period = get_object_or_404(self.get_queryset(request), pk=object_id)
        with refusals_as_messages(request):
            verb(period, origin=admin_origin(request))
            messages.success(request, told % period)
        return HttpResponseClientRedirect(reverse("admin:settlement_period_change", args=[object_id]))

    # Export ---------------------------------------------------------------------------------------------------

    def has_export_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("settlement.view_statement")

    @action(description=_("导出 Excel"), permissions=["export"], icon="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.export(request, object_id)

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.export)
        return [path("<int:pk>/export/", view, name="settlement_period_export"), *super().get_urls()]

    def export(self, request: HttpRequest, pk: int | str) -> FileResponse:
        """The period as a workbook: of each operator's own books."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        period = get_object_or_404(self.get_queryset(request), pk=pk)
        content = export(period, origin=admin_origin(request))
        name = gettext("结算单-%s.xlsx") % period
        return FileResponse(content, as_attachment=True, filename=name, content_type=WORKBOOK)


@admin.register(NettingPayment)
class NettingPaymentAdmin(ReadOnlyAdmin):
    list_display = ("period", "payer", "payee", "shown_amount", "shown_state")
    list_display_links = None
    list_filter = (("period", InSightFilter),)
    list_select_related = ("period", "payer", "payee")
    fields = ("period", ("payer", "payee"), "shown_amount")
    ordering = ("-period__starts_at", "-amount", "pk")
    shown_amount = in_yuan("amount", _("金额"))

    @display(description=_("账期状态"), label=STATES)
    def shown_state(self, payment: NettingPayment) -> tuple[str, str]:
        return payment.period.state, payment.period.get_state_display()
