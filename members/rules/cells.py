"""What people write in cells and forms: genders, days."""

import re
import unicodedata
from datetime import date, datetime, timedelta

from members.errors import InvalidBirthday, InvalidDate, InvalidGender

EXCEL_DAY_ZERO = date(1899, 12, 30)
MAC_DAY_ZERO = date(1904, 1, 1)
EXCEL_SERIAL = re.compile(r"[1-6]\d{4}(\.0+)?")  # up to 2091; a year alone is no date
YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+[\d:.]+)?")
COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?")
GENDERS = {"": "", "未知": "", "保密": "", "0": "", "9": ""} | {
    word: gender
    for gender, words in (("m", "男 男性 男士 先生 m male 1 1.0"), ("f", "女 女性 女士 小姐 f female 2 2.0"))
    for word in words.split()
}

EARLIEST_BIRTHDAY = date(1900, 1, 1)


def read_gender(written: str) -> str:
    """Return m, f or "" (unknown) for what people write; GB/T 2261.1's 1 and 2 too. Raises InvalidGender otherwise."""
    try:
        return GENDERS[unicodedata.normalize("NFKC", written).strip().lower()]
    except KeyError as reason:
        raise InvalidGender(field="gender") from reason


def read_date(cell: object, *, has_1904_dates: bool = False) -> date | None:
    """Return the day that a cell means: a date, an Excel serial, or text with the year first. Raises InvalidDate.

    Serials of old workbooks from the Mac count from 1904.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    if not text:
        return None
    if EXCEL_SERIAL.fullmatch(text):
        zero = MAC_DAY_ZERO if has_1904_dates else EXCEL_DAY_ZERO
        return zero + timedelta(days=int(float(text)))
    parts = YEAR_FIRST.fullmatch(text) or COMPACT_DATE.fullmatch(text)
    try:
        return date(*(int(part) for part in parts.groups())) if parts else _no_date(text)
    except ValueError as reason:
        raise InvalidDate.written(text) from reason


def _no_date(text: str) -> date:
    raise InvalidDate.written(text)


def check_birthday(birthday: date | None, *, today: date) -> None:
    """Raises InvalidBirthday for a day that nobody alive was born on."""
    if birthday and not EARLIEST_BIRTHDAY <= birthday <= today:
        raise InvalidBirthday(field="birthday")
