"""Where reminders come from: the table of sources that config installs, one for each kind of day."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from members.interfaces.tables import Table

if TYPE_CHECKING:
    from members.models import ReminderSetting


@dataclass(frozen=True)
class Occasion:
    """A day that has come for a member. `key` names the occasion, so that it is made once; at most 60 characters."""

    member_id: int
    key: str
    due_on: date
    text: str = ""


@dataclass(frozen=True)
class ReminderSource:
    """`find(setting, today)` gives the occasions of one business on its local day, in a bounded number of queries.

    Members of that business only; members who are not active are left out.
    """

    name: str  # a ReminderKind
    find: Callable[["ReminderSetting", date], Iterable[Occasion]]


reminder_sources: Table[ReminderSource] = Table()
