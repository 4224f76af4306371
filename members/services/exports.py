"""Lists as files: small ones at once, large ones as a job; within the role's limit, recorded, and soon forgotten.

What a list shows is the back office's affair: it comes here as a `Listing`. Unmasked members are asked for, approved
by a second person, and kept for a day for the one who asked.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, Protocol
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.errors import ExportGone, ExportTooLarge, NotYours
from members.events import record
from members.interfaces import Answer, Origin
from members.models import Approval, Job, Operator, RolePolicy
from members.personal_data import decrypt, encrypt
from members.services import approvals, jobs
from members.services.organisation import own_origin
from members.services.spreadsheets import write_csv, write_table

KIND = "export"
UNMASKED = "members.export_unmasked"
AT_ONCE = 1_000  # rows that are not worth a job
CHUNK = 1_000
SEALED_AS = "members.exports.query"  # what was searched for may be somebody's phone
DEFAULT_ROWS = RolePolicy._meta.get_field("export_rows").default
WRITERS = {"xlsx": write_table, "csv": write_csv}
CONTENT_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class Listing(Protocol):
    """A list as an operator sees it. `rows` are cells in the order of `header`, fetched as they are asked for."""

    title: str

    @property
    def header(self) -> Sequence[str]: ...
    @property
    def filters_in_words(self) -> str: ...
    def count(self, most: int | None) -> int: ...
    def rows(self, chunk: int) -> Iterator[Sequence[Any]]: ...


@dataclass(frozen=True)
class Wanted:
    """Which list, by whose query string, as which file."""

    model: str
    query: str
    format: str = "xlsx"
    is_masked: bool = True

    def sealed(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "query": base64.b64encode(encrypt(self.query, context=SEALED_AS)).decode(),
            "format": self.format,
            "is_masked": self.is_masked,
            "language": translation.get_language() or settings.LANGUAGE_CODE,
        }

    @classmethod
    def unsealed(cls, kept: dict[str, Any]) -> "Wanted":
        query = decrypt(base64.b64decode(kept["query"]), context=SEALED_AS)
        return cls(kept["model"], query, kept["format"], kept["is_masked"])

    @property
    def filters(self) -> dict[str, str]:
        """What narrowed the list; of a search only that there was one."""
        said = {name: value for name, value in parse_qsl(self.query) if name not in ("p", "o", "all", "e")}
        return said | ({"q": "***"} if "q" in said else {})


# --- Limits -----------------------------------------------------------------------------------------------------


def limit_of(operator: Operator) -> int | None:
    """How many rows at most: the largest of his roles'; a role (or nobody's role) without a policy has the default."""
    if operator.is_superuser:
        return None
    limits = dict(operator.groups.values_list("pk", "policy__export_rows"))
    return max((DEFAULT_ROWS if rows is None else rows for rows in limits.values()), default=DEFAULT_ROWS)


def count(listing: Listing, operator: Operator) -> int:
    """The rows of the list, counted no further than the limit. Raises ExportTooLarge."""
    limit = limit_of(operator)
    rows = listing.count(None if limit is None else limit + 1)
    if limit is not None and (rows > limit or not limit):
        raise ExportTooLarge.beyond(limit)
    return rows


# --- Making -----------------------------------------------------------------------------------------------------


@transaction.atomic
def export_now(listing: Listing, wanted: Wanted, *, origin: Origin) -> BytesIO:
    """The file of a small list, at its start. Raises ExportTooLarge."""
    if origin.actor is None:
        raise NotYours
    rows = count(listing, origin.actor)
    file = BytesIO()
    WRITERS[wanted.format](file, listing.title, listing.header, listing.rows(CHUNK))
    file.seek(0)
    record("list.exported", origin=origin, data=_facts(wanted, rows))
    return file


@transaction.atomic
def order(listing: Listing, wanted: Wanted, *, origin: Origin) -> Job:
    """A job for a list; hand it to the task `make_export` after the commit. Raises ExportTooLarge, NotYours."""
    operator = origin.actor
    if operator is None or operator.reach is None:
        raise NotYours
    count(listing, operator)
    title = _("导出：%(list)s") % {"list": listing.title}
    return jobs.add_job(KIND, title, org_unit=operator.reach, operator=operator, summary=wanted.sealed())


def make(job_id: int, open_listing: Callable[[Wanted, Operator], Listing]) -> Job | None:
    """Write the file of an ordered export; run again after a kill, it begins anew."""

    def work(progress: jobs.Progress) -> dict[str, Any]:
        job = progress.job
        wanted = Wanted.unsealed(job.summary)
        with translation.override(job.summary["language"]), TemporaryFile() as file:
            listing = open_listing(wanted, job.operator)
            progress.expect(count(listing, job.operator))
            rows = WRITERS[wanted.format](file, listing.title, listing.header, _told(listing, progress))
            file.seek(0)
            _keep(job, file, wanted, rows)
        return {"rows": rows, "query": ""}

    return jobs.run(job_id, work)


def _told(listing: Listing, progress: jobs.Progress) -> Iterator[Sequence[Any]]:
    """Rows that came in while we counted are more than was expected: the total grows with them."""
    rows = listing.rows(CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        yield from chunk
        if progress.job.done + len(chunk) > progress.job.total:
            progress.expect(progress.job.done + len(chunk))
        progress.advance(len(chunk))


@transaction.atomic
def _keep(job: Job, file: IO[bytes], wanted: Wanted, rows: int) -> None:
    job.result_file.delete(save=False)
    job.result_file.save(f"export-{job.pk}.{wanted.format}", File(file), save=False)
    Job.objects.filter(pk=job.pk).update(result_file=job.result_file.name)
    origin = own_origin("admin", actor=job.operator, business=job.org_unit.business)
    record("list.exported", origin=origin, data=_facts(wanted, rows) | {"job": job.pk})


def unfinished() -> list[int]:
    """Exports that wait for a worker, or whose worker may have died."""
    waiting = Job.objects.filter(kind=KIND, state__in=(Job.State.QUEUED, Job.State.RUNNING))
    return list(waiting.order_by("pk").values_list("pk", flat=True))


# --- Fetching, and forgetting -----------------------------------------------------------------------------------


def fetchable_until(job: Job) -> datetime | None:
    """When the file goes; None while there is none."""
    if job.kind != KIND or not job.result_file or job.finished_at is None:
        return None
    days = settings.MEMBERS_EXPORT_KEEP_DAYS if job.summary["is_masked"] else 1
    return job.finished_at + timedelta(days=days)


@transaction.atomic
def fetch(job: Job, *, origin: Origin) -> File:
    """The file, for the one who asked for it. Raises ExportGone."""
    until = fetchable_until(job)
    if until is None or until <= origin.posted_at or job.operator != origin.actor:
        raise ExportGone
    record("list.downloaded", origin=origin, data={"job": job.pk, "is_masked": job.summary["is_masked"]})
    return job.result_file.open("rb")


def forget_old(now: datetime) -> int:
    """Delete the files whose time is over; the job stays. Returns how many."""
    old = [job for job in _with_files() if (until := fetchable_until(job)) and until <= now]
    for job in old:
        job.result_file.delete(save=False)
        Job.objects.filter(pk=job.pk).update(result_file="")
    return len(old)


def _with_files() -> QuerySet[Job]:
    return Job.objects.filter(kind=KIND).exclude(result_file="")


# --- Unmasked ---------------------------------------------------------------------------------------------------


def ask_unmasked(listing: Listing, wanted: Wanted, *, reason: str, origin: Origin) -> Approval:
    """Ask for the list with names and numbers to read. Raises ExportTooLarge, NotYours."""
    operator = origin.actor
    if operator is None or operator.reach is None or not operator.has_perm("members.view_personal_data"):
        raise NotYours
    rows = count(listing, operator)
    written = "；".join(f"{name} = {value}" for name, value in wanted.filters.items())
    return approvals.ask(
        UNMASKED,
        org_unit=operator.reach,
        quantity=rows,
        arguments=wanted.sealed(),
        before={gettext_lazy("姓名、手机号、邮箱"): gettext_lazy("脱敏")},
        after={
            gettext_lazy("姓名、手机号、邮箱"): gettext_lazy("完整显示"),
            gettext_lazy("行数"): f"{rows:,}",
            gettext_lazy("筛选条件"): listing.filters_in_words or written or gettext_lazy("（无，全部可见会员）"),
            gettext_lazy("文件"): gettext_lazy("仅申请人可下载，24 小时后删除"),
        },
        title=gettext_lazy("导出未脱敏的会员资料"),
        reason=reason,
        origin=origin,
    )


def run_unmasked(arguments: dict[str, Any], origin: Origin) -> Answer:
    """The verb of the table: a job that only the asker can fetch."""
    asker = origin.actor
    if asker is None or asker.reach is None:
        raise NotYours
    title = _("导出未脱敏的会员资料")
    job = jobs.add_job(KIND, title, org_unit=asker.reach, operator=asker, summary=arguments)
    return {"job": job.pk}


def _facts(wanted: Wanted, rows: int) -> Answer:
    facts = {"model": wanted.model, "filters": wanted.filters, "rows": rows}
    return facts | {"format": wanted.format, "is_masked": wanted.is_masked}
