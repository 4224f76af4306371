"""Importing members from a spreadsheet: upload → check → preview → confirm → import → failures.

The file is read once, into staging tables by COPY; everything after that is set-based SQL. Personal data is sealed
before it gets to the database, and the file is deleted as soon as it has been read. Each step may be run twice: what
is imported already is found, and joins nothing new.
"""

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from members import events
from members.errors import NotYours, UnreadableFile, UploadLost
from members.interfaces import Origin
from members.models import Identity, ImportIdentity, ImportRow, Job, Member, Operator, OrgUnit
from members.personal_data import blind_index
from members.resources import MEMBER_COLUMNS, MemberRow, MemberRowReader
from members.services import import_batches, jobs
from members.services.organisation import group, own_origin
from members.services.spreadsheets import Row, Sheet, as_written, header_positions, read_rows, write_workbook

KIND = "members.import"
STAGED_AT_ONCE = 5_000
IMPORTED_AT_ONCE = 5_000
CELL_LENGTH = 1_000  # what is longer is no cell of ours; the failures file shows its beginning

ROW_COLUMNS = (
    "job_id, number, raw, name, name_index, gender, birthday, store_id, joined_at, source, problem, verdict, is_done"
)
IDENTITY_COLUMNS = "job_id, number, kind, value, value_index, last_four"


# --- Upload -----------------------------------------------------------------------------------------------------


def businesses_of(operator: Operator) -> QuerySet[OrgUnit]:
    """Those into which an operator may import: below his node, or the one in which he stands."""
    reach = operator.reach
    if reach is None:
        return OrgUnit.objects.none()
    return OrgUnit.objects.businesses().filter(Q(path__startswith=reach.path) | Q(pk=reach.business_id))


def upload(file: UploadedFile, *, business: OrgUnit, operator: Operator) -> Job:
    """Take a file for a business; hand the job to the task `check_import`. Raises NotYours, UnreadableFile."""
    reach = operator.reach
    if reach is None or not businesses_of(operator).filter(pk=business.pk).exists():
        raise NotYours(field="business")
    if file.size > settings.MEMBERS_IMPORT_MAX_BYTES:
        raise UnreadableFile.too_large()
    name = PurePath(file.name).name
    return jobs.add_job(
        KIND,
        _("导入会员：%(file)s") % {"file": name[:150]},
        org_unit=business if business.path.startswith(reach.path) else reach,
        operator=operator,
        source_file=file,
        summary={"file": name},
    )


# --- Check ------------------------------------------------------------------------------------------------------


def check(job_id: int) -> Job | None:
    """Read the file into staging and find out what importing it would do; leaves a draft, to be confirmed."""
    return jobs.run(job_id, _check, ends_as=Job.State.DRAFT)


def _check(progress: jobs.Progress) -> dict[str, Any]:
    job = progress.job
    _forget([job.pk])
    try:
        with job.source_file.open("rb") as file:
            header = _stage(file, progress)
    finally:
        job.source_file.delete(save=True)  # it holds personal data in the clear
    import_batches.judge(job.pk, business=job.org_unit.business)
    rows = _rows(job).count()
    progress.expect(rows)
    return {"header": header, "rows": rows} | _totals(job)


def _stage(file, progress: jobs.Progress) -> list[str]:
    """Returns the header. Raises UnreadableFile."""
    rows = read_rows(file)
    _number, header = next(rows, (0, []))
    reader = _reader(header, progress.job)
    count = 0
    while chunk := list(islice(rows, STAGED_AT_ONCE)):
        count += len(chunk)
        if count > settings.MEMBERS_IMPORT_MAX_ROWS:
            raise UnreadableFile.too_large()
        _copy_chunk(chunk, reader, progress.job)
        progress.advance(len(chunk))
    if not count:
        raise UnreadableFile.empty()
    return [as_written(cell)[:CELL_LENGTH] for cell in header]


def _reader(header: Row, job: Job) -> MemberRowReader:
    business = job.org_unit.business
    visible = OrgUnit.objects.visible_to(job.operator).stores().filter(business=business, is_active=True)
    return MemberRowReader(
        header_positions(header, MEMBER_COLUMNS),
        business_code=business.code,
        stores=dict(visible.values_list("code", "pk")),
        zone=group().zone,
        today=timezone.localdate(timezone=group().zone),
    )


def _copy_chunk(chunk: list[tuple[int, Row]], reader: MemberRowReader, job: Job) -> None:
    read = [(number, cells, reader.read(cells)) for number, cells in chunk]
    # Made before COPY begins: until it ends, this connection can't be asked anything.
    rows = [_staged_row(job.pk, number, cells, row) for number, cells, row in read]
    identities = [staged for number, _cells, row in read for staged in _staged_identities(job.pk, number, row)]
    with transaction.atomic():
        _copy(f"COPY members_importrow ({ROW_COLUMNS}) FROM STDIN", rows)
        _copy(f"COPY members_importidentity ({IDENTITY_COLUMNS}) FROM STDIN", identities)


def _copy(statement: str, rows: Iterable[tuple]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


SEAL_RAW = ImportRow._meta.get_field("raw").seal
SEAL_NAME = Member._meta.get_field("name").seal  # sealed for the column where it will end up
SEAL_IDENTITY = Identity._meta.get_field("value").seal


def _staged_row(job_id: int, number: int, cells: Row, row: MemberRow) -> tuple:
    raw = json.dumps([as_written(cell)[:CELL_LENGTH] for cell in cells], ensure_ascii=False)
    return (
        job_id,
        number,
        SEAL_RAW(raw),
        SEAL_NAME(row.name),
        blind_index("name", row.name) if row.name else "",
        row.gender,
        row.birthday,
        row.store_id,
        row.joined_at,
        row.source,
        "；".join(row.problems),
        ImportRow.Verdict.FAILED if row.problems else "",
        False,
    )


def _staged_identities(job_id: int, number: int, row: MemberRow) -> Iterator[tuple]:
    if not row.problems:
        for kind, value in row.identities.items():
            yield job_id, number, kind, SEAL_IDENTITY(value), blind_index(kind, value), value[-4:]


# --- Confirm and import -----------------------------------------------------------------------------------------


def confirm(job: Job) -> bool:
    """Let a checked file be imported; hand the job to the task `run_import`. Of two who confirm, one gets True."""
    return jobs.requeue(job)


def run(job_id: int) -> Job | None:
    """Import the rows that passed, batch by batch; goes on where a killed worker stopped."""
    job = jobs.run(job_id, _run)
    if job and job.state == Job.State.DONE:
        _forget_done(job)
    return job


def _run(progress: jobs.Progress) -> dict[str, Any]:
    job = progress.job
    if _rows(job).count() != job.summary["rows"]:
        raise UploadLost
    business = job.org_unit.business
    origin = own_origin("import", reference=f"import-{job.pk}", actor=job.operator, business=business)
    _report_what_is_done(progress)
    for first, last in _batches(job):
        imported = import_batches.import_batch(job.pk, first, last, business=business, origin=origin)
        progress.advance(imported.done, imported.failed)
    return _totals(job)


def _report_what_is_done(progress: jobs.Progress) -> None:
    failed = _rows(progress.job).exclude(problem="").count()
    imported = _rows(progress.job).filter(is_done=True).count()
    progress.advance(failed + imported, failed)


def _batches(job: Job) -> Iterator[tuple[int, int]]:
    """First and last row of what can still be imported, until nothing can."""
    waiting = _rows(job).filter(problem="", is_done=False).order_by("number").values_list("number", flat=True)
    while numbers := list(waiting[:IMPORTED_AT_ONCE]):
        yield numbers[0], numbers[-1]


# --- What came of it --------------------------------------------------------------------------------------------


def failed_rows(job: Job) -> QuerySet[ImportRow]:
    return _rows(job).exclude(problem="").order_by("number")


def failures(job: Job, *, origin: Origin) -> io.BytesIO:
    """The failed rows as a workbook that can be mended and uploaded again: the same columns, and why each failed.

    Made when asked for, from sealed rows: no file of personal data lies about. Who took it is recorded.
    """
    events.record("member.import_failures_taken", origin=origin, data={"job": job.pk})
    header = job.summary["header"]
    places = range(len(header))
    rows = (
        [row.number, row.problem, *(cells[place] if place < len(cells) else "" for place in places)]
        for row in failed_rows(job).iterator()
        for cells in [json.loads(row.raw)]
    )
    columns = [_("行号"), _("失败原因"), *header]
    return write_workbook(Sheet(_("失败清单"), columns, rows, widths=[8, 40] + [18] * len(header)))


def unfinished() -> tuple[list[int], list[int]]:
    """Jobs still to be checked, and to be imported: what waits in the queue, is being done, or lost its worker."""
    going = Job.objects.filter(kind=KIND, state__in=(Job.State.QUEUED, Job.State.RUNNING))
    to_check, to_import = going.exclude(summary__has_key="rows"), going.filter(summary__has_key="rows")
    return [job.pk for job in to_check], [job.pk for job in to_import]


def cancel(job: Job) -> bool:
    """Drop a draft or stop an import; what is imported already stays."""
    was_cancelled = jobs.cancel(job)
    if was_cancelled and job.state == Job.State.DRAFT:
        _forget([job.pk])
    return was_cancelled


def forget_rows(*, before: datetime) -> None:
    """Drop what is still staged of older files, and their failures with it."""
    _forget(list(Job.objects.filter(kind=KIND, created_at__lt=before).values_list("pk", flat=True)))


def _forget_done(job: Job) -> None:
    ImportIdentity.objects.filter(job=job).delete()
    _rows(job).filter(is_done=True).delete()


def _forget(job_ids: list[int]) -> None:
    ImportIdentity.objects.filter(job__in=job_ids).delete()
    ImportRow.objects.filter(job__in=job_ids).delete()


def _rows(job: Job) -> QuerySet[ImportRow]:
    return ImportRow.objects.filter(job=job)


def _totals(job: Job) -> dict[str, int]:
    counted = Counter(_rows(job).values_list("verdict", flat=True).iterator())
    return {verdict.value: counted[verdict.value] for verdict in ImportRow.Verdict}
