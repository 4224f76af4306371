"""All purchases of one member: the tab of member 360 with filters, sums and pages, and the same rows as a file."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, F, QuerySet, Sum
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from loyalty.models import Purchase
from members.errors import Refused
from members.interfaces.admin import admin_origin
from members.interfaces.money import YuanField, yuan
from members.models import Member, Operator, OrgUnit
from members.services import exports

PAGE = 20
TEMPLATE = "admin/panels/purchases.html"
INPUT = {"class": "wt-input"}
BESIDE = ("business", "store", "channel", "card")


class HistoryForm(forms.Form):
    """What the history is narrowed to; days are those of the clock on the page, both included."""

    business = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("业态"), required=False, empty_label=_("全部"))
    store = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("门店"), required=False, empty_label=_("全部"))
    since = forms.DateField(label=_("从"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("到"), required=False, widget=forms.DateInput({"type": "date"}))
    least = YuanField(label=_("实付不低于（元）"), required=False, widget=forms.NumberInput({"step": "0.01"}))
    most = YuanField(label=_("实付不高于（元）"), required=False, widget=forms.NumberInput({"step": "0.01"}))
    refunded = forms.ChoiceField(
        label=_("退款"), required=False, choices=[("", _("全部")), ("yes", _("有退款")), ("no", _("无退款"))]
    )

    def __init__(self, *args: Any, rows: QuerySet[Purchase], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        for name in ("business", "store"):  # only where he bought
            self.fields[name].queryset = OrgUnit.objects.filter(pk__in=rows.order_by().values(name))
        for field in self.fields.values():
            field.widget.attrs |= INPUT

    def found(self) -> QuerySet[Purchase]:
        """Newest first; none where what was asked can't be understood."""
        if not self.is_valid():
            return self.rows.none()
        said = self.cleaned_data
        lookups = {
            "business": said["business"],
            "store": said["store"],
            "at__gte": said["since"] and _midnight(said["since"]),
            "at__lt": said["until"] and _midnight(said["until"] + timedelta(days=1)),
            "net_amount__gte": said["least"],
            "net_amount__lte": said["most"],
            "refunded_amount__gt": 0 if said["refunded"] == "yes" else None,
            "refunded_amount": 0 if said["refunded"] == "no" else None,
        }
        given = {lookup: value for lookup, value in lookups.items() if value is not None}
        return self.rows.filter(**given).order_by("-at", "-pk")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def _form(member: Member, actor: Operator, query: QueryDict) -> HistoryForm:
    return HistoryForm(query, rows=Purchase.objects.visible_to(actor).filter(member=member))


# --- The tab -----------------------------------------------------------------------------------------------------


def purchases(member: Member, actor: Operator, query: QueryDict | None = None) -> dict[str, Any]:
    """The first page, or that which `query` asks for: rows, sums over all that was found, and the form."""
    query = query or QueryDict()
    form = _form(member, actor, query)
    found = form.found()
    sums = found.order_by().aggregate(
        count=Count("pk"),
        net=Sum("net_amount", default=0),
        refunded=Sum("refunded_amount", default=0),
        kept=Sum(F("net_amount") - F("refunded_amount"), default=0),
        points=Sum("points_used", default=0),
    )
    pages = Paginator(found.select_related(*BESIDE), PAGE)
    pages.__dict__["count"] = sums["count"]  # counted already, with the sums
    asked = query.copy()
    asked.pop("page", None)
    return {"form": form, "sums": sums, "page": pages.get_page(query.get("page")), "query": asked.urlencode()}


def urls(site: admin.AdminSite) -> list:
    return [
        path("history/<int:member>/", site.admin_view(history), name="loyalty_history"),
        path("history/<int:member>/export/", site.admin_view(export), name="loyalty_history_export"),
    ]


def history(request: HttpRequest, member: int) -> HttpResponse:
    """The tab again, for what was chosen (htmx)."""
    person = _member(request, member)
    return TemplateResponse(request, TEMPLATE, {"member": person} | purchases(person, request.user, request.GET))


def _member(request: HttpRequest, pk: int) -> Member:
    if not request.user.has_perm("loyalty.view_purchase"):
        raise PermissionDenied
    return get_object_or_404(Member.objects.visible_to(request.user), pk=pk)


# --- The file ----------------------------------------------------------------------------------------------------


class History:
    """What was found, as a list that is exported: by member number, without anything personal."""

    model = "loyalty.Purchase"
    is_masked = True

    def __init__(self, member: Member, found: QuerySet[Purchase]) -> None:
        self.member, self.found = member, found
        self.title = gettext("消费记录")
        self.header: Sequence[str] = [
            gettext("会员号"),
            gettext("时间"),
            gettext("业态"),
            gettext("门店"),
            gettext("外部单号"),
            gettext("实付"),
            gettext("使用积分"),
            gettext("积分抵扣"),
            gettext("已退"),
            gettext("渠道"),
        ]

    def count(self, most: int | None) -> int:
        return (self.found if most is None else self.found[:most]).count()

    def rows(self, chunk: int) -> Iterator[Sequence[Any]]:
        for row in self.found.select_related(*BESIDE).iterator(chunk_size=chunk):
            at = f"{timezone.localtime(row.at):%Y-%m-%d %H:%M}"
            sums = (yuan(row.net_amount), row.points_used, yuan(row.points_amount), yuan(row.refunded_amount))
            yield (self.member.member_no, at, row.business, row.store, row.external_number, *sums, row.channel)


@require_POST
def export(request: HttpRequest, member: int) -> HttpResponse:
    """Recorded, and within the limit of the role."""
    person = _member(request, member)
    if not request.user.has_perm("members.export_members"):
        raise PermissionDenied
    form = _form(person, request.user, request.GET)
    wanted = exports.Wanted(History.model, f"member={person.member_no}&{request.GET.urlencode()}")
    try:
        file = exports.export_now(History(person, form.found()), wanted, origin=admin_origin(request))
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return redirect("admin:members_member_360", person.pk)
    name = f"{gettext('消费记录')}-{person.member_no}.xlsx"
    return FileResponse(file, as_attachment=True, filename=name, content_type=exports.CONTENT_TYPES["xlsx"])
