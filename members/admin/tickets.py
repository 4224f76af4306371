"""Service tickets in the back office: the list, and each as a conversation with what can be done next."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from members.admin.care import (
    CareForm,
    ColleagueChoice,
    HandOverForm,
    PlaceChoice,
    Whose,
    link_to,
    member_in_sight,
    who,
)
from members.interfaces import Answer, Origin
from members.interfaces.admin import OwnedAdmin, ScopedAdmin, admin_origin, refusals_as_messages
from members.models import Member, Operator, Ticket, TicketType
from members.rules import tickets as rules
from members.services import tickets
from members.services.organisation import group

ROWS = 50  # on member 360; the list behind has all
STATES = {"new": "warning", "in_progress": "info", "waiting": "default", "resolved": "success", "closed": "default"}
PRIORITIES = {1: "danger", 2: "warning", 3: "info", 4: "default"}
# What is said with a text, in the order of the buttons; the rest has forms of its own.
SAID = {
    "reply": (tickets.reply, _("回复会员")),
    "ask": (tickets.ask, _("回复并等待会员")),
    "note": (tickets.note, _("内部备注")),
    "resolve": (tickets.resolve, _("解决")),
    "reopen": (tickets.reopen, _("重新打开")),
}


class OpenForm(CareForm):
    type = forms.ModelChoiceField(TicketType.objects.none(), label=_("类型"), widget=UnfoldAdminSelectWidget)
    priority = forms.TypedChoiceField(
        label=_("优先级"),
        choices=Ticket.Priority,
        coerce=int,
        initial=Ticket.Priority.NORMAL,
        widget=UnfoldAdminSelectWidget,
    )
    title = forms.CharField(label=_("标题"), max_length=100, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(label=_("内容"), max_length=4000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}))
    place = PlaceChoice()
    assigned_to = ColleagueChoice()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type"].queryset = TicketType.objects.visible_to(self.actor).active().order_by("pk")

    def apply(self, origin: Origin) -> Answer:
        said = {name: self.cleaned_data[name] for name in ("type", "priority", "title", "description", "assigned_to")}
        return tickets.open_ticket(self.member, **said, **self.place(), origin=origin)


class Overdue(admin.SimpleListFilter):
    title = _("时限")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, Any]]:
        return [("overdue", _("已逾期")), ("open", _("未解决"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "overdue":
            return queryset.overdue(timezone.now())
        return queryset.open() if self.value() == "open" else queryset


@admin.register(Ticket)
class TicketAdmin(ScopedAdmin):
    list_display = (
        "number",
        "title",
        "member_link",
        "type",
        "shown_priority",
        "shown_state",
        "shown_due",
        "assignee",
        "place",
        "score",
    )
    list_display_links = ("number", "title")
    list_filter = (Whose, Overdue, "state", "priority", ("type", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("member", "business", "store", "type", "assigned_to")
    search_fields = ("number", "member__member_no")
    search_help_text = _("工单号或会员号")

    @display(description=_("会员"))
    def member_link(self, ticket: Ticket) -> SafeString:
        return link_to(ticket.member)

    @display(description=_("优先级"), ordering="priority", label=PRIORITIES)
    def shown_priority(self, ticket: Ticket) -> tuple[int, str]:
        return ticket.priority, ticket.get_priority_display()

    @display(description=_("状态"), ordering="state", label=STATES)
    def shown_state(self, ticket: Ticket) -> tuple[str, str]:
        return ticket.state, ticket.get_state_display()

    @display(description=_("处理期限"), ordering="due_at")
    def shown_due(self, ticket: Ticket) -> SafeString | str:
        due = f"{timezone.localtime(ticket.due_at):%m-%d %H:%M}"
        if is_late(ticket):
            return format_html('<b class="text-red-700 dark:text-red-400">{} {}</b>', due, gettext("逾期"))
        return due

    @display(description=_("负责人"), ordering="assigned_to")
    def assignee(self, ticket: Ticket) -> str:
        return who(ticket.assigned_to)

    @display(description=_("归属"))
    def place(self, ticket: Ticket) -> str:
        return str(ticket.store or ticket.business or group())

    @display(description=_("满意度"), ordering="satisfaction")
    def score(self, ticket: Ticket) -> str:
        return "★" * ticket.satisfaction if ticket.satisfaction else "—"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They begin on member 360 or at the desk."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Ticket | None = None) -> bool:
        return False

    def get_urls(self) -> list:
        opening = self.admin_site.admin_view(self.open_view)
        return [path("open/<int:member>/", opening, name="members_ticket_open"), *super().get_urls()]

    def open_view(self, request: HttpRequest, member: int) -> HttpResponse:
        if not request.user.has_perm("members.add_ticket"):
            raise PermissionDenied
        person = member_in_sight(request, member)
        form = OpenForm(request.POST or None, actor=request.user, member=person)
        if request.method == "POST" and (answer := form.applied(request)):
            messages.success(request, gettext("工单 %s 已建立。") % answer["number"])
            ticket = get_object_or_404(Ticket.objects.visible_to(request.user), number=answer["number"])
            return redirect("admin:members_ticket_change", ticket.pk)
        return self._page(request, "open", gettext("新建工单"), form=form, member=person)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        ticket = self.get_object(request, object_id)
        if ticket is None or not self.has_view_permission(request, ticket):
            raise Http404
        if request.method == "POST":
            if not self.has_change_permission(request, ticket):
                raise PermissionDenied
            with refusals_as_messages(request):
                self._do(request, ticket)
            return redirect("admin:members_ticket_change", ticket.pk)
        may = rules.may(ticket.state) if self.has_change_permission(request, ticket) else frozenset()
        return self._page(
            request,
            "page",
            ticket.number,
            ticket=ticket,
            late=is_late(ticket),
            notes=ticket.notes.select_related("operator"),
            verbs=[(verb, label) for verb, (_verb, label) in SAID.items() if may and (verb in may or verb == "note")],
            may_take="take" in may and ticket.assigned_to != request.user,
            hand_over=HandOverForm(actor=request.user, current=ticket.assigned_to) if may - {"rate"} else None,
        )

    def _do(self, request: HttpRequest, ticket: Ticket) -> None:
        verb, text = request.POST.get("verb", ""), request.POST.get("text", "")
        token = request.POST.get("token", "")
        origin = admin_origin(request, reference=f"ticket:{verb}:{token}" if token else "")
        if verb in SAID:
            SAID[verb][0](ticket, text, origin=origin)
        if verb == "take":
            tickets.take(ticket, origin=origin)
        if verb == "assign":
            form = HandOverForm(request.POST, actor=request.user, current=None)
            if form.is_valid():
                tickets.assign(ticket, form.cleaned_data["operator"], origin=origin)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Ticket | None:
        related = ("member", "business", "store", "type", "assigned_to", "created_by", "channel")
        found = self.get_queryset(request).select_related(*related)
        return found.filter(pk=object_id).first() if str(object_id).isdecimal() else None

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        around = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "token": uuid4().hex}
        return TemplateResponse(request, f"admin/members/ticket/{name}.html", around | context)


def is_late(ticket: Ticket) -> bool:
    return ticket.state not in (Ticket.State.RESOLVED, Ticket.State.CLOSED) and ticket.due_at <= timezone.now()


def tickets_of(member: Member, actor: Operator) -> dict[str, Any]:
    """The tab of member 360."""
    rows = Ticket.objects.visible_to(actor).filter(member=member)
    return {"tickets": rows.select_related("type", "store", "business", "assigned_to")[:ROWS]}


@admin.register(TicketType)
class TicketTypeAdmin(OwnedAdmin):
    owner = "org_unit"
    list_display = ("name", "code", "org_unit", "hours", "is_for_members", "is_active")
    list_filter = ("is_active", ("org_unit", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("org_unit",)
    search_fields = ("code", "name")
    fields = (("code", "name"), "org_unit", "hours", ("is_for_members", "is_active"))

    def get_readonly_fields(self, request: HttpRequest, obj: TicketType | None = None) -> tuple[str, ...]:
        return ("code", "org_unit") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: TicketType | None = None) -> bool:
        """One with tickets is stopped, not deleted."""
        return super().has_delete_permission(request, obj) and (obj is None or not obj.tickets.exists())
