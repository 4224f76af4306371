"""What the back office of every floor shares: rows through the door, changes with an origin, refusals as messages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import ModelAdmin
from unfold.decorators import display

from members.errors import Refused
from members.interfaces import Origin
from members.interfaces.big_lists import CappedPaginator
from members.interfaces.exports import ExportedLists
from members.interfaces.money import yuan
from members.models import Channel, OrgUnit
from members.services import audit
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


class ChoicesInSight:
    """For admins and their inlines: a form offers only what the operator may see."""

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        return super().formfield_for_foreignkey(db_field, request, **(in_sight(db_field, request) | kwargs))

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs):
        return super().formfield_for_manytomany(db_field, request, **(in_sight(db_field, request) | kwargs))


def in_sight(db_field, request: HttpRequest) -> dict[str, QuerySet]:
    """The choices of a relation; what has no door is offered to nobody, unless an admin says otherwise."""
    rows = db_field.remote_field.model._default_manager.all()
    return {"queryset": rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows.none()}


class AuditedAdmin(ModelAdmin):
    """Where Django has its own list of what was done in the admin, the audit trail knows all of it."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context=None) -> HttpResponse:
        if not audit.is_audited(self.model) or not request.user.has_perm("members.view_auditentry"):
            return super().history_view(request, object_id, extra_context)
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        query = urlencode({"model": self.model._meta.label_lower, "row_id": row.pk})
        return HttpResponseRedirect(f"{reverse('admin:members_auditentry_changelist')}?{query}")


class ScopedAdmin(ChoicesInSight, ExportedLists, AuditedAdmin):
    """Shows what `visible_to` lets the operator see: in lists, on pages, and among the choices of a form."""

    list_per_page = 50
    show_full_result_count = False  # counting a big table unfiltered would cost more than the page
    paginator = CappedPaginator

    def changeform_view(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        """What a service refuses while saving is told on the same page."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
            return HttpResponseRedirect(request.get_full_path())

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(request.user)


def is_headquarters(request: HttpRequest) -> bool:
    reach = request.user.reach
    return bool(reach) and reach.is_group


def is_kept_by(request: HttpRequest, owner: OrgUnit) -> bool:
    """Whether the operator stands on the owner, or above it."""
    reach = request.user.reach
    return bool(reach) and owner.path.startswith(reach.path)


class OwnedAdmin(ScopedAdmin):
    """What a node decides holds for all below it, who see it; it is kept where it was decided.

    `owner` leads from a row to the node that decides it: from below, the row can only be looked at."""

    owner: str

    def is_kept_here(self, request: HttpRequest, obj) -> bool:
        return obj is None or is_kept_by(request, attrgetter(self.owner)(obj))

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return super().has_change_permission(request, obj) and self.is_kept_here(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_kept_here(request, obj)


class ReadOnlyAdmin(ScopedAdmin):
    """For what only services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


def in_yuan(name: str, label: str) -> Callable[[Any, Model], str]:
    """A method of an admin that shows a row's fen as yuan, in its list and on its pages."""

    @display(description=label, ordering=name)
    def shown(self, row: Model) -> str:
        fen = getattr(row, name)
        return yuan(fen) if fen else "—"

    shown.exported = lambda row: Decimal(getattr(row, name)) / 100  # a number, where the file is calculated with
    return shown


@dataclass(frozen=True)
class MemberColumn:
    """A column of the member list from a floor above: `values(keys)` gives key → what is shown, in one query."""

    name: str
    label: str
    values: Callable[[Sequence[int]], Mapping[int, Any]]


@dataclass(frozen=True)
class MemberAction:
    """Something to do for a member, from member 360: a page of a floor above that takes the member's key."""

    label: str
    url_name: str
    permission: str
    icon: str = "add"
    is_frequent: bool = False  # a button of its own; the others stand in the menu


class MemberPages:
    """What the floors above add to the member list and to member 360; filled once at start-up by config."""

    def __init__(self) -> None:
        self.columns: tuple[MemberColumn, ...] = ()
        self.filters: tuple[type, ...] = ()
        self.actions: tuple[MemberAction, ...] = ()

    def install(
        self,
        *,
        columns: Sequence[MemberColumn] = (),
        filters: Sequence[type] = (),
        actions: Sequence[MemberAction] = (),
    ) -> None:
        self.columns, self.filters, self.actions = tuple(columns), tuple(filters), tuple(actions)


member_pages = MemberPages()
