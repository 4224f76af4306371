"""Reading what people upload (xlsx, and csv in the encodings of Excel), and writing what they download."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

import xlsxwriter
from django.conf import settings
from django.utils import translation

from members.errors import UnreadableFile
from members.services.csv_reader import csv_rows
from members.services.xlsx_reader import Uncalculated, Workbook, rows_of

Row = list[Any]  # str from csv; str, int, float, bool, date, datetime from xlsx

ZIP_SIGNATURE = b"PK\x03\x04"
OLD_EXCEL_SIGNATURE = b"\xd0\xcf\x11\xe0"  # also an xlsx with a password
SAMPLE = 64 * 1024
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
WORKBOOK_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
QUOTED_FORMULA_STARTS = tuple(f"'{start}" for start in FORMULA_STARTS)


@dataclass(frozen=True)
class Column:
    """A column of a template: what it is called, by what other names it goes, and what to write in it."""

    key: str
    title: str
    explanation: str
    aliases: tuple[str, ...] = ()
    is_required: bool = False
    width: int = 18


# --- Reading ----------------------------------------------------------------------------------------------------


def read_rows(file: IO[bytes], book: Workbook | None = None) -> Iterator[tuple[int, Row]]:
    """Yield (row number as the spreadsheet program shows it, cells); rows without content are passed over.

    By what the file is, whatever its name says. Raises UnreadableFile for anything but xlsx and csv.
    """
    file.seek(0)
    start = file.read(SAMPLE)
    file.seek(0)
    if start.startswith(OLD_EXCEL_SIGNATURE):
        raise UnreadableFile.old_excel()
    is_workbook = start.startswith(ZIP_SIGNATURE)
    rows = rows_of(file, book or Workbook()) if is_workbook else csv_rows(file, start)
    for number, row in rows:
        if any(not is_blank(cell) for cell in row):
            yield number, [_without_quote(cell) for cell in row]


def _without_quote(cell: Any) -> Any:
    """Undo `harmless`: a failures file is mended and uploaded again."""
    return cell[1:] if isinstance(cell, str) and cell.startswith(QUOTED_FORMULA_STARTS) else cell


def is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip() and not isinstance(cell, Uncalculated))


def header_positions(header: Row, columns: Sequence[Column]) -> dict[str, int]:
    """Find each column's place by its title or an alias; extra columns are let be. Raises UnreadableFile."""
    names = [as_written(cell).strip().strip("*＊").lower() for cell in header]
    found: dict[str, int] = {}
    for column in columns:
        places = [place for place, name in enumerate(names) if name in _names(column)]
        if len(places) > 1:
            raise UnreadableFile.column_twice(column.title)
        if places:
            found[column.key] = places[0]
        elif column.is_required:
            raise UnreadableFile.column_missing(column.title)
    return found


def _names(column: Column) -> set[str]:
    """In every language: a file may be filled in by one person, uploaded by another and read by the worker."""
    names = set(column.aliases)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            names.add(str(column.title))
    return {name.lower() for name in names}


# --- Writing ----------------------------------------------------------------------------------------------------


def harmless(cell: Any) -> Any:
    """Text that a spreadsheet program will not run as a formula, also when it is saved as csv and opened again."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


@dataclass(frozen=True)
class Sheet:
    """What goes into one sheet of a workbook that we write: everything is text, so that Excel leaves it as it is."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Any]]
    widths: Sequence[int]


def write_workbook(*sheets: Sheet) -> io.BytesIO:
    """An xlsx in constant memory, returned at its start, ready to send."""
    output = io.BytesIO()
    with xlsxwriter.Workbook(output, WORKBOOK_OPTIONS) as book:
        bold = book.add_format({"bold": True, "bg_color": "#E8F3EC", "text_wrap": True, "valign": "top"})
        as_text = book.add_format({"num_format": "@"})
        for content in sheets:
            sheet = book.add_worksheet(content.title)
            for place, width in enumerate(content.widths):
                sheet.set_column(place, place, width, as_text)
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, content.header, bold)
            for number, row in enumerate(content.rows, start=1):
                for place, cell in enumerate(row):
                    sheet.write_string(number, place, as_written(harmless(cell)), as_text)
    output.seek(0)
    return output


def as_written(cell: Any) -> str:
    """A cell as a person would type it: dates in ISO form, whole numbers without a fraction."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, datetime) and cell.time() == datetime.min.time():
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
