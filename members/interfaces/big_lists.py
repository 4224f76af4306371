"""Lists over tables of millions of rows: counted up to a point, filtered without looking through them."""

from functools import cached_property
from typing import Any

from django.contrib.admin import RelatedFieldListFilter
from django.core.paginator import Paginator
from django.db.models import Field, QuerySet
from django.http import HttpRequest

from members.models import Channel, OrgUnit

COUNTED = 10_000


class AtLeast(int):
    """A count that stopped: so many there are, and more."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class CappedPaginator(Paginator):
    """Counts and turns pages up to COUNTED rows: who wants more than that wants a search, not a longer list."""

    @cached_property
    def count(self) -> int:
        counted = self.object_list.order_by()[: COUNTED + 1].count()
        return AtLeast(COUNTED) if counted > COUNTED else counted


class InSightFilter(RelatedFieldListFilter):
    """Offers what the operator may see, without looking through all rows for what occurs; of places, businesses."""

    def field_choices(self, field: Field, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        rows = field.remote_field.model._default_manager.all().visible_to(request.user)
        if field.remote_field.model is OrgUnit:
            rows = rows.filter(kind__in=(OrgUnit.Kind.GROUP, OrgUnit.Kind.BUSINESS))
        return [(row.pk, str(row)) for row in rows]


class BigList:
    """For admins of such tables, before ScopedAdmin: finds rows by whole values, each field by its own index."""

    search_fields: tuple[str, ...]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        rows = self.model._default_manager.all().visible_to(request.user).order_by()  # type: ignore[attr-defined]
        found = (rows.filter(**self._meant(field, term, request)) for field in self.search_fields)
        keys = {key for rows in found for key in rows.values_list("pk", flat=True)[:COUNTED]}
        return queryset.filter(pk__in=keys), False

    @staticmethod
    def _meant(field: str, term: str, request: HttpRequest) -> dict[str, Any]:
        """References are unique within their channel, and indexed so."""
        if field == "request__reference":
            return {field: term, "request__channel__in": Channel.objects.visible_to(request.user)}
        return {field: term}
