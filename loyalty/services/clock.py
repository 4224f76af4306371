"""What time does to the ledger: lots come due, lots lapse, holds time out. Account by account, safe to run twice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, QuerySet, Sum

from loyalty.errors import HoldNotOpen
from loyalty.models import Account, Hold, Lot
from loyalty.services import ledger, points
from loyalty.services.points import facts
from members.events import record
from members.interfaces import Origin
from members.models import Channel
from members.services.organisation import own_channel
from members.services.requests import claim

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Total:
    """What a run has moved, or would: so many accounts, so many units."""

    accounts: int
    quantity: int


def due_expiry(now: datetime) -> Total:
    """The dry run of `expire_due`: how many accounts would lose how much."""
    return _total(Lot.objects.due_for_expiry(now))


def due_activation(now: datetime) -> Total:
    """The dry run of `activate_due`: how many accounts would get how much."""
    return _total(Lot.objects.due_for_activation(now))


def expire_due(now: datetime, *, progress: Progress | None = None) -> Total:
    """Let lapse whatever has come to its end and is not held."""
    return _for_each_account(Lot.objects.due_for_expiry(now), _expire, now, progress)


def activate_due(now: datetime, *, progress: Progress | None = None) -> Total:
    """Make spendable whatever was pending until now."""
    return _for_each_account(Lot.objects.due_for_activation(now), _activate, now, progress)


def release_overdue_holds(now: datetime) -> int:
    """Release the holds whose time is over. Returns how many."""
    released = 0
    for hold in Hold.objects.overdue(now).order_by("pk").iterator():
        try:
            points.release(hold, state=Hold.State.TIMED_OUT, origin=clock_origin(f"hold:{hold.pk}:timeout", now))
            released += 1
        except HoldNotOpen:  # captured or released since we looked
            continue
    return released


def clock_origin(reference: str, now: datetime) -> Origin:
    return Origin(channel=own_channel(Channel.Kind.CLOCK), reference=reference, at=now, posted_at=now)


def _total(lots: QuerySet) -> Total:
    accounts, quantity = Count("account", distinct=True), Sum(F("remaining") - F("held"), default=0)
    return Total(**lots.aggregate(accounts=accounts, quantity=quantity))


def _for_each_account(
    lots: QuerySet, step: Callable[[Account, datetime], int], now: datetime, progress: Progress | None
) -> Total:
    accounts = quantity = 0
    for pk in _keys(lots):
        with transaction.atomic():
            quantity += step(ledger.lock_account_of(pk), now)
        accounts += 1
        if progress:
            progress(accounts)
    return Total(accounts, quantity)


def _keys(lots: QuerySet) -> Iterable[int]:
    return lots.order_by("account_id").values_list("account_id", flat=True).distinct().iterator()


def _expire(account: Account, now: datetime) -> int:
    lots = list(account.lots.due_for_expiry(now).order_by("expires_at", "pk"))
    origin, is_new = _claimed(f"expire:{account.pk}:{now.isoformat()}", "points.expire_due", now)
    if not lots or not is_new:
        return 0
    expired = ledger.expire(account, [(lot, lot.unheld) for lot in lots], origin=origin)
    record("points.expired", origin=origin, member=account.member, data=facts(expired))
    return -expired.quantity


def _activate(account: Account, now: datetime) -> int:
    lots = list(account.lots.due_for_activation(now).order_by("available_at", "pk"))
    origin, is_new = _claimed(f"activate:{account.pk}:{now.isoformat()}", "points.activate_due", now)
    if not lots or not is_new:
        return 0
    activated = ledger.activate(account, lots, origin=origin)
    record("points.activated", origin=origin, member=account.member, data=facts(activated))
    return sum(lot.remaining for lot in lots)


def _claimed(reference: str, verb: str, now: datetime) -> tuple[Origin, bool]:
    origin = clock_origin(reference, now)
    request, is_new = claim(origin, verb)
    return origin.with_request(request), is_new
