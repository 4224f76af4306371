"""What time does to coupons: holds lapse, and what was not used in time expires. Set-based, safe to run twice."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from benefits.models import Coupon
from loyalty.services.clock import clock_origin
from members import events
from members.interfaces import Origin

BATCH = 5000  # coupons a statement


def release_overdue(now: datetime) -> int:
    """Set free the coupons whose order has not come in time."""
    free = {"state": Coupon.State.ISSUED, "held_for": "", "held_until": None}
    return _in_batches(Coupon.objects.held_too_long(now), "coupons.released", now, free)


def expire_due(now: datetime) -> int:
    """Let lapse what was not used in time."""
    return _in_batches(Coupon.objects.overdue(now), "coupons.expired", now, {"state": Coupon.State.EXPIRED})


def _in_batches(due: QuerySet, event_type: str, now: datetime, values: dict[str, Any]) -> int:
    """One event a batch: each coupon says itself what has become of it."""
    origin, changed = clock_origin(f"{event_type}:{now.isoformat()}", now), 0
    while keys := _change_batch(due, values, event_type, origin):
        changed += len(keys)
    return changed


@transaction.atomic
def _change_batch(due: QuerySet, values: dict[str, Any], event_type: str, origin: Origin) -> list[int]:
    keys = list(due.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)[:BATCH])
    if keys:
        Coupon.objects.filter(pk__in=keys).update(**values)
        events.record(event_type, origin=origin, data={"coupons": keys})
    return keys
