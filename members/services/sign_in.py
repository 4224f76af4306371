"""Codes by SMS or e-mail, to sign in and to prove a new number.

They live hashed in the cache: short-lived, single-use, few tries, few sends.
"""

import secrets
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from members.errors import CodeExpired, TooManyCodes, TooManyTries, WrongCode
from members.models import Identity
from members.notifications import send_email, send_sms
from members.personal_data import blind_index, blind_indexes

CODE_DIGITS = 6
CODE_SECONDS = 5 * 60
TRIES = 5
SECONDS_BETWEEN_SENDS = 60
SENDS_PER_DAY = 10
HOUR, DAY = 3600, 24 * 3600


def send_code(phone: str, *, address: str) -> None:
    """Send a fresh code to an E.164 number or an e-mail, known or not: the answer must not tell. Raises TooManyCodes.

    `address` is the asking machine's: one of them can't text the whole town at our cost.
    """
    if not cache.add(_key("just-sent", phone), 1, SECONDS_BETWEEN_SENDS):
        raise TooManyCodes
    if _count(_key("sent-to", phone), DAY) > SENDS_PER_DAY:
        raise TooManyCodes
    if _count(_key("sent-from", address), HOUR) > settings.MEMBERS_SMS_PER_ADDRESS_AND_HOUR:
        raise TooManyCodes
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    cache.delete(_key("tries", phone))
    cache.set(_key("code", phone), _digest(phone, code), CODE_SECONDS)
    minutes = CODE_SECONDS // 60
    text = _("【梧桐会员】验证码 %(code)s，%(minutes)d 分钟内有效，请勿告诉他人。")
    _deliver(phone, text % {"code": code, "minutes": minutes})


def check_code(phone: str, code: str) -> None:
    """Use up the code. Raises WrongCode, TooManyTries, or CodeExpired (also where it has been used)."""
    key = _key("code", phone)
    expected = cache.get(key)
    if expected is None:
        raise CodeExpired
    # Counted before comparing: parallel guesses can't share a try.
    if _count(_key("tries", phone), CODE_SECONDS) > TRIES:
        cache.delete(key)
        raise TooManyTries
    if not constant_time_compare(expected, _digest(phone, code)):
        raise WrongCode
    if not cache.delete(key):  # of two who send the right code at once, one gets in
        raise CodeExpired


def mark_verified(phone: str, *, at: datetime) -> None:
    """Note that whoever holds this number has proven it, the first time that he did."""
    Identity.objects.filter(
        kind=Identity.Kind.PHONE, value_index__in=blind_indexes(Identity.Kind.PHONE, phone), verified_at=None
    ).update(verified_at=at)


def _deliver(to: str, text: str) -> None:
    if "@" in to:
        send_email(to, _("梧桐会员验证码"), text)
    else:
        send_sms(to, text)


def _count(key: str, seconds: int) -> int:
    cache.add(key, 0, seconds)
    return cache.incr(key)


def _digest(phone: str, code: str) -> str:
    return salted_hmac("members.sign_in", f"{phone}:{code}", algorithm="sha256").hexdigest()


def _key(purpose: str, subject: str) -> str:
    return f"sms:{purpose}:{blind_index('sms', subject)}"
