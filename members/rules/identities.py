"""The one form in which a phone, an e-mail address or a number is stored and found."""

import re
import unicodedata
from decimal import Decimal

import phonenumbers

from members.errors import InvalidEmail, InvalidIdentity, InvalidPhone

MAINLAND_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
EXCEL_FLOAT = re.compile(r"\d+\.0+")
EXPONENT = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
SEPARATORS = re.compile(r"[\s\-().·—–]")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
IDENTITY_LENGTH = 120


def canonical_phone(written: str) -> str:
    """Return E.164 for a phone as people and spreadsheets write it; mainland China when no country code is given.

    Mends full-width digits, spaces and Excel's 13800138000.0; 1.38E+10 is refused, as digits are lost.
    """
    text = unicodedata.normalize("NFKC", str(written)).strip()
    if EXPONENT.fullmatch(text):
        text = _written_out(text)
    text = SEPARATORS.sub("", text.split(".")[0] if EXCEL_FLOAT.fullmatch(text) else text)
    # Mainland mobiles are nearly all there are, and new prefixes come faster than new editions of the library.
    if mobile := MAINLAND_MOBILE.fullmatch(text):
        return f"+86{mobile[1]}"
    return _abroad_or_landline(text)


def _written_out(text: str) -> str:
    """1.3800138001E10 in full, where all its digits are there. Raises InvalidPhone where some are lost."""
    mantissa, exponent = text.upper().split("E")
    if len(mantissa.partition(".")[2]) < int(exponent):
        raise InvalidPhone.lost_digits(text)
    return f"{Decimal(text).normalize():f}"


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


def canonical_identity(kind: str, written: str, *, business_code: str = "", channel_code: str = "") -> str:
    """The one form in which an identity is stored and found.

    A business's own number (external) is unique within it only, and a channel's user within the channel.
    """
    if kind == "phone":
        return canonical_phone(written)
    if kind == "email":
        return canonical_email(written)
    text = unicodedata.normalize("NFKC", str(written)).strip()
    if not text or len(text) > IDENTITY_LENGTH:
        raise InvalidIdentity(field=kind)
    owner = {"external": business_code, "channel_user": channel_code}.get(kind)
    return text if owner is None else f"{owner}:{text}"
