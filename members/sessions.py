"""Who of the members uses this browser: a key of the Django session, apart from the operators' login."""

import secrets
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.http import HttpRequest

from members.models import Member, OrgUnit
from members.personal_data import decrypt, encrypt
from members.services.successors import successor

MEMBER = "member_id"
ATTEMPT = "member_sign_in"
DEVICE = "member_device"
CHANGE = "member_change"
ATTEMPT_SECONDS = 15 * 60  # from the phone to the end of joining


def start(request: HttpRequest, member: Member) -> None:
    """Sign in. A session id that was known before is worth nothing after."""
    request.session.cycle_key()
    request.session.pop(ATTEMPT, None)
    request.session[MEMBER] = member.pk


def end(request: HttpRequest) -> None:
    """Sign the member out; an operator's login in the same browser stays."""
    request.session.pop(MEMBER, None)
    request.session.cycle_key()


def member_of(request: HttpRequest) -> Member | None:
    """The signed-in member, after a merge the winner; None where there is none, or he has closed his account."""
    member_id = request.session.get(MEMBER)
    if member_id is None:
        return None
    member = Member.objects.filter(pk=member_id).first()
    member = member and successor(member)
    return member if member and member.status != Member.Status.CLOSED else None


def device_of(request: HttpRequest) -> str:
    """Names this browser for as long as its session lasts, whoever signs in with it; no cookie of its own."""
    return request.session.setdefault(DEVICE, secrets.token_urlsafe(16))


def group_zone() -> ZoneInfo:
    return OrgUnit.objects.get_first_root_node().zone


def remember_phone(request: HttpRequest, phone: str, *, is_verified: bool) -> None:
    """Keep the phone of someone who is signing in, for a while; encrypted, as everywhere."""
    attempt = request.session.setdefault(ATTEMPT, secrets.token_urlsafe(16))
    cache.set(_key(attempt), (encrypt(phone, context=ATTEMPT), is_verified), ATTEMPT_SECONDS)


def phone_of(request: HttpRequest, *, is_verified: bool) -> str | None:
    """The phone being signed in with; with `is_verified`, only once its code was right."""
    sealed, was_verified = cache.get(_key(request.session.get(ATTEMPT, ""))) or (None, False)
    if sealed is None or (is_verified and not was_verified):
        return None
    return decrypt(sealed, context=ATTEMPT)


def attempt_of(request: HttpRequest) -> str:
    """Names this attempt: the reference under which joining is done once."""
    return request.session[ATTEMPT]


def remember_change(request: HttpRequest, kind: str, value: str, replaces: int | None) -> None:
    """Keep the new number that a member has still to prove, and which of his it replaces; encrypted too."""
    attempt = request.session[CHANGE] = secrets.token_urlsafe(16)
    cache.set(_key(attempt), (kind, encrypt(value, context=CHANGE), replaces), ATTEMPT_SECONDS)


def change_of(request: HttpRequest) -> tuple[str, str, int | None] | None:
    """(kind, value, key of the one it replaces), or None where nothing is to be proven, or no more."""
    found = cache.get(_key(request.session.get(CHANGE, "")))
    if found is None:
        return None
    kind, sealed, replaces = found
    return kind, decrypt(sealed, context=CHANGE), replaces


def _key(attempt: str) -> str:
    return f"member-sign-in:{attempt}"
