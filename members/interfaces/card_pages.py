"""What the floors above put on the back office's pages of a card and of a card type; filled once, by config."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from members.models import Card, Operator


@dataclass(frozen=True)
class CardPanel:
    """A part of a card's page: `context(card, actor)` gives the variables of its template."""

    template: str
    context: Callable[["Card", "Operator"], dict[str, Any]]
    permission: str


class CardPages:
    def __init__(self) -> None:
        self.panels: tuple[CardPanel, ...] = ()
        self.type_inlines: tuple[type, ...] = ()

    def install(self, *, panels: Sequence[CardPanel] = (), type_inlines: Sequence[type] = ()) -> None:
        self.panels, self.type_inlines = tuple(panels), tuple(type_inlines)

    def parts(self, request: HttpRequest, card: "Card") -> list[SafeString]:
        """The panels that the operator may see, ready to be shown."""
        return [
            render_to_string(panel.template, {"card": card, **panel.context(card, request.user)}, request)
            for panel in self.panels
            if request.user.has_perm(panel.permission)
        ]


card_pages = CardPages()
