"""Tables that config fills once at start-up, with what the floors contribute."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    @property
    def name(self) -> str: ...


Row = TypeVar("Row", bound=Named)


class Table(Generic[Row]):
    """Rows by name, in the order in which they were installed."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def install(self, *rows: Row) -> None:
        self._rows = {row.name: row for row in rows}

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __getitem__(self, name: str) -> Row:
        """Raises KeyError for what is not, or no longer, in the table."""
        return self._rows[name]

    def __contains__(self, name: str) -> bool:
        return name in self._rows
