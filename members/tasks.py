"""What the clock and long work call: primary keys in, one service out, safe to run twice."""

from datetime import timedelta
from functools import partial
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from members.interfaces import Answer, Origin
from members.interfaces.lists import AdminList
from members.services import (
    approvals,
    card_batches,
    cards,
    deliveries,
    duplicates,
    exports,
    imports,
    reminders,
    tickets,
)


@shared_task(ignore_result=True)
def dispatch_events() -> None:
    """Beat, every few seconds: make the reactions that are due."""
    deliveries.dispatch(timezone.now())


@shared_task(ignore_result=True)
def expire_approvals() -> None:
    """Beat, every few minutes: what nobody decided in time; deciding itself looks at the clock, too."""
    approvals.expire_due(timezone.now())


@shared_task(ignore_result=True)
def check_import(job_id: int) -> None:
    imports.check(job_id)


@shared_task(ignore_result=True)
def run_import(job_id: int) -> None:
    imports.run(job_id)


@shared_task(ignore_result=True)
def remind() -> None:
    """Beat, every half hour: what each business's new day brings, and by day the messages of it."""
    now = timezone.now()
    reminders.raise_due(now)
    reminders.send_due(now)


def import_approved(arguments: dict[str, Any], origin: Origin) -> Answer:
    """The verb of the table of approvals: a second person lets a large file be imported, which begins at once."""
    job = imports.approved(arguments["job"])
    transaction.on_commit(partial(run_import.delay, job.pk))
    return {"job": job.pk}


@shared_task(ignore_result=True)
def resume_imports() -> None:
    """Beat, every few minutes: a killed worker's task comes back from the broker after hours only.

    One too many does no harm: a job that is held by a living worker, or done, is passed over.
    """
    to_check, to_import = imports.unfinished()
    for job_id in to_check:
        check_import.delay(job_id)
    for job_id in to_import:
        run_import.delay(job_id)


@shared_task(ignore_result=True)
def forget_old_imports() -> None:
    """Beat, nightly: failed rows hold personal data, so they are not kept for ever."""
    imports.forget_rows(before=timezone.now() - timedelta(days=settings.MEMBERS_IMPORT_KEEP_DAYS))


@shared_task(ignore_result=True)
def close_resolved_tickets() -> None:
    """Beat, hourly: what was resolved and not spoken of since is closed."""
    tickets.close_resolved(timezone.now())


@shared_task(ignore_result=True)
def make_cards(job_id: int) -> None:
    card_batches.make(job_id)


@shared_task(ignore_result=True)
def make_ordered_cards() -> None:
    """Beat, every minute: batches that a second person has agreed to, and those of a killed worker.

    One too many does no harm: a job that is held by a living worker, or done, is passed over.
    """
    for job_id in card_batches.unfinished():
        make_cards.delay(job_id)


@shared_task(ignore_result=True)
def expire_cards() -> None:
    """Beat, every few minutes: mark cards whose validity has ended; paying looks at the clock, too."""
    cards.expire_due(timezone.now())


@shared_task(ignore_result=True)
def find_duplicates() -> None:
    """Beat, nightly: members who look like one person, for operators to look at."""
    duplicates.find(timezone.now())


@shared_task(ignore_result=True)
def make_export(job_id: int) -> None:
    exports.make(job_id, AdminList)


def export_approved(arguments: dict[str, Any], origin: Origin) -> Answer:
    """The verb of the table of approvals: a second person lets people leave unmasked, and the file is made at once."""
    answer = exports.run_unmasked(arguments, origin)
    transaction.on_commit(partial(make_export.delay, answer["job"]))
    return answer


@shared_task(ignore_result=True)
def resume_exports() -> None:
    """Beat, every minute: exports that a second person has agreed to, and those of a killed worker.

    One too many does no harm: a job that is held by a living worker, or done, is passed over.
    """
    for job_id in exports.unfinished():
        make_export.delay(job_id)


@shared_task(ignore_result=True)
def forget_old_exports() -> None:
    """Beat, hourly: unmasked files are kept for a day, the others for some."""
    exports.forget_old(timezone.now())
