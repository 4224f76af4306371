"""Long work: done once, watched, cancelled, and taken up again after a kill."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from members.errors import UnreadableFile
from members.models import Job
from members.services import jobs
from tests.cast import Cast


@pytest.fixture
def job(cast: Cast) -> Job:
    return jobs.add_job("test", "一件长活", org_unit=cast.mall, operator=cast.sees_mall)


@pytest.fixture(autouse=True)
def write_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SECONDS_BETWEEN_WRITES", 0)


def work(progress: jobs.Progress) -> dict[str, Any]:
    progress.expect(10)
    progress.advance(4, failed=1)
    progress.advance(6)
    return {"made": 9}


def test_a_job_keeps_its_outcome(job: Job) -> None:
    done = jobs.run(job.pk, work)
    assert (done.state, done.total, done.done, done.failed, done.percent) == ("done", 10, 10, 1, 100)
    assert done.summary == {"made": 9}
    assert done.started_at <= done.finished_at
    assert jobs.run(job.pk, work) is None


def test_a_refusal_becomes_its_message(job: Job) -> None:
    def refuse(progress: jobs.Progress) -> dict[str, Any]:
        raise UnreadableFile.empty()

    assert (jobs.run(job.pk, refuse).state, "没有数据行" in Job.objects.get().message) == ("failed", True)


def test_a_fault_is_kept_and_raised_on(job: Job) -> None:
    def fail(progress: jobs.Progress) -> dict[str, Any]:
        raise ZeroDivisionError("by nought")

    with pytest.raises(ZeroDivisionError):
        jobs.run(job.pk, fail)
    assert (Job.objects.get().state, Job.objects.get().message) == ("failed", "ZeroDivisionError: by nought")


def test_a_running_job_stops_where_it_is_cancelled(job: Job) -> None:
    def cancel_halfway(progress: jobs.Progress) -> dict[str, Any]:
        progress.expect(10)
        assert jobs.cancel(job)
        progress.advance(5)
        pytest.fail("goes on after it was cancelled")

    assert jobs.run(job.pk, cancel_halfway).state == "cancelled"
    assert not jobs.cancel(job)


def test_a_job_whose_worker_died_is_taken_up_again(job: Job) -> None:
    def die(progress: jobs.Progress) -> dict[str, Any]:
        raise SystemExit

    with pytest.raises(SystemExit):
        jobs.run(job.pk, die)
    assert Job.objects.get().state == "running"
    assert jobs.run(job.pk, work).state == "done"


@pytest.mark.django_db(transaction=True)
def test_a_job_never_runs_beside_its_twin(job: Job) -> None:
    started, tried = Barrier(2), Barrier(2)

    def take_long(progress: jobs.Progress) -> dict[str, Any]:
        started.wait()
        tried.wait()
        return {}

    def run_it() -> None:
        jobs.run(job.pk, take_long)
        connection.close()

    worker = Thread(target=run_it)
    worker.start()
    started.wait()
    assert jobs.run(job.pk, work) is None
    tried.wait()
    worker.join()
    assert Job.objects.get().state == "done"


def test_jobs_are_seen_from_their_node_upwards(cast: Cast, job: Job) -> None:
    for actor, count in ((cast.sees_all, 1), (cast.sees_mall, 1), (cast.hotel_app, 0), (cast.sees_nothing, 0)):
        assert Job.objects.visible_to(actor).count() == count
