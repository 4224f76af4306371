"""Pure rules of this floor: canonical forms, member numbers, masks. No database, no clock."""

import re
import secrets
import unicodedata
from datetime import date, datetime, timedelta

import phonenumbers

from members.errors import (
    InvalidBirthday,
    InvalidDate,
    InvalidEmail,
    InvalidGender,
    InvalidIdentity,
    InvalidPhone,
)

MAINLAND_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
EXCEL_FLOAT = re.compile(r"\d+\.0+")
EXPONENT = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
SEPARATORS = re.compile(r"[\s\-().·—–]")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
IDENTITY_LENGTH = 120
EXCEL_DAY_ZERO = date(1899, 12, 30)
EXCEL_SERIAL = re.compile(r"[1-6]\d{4}(\.0+)?")  # up to 2091; a year alone is no date
YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+[\d:.]+)?")
COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0+)?")
GENDERS = {"": "", "未知": "", "保密": "", "0": "", "9": ""} | {
    word: gender
    for gender, words in (("m", "男 男性 男士 先生 m male 1 1.0"), ("f", "女 女性 女士 小姐 f female 2 2.0"))
    for word in words.split()
}

EARLIEST_BIRTHDAY = date(1900, 1, 1)

MEMBER_NO_DIGITS = 12  # the last one checks the others


def canonical_phone(written: str) -> str:
    """Return E.164 for a phone as people and spreadsheets write it; mainland China when no country code is given.

    Mends full-width digits, spaces and Excel's 13800138000.0; 1.38E+10 is refused, as its digits are lost.
    """
    text = unicodedata.normalize("NFKC", str(written)).strip()
    if EXPONENT.fullmatch(text):
        raise InvalidPhone.lost_digits(text)
    text = SEPARATORS.sub("", text.split(".")[0] if EXCEL_FLOAT.fullmatch(text) else text)
    # Mainland mobiles are nearly all there are, and new prefixes come faster than new editions of the library.
    if mobile := MAINLAND_MOBILE.fullmatch(text):
        return f"+86{mobile[1]}"
    return _abroad_or_landline(text)


def _abroad_or_landline(text: str) -> str:
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException as reason:
        raise InvalidPhone(field="phone") from reason
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhone(field="phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def canonical_email(written: str) -> str:
    text = unicodedata.normalize("NFKC", written).strip().lower()
    if not EMAIL.fullmatch(text) or len(text) > 254:
        raise InvalidEmail(field="email")
    return text


def canonical_identity(kind: str, written: str, *, business_code: str = "") -> str:
    """The one form in which an identity is stored and found; a business's own number is unique within it only."""
    if kind == "phone":
        return canonical_phone(written)
    if kind == "email":
        return canonical_email(written)
    text = unicodedata.normalize("NFKC", str(written)).strip()
    if not text or len(text) > IDENTITY_LENGTH:
        raise InvalidIdentity(field=kind)
    return f"{business_code}:{text}" if kind == "external" else text


def mask_phone(phone: str) -> str:
    """138****8000; other countries keep their code: +852****5678."""
    if not phone:
        return ""
    national = phone.removeprefix("+86")
    if len(national) == 11:
        return f"{national[:3]}****{national[-4:]}"
    return f"{phone[:4]}****{phone[-4:]}" if len(phone) > 8 else "****"


def mask_name(name: str) -> str:
    """张**, as receipts show it."""
    return name[:1] + "*" * (len(name) - 1) if name else ""


def mask_email(email: str) -> str:
    mailbox, at, domain = email.partition("@")
    return f"{mailbox[:1]}***{at}{domain}" if at else ""


def read_gender(written: str) -> str:
    """Return m, f or "" (unknown) for what people write; GB/T 2261.1's 1 and 2 too. Raises InvalidGender otherwise."""
    try:
        return GENDERS[unicodedata.normalize("NFKC", written).strip().lower()]
    except KeyError as reason:
        raise InvalidGender(field="gender") from reason


def read_date(cell: object) -> date | None:
    """Return the day that a cell means: a date, an Excel serial, or text with the year first. Raises InvalidDate."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    if not text:
        return None
    if EXCEL_SERIAL.fullmatch(text):
        return EXCEL_DAY_ZERO + timedelta(days=int(float(text)))
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


def new_member_no() -> str:
    """Twelve random digits that can't be guessed from a neighbour's; not yet known to be free."""
    lowest = 10 ** (MEMBER_NO_DIGITS - 2)
    body = str(lowest + secrets.randbelow(9 * lowest))
    return body + check_digit(body)


def is_member_no(text: str) -> bool:
    return len(text) == MEMBER_NO_DIGITS and text.isascii() and text.isdigit() and check_digit(text[:-1]) == text[-1]


def check_digit(digits: str) -> str:
    """Luhn's (ISO/IEC 7812-1): catches every wrong digit and nearly every swap of neighbours."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def back_off(tries: int) -> timedelta:
    """How long to wait after the n-th failed try: 10 s, 20 s, 40 s … an hour at most."""
    return timedelta(seconds=min(10 * 2 ** (tries - 1), 3600))


def pace(done: int, total: int, elapsed: timedelta) -> tuple[int, timedelta] | None:
    """Rows a second so far, and the time that the rest will take at that; None before there is anything to go by."""
    seconds = elapsed.total_seconds()
    if done <= 0 or seconds <= 0:
        return None
    return round(done / seconds), timedelta(seconds=round(max(total - done, 0) * seconds / done))
