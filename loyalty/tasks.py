from celery import shared_task
from django.utils import timezone

from loyalty.services import clock


@shared_task
def release_overdue_holds() -> int:
    return clock.release_overdue_holds(timezone.now())
