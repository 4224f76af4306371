"""Members by the hundred thousand: staged by COPY in chunks, judged and imported by a few set-based statements.

A chunk is read, sealed, imported and marked done together; a killed worker's successor takes the chunks that are left.
"""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet

from members.errors import UnreadableFile, UploadLost
from members.interfaces.imports import Change, Import, ImportKind
from members.models import Identity, ImportChunk, ImportRow, Job, Member, OrgUnit
from members.personal_data import decrypt
from members.resources.members import ATTRIBUTE, MemberRow, MemberRowReader
from members.services import import_batches, jobs
from members.services.attributes import asked_by
from members.services.import_batches import LAST_ROW, Batch
from members.services.import_files import ImportFile, written
from members.services.spreadsheets import Row
from members.services.staging import NULL, copy_rows, escaped, indexer, sealer

STAGED_AT_ONCE = 5_000
VERDICTS = ImportRow.Verdict
NAME, IDENTITY = Member._meta.get_field("name"), Identity._meta.get_field("value")  # where the sealed values end up

ROW_COLUMNS = (
    "job_id, number, round, name, name_index, gender, birthday, phone, phone_index, phone_last_four, email,"
    " email_index, email_last_four, external, external_index, external_last_four, store_id, joined_at, source,"
    " attributes, problem, verdict"
)

# --- Check ------------------------------------------------------------------------------------------------------


def stage(about: Import, kind: ImportKind, file: ImportFile, progress: jobs.Progress, most: int) -> int:
    """Read the file into staging. Returns how many rows it has. Raises UnreadableFile."""
    write = _Writer(about.job.pk)
    reader = _reader(about, file)
    count = 0
    while chunk := list(islice(file.rows, STAGED_AT_ONCE)):
        count += len(chunk)
        if count > most:
            raise UnreadableFile.too_large()
        write.chunk([(number, cells, reader.read(cells)) for number, cells in chunk])
        progress.advance(len(chunk))
    return count


def _reader(about: Import, file: ImportFile) -> MemberRowReader:
    business = about.org_unit.business
    visible = OrgUnit.objects.visible_to(about.operator).stores().filter(business=business, is_active=True)
    return MemberRowReader(
        file.positions,
        business_code=business.code,
        stores=dict(visible.values_list("code", "pk")),
        zone=about.zone,
        today=about.today,
        attributes=list(asked_by(business)),
        has_1904_dates=file.book.has_1904_dates,
    )


class _Writer:
    """Writes chunks of rows into staging, sealed for the columns where they will end up."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        self.index = indexer()
        self.seal_name = sealer(NAME.context)
        self.seal_identity = sealer(IDENTITY.context)

    def chunk(self, read: list[tuple[int, Row, MemberRow]]) -> None:
        lines = [self._line(number, row) for number, _cells, row in read]
        raw = {number: [written(cell) for cell in cells] for number, cells, _row in read}
        with transaction.atomic():
            copy_rows("members_importrow", ROW_COLUMNS, lines)
            ImportChunk.objects.create(
                job_id=self.job_id, first=read[0][0], last=read[-1][0], raw=json.dumps(raw, ensure_ascii=False)
            )

    def _line(self, number: int, row: MemberRow) -> str:
        if row.problems:
            problem = escaped("；".join(row.problems))
            empty = "\t".join((NULL, "", "", NULL, *(NULL, "", "") * 3, NULL, NULL, "", NULL))
            return f"{self.job_id}\t{number}\t0\t{empty}\t{problem}\tfailed\n"
        name = row.name
        sealed = [self.seal_name(name), self.index("name", name), row.gender, str(row.birthday or NULL)]
        for kind in ("phone", "email", "external"):
            value = row.identities.get(kind, "")
            if value:
                sealed += (self.seal_identity(value), self.index(kind, value), escaped(value[-4:]))
            else:
                sealed += (NULL, "", "")
        joined_at = row.joined_at.isoformat() if row.joined_at else NULL
        attributes = escaped(json.dumps(row.attributes, ensure_ascii=False)) if row.attributes else NULL
        rest = f"{row.store_id or NULL}\t{joined_at}\t{escaped(row.source)}\t{attributes}"
        return f"{self.job_id}\t{number}\t0\t" + "\t".join(sealed) + f"\t{rest}\t\t\n"


def judge(about: Import, kind: ImportKind) -> dict[str, Any]:
    """Give every row its verdict, or the reason why it can't be imported. Returns what the summary tells of it."""
    batch = _batch(about)
    judged = import_batches.judge(batch)
    counts = Counter(judged.verdicts) + Counter({VERDICTS.CHANGED.value: _add_rounds(about.job)})
    changes = {key: count for key, count in judged.changes.items() if count}
    return {"changes": changes, "first_changed": judged.first} | _totals(about.job, counts)


def fail_rows(job: Job, first: int, last: int, problem: str) -> None:
    ImportRow.objects.filter(job=job, number__range=(first, last), problem="").update(
        verdict=VERDICTS.FAILED, problem=problem
    )


def _add_rounds(job: Job) -> int:
    """A chunk for each further round. Returns how many rows they have."""
    later = ImportRow.objects.filter(job=job, round__gt=0, problem="")
    rounds = later.aggregate(most=Max("round"))["most"] or 0
    ImportChunk.objects.bulk_create(
        ImportChunk(job=job, first=0, last=LAST_ROW, round=number) for number in range(1, rounds + 1)
    )
    return later.count()


def _totals(job: Job, counts: Counter) -> dict[str, int]:
    """The verdicts of all rows: those that stand in staging are final, the others are counted as they were judged."""
    standing = ImportRow.objects.filter(job=job).exclude(verdict="")
    final = {verdict: standing.filter(verdict=verdict).count() for verdict in (VERDICTS.FAILED, VERDICTS.SKIPPED)}
    return {verdict.value: final.get(verdict, counts[verdict.value]) for verdict in VERDICTS}


def _batch(about: Import) -> Batch:
    has_attributes = ImportRow.objects.filter(job=about.job, attributes__isnull=False).exists()
    return Batch(about.job.pk, about.org_unit.business, about.policy.value, has_attributes)


# --- Import -----------------------------------------------------------------------------------------------------


def run(about: Import, kind: ImportKind, progress: jobs.Progress) -> dict[str, Any]:
    """Import the chunks that are left, in their order. Returns what the summary tells of it."""
    job = about.job
    if not ImportChunk.objects.filter(job=job).exists():
        raise UploadLost
    batch = _batch(about)
    standing = ImportRow.objects.filter(job=job).exclude(verdict="")
    failed = standing.filter(verdict=VERDICTS.FAILED).count()
    done = sum((Counter(counts) for counts in _chunks(job, is_done=True).values_list("counts", flat=True)), Counter())
    progress.advance(standing.count() + done.total() - done["failed"], failed)
    for counts in _import_chunks(list(_chunks(job, is_done=False).defer("raw")), batch, about):
        progress.advance(sum(counts.values()), counts.get("failed", 0))
        done += Counter(counts)
    return _totals(job, done)


def _import_chunks(chunks: list[ImportChunk], batch: Batch, about: Import) -> Iterator[dict[str, int]]:
    """Import chunks, and say what came of each. Those of the first round share nobody: several go at once."""

    def import_one(chunk: ImportChunk) -> dict[str, int]:
        of_chunk = replace(batch, first=chunk.first, last=chunk.last, round=chunk.round)
        return import_batches.import_chunk(chunk, of_chunk, origin=about.origin)

    def import_beside(chunk: ImportChunk) -> dict[str, int]:
        try:
            return import_one(chunk)
        finally:
            connection.close()  # a thread's connection is its own

    together = [chunk for chunk in chunks if not chunk.round]
    if connection.in_atomic_block or settings.MEMBERS_IMPORT_CONNECTIONS == 1 or len(together) < 2:
        yield from map(import_one, together)
    else:
        pool = ThreadPoolExecutor(settings.MEMBERS_IMPORT_CONNECTIONS, "import")
        try:
            yield from pool.map(import_beside, together)
        finally:
            pool.shutdown(cancel_futures=True)  # cancelled, or failed: what is under way is finished
    yield from map(import_one, (chunk for chunk in chunks if chunk.round))


def _chunks(job: Job, *, is_done: bool) -> QuerySet[ImportChunk]:
    return ImportChunk.objects.filter(job=job, is_done=is_done).order_by("round", "first")


# --- What came of it --------------------------------------------------------------------------------------------


def count(job: Job) -> int:
    return ImportRow.objects.filter(job=job).count()


def failed_rows(job: Job) -> QuerySet:
    return ImportRow.objects.filter(job=job).exclude(problem="").order_by("number").values_list("number", "problem")


def failures(job: Job) -> Iterator[tuple[int, str, list[str]]]:
    """(row number, problem, cells) of the rows that failed, a chunk at a time."""
    for chunk in ImportChunk.objects.filter(job=job, round=0).order_by("first").iterator(chunk_size=1):
        failed = failed_rows(job).filter(number__range=(chunk.first, chunk.last))
        if failed:
            raw = json.loads(chunk.raw)
            for number, problem in failed:
                yield number, problem, raw[str(number)]


def preview(about: Import, kind: ImportKind) -> list[tuple[int, str, list[Change]]]:
    """The first rows that change somebody: (row number, member number, changes), with values as they are now."""
    first = about.job.summary.get("first_changed", ())
    members = Member.objects.prefetch_related("identities").in_bulk([member_id for _, member_id, _ in first])
    staged = ImportRow.objects.filter(job=about.job, number__in=[number for number, _, _ in first])
    rows = {row.number: row for row in staged}
    codes = dict(asked_by(about.org_unit.business).values_list("pk", "code"))
    return [
        (number, members[member_id].member_no, list(_changes(rows[number], members[member_id], columns, codes)))
        for number, member_id, columns in first
        if number in rows and member_id in members
    ]


def _changes(row: ImportRow, member: Member, columns: list[str], codes: dict[int, str]) -> Iterator[Change]:
    if "name" in columns:
        yield Change("name", member.name, decrypt(row.name, context=NAME.context))
    if "gender" in columns:
        yield Change("gender", member.get_gender_display() if member.gender else "", row.get_gender_display())
    if "birthday" in columns:
        yield Change("birthday", str(member.birthday or ""), str(row.birthday))
    if "email" in columns:
        known = next((identity.value for identity in member.identities.all() if identity.kind == "email"), "")
        yield Change("email", known, decrypt(row.email, context=IDENTITY.context))
    if "attributes" in columns:
        yield from _attribute_changes(member, row.attributes, codes)


def _attribute_changes(member: Member, said: dict[str, dict], codes: dict[int, str]) -> Iterator[Change]:
    known = {value.attribute_id: value.value for value in member.attribute_values.filter(attribute__in=codes)}
    for key, typed in said.items():
        if int(key) in codes:
            after = next(iter(typed.values()))
            before = known.get(int(key))
            if str(before) != str(after):
                yield Change(f"{ATTRIBUTE}{codes[int(key)]}", "" if before is None else str(before), str(after))


def forget(job_ids: list[int]) -> None:
    ImportRow.objects.filter(job__in=job_ids).delete()
    ImportChunk.objects.filter(job__in=job_ids).delete()


def forget_done(job: Job) -> None:
    """What was imported is in its place: only failed rows are kept, with the chunks that give them back."""
    ImportRow.objects.filter(job=job, problem="").delete()
    failed = ImportRow.objects.filter(job=job)
    for chunk in ImportChunk.objects.filter(job=job).defer("raw"):
        if chunk.round or not failed.filter(number__range=(chunk.first, chunk.last)).exists():
            chunk.delete()
