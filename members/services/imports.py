"""Importing spreadsheets: upload → check → preview → confirm → import → failures.

The file is read once, into staging tables by COPY; personal data is sealed before it gets to the database, and the
file is deleted as soon as it has been read. Each step may be run twice: what is imported already is found, and has no
second effect. What a row means is its kind's to say (members.interfaces.imports).
"""

import io
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Protocol

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from members import events
from members.errors import NotYours, UnreadableFile, UploadLost
from members.interfaces import Origin
from members.interfaces.imports import Change, Import, ImportKind, LineKind, Policy, import_kinds
from members.models import Approval, Job, Operator, OrgUnit
from members.personal_data import current_index_key, current_key
from members.services import approvals, import_lines, import_members, jobs, rotation
from members.services.import_files import ImportFile
from members.services.organisation import group, own_origin
from members.services.spreadsheets import Sheet, write_workbook

MEMBERS = "members.import"
APPROVAL = "members.import"  # the verb that a large file waits for; its quantity is rows
LOCK_SPACE = 0x494D50  # "IMP": the first key of our advisory locks


class Engine(Protocol):
    """How rows of a kind are staged, judged and imported: import_members in sets, import_lines one by one."""

    VERDICTS: Any  # the words for what becomes of rows

    def stage(self, about: Import, kind: Any, file: ImportFile, progress: jobs.Progress, most: int) -> int: ...
    def judge(self, about: Import, kind: Any) -> dict[str, Any]: ...
    def run(self, about: Import, kind: Any, progress: jobs.Progress) -> dict[str, Any]: ...
    def preview(self, about: Import, kind: Any) -> list[tuple[int, str, list[Change]]]: ...
    def fail_rows(self, job: Job, first: int, last: int, problem: str) -> None: ...
    def count(self, job: Job) -> int: ...
    def failed_rows(self, job: Job) -> QuerySet: ...
    def failures(self, job: Job) -> Iterable[tuple[int, str, list[str]]]: ...
    def forget(self, job_ids: list[int]) -> None: ...
    def forget_done(self, job: Job) -> None: ...


def engine_of(kind: ImportKind) -> Engine:
    return import_lines if isinstance(kind, LineKind) else import_members


# --- Upload -----------------------------------------------------------------------------------------------------


def kinds_for(operator: Operator) -> list[ImportKind]:
    """Those for which the operator has the permission."""
    return [kind for kind in import_kinds if operator.has_perm(kind.permission)]


def businesses_of(operator: Operator) -> QuerySet[OrgUnit]:
    """Those into which an operator may import: below his node, or the one in which he stands."""
    reach = operator.reach
    if reach is None:
        return OrgUnit.objects.none()
    return OrgUnit.objects.businesses().filter(Q(path__startswith=reach.path) | Q(pk=reach.business_id))


def upload(
    file: UploadedFile,
    *,
    business: OrgUnit | None,
    operator: Operator,
    kind: str = MEMBERS,
    policy: Policy = Policy.SKIP,
) -> Job:
    """Take a file; hand the job to the task `check_import`. Raises NotYours, UnreadableFile.

    `business` is not asked for by kinds whose rows name their nodes themselves.
    """
    found = import_kinds[kind]
    reach = operator.reach
    if found.is_at_reach:
        business = reach
    elif business and not businesses_of(operator).filter(pk=business.pk).exists():
        business = None
    if reach is None or business is None or policy not in found.policies or not may_choose(operator, policy):
        raise NotYours(field="business")
    if file.size > settings.MEMBERS_IMPORT_MAX_BYTES:
        raise UnreadableFile.too_large()
    name = PurePath(file.name).name
    return _add_job(found, file, name, business if business.path.startswith(reach.path) else reach, operator, policy)


@transaction.atomic
def _add_job(kind: ImportKind, file: UploadedFile, name: str, node: OrgUnit, operator: Operator, policy: Policy) -> Job:
    """Of two who upload the same file at once, one gets the job, and the other its number."""
    digest = _digest(file)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, int(digest[:7], 16)])
    going = Job.objects.filter(
        kind=kind.name,
        org_unit=node,
        summary__sha256=digest,
        state__in=(Job.State.DRAFT, Job.State.QUEUED, Job.State.RUNNING),
    )
    if same := going.first():
        raise UnreadableFile.being_imported(same.pk)
    return jobs.add_job(
        kind.name,
        _("导入%(kind)s：%(file)s") % {"kind": kind.title, "file": name[:150]},
        org_unit=node,
        operator=operator,
        source_file=file,
        summary={"file": name, "policy": policy.value, "sha256": digest},
    )


def _digest(file: UploadedFile) -> str:
    digest = sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def may_choose(operator: Operator, policy: Policy) -> bool:
    """Who may not change members in the back office does not change them by file either."""
    return policy in (Policy.SKIP, Policy.FAIL) or operator.has_perm("members.change_member")


# --- Check ------------------------------------------------------------------------------------------------------


def check(job_id: int) -> Job | None:
    """Read the file into staging and find out what importing it would do; leaves a draft, to be confirmed."""
    return jobs.run(job_id, _check, ends_as=Job.State.DRAFT)


def _check(progress: jobs.Progress) -> dict[str, Any]:
    job = progress.job
    about, kind = _about(job), import_kinds[job.kind]
    engine = engine_of(kind)
    engine.forget([job.pk])
    try:
        with job.source_file.open("rb") as opened:
            file = ImportFile(opened, kind.columns_at(about.org_unit))
            about.has_1904_dates = file.book.has_1904_dates
            if not engine.stage(about, kind, file, progress, settings.MEMBERS_IMPORT_MAX_ROWS):
                raise UnreadableFile.empty()
    finally:
        job.source_file.delete(save=True)  # it holds personal data in the clear
    for first, last in file.merged_rows:
        engine.fail_rows(job, first, last, _("该行在合并单元格中，只有首行有内容；请取消合并并逐行填写"))
    rows = engine.count(job)
    progress.expect(rows)
    return {"header": file.header, "rows": rows, "keys": _keys()} | engine.judge(about, kind)


def _keys() -> list[str]:
    """Rows are sealed and found by keys: after these have been rotated, staged rows are of no use."""
    return [current_key(), current_index_key()]


def _about(job: Job) -> Import:
    origin = own_origin("import", reference=f"import-{job.pk}", actor=job.operator, business=job.org_unit.business)
    policy = Policy(job.summary.get("policy", Policy.SKIP))
    return Import(job, job.org_unit, job.operator, policy, group().zone, timezone.now(), origin)


# --- Confirm and import -----------------------------------------------------------------------------------------


def confirm(job: Job, *, origin: Origin | None = None) -> bool:
    """Let a checked file be imported; hand the job to the task `run_import`. Of two who confirm, one gets True.

    Where a second person is needed it is asked for, and the file waits: False, and `pending_approval`.
    """
    if origin and job.state == Job.State.DRAFT and approvals.needed(APPROVAL, job.org_unit, job.summary["rows"]):
        _ask(job, origin)
        return False
    return jobs.requeue(job)


@transaction.atomic
def _ask(job: Job, origin: Origin) -> None:
    locked = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if pending_approval(locked):
        return
    kind = import_kinds[job.kind]
    summary = job.summary
    approvals.ask(
        APPROVAL,
        org_unit=job.org_unit,
        quantity=summary["rows"],
        arguments={"job": job.pk},
        before={_("文件"): summary["file"], _("处理方式"): Policy(summary["policy"]).label},
        after={label: str(count) for label, count in totals(job, kind) if count},
        title=job.title,
        origin=origin,
    )


def approved(job_id: int) -> Job:
    """The second person has agreed: the file goes on. Raises UploadLost where it has gone on already, or is gone."""
    job = Job.objects.get(pk=job_id)
    if not jobs.requeue(job):
        raise UploadLost
    return job


def pending_approval(job: Job) -> Approval | None:
    return Approval.objects.pending().filter(verb=APPROVAL, arguments__job=job.pk).first()


def run(job_id: int) -> Job | None:
    """Import the rows that passed, batch by batch; goes on where a killed worker stopped."""
    job = jobs.run(job_id, _run)
    if job and job.state == Job.State.DONE:
        engine_of(import_kinds[job.kind]).forget_done(job)
    return job


def _run(progress: jobs.Progress) -> dict[str, Any]:
    job = progress.job
    kind = import_kinds[job.kind]
    engine = engine_of(kind)
    if engine.count(job) != job.summary["rows"] or job.summary.get("keys") != _keys():
        raise UploadLost
    if rotation.is_under_way():
        raise UploadLost.while_keys_rotate()
    return engine.run(_about(job), kind, progress)


# --- What came of it --------------------------------------------------------------------------------------------


def totals(job: Job, kind: ImportKind) -> list[tuple[str, int]]:
    """What becomes, or became, of the rows: (words, how many)."""
    return [(str(verdict.label), job.summary.get(verdict.value, 0)) for verdict in engine_of(kind).VERDICTS]


def failed_rows(job: Job) -> QuerySet:
    """(row number, problem), in the order of the file."""
    return engine_of(import_kinds[job.kind]).failed_rows(job)


def preview(job: Job) -> list[tuple[int, str, list[Change]]]:
    """The first rows that change something that is there: (row number, what it is about, changes)."""
    kind = import_kinds[job.kind]
    return engine_of(kind).preview(_about(job), kind)


def failures(job: Job, *, origin: Origin) -> io.BytesIO:
    """The failed rows as a workbook that can be mended and uploaded again: the same columns, and why each failed.

    Made when asked for, from sealed rows: no file of personal data lies about. Who took it is recorded.
    """
    events.record("member.import_failures_taken", origin=origin, data={"job": job.pk})
    header = job.summary["header"]
    places = range(len(header))
    rows = (
        [number, problem, *(cells[place] if place < len(cells) else "" for place in places)]
        for number, problem, cells in engine_of(import_kinds[job.kind]).failures(job)
    )
    columns = [_("行号"), _("失败原因"), *header]
    return write_workbook(Sheet(_("失败清单"), columns, rows, widths=[8, 40] + [18] * len(header)))


def all_jobs() -> QuerySet[Job]:
    return Job.objects.filter(kind__in=[kind.name for kind in import_kinds])


def unfinished() -> tuple[list[int], list[int]]:
    """Jobs still to be checked, and to be imported: what waits in the queue, is being done, or lost its worker."""
    going = all_jobs().filter(state__in=(Job.State.QUEUED, Job.State.RUNNING))
    to_check, to_import = going.exclude(summary__has_key="rows"), going.filter(summary__has_key="rows")
    return [job.pk for job in to_check], [job.pk for job in to_import]


def cancel(job: Job) -> bool:
    """Drop a draft or stop an import; what is imported already stays."""
    was_cancelled = jobs.cancel(job)
    if was_cancelled and job.state == Job.State.DRAFT:
        engine_of(import_kinds[job.kind]).forget([job.pk])
    return was_cancelled


def forget_rows(*, before: datetime) -> None:
    """Drop what is still staged of older files, and their failures with it."""
    for kind in import_kinds:
        old = Job.objects.filter(kind=kind.name, created_at__lt=before)
        engine_of(kind).forget(list(old.values_list("pk", flat=True)))
