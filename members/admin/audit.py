"""The audit trail as operators read it: searched, filtered, exported; never changed."""

from collections.abc import Iterator
from typing import ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.interfaces.admin import ReadOnlyAdmin
from members.models import AuditEntry
from members.services import audit

SHORT = 3  # changes that the list names


class ModelFilter(admin.SimpleListFilter):
    title = _("对象类型")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return sorted(
            ((label, audit.model_in_words(label)) for label in audit.audited_models()), key=lambda pair: pair[1]
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(model=self.value()) if self.value() else queryset


def other_side(entry: AuditEntry) -> Iterator[audit.Change]:
    """Of a row between two, the one that is not the entry's own."""
    own = f"{entry.model.split('.')[1]}_id"
    return (change for change in audit.changes(entry) if change.column != own)


def in_full(entry: AuditEntry) -> str:
    return "；".join(f"{change.label} {change.before} → {change.after}" for change in audit.changes(entry))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "shown_action", "shown_model", "shown_title", "in_short", "operator", "channel", "page")
    list_display_links = ("at",)
    list_filter = (ModelFilter, "action")
    list_select_related = ("operator", "channel")
    date_hierarchy = "at"
    ordering = ("-id",)
    search_fields = ("title", "page", "operator__username", "operator__first_name")
    search_help_text = _("对象名称、编号、操作员、页面，或变更的内容")
    fields = ("at", "action", "shown_model", "link", "operator", "channel", "page", "org_unit", "changes")
    readonly_fields = ("changes", "link", "shown_model")

    class Media:
        css: ClassVar = {"all": ["admin.css"]}

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Also by what stood in the columns, and by the row's number."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        if not term:
            return found, may_repeat
        said = Q(said_before__icontains=term) | Q(said_after__icontains=term)
        if term.isdecimal() and len(term) < 19:
            said |= Q(row_id=int(term))
        in_columns = queryset.alias(said_before=Cast("before", TextField()), said_after=Cast("after", TextField()))
        matching = in_columns.filter(said).values("pk")
        return queryset.filter(Q(pk__in=matching) | Q(pk__in=found.order_by().values("pk"))), may_repeat

    @display(
        description=_("动作"),
        ordering="action",
        label={"insert": "success", "update": "info", "delete": "danger"},
    )
    def shown_action(self, entry: AuditEntry) -> tuple[str, str]:
        return entry.action, entry.get_action_display()

    @display(description=_("对象类型"), ordering="model")
    def shown_model(self, entry: AuditEntry) -> str:
        model = audit.model_in_words(entry.model)
        return f"{model} · {audit.part_in_words(entry)}" if entry.part else model

    @display(description=_("对象"))
    def shown_title(self, entry: AuditEntry) -> str:
        return audit.title_in_words(entry)

    @display(description=_("对象"))
    def link(self, entry: AuditEntry) -> str:
        """To the row as it stands now, where it has a page; who may not see it finds nothing there."""
        try:
            page = reverse(f"admin:{entry.model.replace('.', '_')}_change", args=[entry.row_id])
        except NoReverseMatch:
            return self.shown_title(entry)
        return format_html('<a class="text-primary-600" href="{}">{}</a>', page, self.shown_title(entry))

    @display(description=_("变更"))
    def in_short(self, entry: AuditEntry) -> str:
        """Of an update what became of what, of a relation what came or went; else the action says it."""
        if entry.part:
            return "、".join((change.after if entry.after else change.before) for change in other_side(entry))
        if entry.action != AuditEntry.Action.UPDATE:
            return "—"
        found = list(audit.changes(entry))
        shown = "；".join(f"{change.label} {change.before} → {change.after}" for change in found[:SHORT])
        return f"{shown} …" if len(found) > SHORT else shown

    in_short.exported = in_full  # a file has room for all of it

    @display(description=_("变更前后"))
    def changes(self, entry: AuditEntry) -> str:
        return render_to_string("admin/members/auditentry/changes.html", {"changes": audit.changes(entry)})
