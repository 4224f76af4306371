"""What a value of a defined attribute may look like, as typed in a form, a cell or JSON."""

import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from members.rules.cells import read_date

TEXT_LENGTH = 400
LARGEST = Decimal(10) ** 13
PLACES = Decimal("0.000001")
YES = frozenset(["是", "有", "y", "yes", "true", "1", "1.0", "√"])
NO = frozenset(["否", "无", "没有", "n", "no", "false", "0", "0.0", "×"])
SEPARATORS = "；;、，,|\n"

WANTED = {
    "text": _("不超过 400 个字的文字"),
    "number": _("数字，最多 6 位小数"),
    "date": _("日期，如 2024-02-29"),
    "choice": _("选项中的一个"),
    "choices": _("选项中的一个或几个，用顿号或分号隔开"),
    "boolean": _("是 或 否"),
}

Value = str | Decimal | date | list[str] | bool


def is_empty(written: Any) -> bool:
    return written is None or written == [] or (isinstance(written, str) and not written.strip())


def read_attribute(kind: str, options: Sequence[str], written: Any) -> Value:
    """The typed value. Raises ValueError (or Refused, for a date) where it is not of the kind."""
    if kind == "date":
        return _read_day(written)
    if kind == "boolean":
        return _read_flag(written)
    if kind == "choices":
        return _read_words(options, written)
    text = unicodedata.normalize("NFKC", str(written)).strip() if kind == "number" else str(written).strip()
    if kind == "number":
        return _read_number(text)
    if kind == "choice" and text not in options:
        raise ValueError(text)
    if len(text) > TEXT_LENGTH:
        raise ValueError(text[:20])
    return text


def _read_day(written: Any) -> date:
    day = read_date(written)
    if day is None:
        raise ValueError(written)
    return day


def _read_number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation as reason:
        raise ValueError(text) from reason
    if not number.is_finite() or abs(number) >= LARGEST or number != number.quantize(PLACES):
        raise ValueError(text)
    return number


def _read_flag(written: Any) -> bool:
    if isinstance(written, bool):
        return written
    word = unicodedata.normalize("NFKC", str(written)).strip().lower()
    if word in YES or word in NO:
        return word in YES
    raise ValueError(word)


def _read_words(options: Sequence[str], written: Any) -> list[str]:
    """Several options, each once, in the order of the definition."""
    if isinstance(written, str):
        for separator in SEPARATORS:
            written = written.replace(separator, "\n")
        written = written.split("\n")
    words = {str(word).strip() for word in written} - {""}
    if not words or words - set(options):
        raise ValueError(written)
    return [option for option in options if option in words]
