"""My to-dos (我的待办): what waits for the operator who asks, on one page and as counts for the dashboard."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.admin.care import local_today
from members.interfaces.approvals import approval_verbs
from members.models import Approval, FollowUp, Operator, Reminder, Ticket

ROWS = 15  # of each part; the lists behind have all

FOLLOW_UPS = pgettext_lazy("plural", "回访")
TICKETS = pgettext_lazy("plural", "客服工单")
REMINDERS = pgettext_lazy("plural", "提醒")
APPROVALS = pgettext_lazy("plural", "审批")


def urls(site: admin.AdminSite) -> list:
    return [path("todo/", site.admin_view(todo), name="members_todo")]


# --- What waits ---------------------------------------------------------------------------------------------------


def my_follow_ups(actor: Operator) -> QuerySet[FollowUp]:
    return FollowUp.objects.visible_to(actor).open().filter(assigned_to=actor)


def my_tickets(actor: Operator) -> QuerySet[Ticket]:
    """Open ones that are mine, and those of my reach that are nobody's yet."""
    return Ticket.objects.visible_to(actor).open().filter(Q(assigned_to=actor) | Q(assigned_to=None))


def my_approvals(actor: Operator, now: datetime) -> QuerySet[Approval]:
    """Those that the operator may decide: in his reach, another's, and of verbs for which he has the permission."""
    if not actor.has_perm("members.decide_approval"):
        return Approval.objects.none()
    verbs = [verb.name for verb in approval_verbs if actor.has_perm(verb.permission)]
    waiting = Approval.objects.visible_to(actor).pending().filter(verb__in=verbs, expires_at__gt=now)
    return waiting.exclude(asked_by=actor)


def my_reminders(actor: Operator) -> QuerySet[Reminder]:
    return Reminder.objects.visible_to(actor).open().order_by("due_on", "pk")


def counts(actor: Operator, now: datetime) -> Iterator[tuple[Any, int, str]]:
    """(what, how many, where) for the dashboard, in one query for each kind of work."""
    if actor.reach is None:
        return
    today = now.astimezone(actor.reach.zone).date()
    page = reverse("admin:members_todo")
    if actor.has_perm("members.view_followup"):
        late, due = Count("pk", filter=Q(due_on__lt=today)), Count("pk", filter=Q(due_on=today))
        found = my_follow_ups(actor).filter(due_on__lte=today).aggregate(late=late, due=due)
        yield _("逾期回访"), found["late"], f"{page}#follow-ups"
        yield _("今日回访"), found["due"], f"{page}#follow-ups"
    if actor.has_perm("members.view_ticket"):
        mine, free = Count("pk", filter=Q(assigned_to=actor)), Count("pk", filter=Q(assigned_to=None))
        late = Count("pk", filter=Q(due_at__lte=now))
        found = my_tickets(actor).aggregate(mine=mine, free=free, late=late)
        yield _("我的工单"), found["mine"], f"{page}#tickets"
        yield _("待领工单"), found["free"], f"{page}#tickets"
        yield _("逾期工单"), found["late"], f"{page}#tickets"
    if actor.has_perm("members.view_reminder"):
        yield _("会员提醒"), my_reminders(actor).count(), f"{page}#reminders"
    if actor.has_perm("members.decide_approval"):
        yield _("待我审批"), my_approvals(actor, now).count(), f"{page}#approvals"


# --- The page -----------------------------------------------------------------------------------------------------


def todo(request: HttpRequest) -> HttpResponse:
    actor, now, today = request.user, timezone.now(), local_today(request)
    context = {
        **admin.site.each_context(request),
        "title": gettext("我的待办"),
        "today": today,
        "now": now,
        "parts": list(_parts(actor, now)) if actor.reach else [],
    }
    return TemplateResponse(request, "admin/members/todo/todo.html", context)


def _parts(actor: Operator, now: datetime) -> Iterator[dict[str, Any]]:
    if actor.has_perm("members.view_followup"):
        rows = my_follow_ups(actor).select_related("member").order_by("due_on", "pk")
        yield _part("follow-ups", FOLLOW_UPS, rows, "admin:members_followup_changelist", "?whose=mine")
    if actor.has_perm("members.view_ticket"):
        rows = my_tickets(actor).select_related("member", "type", "assigned_to").order_by("due_at", "pk")
        yield _part("tickets", TICKETS, rows, "admin:members_ticket_changelist", "?due=open")
    if actor.has_perm("members.view_reminder"):
        rows = my_reminders(actor).select_related("member", "business")
        yield _part("reminders", REMINDERS, rows, "admin:members_reminder_changelist")
    if actor.has_perm("members.decide_approval"):
        rows = my_approvals(actor, now).select_related("asked_by", "org_unit").order_by("expires_at")
        yield _part("approvals", APPROVALS, rows, "admin:members_approval_changelist")


def _part(name: str, title: Any, rows: QuerySet, page: str, query: str = "") -> dict[str, Any]:
    """One row more than is shown tells whether there are more: counting a large reach would cost more than the page."""
    found = list(rows[: ROWS + 1])
    model = rows.model
    link = f"{reverse(page)}{query}" if model in admin.site._registry else ""
    return {"name": name, "title": title, "rows": found[:ROWS], "more": len(found) > ROWS, "link": link}
