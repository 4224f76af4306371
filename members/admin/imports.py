"""Importing spreadsheets: template → upload → check → preview → confirm → progress → failures.

`urls` joins the admin's own under `admin:members_import…`. Each kind asks for its own permission; whoever has none
gets 403, and sees no job of a kind that he may not import.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from members.errors import Refused
from members.interfaces.admin import admin_origin, refusals_as_messages
from members.interfaces.imports import Change, ImportKind, Policy, import_kinds
from members.models import Attribute, Job, Member, OrgUnit
from members.resources.members import ATTRIBUTE
from members.resources.templates import template
from members.rules import pace
from members.services import imports, unmasking
from members.tasks import check_import, run_import

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
READ = "members.view_personal_data"
ERRORS_SHOWN = 50
JOBS_SHOWN = 20

View = Callable[..., HttpResponse]


def for_importers(view: View) -> View:
    """An admin view for those who may import something; others get 403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not imports.kinds_for(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return admin.site.admin_view(guarded)


class UploadForm(forms.Form):
    """One kind's: the kind itself is chosen by the tabs above."""

    business = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("导入到业态"), widget=UnfoldAdminSelectWidget)
    policy = forms.ChoiceField(label=_("已存在或文件内重复时"), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        label=_("文件"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.csv,.txt"}),
        help_text=_("支持 .xlsx，以及 UTF-8、GB18030 或“Unicode 文本”编码的 .csv、.txt。第一行为表头。"),
    )

    def __init__(self, data, files, *, kind: ImportKind, request: HttpRequest) -> None:
        super().__init__(data if data is None or "policy" in data else data | {"policy": kind.policies[0].value}, files)
        operator = request.user
        if kind.is_at_reach:
            del self.fields["business"]
        else:
            businesses = imports.businesses_of(operator)
            self.fields["business"].queryset = businesses
            self.fields["business"].initial = businesses.first()
        self.fields["policy"].choices = [
            (policy.value, policy.label) for policy in kind.policies if imports.may_choose(operator, policy)
        ]


@for_importers
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    kind = _kind(request)
    data = {key: value for key, value in request.POST.items()} if request.method == "POST" else None
    form = UploadForm(data, request.FILES or None, kind=kind, request=request)
    if form.is_valid() and (job := _uploaded(request, form, kind)):
        return redirect("admin:members_import_job", job.pk)
    context = {
        "form": form,
        "kind": kind,
        "kinds": imports.kinds_for(request.user),
        "columns": kind.columns_at(imports.businesses_of(request.user).first()),
        "jobs": _jobs(request)[:JOBS_SHOWN],
        "title": _("导入表格"),
    }
    return render(request, "admin/members/import/upload.html", admin.site.each_context(request) | context)


def _kind(request: HttpRequest) -> ImportKind:
    """The kind asked for, or the first that this operator may import. 404 for one that he may not."""
    allowed = {kind.name: kind for kind in imports.kinds_for(request.user)}
    name = request.GET.get("kind") or next(iter(allowed))
    if name not in allowed:
        raise Http404
    return allowed[name]


def _uploaded(request: HttpRequest, form: UploadForm, kind: ImportKind) -> Job | None:
    try:
        job = imports.upload(
            form.cleaned_data["file"],
            business=form.cleaned_data.get("business"),
            operator=request.user,
            kind=kind.name,
            policy=Policy(form.cleaned_data["policy"]),
        )
    except Refused as reason:
        form.add_error("file", str(reason.message))
        return None
    transaction.on_commit(partial(check_import.delay, job.pk))
    return job


@for_importers
@require_GET
def download_template(request: HttpRequest) -> FileResponse:
    kind = _kind(request)
    workbook = template(kind, imports.businesses_of(request.user).first())
    name = _("%(kind)s导入模板.xlsx") % {"kind": kind.title}
    return FileResponse(workbook, as_attachment=True, filename=str(name), content_type=WORKBOOK)


@for_importers
@require_GET
def show_job(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one import; htmx asks for its inner part while there is progress to see."""
    return _job_page(request, get_object_or_404(_jobs(request), pk=pk))


@for_importers
@require_POST
def unmask(request: HttpRequest, pk: int) -> HttpResponse:
    """The same page with the changes as they are; each look behind the masks is recorded."""
    job = get_object_or_404(_jobs(request), pk=pk)
    if not request.user.has_perm(READ):
        raise PermissionDenied
    masks = import_kinds[job.kind].masks
    shown = {member_no: changes for _number, member_no, changes in imports.preview(job)}
    with transaction.atomic():
        for member in Member.objects.filter(member_no__in=shown):
            what = [change.column for change in shown[member.member_no] if change.column in masks]
            unmasking.record(member, page="import", what=what, origin=admin_origin(request))
    return _job_page(request, job, is_unmasked=True)


def _job_page(request: HttpRequest, job: Job, *, is_unmasked: bool = False) -> HttpResponse:
    kind = import_kinds[job.kind]
    is_draft = job.state == Job.State.DRAFT
    context = {
        "job": job,
        "title": job.title,
        "is_busy": job.state in (Job.State.QUEUED, Job.State.RUNNING),
        "is_checking": "rows" not in job.summary,
        "pace": pace(job.done, job.total, timezone.now() - (job.started_at or timezone.now())),
        "totals": imports.totals(job, kind),
        "policy": Policy(job.summary["policy"]).label if "policy" in job.summary else "",
        "changed_columns": list(_changed_columns(job, kind)) if is_draft else (),
        "changed_rows": list(_changed_rows(job, kind, is_unmasked=is_unmasked)) if is_draft else (),
        "may_unmask": bool(kind.masks) and not is_unmasked and request.user.has_perm(READ),
        "failed_rows": imports.failed_rows(job)[:ERRORS_SHOWN],
        "errors_shown": ERRORS_SHOWN,
        "approval": imports.pending_approval(job) if is_draft else None,
    }
    if request.htmx:
        return render(request, "admin/members/import/_job.html", context)
    return render(request, "admin/members/import/job.html", admin.site.each_context(request) | context)


def _changed_columns(job: Job, kind: ImportKind) -> Iterator[tuple[Any, int]]:
    titles = _titles(job, kind) | {"attributes": _("自定义属性")}
    for key, count in job.summary.get("changes", {}).items():
        yield titles.get(key, key), count


def _changed_rows(job: Job, kind: ImportKind, *, is_unmasked: bool) -> Iterator[dict[str, Any]]:
    """What is shown of each change; personal data behind its mask, until somebody asks for it."""
    titles = _titles(job, kind)
    masks = _masks({} if is_unmasked else kind.masks)
    for number, about, changes in imports.preview(job):
        shown = [
            Change(titles.get(change.column, change.column), *(mask(text) for text in (change.before, change.after)))
            for change in changes
            for mask in [masks.get(change.column, str)]
        ]
        yield {"number": number, "about": about, "changes": shown}


def _masks(masks: Mapping[str, Callable[[str], str]]) -> dict[str, Callable[[str], str]]:
    """What is sensitive stays hidden here for everybody: it is shown on the member's own page."""
    sensitive = Attribute.objects.filter(is_sensitive=True).values_list("code", flat=True)
    return dict(masks) | {f"{ATTRIBUTE}{code}": lambda text: "***" if text else "" for code in sensitive}


def _titles(job: Job, kind: ImportKind) -> dict[str, Any]:
    return {column.key: column.title for column in kind.columns_at(job.org_unit.business or job.org_unit)}


@for_importers
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(_jobs(request), pk=pk)
    with refusals_as_messages(request):
        if imports.confirm(job, origin=admin_origin(request)):
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


def _jobs(request: HttpRequest) -> QuerySet[Job]:
    kinds = [kind.name for kind in imports.kinds_for(request.user)]
    return Job.objects.visible_to(request.user).filter(kind__in=kinds).select_related("operator", "org_unit__business")


def import_url(kind: str) -> str:
    return f"{reverse('admin:members_import')}?kind={kind}"


urls = [
    path("import/", upload, name="members_import"),
    path("import/template/", download_template, name="members_import_template"),
    path("import/<int:pk>/", show_job, name="members_import_job"),
    path("import/<int:pk>/unmask/", unmask, name="members_import_unmask"),
    path("import/<int:pk>/confirm/", confirm, name="members_import_confirm"),
    path("import/<int:pk>/cancel/", cancel, name="members_import_cancel"),
    path("import/<int:pk>/failures/", download_failures, name="members_import_failures"),
]
