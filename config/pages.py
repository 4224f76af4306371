"""Lists, a page at a time: keyset pagination over the primary key, so that every page costs the same."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.db.models import QuerySet
from django.utils.encoding import force_str
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
LARGEST_ID = 2**63 - 1


class CursorPages(BasePagination):
    """Newest first, or oldest first where the view says `oldest_first`.

    `cursor` in the answer stands after the last row of the page: a reader of a growing list goes on from there.
    """

    def paginate_queryset(self, queryset: QuerySet, request, view=None) -> list:
        self.request = request
        self.oldest_first = getattr(view, "oldest_first", False)
        size = _page_size(request.query_params.get("page_size"))
        self.cursor = request.query_params.get("cursor", "")
        if self.cursor:
            comparison = "pk__gt" if self.oldest_first else "pk__lt"
            queryset = queryset.filter(**{comparison: _decoded(self.cursor)})
        rows = list(queryset.order_by("pk" if self.oldest_first else "-pk")[: size + 1])
        self.has_more = len(rows) > size
        page = rows[:size]
        if page:
            self.cursor = _encoded(page[-1].pk)
        return page

    def get_paginated_response(self, data) -> Response:
        address = self.request.build_absolute_uri()
        following = replace_query_param(address, "cursor", self.cursor) if self.has_more else None
        return Response({"results": data, "cursor": self.cursor or None, "next": following})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "cursor", "next"],
            "properties": {
                "results": schema,
                "cursor": {
                    "type": ["string", "null"],
                    "description": "Stands after the last row of this page; null for an empty list.",
                },
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Address of the next page; null on the last one.",
                },
            },
        }

    def get_schema_operation_parameters(self, view) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "`cursor` of an earlier answer: what comes after it.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{11}$"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
            },
        ]


def _page_size(written: str | None) -> int:
    if written is None:
        return PAGE_SIZE
    if not (written.isascii() and written.isdigit() and len(written) < 10 and 1 <= int(written) <= MAX_PAGE_SIZE):
        message = _("page_size 须为 1 到 %(most)d 的整数。") % {"most": MAX_PAGE_SIZE}
        raise ValidationError({"page_size": [message]}, code="invalid_page_size")
    return int(written)


def _encoded(primary_key: int) -> str:
    return force_str(urlsafe_b64encode(primary_key.to_bytes(8))).rstrip("=")


def _decoded(cursor: str) -> int:
    try:
        primary_key = int.from_bytes(urlsafe_b64decode(cursor.encode("ascii") + b"="))
    except ValueError:
        primary_key = -1
    if len(cursor) != 11 or not 0 <= primary_key <= LARGEST_ID:
        raise ValidationError(
            {"cursor": [_("cursor 无效，请原样使用上一页返回的 cursor 或 next。")]}, code="invalid_cursor"
        )
    return primary_key
