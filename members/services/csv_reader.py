"""Reading csv as a stream, in the encodings in which Excel and people save it: UTF-8, GB18030, "Unicode text"."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import IO, Any

from members.errors import UnreadableFile

PIECE = 256 * 1024
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
DELIMITERS = ",\t;"
# What bears the ending of a spreadsheet, and is none. Pages and pictures are often saved under a wrong name.
OTHER_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")
PAGE_STARTS = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<head", b"<meta")


def csv_rows(file: IO[bytes], start: bytes) -> Iterator[tuple[int, list[Any]]]:
    """Yield (row number, cells), rows without cells as well. Raises UnreadableFile."""
    if start.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(PAGE_STARTS):
        raise UnreadableFile.web_page()
    if start.startswith(OTHER_SIGNATURES):
        raise UnreadableFile
    text = io.TextIOWrapper(file, encoding=_encoding(file, start), newline="")
    try:
        first_line = text.readline(PIECE)
        text.seek(0)
        yield from enumerate(csv.reader(text, delimiter=max(DELIMITERS, key=first_line.count)), start=1)
    except (UnicodeDecodeError, csv.Error) as reason:
        raise UnreadableFile from reason
    finally:
        text.detach()  # the file is its owner's to close


def _encoding(file: IO[bytes], start: bytes) -> str:
    """UTF-8 where the whole file is; else GB18030, in which Chinese Excel saves csv. Raises UnreadableFile."""
    if start.startswith(UTF_16_MARKS):
        return "utf-16"
    if b"\x00" in start:
        raise UnreadableFile
    for encoding in ("utf-8-sig", "gb18030"):
        if _is_in(file, encoding):
            return encoding
    raise UnreadableFile


def _is_in(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True
