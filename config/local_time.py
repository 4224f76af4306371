"""Operators read and write times in the zone of the node on which they stand."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


def local_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware. The API speaks in offsets and members' pages choose the group's zone: both pass by unchanged."""

    def in_zone(request: HttpRequest) -> HttpResponse:
        reach = request.user.reach if request.user.is_authenticated else None
        if reach is None:
            return get_response(request)
        with timezone.override(reach.zone):
            return get_response(request)

    return in_zone
