"""Wires the five apps into one project: imports all of them, imported by none."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
