"""What a channel may call: its scopes, and those that a view declares."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from members.models import Channel

if TYPE_CHECKING:  # at run time it would import the settings that name this class
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """A view says `scope = "points"`; its reading needs `points.read`, its writing `points.write`.

    A channel without scopes may call everything; one with scopes, nothing that declares none.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        channel = request.user
        if not isinstance(channel, Channel):
            return False
        return not channel.scopes or needed_scope(request, view) in channel.scopes


def needed_scope(request: Request, view: "APIView") -> str:
    action = "read" if request.method in SAFE_METHODS else "write"
    scope = getattr(view, "scope", "")
    return f"{scope}.{action}" if scope else ""
