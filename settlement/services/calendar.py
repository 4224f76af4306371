from datetime import datetime

from members.services.organisation import group
from settlement.models import Period


class Calendar:
    """The period of each event: that of its business time, or where that is closed the first open one after it.

    Periods close in order, so everything before the last closed one's end is closed. Months are made as facts need
    them. To be used within settlement's turn: nobody closes a period meanwhile.
    """

    def __init__(self) -> None:
        self._open = list(Period.objects.open())
        closed = Period.objects.exclude(state=Period.State.OPEN).order_by("-ends_at").first()
        self._frontier = closed.ends_at if closed else None

    def period_for(self, at: datetime) -> Period:
        if self._frontier:
            at = max(at, self._frontier)
        return next((period for period in self._open if period.covers(at)), None) or self._begin(at)

    def _begin(self, at: datetime) -> Period:
        starts_at, ends_at = local_month(at)
        period = Period.objects.create(name=f"{starts_at:%Y-%m}", starts_at=starts_at, ends_at=ends_at)
        self._open.append(period)
        return period


def local_month(at: datetime) -> tuple[datetime, datetime]:
    """The month of the group's zone in which `at` lies, half-open."""
    zone = group().zone
    local = at.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month, 12)
    return datetime(local.year, local.month, 1, tzinfo=zone), datetime(year, month + 1, 1, tzinfo=zone)
