"""Long work: queued, run by a worker, watched and cancelled by people; safe when a worker is killed.

A job is held by an advisory lock of the worker's database session, which dies with the worker: so a task that the
broker hands out again takes up a job that was left running, and never runs beside a living twin.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pghistory
from django.core.files.base import File
from django.db import connection
from django.utils import timezone

from members.errors import Refused
from members.models import Job, Operator, OrgUnit

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_WRITES = 1.0
LOCK_SPACE = 0x4A4F42  # "JOB": the first key of our advisory locks

State = Job.State


class JobCancelled(Exception):
    """Somebody stopped the job: raised where its work reports progress."""


class Progress:
    """What a job's work reports to; the row is written at most once a second."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._written_at = time.monotonic()

    def expect(self, total: int) -> None:
        self.job.total = total
        self._write()

    def advance(self, done: int, failed: int = 0) -> None:
        """Raises JobCancelled where somebody has asked for it."""
        self.job.done += done
        self.job.failed += failed
        if time.monotonic() - self._written_at >= SECONDS_BETWEEN_WRITES:
            self._write()

    def _write(self) -> None:
        job = self.job
        written = Job.objects.filter(pk=job.pk, state=State.RUNNING).update(
            total=job.total, done=job.done, failed=job.failed
        )
        if not written:
            raise JobCancelled
        self._written_at = time.monotonic()


Work = Callable[[Progress], dict[str, Any]]  # returns the job's summary


def add_job(
    kind: str,
    title: str,
    *,
    org_unit: OrgUnit,
    operator: Operator | None = None,
    source_file: File | None = None,
    summary: dict[str, Any] | None = None,
) -> Job:
    """A queued job. Hand its primary key to the task with transaction.on_commit."""
    return Job.objects.create(
        kind=kind,
        title=title,
        org_unit=org_unit,
        operator=operator,
        source_file=source_file,
        summary=summary or {},
    )


def run(job_id: int, work: Work, *, ends_as: Job.State = Job.State.DONE) -> Job | None:
    """Do a queued job, or one whose worker died, and keep its outcome. Returns None where there is nothing to do.

    `work` must be able to go on where an earlier run stopped; counts begin at nought again.
    A Refused becomes the job's message; any other error as well, and is raised on.
    """
    with _held(job_id) as is_held:
        job = _start(job_id) if is_held else None
        if job is None:
            return None
        try:
            with attributed_to(job):
                job.summary |= work(Progress(job))
        except JobCancelled:
            return _finish(job, State.CANCELLED)
        except Refused as reason:
            return _finish(job, State.FAILED, str(reason.message))
        except Exception as error:
            _finish(job, State.FAILED, f"{type(error).__name__}: {error}")
            raise
        return _finish(job, ends_as)


@contextmanager
def attributed_to(job: Job) -> Iterator[None]:
    """What a worker changes is told in the audit trail as its operator's; in a request it already is."""
    if not job.operator_id:
        yield
        return
    with pghistory.context(operator=job.operator_id, page=f"{job.kind} #{job.pk}"):
        yield


def requeue(job: Job) -> bool:
    """Let a draft go on, once: of two who confirm, one wins."""
    return bool(Job.objects.filter(pk=job.pk, state=State.DRAFT).update(state=State.QUEUED, done=0, failed=0))


def cancel(job: Job) -> bool:
    """Stop a job that is not finished; a running one stops at its next report. Returns whether it was so."""
    unfinished = Job.objects.filter(pk=job.pk, state__in=(State.DRAFT, State.QUEUED, State.RUNNING))
    return bool(unfinished.update(state=State.CANCELLED, finished_at=timezone.now()))


@contextmanager
def _held(job_id: int) -> Iterator[bool]:
    """Hold the job for this database session; says whether we got it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, job_id])
        is_held = cursor.fetchone()[0]
    try:
        yield is_held
    finally:
        if is_held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, job_id])


def _start(job_id: int) -> Job | None:
    runnable = Job.objects.filter(pk=job_id, state__in=(State.QUEUED, State.RUNNING))
    if not runnable.update(state=State.RUNNING, started_at=timezone.now(), done=0, failed=0, message=""):
        return None
    return Job.objects.get(pk=job_id)


def _finish(job: Job, state: Job.State, message: str = "") -> Job:
    """Write the outcome, unless the job was cancelled in the meantime: then the cancelling stays."""
    outcome = {"done": job.done, "failed": job.failed, "summary": job.summary, "message": message}
    Job.objects.filter(pk=job.pk, state=State.RUNNING).update(state=state, finished_at=timezone.now(), **outcome)
    job.refresh_from_db()
    return job
