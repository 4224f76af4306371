"""Files of any kind but members: staged line by line, sealed; judged and applied by their kind, a batch at a time."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from members.errors import UnreadableFile, UploadLost
from members.interfaces.imports import Cells, Change, Import, Line, LineKind, Policy, Unit
from members.models import ImportLine, Job
from members.personal_data import blind_index
from members.services import jobs
from members.services.import_files import ImportFile, written
from members.services.staging import copy_rows, escaped, sealer

VERDICTS = ImportLine.Verdict
STAGED_AT_ONCE = 2_000
APPLIED_AT_ONCE = 500  # units; of all that a batch locks, others wait until its end
PREVIEWED = 20

COLUMNS = "job_id, number, head, key_index, raw, data, verdict, problem, is_done"

# Rows about the same thing: parts of one unit, or repetitions of the first.
GROUP = """
    UPDATE members_importline AS line SET head = unit.head
    FROM (SELECT number, min(number) OVER (PARTITION BY key_index) AS head
          FROM members_importline WHERE job_id = %(job)s AND key_index <> '') AS unit
    WHERE line.job_id = %(job)s AND line.number = unit.number AND line.head <> unit.head
"""
REPEATED = """
    UPDATE members_importline AS line
    SET verdict = %(verdict)s, problem = CASE WHEN %(fails)s THEN format(%(repeated)s, unit.first) ELSE problem END
    FROM (SELECT number, min(number) OVER (PARTITION BY key_index) AS first
          FROM members_importline WHERE job_id = %(job)s AND key_index <> '' AND problem = '') AS unit
    WHERE line.job_id = %(job)s AND line.number = unit.number AND unit.first < unit.number
"""
FAIL_UNITS = """
    UPDATE members_importline AS line SET verdict = 'failed', problem = format(%(whole)s, unit.failed)
    FROM (SELECT head, min(number) FILTER (WHERE problem <> '') AS failed, count(*) AS lines
          FROM members_importline WHERE job_id = %(job)s AND NOT is_done GROUP BY head
          HAVING bool_or(problem <> '') AND count(*) > 1) AS unit
    WHERE line.job_id = %(job)s AND line.head = unit.head AND line.problem = '' AND NOT line.is_done
"""
WRITE_BACK = """
    UPDATE members_importline AS line
    SET verdict = judged.verdict, problem = judged.problem, changes = judged.changes, is_done = %s
    FROM unnest(%s::int[], %s::text[], %s::text[], %s::bytea[]) AS judged (number, verdict, problem, changes)
    WHERE line.job_id = %s AND line.number = judged.number
"""


# --- Check ------------------------------------------------------------------------------------------------------


def stage(about: Import, kind: LineKind, file: ImportFile, progress: jobs.Progress, most: int) -> int:
    """Read the file into staging. Returns how many rows it has. Raises UnreadableFile."""
    write = _Writer(about, kind, file)
    count = 0
    while chunk := list(islice(file.rows, STAGED_AT_ONCE)):
        count += len(chunk)
        if count > most:
            raise UnreadableFile.too_large()
        copy_rows("members_importline", COLUMNS, [write.line(number, cells) for number, cells in chunk])
        progress.advance(len(chunk))
    return count


class _Writer:
    def __init__(self, about: Import, kind: LineKind, file: ImportFile) -> None:
        self.about, self.kind = about, kind
        self.positions = file.positions
        self.columns = {column.key: column for column in kind.columns_at(about.org_unit)}
        self.seal_raw = sealer(ImportLine._meta.get_field("raw").context)
        self.seal_data = sealer(ImportLine._meta.get_field("data").context)

    def line(self, number: int, cells: list[Any]) -> str:
        row = Cells(cells, self.positions, self.columns)
        data = self.kind.read(row, self.about)
        problem = escaped("；".join(row.problems))
        key = self.kind.key(data) if not problem or self.kind.groups else ""
        raw = json.dumps([written(cell) for cell in cells], ensure_ascii=False)
        sealed = f"{self.seal_raw(raw)}\t{self.seal_data(json.dumps(data, ensure_ascii=False))}"
        digest = blind_index("import", f"{self.about.job.pk}:{key}") if key else ""
        verdict = "failed" if problem else ""
        return f"{self.about.job.pk}\t{number}\t{number}\t{digest}\t{sealed}\t{verdict}\t{problem}\tf\n"


def judge(about: Import, kind: LineKind) -> dict[str, Any]:
    """Let the kind say of every row what importing it would do. Returns what the summary tells of it."""
    job = about.job
    with transaction.atomic():
        _find_repetitions(about, kind)
        for lines in _batches(_waiting(job), STAGED_AT_ONCE):
            kind.judge(about, lines)
            _write_back(job, lines, is_done=False)
        _fail_units(job, kind)
    return {"changes": _count_changes(job)} | _totals(job)


def _find_repetitions(about: Import, kind: LineKind) -> None:
    values = {"job": about.job.pk, "fails": about.policy == Policy.FAIL, "repeated": _("与第 %s 行重复")}
    values["verdict"] = VERDICTS.FAILED.value if values["fails"] else VERDICTS.SKIPPED.value
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_importline")
        if kind.groups:
            cursor.execute(GROUP, values)
        elif about.policy in (Policy.SKIP, Policy.FAIL):  # by the others, later rows are applied after earlier ones
            cursor.execute(REPEATED, values)
    _fail_units(about.job, kind)


def _fail_units(job: Job, kind: LineKind) -> None:
    if kind.groups:
        with connection.cursor() as cursor:
            cursor.execute(FAIL_UNITS, {"job": job.pk, "whole": _("同一单的第 %s 行有误，整单未导入")})


def fail_rows(job: Job, first: int, last: int, problem: str) -> None:
    _lines(job).filter(number__range=(first, last), problem="").update(verdict=VERDICTS.FAILED, problem=problem)


def _count_changes(job: Job) -> dict[str, int]:
    counts: Counter[str] = Counter()
    changed = _lines(job).exclude(changes=None).filter(verdict=VERDICTS.CHANGED)
    for changes in changed.values_list("changes", flat=True).iterator():
        counts.update(column for column, _before, _after in json.loads(changes))
    return dict(counts)


# --- Import -----------------------------------------------------------------------------------------------------


def run(about: Import, kind: LineKind, progress: jobs.Progress) -> dict[str, Any]:
    """Apply what is left, unit by unit, in batches. Returns what the summary tells of it."""
    job = about.job
    if _lines(job).count() != job.summary["rows"]:
        raise UploadLost
    gone = _lines(job).exclude(pk__in=_waiting(job).values("pk"))
    progress.advance(gone.count(), gone.exclude(problem="").count())
    while units := _next_units(job):
        with transaction.atomic():
            kind.apply(about, units)
            lines = [line for unit in units for line in unit]
            _write_back(job, lines, is_done=True)
        progress.advance(len(lines), sum(bool(line.problem) for line in lines))
    return _totals(job)


def _next_units(job: Job) -> list[Unit]:
    """The next units in the order of their first rows, each complete."""
    waiting = _waiting(job).order_by("head", "number")
    heads = list(waiting.values_list("head", flat=True)[:APPLIED_AT_ONCE])
    if not heads:
        return []
    lines = [(row.head, _as_line(row)) for row in waiting.filter(head__range=(heads[0], heads[-1]))]
    return [[line for _head, line in unit] for _head, unit in groupby(lines, key=lambda pair: pair[0])]


def _waiting(job: Job) -> QuerySet[ImportLine]:
    return _lines(job).filter(problem="", is_done=False).exclude(verdict=VERDICTS.SKIPPED)


def _batches(rows: QuerySet[ImportLine], size: int) -> Iterator[list[Line]]:
    after = 0
    while found := list(rows.filter(number__gt=after).order_by("number")[:size]):
        yield [_as_line(row) for row in found]
        after = found[-1].number


def _as_line(row: ImportLine) -> Line:
    return Line(row.number, json.loads(row.data), row.verdict)


def _write_back(job: Job, lines: Sequence[Line], *, is_done: bool) -> None:
    seal = ImportLine._meta.get_field("changes").seal
    columns = (
        [line.number for line in lines],
        [line.verdict for line in lines],
        [line.problem for line in lines],
        [seal(json.dumps(line.changes, ensure_ascii=False)) if line.changes else None for line in lines],
    )
    with connection.cursor() as cursor:
        cursor.execute(WRITE_BACK, [is_done, *columns, job.pk])


# --- What came of it --------------------------------------------------------------------------------------------


def count(job: Job) -> int:
    return _lines(job).count()


def failed_rows(job: Job) -> QuerySet:
    return _lines(job).exclude(problem="").order_by("number").values_list("number", "problem")


def failures(job: Job) -> Iterable[tuple[int, str, list[str]]]:
    """(row number, problem, cells) of the rows that failed."""
    for row in _lines(job).exclude(problem="").order_by("number").iterator():
        yield row.number, row.problem, json.loads(row.raw)


def preview(about: Import, kind: LineKind) -> list[tuple[int, str, list[Change]]]:
    """The first rows that change something: (row number, what it is about, changes)."""
    changed = _lines(about.job).filter(verdict=VERDICTS.CHANGED).exclude(changes=None).order_by("number")
    return [(row.number, "", [Change(*change) for change in json.loads(row.changes)]) for row in changed[:PREVIEWED]]


def forget(job_ids: list[int]) -> None:
    ImportLine.objects.filter(job__in=job_ids).delete()


def forget_done(job: Job) -> None:
    _lines(job).filter(problem="").delete()


def _lines(job: Job) -> QuerySet[ImportLine]:
    return ImportLine.objects.filter(job=job)


def _totals(job: Job) -> dict[str, int]:
    counted = Counter(_lines(job).values_list("verdict", flat=True).iterator())
    return {verdict.value: counted[verdict.value] for verdict in VERDICTS}
