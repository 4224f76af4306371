"""Importing members: template → upload → check → preview → confirm → progress → failures.

`urls` joins the admin's own under `admin:members_import…`; all of it needs the permission `members.import_members`.
"""

from collections.abc import Callable
from functools import partial, wraps

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from members.errors import Refused
from members.interfaces.admin import admin_origin
from members.models import ImportRow, Job, Operator, OrgUnit
from members.resources import template
from members.rules import pace
from members.services import imports
from members.tasks import check_import, run_import

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ERRORS_SHOWN = 50
JOBS_SHOWN = 10

View = Callable[..., HttpResponse]


def for_importers(view: View) -> View:
    """An admin view for those who may import; others get 403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.user.has_perm("members.import_members"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return admin.site.admin_view(guarded)


class UploadForm(forms.Form):
    business = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("导入到业态"), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        label=_("文件"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.csv"}),
        help_text=_("支持 .xlsx，以及 UTF-8 或 GB18030 编码的 .csv。第一行为表头。"),
    )

    def __init__(self, *args, operator: Operator, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        businesses = imports.businesses_of(operator)
        self.fields["business"].queryset = businesses
        self.fields["business"].initial = businesses.first()


@for_importers
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, operator=request.user)
    if form.is_valid() and (job := _uploaded(request, form)):
        return redirect("admin:members_import_job", job.pk)
    context = {"form": form, "jobs": _jobs(request)[:JOBS_SHOWN], "title": _("导入会员")}
    return render(request, "admin/members/import/upload.html", admin.site.each_context(request) | context)


def _uploaded(request: HttpRequest, form: UploadForm) -> Job | None:
    try:
        job = imports.upload(form.cleaned_data["file"], business=form.cleaned_data["business"], operator=request.user)
    except Refused as reason:
        form.add_error("file", str(reason.message))
        return None
    transaction.on_commit(partial(check_import.delay, job.pk))
    return job


@for_importers
@require_GET
def download_template(request: HttpRequest) -> FileResponse:
    return FileResponse(template(), as_attachment=True, filename=str(_("会员导入模板.xlsx")), content_type=WORKBOOK)


@for_importers
@require_GET
def show_job(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one import; htmx asks for its inner part while there is progress to see."""
    job = get_object_or_404(_jobs(request), pk=pk)
    context = {
        "job": job,
        "title": job.title,
        "is_busy": job.state in (Job.State.QUEUED, Job.State.RUNNING),
        "is_checking": "rows" not in job.summary,
        "pace": pace(job.done, job.total, timezone.now() - (job.started_at or timezone.now())),
        "totals": [(verdict.label, job.summary.get(verdict.value, 0)) for verdict in ImportRow.Verdict],
        "failed_rows": imports.failed_rows(job)[:ERRORS_SHOWN],
        "errors_shown": ERRORS_SHOWN,
    }
    if request.htmx:
        return render(request, "admin/members/import/_job.html", context)
    return render(request, "admin/members/import/job.html", admin.site.each_context(request) | context)


@for_importers
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(_jobs(request), pk=pk)
    if imports.confirm(job):
        transaction.on_commit(partial(run_import.delay, job.pk))
    return redirect("admin:members_import_job", job.pk)


@for_importers
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(_jobs(request), pk=pk)
    if not imports.cancel(job):
        messages.info(request, _("该任务已经结束，无法取消。"))
    return redirect("admin:members_import_job", job.pk)


@for_importers
@require_GET
def download_failures(request: HttpRequest, pk: int) -> FileResponse:
    job = get_object_or_404(_jobs(request), pk=pk)
    workbook = imports.failures(job, origin=admin_origin(request))
    name = _("失败清单-%(number)d.xlsx") % {"number": job.pk}
    return FileResponse(workbook, as_attachment=True, filename=str(name), content_type=WORKBOOK)


def _jobs(request: HttpRequest):
    return Job.objects.visible_to(request.user).filter(kind=imports.KIND).select_related("operator", "org_unit")


urls = [
    path("import/", upload, name="members_import"),
    path("import/template/", download_template, name="members_import_template"),
    path("import/<int:pk>/", show_job, name="members_import_job"),
    path("import/<int:pk>/confirm/", confirm, name="members_import_confirm"),
    path("import/<int:pk>/cancel/", cancel, name="members_import_cancel"),
    path("import/<int:pk>/failures/", download_failures, name="members_import_failures"),
]
