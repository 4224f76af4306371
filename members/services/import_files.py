"""An uploaded file: where its header stands, what its columns are, and its rows with the numbers that Excel shows."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import IO

from members.errors import UnreadableFile
from members.services.spreadsheets import Column, Row, as_written, header_positions, read_rows
from members.services.xlsx_reader import Workbook

CELL_LENGTH = 1_000  # what is longer is no cell of ours; the failures file shows its beginning
HEADER_WITHIN = 5  # rows with something in them: people put a title above


class ImportFile:
    """Raises UnreadableFile where there is no header with the columns that the kind needs."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column]) -> None:
        self.book = Workbook()
        rows = read_rows(file, self.book)
        above = list(islice(rows, HEADER_WITHIN))
        place, self.positions = _find_header(above, columns)
        self.header_number = above[place][0] if above else 0
        self.header = [written(cell) for cell in above[place][1]] if above else []
        self.rows: Iterator[tuple[int, Row]] = chain(above[place + 1 :], rows)

    @property
    def merged_rows(self) -> list[tuple[int, int]]:
        """First and last row of those whose cells are hidden under the first of a merge; known when all is read."""
        return [(merged.first + 1, merged.last) for merged in self.book.merged if merged.last > self.header_number + 1]


def _find_header(above: list[tuple[int, Row]], columns: Sequence[Column]) -> tuple[int, dict[str, int]]:
    first: UnreadableFile | None = None
    for place, (_number, cells) in enumerate(above):
        try:
            return place, header_positions(cells, columns)
        except UnreadableFile as reason:
            first = first or reason
    if first:
        raise first
    return 0, header_positions([], columns)


def written(cell: object) -> str:
    return as_written(cell)[:CELL_LENGTH]
