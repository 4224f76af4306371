"""When a rule is asked: a parameter everywhere, never the database's clock."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from members.services.organisation import group

AsOf = date | datetime


@dataclass(frozen=True)
class Moment:
    """What happened before `end` is seen, nothing else; `end` is in the group's zone, so days are local."""

    end: datetime

    @classmethod
    def of(cls, as_of: AsOf) -> Self:
        """A date stands for its local midnight: that day is not seen yet. A datetime must be aware."""
        zone = group().zone
        if isinstance(as_of, datetime):
            return cls(as_of.astimezone(zone))
        return cls(datetime.combine(as_of, time.min, zone))

    @property
    def zone(self):
        return self.end.tzinfo

    @property
    def today(self) -> date:
        return self.end.date()

    def midnight(self, day: str) -> datetime:
        """The first instant of a local day, given as an ISO date."""
        return datetime.combine(date.fromisoformat(day), time.min, self.zone)

    def span(self, window: dict | None) -> tuple[datetime | None, datetime]:
        """The half-open span [start, end) of a rule's window; start is None where there is no lower bound."""
        window = window or {}
        if "last_days" in window:
            return self.end - timedelta(days=window["last_days"]), self.end
        start = self.midnight(window["from"]) if "from" in window else None
        end = min(self.midnight(window["before"]), self.end) if "before" in window else self.end
        return start, end
