"""The one table of spreadsheets that can be imported, in the order in which the upload page offers them."""

from benefits.resources import PURCHASES
from loyalty.resources import OPENING_GROWTH, OPENING_POINTS
from marketing.resources import TAGS
from members.interfaces.imports import ImportKind, import_kinds
from members.resources.attributes import ATTRIBUTES
from members.resources.cards import CARDS
from members.resources.members import MEMBERS
from members.resources.organisation import ORG_UNITS

KINDS: tuple[ImportKind, ...] = (
    MEMBERS,
    ATTRIBUTES,
    CARDS,
    TAGS,
    PURCHASES,
    OPENING_POINTS,
    OPENING_GROWTH,
    ORG_UNITS,
)


def install() -> None:
    import_kinds.install(*KINDS)
