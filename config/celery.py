"""The Celery application, and the whole schedule of the project."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("wutong")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def every(task: str, seconds: int) -> dict[str, object]:
    """A turn that nobody took before the next one is dropped: turns never pile up behind a long one."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


def at(task: str, **when: int) -> dict[str, object]:
    return {"task": task, "schedule": crontab(**({"minute": 0} | when))}


# Beat copies this table into the database at its start, where an operator may pause an entry; times changed here
# win. Every task is safe to run twice. Hours are UTC: 18 is two at night in Shanghai.
app.conf.beat_schedule = {
    "dispatch events": every("members.tasks.dispatch_events", seconds=5),
    "release overdue holds": every("loyalty.tasks.release_overdue_holds", seconds=60),
    "release overdue coupons": every("benefits.tasks.release_overdue_coupons", seconds=60),
    "collect journals": every("settlement.collect", seconds=300),
    "resume campaigns": every("marketing.tasks.resume_campaigns", seconds=600),
    "close resolved tickets": every("members.tasks.close_resolved_tickets", seconds=3600),
    "resume imports": every("members.tasks.resume_imports", seconds=300),
    "remind": every("members.tasks.remind", seconds=1800),
    "resume exports": every("members.tasks.resume_exports", seconds=60),
    "forget old exports": every("members.tasks.forget_old_exports", seconds=3600),
    "expire approvals": every("members.tasks.expire_approvals", seconds=300),
    "make ordered cards": every("members.tasks.make_ordered_cards", seconds=60),
    "expire cards": every("members.tasks.expire_cards", seconds=300),
    # Each business's day begins at its own hour; what is due is found by instant.
    "roll the day": at("benefits.tasks.roll_the_day", minute=5),
    "find duplicates": at("members.tasks.find_duplicates", hour=19, minute=0),
    "recompute tags": at("marketing.tasks.recompute_tags", hour=18, minute=30),
    "forget old imports": at("members.tasks.forget_old_imports", hour=20, minute=0),
    "remove old task results": at("celery.backend_cleanup", hour=20, minute=10),
}
