"""What the back office of every floor shares: rows through the door, changes with an origin, refusals as messages."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from members.errors import Refused
from members.interfaces import Origin
from members.models import Channel
from members.services.organisation import own_origin


def admin_origin(request: HttpRequest, *, reference: str = "") -> Origin:
    """The origin of what an operator does in the back office, in the name of the business on which he stands."""
    reach = request.user.reach
    return own_origin(
        Channel.Kind.ADMIN, reference=reference, actor=request.user, business=reach.business if reach else None
    )


@contextmanager
def refusals_as_messages(request: HttpRequest) -> Iterator[None]:
    """What a service refuses is told on the next page, and ends the block."""
    try:
        yield
    except Refused as refusal:
        messages.error(request, str(refusal.message))


class ScopedAdmin(ModelAdmin):
    """Shows what `visible_to` lets the operator see: in lists, on pages, and among the choices of a form."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(request.user)

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        kwargs.setdefault("queryset", self._in_sight(db_field, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs):
        kwargs.setdefault("queryset", self._in_sight(db_field, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @staticmethod
    def _in_sight(db_field, request: HttpRequest) -> QuerySet:
        return db_field.remote_field.model._default_manager.all().visible_to(request.user)


class ReadOnlyAdmin(ScopedAdmin):
    """For what only services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False
