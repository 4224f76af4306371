"""The one table of spreadsheets that can be imported, in the order in which the upload page offers them."""

from members.interfaces.imports import ImportKind, import_kinds
from members.resources.members import MEMBERS

KINDS: tuple[ImportKind, ...] = (MEMBERS,)


def install() -> None:
    import_kinds.install(*KINDS)
