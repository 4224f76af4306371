"""The button “导出” of every list, and its page: how many rows, as which file, at once or as a job."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from members.errors import ListUnreadable, Refused
from members.interfaces.approval_messages import tell_asked
from members.interfaces.lists import PERMISSION, READS_PEOPLE, AdminList, Cell
from members.models import Channel, Job
from members.services import exports
from members.services.organisation import own_origin
from members.tasks import make_export

FORMATS = (("xlsx", "Excel (.xlsx)"), ("csv", "CSV (.csv)"))


class ExportForm(forms.Form):
    format = forms.ChoiceField(label=_("文件格式"), choices=FORMATS, initial="xlsx", widget=UnfoldAdminSelectWidget)
    is_unmasked = forms.BooleanField(
        label=_("包含完整的姓名、手机号、邮箱"),
        required=False,
        help_text=_("须由第二人审批；文件仅您本人可下载，24 小时后删除。"),
        widget=UnfoldBooleanWidget,
    )
    reason = forms.CharField(label=_("申请理由"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args, may_unmask: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not may_unmask:
            del self.fields["is_unmasked"], self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("is_unmasked") and not said.get("reason", "").strip():
            self.add_error("reason", _("请填写申请理由。"))
        return said


class ExportedLists(ModelAdmin):
    """Every list can be exported by who may see it and may export, as he sees it; people are masked, always.

    `unmasked` is how the columns that are masked read in full (more than the list shows under a title of their own):
    where it says anything, a second person may agree to that.
    """

    unmasked: ClassVar[dict[str, Cell]] = {}

    def with_columns(self, request: HttpRequest, rows: list) -> list:
        """Add what one page, or one part, of the list shows and the query doesn't fetch."""
        return rows

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION) and self.has_view_permission(request)

    @property
    def export_url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export_list"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export-list/", view, name=self.export_url_name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """The button takes along what narrows and orders the list."""
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None) or {}
        if "actions_list" in shown and self.has_export_permission(request):
            page = reverse(f"admin:{self.export_url_name}")
            query = request.GET.urlencode()
            shown["actions_list"].append(_button(f"{page}?{query}" if query else page))
        return response

    def export_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_export_permission(request):
            raise PermissionDenied
        may_unmask = bool(self.unmasked) and request.user.has_perm(READS_PEOPLE)
        form = ExportForm(request.POST or None, may_unmask=may_unmask)
        try:
            listing = AdminList(exports.Wanted(self.opts.label_lower, request.GET.urlencode()), request.user)
            rows = exports.count(listing, request.user)
            if request.method == "POST" and form.is_valid():
                return self._exported(request, listing, rows, form)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
            is_readable = not isinstance(refusal, ListUnreadable)
            return HttpResponseRedirect(self._list_url(request) if is_readable else self._list_page)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("导出：%s") % self.opts.verbose_name_plural,
            "opts": self.opts,
            "form": form,
            "rows": rows,
            "columns": listing.header,
            "is_at_once": rows <= exports.AT_ONCE,
            "limit": exports.limit_of(request.user),
            "back": self._list_url(request),
        }
        return TemplateResponse(request, "admin/members/export/page.html", context)

    def _exported(self, request: HttpRequest, listing: AdminList, rows: int, form: ExportForm) -> HttpResponse:
        said, query = form.cleaned_data, request.GET.urlencode()
        is_masked = not said.get("is_unmasked")
        wanted = exports.Wanted(self.opts.label_lower, query, said["format"], is_masked=is_masked)
        reach = request.user.reach
        origin = own_origin(Channel.Kind.ADMIN, actor=request.user, business=reach.business if reach else None)
        if not is_masked:
            tell_asked(request, exports.ask_unmasked(listing, wanted, reason=said["reason"], origin=origin))
            return HttpResponseRedirect(self._list_url(request))
        if rows <= exports.AT_ONCE:
            file = exports.export_now(listing, wanted, origin=origin)
            return download(file, listing.title, said["format"])
        return self._ordered(exports.order(listing, wanted, origin=origin))

    def _ordered(self, job: Job) -> HttpResponse:
        transaction.on_commit(partial(make_export.delay, job.pk))
        return HttpResponseRedirect(reverse("admin:members_job_change", args=[job.pk]))

    @property
    def _list_page(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _list_url(self, request: HttpRequest) -> str:
        query = request.GET.urlencode()
        return f"{self._list_page}?{query}" if query else self._list_page


def download(file: Any, title: str, format: str) -> FileResponse:
    """A file to save, named after its list and the day."""
    name = f"{title}-{timezone.localtime():%Y%m%d-%H%M}.{format}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=exports.CONTENT_TYPES[format])


def _button(page: str) -> dict[str, Any]:
    """As unfold describes its own."""
    return {
        "title": _("导出"),
        "icon": "download",
        "variant": ActionVariant.DEFAULT,
        "attrs": {},
        "dialog": None,
        "path": page,
    }
