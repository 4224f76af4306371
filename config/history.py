"""Who changes what, from where: told to the database with each statement that writes, for the audit trail.

pghistory's own middleware takes whatever `request.user` is for an operator; for the API that is a channel.
"""

from collections.abc import Callable

import pghistory
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse

from members.models import Channel, Operator, OrgUnit
from members.services.organisation import own_channel

DOORS = {"admin": Channel.Kind.ADMIN, "desk": Channel.Kind.DESK, "m": Channel.Kind.MEMBER}  # by the path's first word
SAFE = {"GET", "HEAD", "OPTIONS"}


class AttributedRequest(WSGIRequest):
    """Django REST framework finds out only in the view who asks."""

    def __setattr__(self, name: str, value) -> None:
        if name == "user":
            pghistory.context(**asked_by(value))
        super().__setattr__(name, value)


def history(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        facts = {"page": f"{request.method} {request.path}"[:200], "channel": door(request.path)}
        if request.method not in SAFE:
            facts |= asked_by(request.user)
        with pghistory.context(**facts):
            request.__class__ = AttributedRequest
            return get_response(request)

    return middleware


def door(path: str) -> int | None:
    """The channel of our own through which a page is asked for; None for the API, and before a group is founded."""
    kind = DOORS.get(path.split("/", 2)[1])
    try:
        return own_channel(kind).pk if kind else None
    except (Channel.DoesNotExist, OrgUnit.DoesNotExist):
        return None


def asked_by(user: object) -> dict[str, int | None]:
    """An anonymous visitor is nobody; a lazy user is looked at only where something may be written."""
    if isinstance(user, Operator):
        return {"operator": user.pk}
    if isinstance(user, Channel):
        return {"channel": user.pk}
    return {}
