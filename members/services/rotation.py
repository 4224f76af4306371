"""Rotating keys while the system serves: every encrypted value under the current key, every digest by it.

Values are rewritten only where nobody has changed them meanwhile: whoever does writes under the current key anyway.
Digests are looked for under all keys in force (`blind_indexes`), so that people are found before and after.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from members.models import Job
from members.personal_data import (
    EncryptedTextField,
    blind_index,
    current_index_key,
    current_key,
    decrypt,
    encrypt,
    key_of,
)
from members.services import jobs
from members.services.organisation import group

KIND = "members.rotate_keys"
BATCH = 1_000


@dataclass(frozen=True)
class Sealed:
    """A column of encrypted text, and the digest beside it, whose kind is an SQL expression; without one, none."""

    table: str
    column: str
    context: str
    index: str = ""
    kind: str = "''"

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


# Digests without a value beside them (former identities, devices) stay under the key with which they were made.
INDEXES = {
    "members_member.name": ("name_index", "'name'"),
    "members_identity.value": ("value_index", "kind"),
    "members_call.phone": ("phone_index", "'phone'"),
}

REWRITE = """
    UPDATE {table} AS held SET {column} = renewed.sealed {set_index}
    FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::text[]) AS renewed(id, found, sealed, digest)
    WHERE held.id = renewed.id AND held.{column} = renewed.found
"""


def columns() -> list[Sealed]:
    """Every encrypted column of every app."""
    fields = (
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, EncryptedTextField)
    )
    return [
        Sealed(field.model._meta.db_table, field.column, field.context, *INDEXES.get(field.context, ()))
        for field in fields
    ]


def is_under_way() -> bool:
    """Whether digests of an older key may still be in the tables: what joins on digests has to wait."""
    if len(settings.BLIND_INDEX_KEYS) == 1:
        return False
    finished = Job.objects.filter(kind=KIND, state=Job.State.DONE)
    return not finished.filter(summary__index_key=current_index_key()).exists()


def start() -> Job:
    """The job of rotating to the current keys: the unfinished one goes on where it stopped."""
    keys = {"key": current_key(), "index_key": current_index_key()}
    unfinished = Job.objects.filter(kind=KIND, state__in=(Job.State.QUEUED, Job.State.RUNNING, Job.State.FAILED))
    job = unfinished.filter(summary__contains=keys).order_by("-pk").first()
    if job is None:
        return jobs.add_job(KIND, _("更换加密密钥"), org_unit=group(), summary=keys | {"reached": {}})
    Job.objects.filter(pk=job.pk, state=Job.State.FAILED).update(state=Job.State.QUEUED)
    return job


def run(job: Job) -> Job | None:
    """Rewrite what is not under the current keys; None where another process is at it."""
    return jobs.run(job.pk, _rotate)


def _rotate(progress: jobs.Progress) -> dict[str, Any]:
    reached: dict[str, int] = progress.job.summary["reached"]
    spans = [(column, _span(column, reached.get(column.name, 0))) for column in columns()]
    progress.expect(sum(span.rows for _, span in spans))
    in_conflict = 0
    for column, span in spans:
        for rows in _batches(column, span):
            failed = _renew(column, rows)
            in_conflict += failed
            reached[column.name] = rows[-1][0]
            Job.objects.filter(pk=progress.job.pk).update(summary=progress.job.summary)
            progress.advance(len(rows), failed)
    return {"in_conflict": in_conflict}


@dataclass(frozen=True)
class Span:
    """The rows still to be looked at: what is written from now on is under the current keys."""

    after: int
    last: int
    rows: int


def _span(column: Sealed, after: int) -> Span:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(max(id), 0), count({column.column}) FROM {column.table} WHERE id > %s", [after]
        )
        return Span(after, *cursor.fetchone())


def _batches(column: Sealed, span: Span) -> Iterator[list[tuple[int, bytes, str]]]:
    """(key, sealed value, kind of digest) in the order of keys."""
    after = span.after
    while rows := _read(column, after, span.last):
        yield rows
        after = rows[-1][0]


def _read(column: Sealed, after: int, last: int) -> list[tuple[int, bytes, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {column.column}, {column.kind} FROM {column.table}"
            f" WHERE id > %s AND id <= %s AND {column.column} IS NOT NULL ORDER BY id LIMIT {BATCH}",
            [after, last],
        )
        return cursor.fetchall()


def _renew(column: Sealed, rows: list[tuple[int, bytes, str]]) -> int:
    """Write a batch under the current keys. Returns how many rows could not be, as their digest is another's."""
    renewed = [_renewed(column, *row) for row in rows]
    try:
        _write(column, renewed)
    except IntegrityError:
        return sum(not _could_write(column, row) for row in renewed)
    return 0


Renewed = tuple[int, bytes, bytes, str]


def _renewed(column: Sealed, key: int, found: bytes, kind: str) -> Renewed:
    text = decrypt(found, context=column.context)
    sealed = bytes(found) if key_of(found) == current_key() else encrypt(text, context=column.context)
    return key, bytes(found), sealed, blind_index(kind, text) if column.index else ""


def _write(column: Sealed, renewed: list[Renewed]) -> None:
    set_index = f", {column.index} = renewed.digest" if column.index else ""
    statement = REWRITE.format(table=column.table, column=column.column, set_index=set_index)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('members.keys_rotate', 'on', true)")  # the audit trail: nobody is changed
        cursor.execute(statement, [list(values) for values in zip(*renewed, strict=True)])


def _could_write(column: Sealed, row: Renewed) -> bool:
    try:
        _write(column, [row])
    except IntegrityError:  # somebody enrolled the same number twice while servers with different keys ran
        return False
    return True
