"""Card numbers: how a type makes them, how they are recognised, and what is shown of them."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from members.rules.numbers import MEMBER_NO_DIGITS, check_digit

SEPARATORS = re.compile(r"[\s\-·—–]")
MOBILE_DIGITS = 11
MEMBER_CODE_DIGITS = 20
# One field at the desk takes phones, member numbers, member codes and cards: by their length they are told apart.
TAKEN_LENGTHS = frozenset({MOBILE_DIGITS, MEMBER_NO_DIGITS, MEMBER_CODE_DIGITS})
GROUP = 4  # digits, as cards are embossed


@dataclass(frozen=True, slots=True)
class Numbering:
    """`prefix` + serial, padded to `length` digits in all, the last one Luhn's check digit where asked for."""

    prefix: str
    length: int
    has_check_digit: bool = True

    @property
    def serial_digits(self) -> int:
        return self.length - len(self.prefix) - self.has_check_digit

    @property
    def capacity(self) -> int:
        """How many numbers there are: serials from 1. Nought where the prefix leaves no room."""
        return 10**self.serial_digits - 1 if self.serial_digits > 0 else 0

    def number(self, serial: int) -> str:
        """Raises ValueError for a serial beyond the capacity."""
        if not 1 <= serial <= self.capacity:
            raise ValueError(serial)
        body = f"{self.prefix}{serial:0{self.serial_digits}d}"
        return body + check_digit(body) if self.has_check_digit else body

    def serial_of(self, number: str) -> int | None:
        """The serial in a number that this rule makes; None for any other number."""
        if len(number) != self.length or not is_digits(number) or not number.startswith(self.prefix):
            return None
        body = number[:-1] if self.has_check_digit else number
        if self.has_check_digit and check_digit(body) != number[-1]:
            return None
        return int(body[len(self.prefix) :] or 0) or None

    def overlaps(self, other: "Numbering") -> bool:
        """Whether one number could be of both."""
        same_length = self.length == other.length
        return same_length and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))


def valid_until(start: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The end of the last local day; the day of the start is not counted, which is to the member's good."""
    last_day = start.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=zone)


def is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def canonical_card_number(written: str) -> str:
    """A number as it is stored: what was scanned or typed, without the spaces and dashes between its groups."""
    return SEPARATORS.sub("", unicodedata.normalize("NFKC", str(written)))


def mask_card_number(number: str) -> str:
    """**** 1234"""
    return f"**** {number[-4:]}"


def in_groups(number: str) -> str:
    """6200 0000 0000 0019, as it is read aloud."""
    return " ".join(number[start : start + GROUP] for start in range(0, len(number), GROUP))
