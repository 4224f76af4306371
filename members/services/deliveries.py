"""The outbox at work: every event reaches every reaction that the table names, at least once, in its own time."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from members.events import reaction_named
from members.models import Delivery
from members.rules import back_off

logger = logging.getLogger(__name__)

ERROR_LENGTH = 2000


@dataclass(frozen=True)
class Dispatched:
    """How a round of dispatching went."""

    done: int = 0
    failed: int = 0  # to be tried again, or parked


def dispatch(now: datetime, *, batch: int = 2000) -> Dispatched:
    """Make the reactions that are due, at most `batch` of them, each in a transaction of its own.

    Any number of dispatchers may run: a delivery that another one holds is passed over (SKIP LOCKED). One that dies
    on the way leaves its delivery waiting, so reactions must bear being made twice.
    """
    result = Dispatched()
    for _ in range(batch):
        went_well = _dispatch_one(now)
        if went_well is None:
            break
        result = replace(result, done=result.done + went_well, failed=result.failed + (not went_well))
    return result


@transaction.atomic
def _dispatch_one(now: datetime) -> bool | None:
    """Returns whether the reaction succeeded, or None where nothing is due."""
    waiting = Delivery.objects.due(now).select_for_update(skip_locked=True, of=("self",))
    delivery = waiting.select_related("event").order_by("next_at", "pk").first()
    if delivery is None:
        return None
    try:
        with transaction.atomic():  # a reaction that fails takes back what it wrote, and nothing else
            reaction_named(delivery.reaction)(delivery.event)
    except Exception as error:  # whatever a reaction of any floor raises must not stop the others
        logger.exception("Reaction %s to event %s failed", delivery.reaction, delivery.event_id)
        _put_off(delivery, error, now)
        return False
    delivery.state = Delivery.State.DONE
    delivery.tries += 1
    delivery.error = ""
    delivery.save(update_fields=["state", "tries", "error"])
    return True


def _put_off(delivery: Delivery, error: Exception, now: datetime) -> None:
    delivery.tries += 1
    delivery.error = f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
    if delivery.tries >= settings.MEMBERS_DELIVERY_TRIES:
        delivery.state = Delivery.State.PARKED
    delivery.next_at = now + back_off(delivery.tries)
    delivery.save(update_fields=["state", "tries", "error", "next_at"])


def retry_parked(now: datetime, deliveries=None) -> int:
    """Give parked deliveries (all, or those of a queryset) their tries back. Returns how many."""
    chosen = Delivery.objects.all() if deliveries is None else deliveries
    return chosen.filter(state=Delivery.State.PARKED).update(
        state=Delivery.State.WAITING, tries=0, next_at=now, error=""
    )
