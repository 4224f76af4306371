"""Long work: who asked for what and when, how far it is, what came of it, and the file for who may have it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.errors import Refused
from members.interfaces.admin import ReadOnlyAdmin, admin_origin
from members.interfaces.exports import download
from members.interfaces.imports import import_kinds
from members.models import CardBatch, Job
from members.rules import pace
from members.services import exports, jobs

STATE_LABELS = {
    "draft": "warning",
    "queued": "info",
    "running": "info",
    "done": "success",
    "failed": "danger",
    "cancelled": "default",
}
BUSY = (Job.State.QUEUED, Job.State.RUNNING)


class WhoseFilter(admin.SimpleListFilter):
    title = _("与我有关")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin) -> tuple:
        return (("mine", _("我的任务")),)

    def queryset(self, request: HttpRequest, queryset):
        return queryset.filter(operator=request.user) if self.value() else queryset


def own_page(job: Job) -> str:
    """The page of its kind, which tells more; empty where there is none."""
    if job.kind in import_kinds:
        return reverse("admin:members_import_job", args=[job.pk])
    batch = CardBatch.objects.filter(job=job).first()
    return reverse("admin:members_cardbatch_change", args=[batch.pk]) if batch else ""


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "title",
        "shown_state",
        "progress",
        "failed",
        "operator",
        "org_unit",
        "created_at",
        "finished_at",
        "file",
    )
    list_filter = (WhoseFilter, "state", "kind", "created_at")
    list_select_related = ("operator", "org_unit")
    search_fields = ("title", "operator__username")
    search_help_text = _("名称或操作员")

    @display(description=_("状态"), ordering="state", label=STATE_LABELS)
    def shown_state(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description=_("进度"))
    def progress(self, job: Job) -> str:
        if not job.total:
            return "—"  # nothing to count: a bar would say that nothing was done
        return format_html('<progress max="100" value="{}"></progress> {}/{}', job.percent, job.done, job.total)

    @display(description=_("文件"))
    def file(self, job: Job) -> str:
        """For the one whose it is: the page says why others don't get it."""
        until = exports.fetchable_until(job)
        if until is None or until <= timezone.now():
            return "—"
        return gettext("可下载至 %s") % f"{timezone.localtime(until):%m-%d %H:%M}"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/download/", view(self.download_view), name="members_job_download"),
            path("<int:pk>/cancel/", view(self.cancel_view), name="members_job_cancel"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context=None) -> HttpResponse:
        """How far it is; htmx asks for the inner part while there is progress to see."""
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        context = self._context(request, job)
        if request.htmx:
            return render(request, "admin/members/export/_job.html", context)
        whole = self.admin_site.each_context(request) | {"title": job.title, "opts": self.opts} | context
        return TemplateResponse(request, "admin/members/export/job.html", whole)

    def _context(self, request: HttpRequest, job: Job) -> dict[str, Any]:
        until, now = exports.fetchable_until(job), timezone.now()
        is_kept = until is not None and until > now
        return {
            "job": job,
            "is_busy": job.state in BUSY,
            "pace": pace(job.done, job.total, now - (job.started_at or now)),
            "until": until,
            "is_fetchable": is_kept and job.operator == request.user,
            "is_another_s": is_kept and job.operator != request.user,
            "own_page": own_page(job),
        }

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk)
        try:
            file = exports.fetch(job, origin=admin_origin(request))
        except Refused as refusal:
            raise Http404(str(refusal.message)) from refusal
        return download(file, job.title.partition("：")[2] or job.title, job.summary["format"])

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One stops what one has ordered oneself."""
        job = self._job(request, pk)
        if request.method != "POST" or job.operator != request.user:
            raise PermissionDenied
        if not jobs.cancel(job):
            messages.info(request, gettext("该任务已经结束，无法取消。"))
        return redirect("admin:members_job_change", job.pk)

    def _job(self, request: HttpRequest, pk: int) -> Job:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)
