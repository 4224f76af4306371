"""What the members' own pages of every floor share: who is signed in."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from members import sessions


def member_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For members' own pages: `request.member` is who signed in; in local time. Others sign in first."""

    @wraps(view)
    def only_for_members(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        request.member = sessions.member_of(request)
        if request.member is None:
            return _to_sign_in(request)
        with timezone.override(sessions.group_zone()):
            return view(request, *args, **kwargs)

    return only_for_members


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    address = reverse("member:sign_in")
    if request.htmx:  # the page around the part has to go, not only the part
        return HttpResponseClientRedirect(address)
    return redirect(f"{address}?{urlencode({'next': request.get_full_path()})}")
