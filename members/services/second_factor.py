"""Operators' second factor: a code from an authenticator app, demanded by a role or chosen by the operator himself.

Whoever has an app set up must show a code at each login: a stolen password alone can't set up another one.
"""

import secrets
from base64 import b32encode
from binascii import unhexlify
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from members.errors import AppCodeTooSoon, SecondFactorStands, WrongAppCode
from members.models import Operator, RolePolicy

KEY_BYTES = 20
RECOVERY_CODES = 10
TOLERANCE = 1  # steps of 30 s that the operator's clock may be off
CODE_LENGTH = 6


def is_due(operator: Operator) -> bool:
    """Whether this operator must show a code before anything else: his role demands it, or he has an app set up."""
    of_his_roles = RolePolicy.objects.filter(requires_totp=True, group__user=OuterRef("pk"))
    demanded = Q(Exists(of_his_roles)) | Q(Exists(_apps().filter(user=OuterRef("pk"))))
    return Operator.objects.filter(demanded, pk=operator.pk).exists()


def is_set_up(operator: Operator) -> bool:
    return _apps().filter(user=operator).exists()


def new_key() -> str:
    """A secret for an app, in hex; kept nowhere until its first code has been shown."""
    return secrets.token_hex(KEY_BYTES)


def address(operator: Operator, key: str) -> str:
    """What the QR code says: otpauth://…"""
    return TOTPDevice(user=operator, key=key).config_url


def in_base32(key: str) -> str:
    """The same secret as people type it where nothing can be scanned."""
    return b32encode(unhexlify(key)).decode()


@transaction.atomic
def set_up(operator: Operator, key: str, code: str, *, is_verified: bool, at: datetime) -> tuple[Device, list[str]]:
    """Set up an app that has shown its first code, in place of what stood; returns it and ten recovery codes.

    Raises WrongAppCode, and SecondFactorStands where an app is set up and this session has not shown its code.
    """
    Operator.objects.select_for_update().get(pk=operator.pk)
    if is_set_up(operator) and not is_verified:
        raise SecondFactorStands()
    step = _step_of(key, code, at)
    if step is None:
        raise WrongAppCode()
    remove(operator)
    app = TOTPDevice.objects.create(user=operator, name="app", key=key, tolerance=TOLERANCE, last_t=step)
    paper = StaticDevice.objects.create(user=operator, name="paper")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=paper, token=code) for code in codes)
    return app, codes


def verify(operator: Operator, written: str) -> Device:
    """The device that accepts this code, which is thereby used up. Raises WrongAppCode, then AppCodeTooSoon."""
    code = "".join(written.split()).lower()
    kind = TOTPDevice if code.isdecimal() and len(code) == CODE_LENGTH else StaticDevice
    with transaction.atomic():  # committed also where the code is wrong: the tries are counted
        device = kind.objects.select_for_update().filter(user=operator, confirmed=True).first()
        is_allowed = device is not None and device.verify_is_allowed()[0]
        is_right = is_allowed and device.verify_token(code)
    if device is not None and not is_allowed:
        raise AppCodeTooSoon()
    if not is_right:
        raise WrongAppCode()
    return device


def remove(operator: Operator) -> int:
    """Take the app and the recovery codes away: at the next login he sets up a new one. Returns how many apps."""
    StaticDevice.objects.filter(user=operator).delete()
    return TOTPDevice.objects.filter(user=operator).delete()[1].get(TOTPDevice._meta.label, 0)


def _apps():
    return TOTPDevice.objects.filter(confirmed=True)


def _step_of(key: str, code: str, at: datetime) -> int | None:
    """The time step of a right code, so that it is not accepted twice."""
    if not (code.isascii() and code.isdecimal()):
        return None
    totp = TOTP(unhexlify(key))
    totp.time = at.timestamp()
    return totp.t() if totp.verify(int(code), TOLERANCE) else None
