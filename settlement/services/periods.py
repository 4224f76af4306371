from django.db import transaction

from members.events import record
from members.interfaces import Origin
from settlement.errors import EarlierPeriodOpen, PeriodNotOpen, PeriodNotOver
from settlement.models import Period
from settlement.services.collect import collect
from settlement.services.statements import write_statements
from settlement.services.turn import take_turn


def cut(period: Period, *, origin: Origin) -> Period:
    """Collect, then write the statements of the period and of those before it that are still open. May be repeated.

    Raises PeriodNotOpen.
    """
    collect()
    with transaction.atomic():
        take_turn()
        _cut(_open(period), origin)
        record("settlement.period_cut", origin=origin, data={"period": period.name})
    return Period.objects.get(pk=period.pk)


def lock(period: Period, *, origin: Origin) -> Period:
    """Cut a period for the last time: from now on it takes no journal. Periods are locked in order, once they are over.

    Raises PeriodNotOpen, PeriodNotOver, EarlierPeriodOpen.
    """
    collect()
    with transaction.atomic():
        take_turn()
        period = _open(period)
        if origin.posted_at < period.ends_at:
            raise PeriodNotOver(ends_at=period.ends_at)
        if Period.objects.open().filter(starts_at__lt=period.starts_at).exists():
            raise EarlierPeriodOpen()
        _cut(period, origin)
        period.state, period.locked_at = Period.State.LOCKED, origin.posted_at
        period.save(update_fields=["state", "locked_at"])
        record("settlement.period_locked", origin=origin, data={"period": period.name})
    return period


def _open(period: Period) -> Period:
    """The period as it stands now. Raises PeriodNotOpen."""
    period = Period.objects.get(pk=period.pk)
    if period.state != Period.State.OPEN:
        raise PeriodNotOpen(period=period.name, state=period.state)
    return period


def _cut(period: Period, origin: Origin) -> None:
    """Statements chain: those before go first."""
    for earlier in Period.objects.open().filter(starts_at__lte=period.starts_at).order_by("starts_at"):
        write_statements(earlier)
    Period.objects.open().filter(starts_at__lte=period.starts_at).update(cut_at=origin.posted_at)
