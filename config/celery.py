"""The Celery application, and the whole schedule of the project."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("wutong")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Name → task and time (UTC). Beat copies this table into the database at its start, where an operator may
# pause an entry; times changed here win. Every task is safe to run twice.
app.conf.beat_schedule = {
    "remove old task results": {"task": "celery.backend_cleanup", "schedule": crontab(hour=20, minute=10)},
}
