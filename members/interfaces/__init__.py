"""Values that travel through all floors, and the tables that config installs at start-up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.utils import timezone

if TYPE_CHECKING:
    from members.models import Channel, Member, Operator, OrgUnit, Request, Terminal

Answer = dict[str, Any]  # JSON-native: what a verb answers, the first time and every time


@dataclass(frozen=True)
class Origin:
    """Who asks, from where, under which reference, and when; made at the edge, passed along unchanged.

    `at` is business time (rules, prices, tiers, caps, windows); `posted_at` is when it enters the books
    (availability, spending, expiry). `input_hash` is of the input as sent, without defaults.
    """

    channel: "Channel"
    reference: str
    at: datetime = field(default_factory=timezone.now)
    posted_at: datetime = field(default_factory=timezone.now)
    actor: "Operator | None" = None
    store: "OrgUnit | None" = None
    business: "OrgUnit | None" = None
    terminal: "Terminal | None" = None
    input_hash: str = ""
    request: "Request | None" = None

    def with_request(self, request: "Request") -> Self:
        return replace(self, request=request)


@dataclass(frozen=True)
class Panel:
    """A part of member 360 or of a member's home page that a floor above contributes.

    `context(member, actor)` gives the template's variables; `actor` is None on members' own pages.
    `place` is where the page puts it: a member's home has "badge", "card", "notice", "tile" and "body".
    """

    name: str
    title: str
    template: str
    context: Callable[["Member", Any], dict[str, Any]]
    permission: str = ""
    order: int = 100
    place: str = "body"


class PanelTable:
    """The panels of one page, in order; filled once at start-up by config."""

    def __init__(self) -> None:
        self._panels: tuple[Panel, ...] = ()

    def install(self, *panels: Panel) -> None:
        self._panels = tuple(sorted(panels, key=lambda panel: panel.order))

    def __iter__(self):
        return iter(self._panels)


home_panels = PanelTable()
member_360_panels = PanelTable()
