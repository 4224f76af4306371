"""Reading what people upload (xlsx, and csv in the encodings of Excel), and writing what they download."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
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
# Excel in East Asian languages takes the full-width signs for the others.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
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
            yield number, _without_quotes(row)


def _without_quotes(row: Row) -> Row:
    """Undo `harmless`: a failures file is mended and uploaded again."""
    return [cell[1:] if type(cell) is str and cell.startswith(QUOTED_FORMULA_STARTS) else cell for cell in row]


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


CELL_LENGTH = 32_767  # that Excel holds in a cell
SHEET_ROWS = 1_048_575  # that a sheet holds below its header
EXACT_DIGITS = 15  # of a number in Excel: longer ones are text
TABLE_FORMATS = {
    datetime: {"num_format": "yyyy-mm-dd hh:mm:ss"},
    date: {"num_format": "yyyy-mm-dd"},
    Decimal: {"num_format": "#,##0.00######"},
}


def write_table(file: IO[bytes], title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """An xlsx of one list, row by row: numbers and dates as such, text as text. Returns how many rows.

    What one sheet does not hold goes on in the next.
    """
    count = 0
    with xlsxwriter.Workbook(file, WORKBOOK_OPTIONS) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8F3EC"})
        formats = {kind: book.add_format(properties) for kind, properties in TABLE_FORMATS.items()}
        for row in rows:
            if count % SHEET_ROWS == 0:
                sheet = _add_sheet(book, title, header, head)
            count += 1
            for place, cell in enumerate(row):
                _write_cell(sheet, (count - 1) % SHEET_ROWS + 1, place, cell, formats)
        if not count:
            _add_sheet(book, title, header, head)
    return count


def _add_sheet(book: xlsxwriter.Workbook, title: str, header: Sequence[str], head: Any) -> Any:
    number = len(book.worksheets()) + 1
    plain = "".join(letter for letter in title if letter not in "[]:*?/\\'")[:25]
    sheet = book.add_worksheet(f"{plain} {number}" if number > 1 else plain)
    sheet.set_column(0, max(len(header) - 1, 0), 18)
    sheet.freeze_panes(1, 0)
    for place, text in enumerate(header):
        sheet.write_string(0, place, harmless(str(text)), head)
    return sheet


def _write_cell(sheet: Any, row: int, place: int, cell: Any, formats: dict[type, Any]) -> None:
    match cell:
        case None | "":
            return
        case int() if len(str(abs(cell))) <= EXACT_DIGITS:
            sheet.write_number(row, place, cell)
        case Decimal() if cell.is_finite():
            sheet.write_number(row, place, cell, formats[Decimal])
        case datetime():
            sheet.write_datetime(row, place, cell, formats[datetime])
        case date():
            sheet.write_datetime(row, place, cell, formats[date])
        case _:
            sheet.write_string(row, place, harmless(str(cell))[:CELL_LENGTH])


def write_csv(file: IO[bytes], title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """The same as csv, in UTF-8 with the mark by which Excel knows it. Returns how many rows."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([harmless(str(name)) for name in header])
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        writer.writerow([_in_csv(cell) for cell in row])
    text.detach()  # the file is its owner's to close
    return count


def _in_csv(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return f"{cell:f}" if isinstance(cell, Decimal) else harmless(cell)


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
