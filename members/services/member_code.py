"""The code that a member shows at the till: twenty digits, signed, good for a minute, kept nowhere.

A code is `masked member id (9) + signature (11)`. The signature covers the id and the second of issue; the id
is masked with a pad made from the signature (a synthetic IV, as in RFC 5297), so that codes of one member
share nothing. The second of issue is not in the code: the verifier tries each of the last seconds, 70 hashes.
A guess has a chance of about 70 in 10^11 a member, through a channel that is known and throttled.
"""

from datetime import datetime

from django.utils.crypto import constant_time_compare, salted_hmac

from members.errors import MemberCodeInvalid
from members.models import Member
from members.services.successors import successor

LIFETIME = 60  # seconds
GRACE = 5  # seconds: the scan is on its way, the servers' clocks differ
ID_DIGITS = 9
SIGNATURE_DIGITS = 11
DIGITS = ID_DIGITS + SIGNATURE_DIGITS
ID_RANGE = 10**ID_DIGITS


def issue_member_code(member: Member, *, at: datetime) -> str:
    """A code of 20 digits, good for LIFETIME seconds from `at`."""
    signature = _signature(member.pk, int(at.timestamp()))
    masked = (member.pk + _pad(signature)) % ID_RANGE
    return f"{masked:0{ID_DIGITS}d}{signature}"


def resolve_member_code(code: str, *, at: datetime) -> Member:
    """The active member who shows `code` (spaces allowed) at that moment; after a merge, the winner.

    Raises MemberCodeInvalid.
    """
    digits = code.replace(" ", "")
    if not is_member_code(digits):
        raise MemberCodeInvalid
    masked, signature = int(digits[:ID_DIGITS]), digits[ID_DIGITS:]
    member_id = (masked - _pad(signature)) % ID_RANGE
    now = int(at.timestamp())
    issued = range(now + GRACE, now - LIFETIME - GRACE - 1, -1)
    if not any(constant_time_compare(_signature(member_id, second), signature) for second in issued):
        raise MemberCodeInvalid
    member = Member.objects.filter(pk=member_id).first()
    member = member and successor(member)
    if member is None or not member.is_active:
        raise MemberCodeInvalid
    return member


def is_member_code(text: str) -> bool:
    """Whether `text` looks like one: so that one field at the desk takes phones, member numbers and codes."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def _signature(member_id: int, second: int) -> str:
    return f"{_number(f'sign:{member_id}:{second}') % 10**SIGNATURE_DIGITS:0{SIGNATURE_DIGITS}d}"


def _pad(signature: str) -> int:
    return _number(f"mask:{signature}") % ID_RANGE


def _number(text: str) -> int:
    return int.from_bytes(salted_hmac("members.member_code", text, algorithm="sha256").digest())
