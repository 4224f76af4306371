from celery import shared_task
from django.utils import timezone

from benefits.services import coupon_clock, day_roll


@shared_task
def roll_the_day() -> dict:
    return day_roll.roll(timezone.now())


@shared_task
def release_overdue_coupons() -> int:
    return coupon_clock.release_overdue(timezone.now())
