"""What each floor does when members are merged, an account is closed, or a member asks for all that is held on him.

Every step runs in the transaction of the verb that calls it, in the order of the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from members.interfaces import Answer, Origin
from members.interfaces.tables import Table

if TYPE_CHECKING:
    from members.models import Member


@dataclass(frozen=True)
class Line:
    """One line of a preview: what it is about, what each of the two has, and what the winner will have."""

    label: str
    loser: str
    winner: str
    result: str


@dataclass(frozen=True)
class MergeStep:
    """`preview(loser, winner, actor)` says what would move, as far as the actor may see it.

    `merge` moves it and returns (JSON) what `undo` needs. `undo` gives back what is still there: what the winner has
    spent since stays spent. Members are locked. Where rows may be on their way while members are merged, `merge` is
    called once more, soon after it (`comes_late`).
    """

    name: str
    title: str
    preview: Callable[["Member", "Member", Any], Sequence[Line]]
    merge: Callable[["Member", "Member", Origin], Answer]
    undo: Callable[["Member", "Member", Answer, Origin], None]
    comes_late: bool = True


@dataclass(frozen=True)
class CloseStep:
    """`preview(member)` says what he would lose, as label → text; `close` does it and returns facts for the event.

    Raises Refused where the account can't be closed as it stands (money on it, an order under way).
    """

    name: str
    title: str
    preview: Callable[["Member"], dict[str, str]]
    close: Callable[["Member", Origin], Answer]


@dataclass(frozen=True)
class ExportStep:
    """`rows(member)` is all that this part of the house holds on him: a list of flat, JSON-native records.

    Keys are translated titles, as people read them; `name` is the key of the section in the JSON file.
    """

    name: str
    title: str
    rows: Callable[["Member"], Sequence[dict[str, Any]]]


@dataclass(frozen=True)
class Fence:
    """`lock(member)` takes what he could spend, in the house's order: spending that has begun ends first."""

    name: str
    lock: Callable[["Member"], None]


merge_steps: Table[MergeStep] = Table()
close_steps: Table[CloseStep] = Table()
export_steps: Table[ExportStep] = Table()
fences: Table[Fence] = Table()
