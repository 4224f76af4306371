"""Who may go on in the back office: not idle for too long, logged in today, and with a code where a role demands one.

Members' own pages live in the same Django session and know nothing of this.
"""

from collections.abc import Callable
from time import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django_otp import DEVICE_ID_SESSION_KEY

from members.services import second_factor

SINCE, SEEN = "operator_since", "operator_seen"
OPERATORS_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY, DEVICE_ID_SESSION_KEY, SINCE, SEEN)
BACK_OFFICE = ("admin", "desk")  # first words of paths
WRITE_EVERY = 60  # seconds between notes of when he was seen: not each page is a write


def entry(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.split("/", 2)[1] not in BACK_OFFICE or not request.user.is_authenticated:
            return get_response(request)
        if has_ended(request):
            leave(request)
            messages.info(request, gettext("登录已超时，请重新登录。"))
            return sent_to(request, "admin:login")
        note(request)
        if not request.user.is_verified() and not is_open(request) and second_factor.is_due(request.user):
            return sent_to(request, "second_factor:verify")
        return get_response(request)

    return middleware


def has_ended(request: HttpRequest) -> bool:
    """Whether this login is too old, or was left alone for too long."""
    now, session = time(), request.session
    idle, whole = settings.OPERATOR_IDLE_MINUTES * 60, settings.OPERATOR_SESSION_HOURS * 3600
    is_idle = bool(idle) and now - session.get(SEEN, now) > idle
    return is_idle or (bool(whole) and now - session.get(SINCE, now) > whole)


def note(request: HttpRequest) -> None:
    """That he is here. What a page asks for by itself (progress, panels) is no sign of a person."""
    now, session = int(time()), request.session
    session.setdefault(SINCE, now)
    asks_by_itself = request.method == "GET" and bool(request.htmx)
    if not asks_by_itself and now - session.get(SEEN, 0) >= WRITE_EVERY:
        session[SEEN] = now


def leave(request: HttpRequest) -> None:
    """End the operator's login; a member who is signed in with the same browser stays."""
    for key in OPERATORS_KEYS:
        request.session.pop(key, None)
    request.session.cycle_key()


def is_open(request: HttpRequest) -> bool:
    """What one may ask for before the code: the pages about the code, and the way out."""
    return request.path_info.startswith((reverse("second_factor:verify"), reverse("admin:logout")))


def sent_to(request: HttpRequest, page: str) -> HttpResponse:
    """Off to another page, and back afterwards; for a part of a page, the whole page goes."""
    part = bool(request.htmx)
    back = (request.htmx.current_url_abs_path if part else request.get_full_path()) if request.method == "GET" else ""
    url = f"{reverse(page)}?{urlencode({'next': back})}" if back else reverse(page)
    return HttpResponse(headers={"HX-Redirect": url}) if part else HttpResponseRedirect(url)
