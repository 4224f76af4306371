"""Reading xlsx as a stream: a sheet of any size in little memory, and nothing that a formula or a style would hide.

calamine is ten times as fast, but holds the whole sheet, and reads a formula without a value as an empty cell: it gets
the sheets that are small and plain. The others are read here, on expat. Both give the same rows (tests/members).
"""

import posixpath
import re
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

import python_calamine
from django.conf import settings

from members.errors import UnreadableFile

Row = list[Any]

PIECE = 256 * 1024
STRINGS_IN_MEMORY = 48 * 1024 * 1024
STRING_LENGTH = 32_767  # Excel's own limit of a cell
COLUMNS_READ = 1_000  # whoever fills the ten thousandth column means no harm, or means it
MOST_PARTS = 2_000
CALAMINE_INFLATED = 80 * 1024 * 1024  # a sheet takes three times that in memory
NOT_PLAIN = re.compile(rb"<f[ >/]|<mergeCell |:row[ >]|t=\"e\"")
SMALL_INFLATED = 32 * 1024 * 1024  # below this no ratio is suspicious: a sheet of equal rows shrinks a lot
DAY_ZERO_1900 = datetime(1899, 12, 30)
DAY_ZERO_1904 = datetime(1904, 1, 1)
LAST_SERIAL = 2_958_465  # 9999-12-31
DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
NOT_OF_THE_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
CELL_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class Uncalculated(str):
    """A cell that has no value to read: a formula that nobody has calculated, or one that ended in an error."""

    __slots__ = ()


@dataclass
class Merged:
    """Cells that are shown as one: all but the first are empty, whatever people see. Rows as Excel numbers them."""

    first: int
    last: int


@dataclass
class Workbook:
    """What is known of a file beside its rows. `merged` is complete when the rows have been read."""

    has_1904_dates: bool = False
    merged: list[Merged] = field(default_factory=list)


def rows_of(file: IO[bytes], book: Workbook) -> Iterator[tuple[int, Row]]:
    """Yield (row number, cells) of the first visible sheet. Raises UnreadableFile, before reading what is a bomb."""
    try:
        with ZipFile(file) as archive:
            _refuse_bombs(archive, file)
            parts = _parts(archive, book)
            if _is_plain(archive, parts.sheet):
                yield from _calamine_rows(file, parts.title)
                return
            dates = _date_styles(archive, parts.styles)
            with _shared_strings(archive, parts.strings) as shared:
                yield from _sheet_rows(archive, parts.sheet, shared, dates, book)
    except (BadZipFile, expat.ExpatError, KeyError, ValueError, EOFError, OSError, zlib.error) as reason:
        raise UnreadableFile from reason
    except (NotImplementedError, RuntimeError) as reason:  # a compression, or a password, that zipfile can't open
        raise UnreadableFile from reason


def _refuse_bombs(archive: ZipFile, file: IO[bytes]) -> None:
    """By what the directory says; that no part inflates to more than it says there is zipfile's to see to."""
    parts = archive.infolist()
    inflated = sum(part.file_size for part in parts)
    file.seek(0, 2)
    too_dense = inflated > SMALL_INFLATED and inflated > settings.MEMBERS_IMPORT_MAX_RATIO * file.tell()
    if too_dense or inflated > settings.MEMBERS_IMPORT_MAX_INFLATED_BYTES or len(parts) > MOST_PARTS:
        raise UnreadableFile.too_large()


def _is_plain(archive: ZipFile, sheet: str) -> bool:
    """Whether calamine would read the same, in little memory. Looks at the bytes, which costs next to nothing."""
    if sum(part.file_size for part in archive.infolist()) > CALAMINE_INFLATED:
        return False
    before = b""
    with archive.open(sheet) as part:
        while piece := part.read(PIECE):
            if NOT_PLAIN.search(before + piece):
                return False
            before = piece[-16:]
    return True


def _calamine_rows(file: IO[bytes], title: str) -> Iterator[tuple[int, Row]]:
    file.seek(0)
    try:
        found = python_calamine.load_workbook(file).get_sheet_by_name(title)
    except python_calamine.CalamineError as reason:
        raise UnreadableFile from reason
    first = found.start[0] + 1 if found.start else 1  # calamine leaves out empty rows on top
    yield from enumerate(found.iter_rows(), start=first)


# --- The parts of the package -------------------------------------------------------------------------------------


def _elements(archive: ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
    """The elements of a small part, without their namespaces, in order."""
    found: list[tuple[str, dict[str, str]]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        found.append((_local(tag), {_local(key): value for key, value in attributes.items()}))

    parser = _parser(start)
    with archive.open(name) as part:
        while piece := part.read(PIECE):
            parser.Parse(piece, False)
    parser.Parse(b"", True)
    return found


def _parser(start: Callable[..., None]) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype  # entities that multiply stand there; OOXML has none
    return parser


def _refuse_doctype(*_) -> None:
    raise UnreadableFile


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


@dataclass(frozen=True)
class Parts:
    """The first visible sheet, by what people call it and where it stands; shared strings and styles may be missing."""

    title: str
    sheet: str
    strings: str
    styles: str


def _parts(archive: ZipFile, book: Workbook) -> Parts:
    root = "xl/workbook.xml"
    for tag, attributes in _elements(archive, "_rels/.rels"):
        if tag == "Relationship" and attributes["Type"].endswith("/officeDocument"):
            root = attributes["Target"].lstrip("/")
    folder, name = posixpath.split(root)
    targets, kinds = {}, {}
    for tag, attributes in _elements(archive, f"{folder}/_rels/{name}.rels"):
        if tag == "Relationship":
            target = attributes["Target"]
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
            targets[attributes["Id"]] = path
            kinds[attributes["Type"].rpartition("/")[2]] = path
    sheets = []
    for tag, attributes in _elements(archive, root):
        if tag == "workbookPr":
            book.has_1904_dates = attributes.get("date1904") in ("1", "true")
        elif tag == "sheet":
            sheets.append(attributes)
    visible = [sheet for sheet in sheets if sheet.get("state", "visible") == "visible"] or sheets
    if not visible:
        raise UnreadableFile
    return Parts(visible[0]["name"], targets[visible[0]["id"]], kinds.get("sharedStrings", ""), kinds.get("styles", ""))


def _date_styles(archive: ZipFile, styles: str) -> list[bool]:
    """For each cell style: whether its number format shows a day."""
    if not styles:
        return []
    codes: dict[str, str] = {}
    dates: list[bool] = []
    inside = ""
    for tag, attributes in _elements(archive, styles):
        if tag == "numFmt":
            codes[attributes["numFmtId"]] = attributes.get("formatCode", "")
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = tag
        elif tag == "xf" and inside == "cellXfs":
            number = attributes.get("numFmtId", "0")
            dates.append(_is_date_format(codes[number]) if number in codes else int(number) in DATE_FORMATS)
    return dates


def _is_date_format(code: str) -> bool:
    shown = NOT_OF_THE_FORMAT.sub("", code.split(";")[0]).lower()
    return shown != "general" and any(letter in shown for letter in "ymdhs")


# --- Shared strings -----------------------------------------------------------------------------------------------


class SharedStrings:
    """The texts of a workbook by number. Many go to a nameless file: it dies with us, as the upload does."""

    def __init__(self, texts: IO[bytes]) -> None:
        self.texts = texts
        self.ends = array("Q", [0])
        self.size = 0
        self._window = b""
        self._window_from = 0

    def add(self, text: str) -> None:
        encoded = text[:STRING_LENGTH].encode()
        self.texts.write(encoded)
        self.size += len(encoded)
        self.ends.append(self.size)

    def __getitem__(self, number: int) -> str:
        first, end = self.ends[number], self.ends[number + 1]
        start = first - self._window_from
        if start < 0 or end - self._window_from > len(self._window):
            self.texts.seek(first)
            self._window = self.texts.read(max(PIECE, end - first))  # a sheet mostly names them in order
            self._window_from, start = first, 0
        return self._window[start : start + end - first].decode()


@contextmanager
def _shared_strings(archive: ZipFile, name: str) -> Iterator[SharedStrings]:
    with SpooledTemporaryFile(max_size=STRINGS_IN_MEMORY) as file:
        shared = SharedStrings(file)
        if name:
            _read_strings(archive, name, shared)
        yield shared


def _read_strings(archive: ZipFile, name: str, shared: SharedStrings) -> None:
    texts: list[str] = []
    depth = {"rPh": 0, "t": 0}  # rPh: how a text is pronounced

    def start(tag: str, _attributes: dict[str, str]) -> None:
        tag = _local(tag)
        if tag in depth:
            depth[tag] += 1

    def text(data: str) -> None:
        if depth["t"] and not depth["rPh"]:
            texts.append(data)

    def end(tag: str) -> None:
        tag = _local(tag)
        if tag in depth:
            depth[tag] -= 1
        elif tag == "si":
            shared.add("".join(texts))
            texts.clear()

    parser = _parser(start)
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    with archive.open(name) as part:
        while piece := part.read(PIECE):
            parser.Parse(piece, False)
    parser.Parse(b"", True)


# --- The sheet ----------------------------------------------------------------------------------------------------


def _sheet_rows(
    archive: ZipFile, name: str, shared: SharedStrings, dates: list[bool], book: Workbook
) -> Iterator[tuple[int, Row]]:
    reader = _SheetReader(shared, dates, book)
    with archive.open(name) as part:
        while piece := part.read(PIECE):
            reader.parser.Parse(piece, False)
            yield from reader.rows
            reader.rows.clear()
    reader.parser.Parse(b"", True)
    yield from reader.rows


class _SheetReader:
    """Collects rows from what expat tells; the attributes of the cell that is open stand beside each other."""

    def __init__(self, shared: SharedStrings, dates: list[bool], book: Workbook) -> None:
        self.shared = shared
        self.dates = dates
        self.book = book
        self.day_zero = DAY_ZERO_1904 if book.has_1904_dates else DAY_ZERO_1900
        self.rows: list[tuple[int, Row]] = []
        self.number = 0
        self.cells: Row = []
        self.kind = self.style = ""
        self.place = 0
        self.texts: list[str] = []
        self.has_formula = False
        self.columns: dict[str, int] = {}
        self.parser = _parser(self._start)
        self.parser.EndElementHandler = self._end

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "v" or tag == "t":
            self.parser.CharacterDataHandler = self.texts.append
        elif tag == "c":
            self.kind = attributes.get("t", "n")
            self.style = attributes.get("s", "")
            reference = attributes.get("r")
            self.place = self._column(reference) if reference else len(self.cells)
        elif tag == "row":
            number = attributes.get("r")
            self.number = int(number) if number else self.number + 1
            self.cells = []
        elif tag == "f":
            self.has_formula = True
        elif tag == "rPh":
            self.kind = "inlineStr"
        elif tag == "mergeCell":
            self._merge(attributes["ref"])
        elif ":" in tag:
            self._start(_local(tag), attributes)

    def _end(self, tag: str) -> None:
        if tag == "v" or tag == "t":
            self.parser.CharacterDataHandler = None
        elif tag == "c":
            if (self.texts or self.has_formula) and self.place < COLUMNS_READ:
                cells = self.cells
                if self.place > len(cells):
                    cells.extend([None] * (self.place - len(cells)))
                cells.append(self._value("".join(self.texts)))
            if self.texts:
                self.texts.clear()
            self.has_formula = False
        elif tag == "row":
            if self.cells:
                self.rows.append((self.number, self.cells))
        elif ":" in tag:
            self._end(_local(tag))

    def _column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        place = self.columns.get(letters)
        if place is None:
            place = 0
            for letter in letters:
                place = place * 26 + ord(letter) - 64
            place = self.columns[letters] = place - 1
        return place

    def _value(self, text: str) -> Any:
        kind = self.kind
        if kind == "s":
            return self.shared[int(text)]
        if self.has_formula and not text and kind != "str":
            return Uncalculated("")
        if kind == "n":
            number = float(text)
            style = int(self.style) if self.style else 0
            is_date = style < len(self.dates) and self.dates[style]
            return self._day(number) if is_date else number
        if kind == "b":
            return text == "1"
        if kind == "e":
            return Uncalculated(text)
        if kind == "d":
            return datetime.fromisoformat(text)
        return text

    def _day(self, serial: float) -> Any:
        if not 1 <= serial <= LAST_SERIAL:
            return serial
        first_days = not self.book.has_1904_dates and serial < 60  # Excel takes 1900 for a leap year
        return self.day_zero + timedelta(days=serial + first_days)

    def _merge(self, reference: str) -> None:
        corners = CELL_REFERENCE.findall(reference.replace("$", ""))
        rows = [int(number) for _letters, number in corners]
        if rows and rows[0] < rows[-1]:
            self.book.merged.append(Merged(rows[0], rows[-1]))
