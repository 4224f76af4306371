"""A list of the back office, read outside its page: what an operator would see, with his filters, search and order.

Built by the registered admin itself (its ChangeList), so that an export can show nothing that the list doesn't.
"""

import html
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import FieldDoesNotExist, SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from members.errors import ListUnreadable, NotYours
from members.models import Operator
from members.services.exports import Wanted
from members.services.organisation import group

PERMISSION = "members.export_members"
READS_PEOPLE = "members.view_personal_data"
NOTHING = "—"
OF_PAGES = ("p", "all", "e")  # parameters that choose a page, not rows

Cell = Callable[[Any], Any]  # row → what is written


class ListRequest(HttpRequest):
    """Asks for a list as the operator would; where it is to be masked, he may not read personal data."""

    def __init__(self, operator: Operator, query: str, *, is_masked: bool) -> None:
        super().__init__()
        self.method = "GET"
        self.GET = QueryDict(query, mutable=True)
        for name in OF_PAGES:
            self.GET.pop(name, None)
        # Asked again, not shared: permissions that he is denied here are his elsewhere.
        self.user = Operator.objects.get(pk=operator.pk)
        self.is_masked = is_masked
        if is_masked:
            self.user.has_perm = self._without_people(self.user.has_perm)

    @staticmethod
    def _without_people(has_perm: Callable) -> Callable:
        return lambda permission, obj=None: permission != READS_PEOPLE and has_perm(permission, obj)


class AdminList:
    """The Listing of members.services.exports. Raises ListUnreadable for filters that the list doesn't know."""

    def __init__(self, wanted: Wanted, operator: Operator) -> None:
        model = apps.get_model(wanted.model)
        self.admin: Any = admin.site.get_model_admin(model)
        self.model, self.is_masked = model._meta.label_lower, wanted.is_masked
        self.title = str(model._meta.verbose_name_plural)
        self.zone = group().zone
        self.request = request = ListRequest(operator, wanted.query, is_masked=wanted.is_masked)
        if not self.admin.has_export_permission(request):
            raise NotYours
        if not wanted.is_masked and not request.user.has_perm(READS_PEOPLE):
            raise NotYours
        try:
            self.changelist = self.admin.get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup, SuspiciousOperation) as reason:
            raise ListUnreadable from reason
        self.columns = list(self._columns())
        self.header = [title for title, _cell in self.columns]

    @property
    def filters_in_words(self) -> str:
        """What was chosen in the filters of the page; of a search only that there was one."""
        chosen = [
            f"{spec.title}：{choice['display']}"
            for spec in self.changelist.filter_specs
            for choice in list(spec.choices(self.changelist))[1:]  # the first is “all”
            if choice.get("selected") and "display" in choice
        ]
        return "；".join([*chosen, *([gettext("按关键字搜索")] if self.changelist.query else [])])

    def count(self, most: int | None) -> int:
        rows = self.changelist.queryset.order_by()
        return rows.count() if most is None else rows[:most].count()

    def rows(self, chunk: int) -> Iterator[Sequence[Any]]:
        found = self.changelist.queryset.iterator(chunk_size=chunk)
        while rows := self.admin.with_columns(self.request, list(islice(found, chunk))):
            for row in rows:
                yield [plain(cell(row), self.zone) for _title, cell in self.columns]

    def _columns(self) -> Iterator[tuple[str, Cell]]:
        unmasked: dict[str, Cell | None] = {} if self.is_masked else dict(self.admin.unmasked)
        for name in self.changelist.list_display:
            if name != "action_checkbox":
                title = str(label_for_field(name, self.admin.model, model_admin=self.admin))
                yield title, unmasked.pop(str(name), None) or self._cell(name)
        for name, cell in unmasked.items():  # what the list has no column for
            if cell is not None:
                yield gettext(name), cell

    def _cell(self, name: Any) -> Cell:
        """What Django's `lookup_field` does for each cell of a page, decided once for the column."""
        field = self._field(name)
        if field is not None:
            choices = dict(field.flatchoices)
            return lambda row: choices.get(value := getattr(row, field.name), value)
        method = name if callable(name) else getattr(self.admin, name, None)
        if method is None or name == "__str__":
            return lambda row: lookup_field(name, row, self.admin)[2]
        if hasattr(method, "exported"):
            return method.exported
        return (lambda row: _read(method(row))) if getattr(method, "label", None) else method

    def _field(self, name: Any) -> Any:
        """A column of the table; what only goes by the name of a relation back is the admin's own."""
        try:
            field = self.admin.opts.get_field(name)
        except FieldDoesNotExist:
            return None
        return field if field.concrete else None


def _read(value: Any) -> Any:
    """Of unfold's pairs (key, label), the label."""
    return value[-1] if isinstance(value, tuple) else value


def plain(value: Any, zone: Any) -> Any:
    """Numbers and dates as they are, moments in the group's zone, everything else as its text."""
    match value:
        case bool():
            return gettext("是") if value else gettext("否")
        case None:
            return None
        case datetime() if timezone.is_aware(value):
            return timezone.localtime(value, zone).replace(tzinfo=None)
        case int() | Decimal():
            return value
        case SafeString():
            text = " ".join(html.unescape(strip_tags(value)).split())
        case list() | tuple() | set():
            text = "、".join(str(plain(each, zone)) for each in value)
        case _ if hasattr(value, "isoformat"):
            return value
        case _:
            text = str(value)
    return None if text == NOTHING else text
