"""How the year of purchases was laid into this database: chosen once, and remembered as a finished job."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from django.core.management.base import CommandError

from config.complete_journey import ZONE
from config.demo import milestones
from members.models import OrgUnit
from members.services.organisation import group

MILESTONE = "edition"
LAST_DAY = date(2017, 12, 31)  # of the data, by the shops' own days


class Rule(StrEnum):
    A = "A"  # a purchase is a whole basket, all of them at one business
    B = "B"  # a purchase is what one format sold of a basket


@dataclass(frozen=True)
class Edition:
    """The rule by which baskets become purchases, and by how many whole weeks they are shifted."""

    rule: Rule
    weeks: int

    @property
    def first_day(self) -> date:
        return date(2017, 1, 1) + timedelta(weeks=self.weeks)

    @property
    def last_day(self) -> date:
        return LAST_DAY + timedelta(weeks=self.weeks)

    def at(self, moment: datetime) -> datetime:
        """When a basket is bought here: the shop's weekday and wall clock, in the group's zone.

        So local days, months and opening hours are those of the data in whichever zone the group lives, and with
        America/New_York and no shift the moment is the data's own.
        """
        wall_clock = moment.astimezone(ZONE) + timedelta(weeks=self.weeks)
        return wall_clock.replace(tzinfo=group().zone)

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=group().zone)

    @property
    def begins(self) -> datetime:
        return self.midnight(self.first_day)

    @property
    def ends(self) -> datetime:
        """Midnight after the last day of purchases."""
        return self.midnight(self.last_day + timedelta(days=1))

    def seconds_of(self, at: datetime) -> int:
        """The other way round: the moment in the data, in seconds since 1970."""
        wall_clock = at.astimezone(group().zone) - timedelta(weeks=self.weeks)
        return int(wall_clock.replace(tzinfo=ZONE).timestamp())

    def remember(self) -> None:
        milestones.mark(MILESTONE, "演示集团", **asdict(self))

    @classmethod
    def standing(cls) -> Self | None:
        """What this database holds already. Raises CommandError where the organisation is somebody's own."""
        if not OrgUnit.objects.exists():
            return None
        job = milestones.reached(MILESTONE)
        if job is None:
            raise CommandError(
                "This database holds an organisation that is not the demo's. Leave it alone with DEMO=none, or set "
                "DATABASE_URL to an empty database."
            )
        return cls(Rule(job.summary["rule"]), job.summary["weeks"])


def weeks_until(last_day: date) -> int:
    """The shift by whole weeks that ends the year on `last_day` or in the week before."""
    return (last_day - LAST_DAY).days // 7
