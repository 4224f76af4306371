"""Follow-ups in the back office: planned from member 360, worked on one page each, listed by who and when."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from members.admin import todo
from members.admin.care import (
    CareForm,
    ColleagueChoice,
    DayInput,
    HandOverForm,
    PlaceChoice,
    Whose,
    link_to,
    local_today,
    member_in_sight,
    who,
)
from members.interfaces import Answer, Origin
from members.interfaces.admin import ScopedAdmin, admin_origin, refusals_as_messages
from members.models import FollowUp, Member, Operator
from members.services import follow_ups
from members.services.organisation import group

ROWS = 50  # on member 360; the list behind has all
STATES = {"open": "info", "done": "success", "cancelled": "default"}


class PlanForm(CareForm):
    plan = forms.CharField(label=_("回访计划"), max_length=400, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
    due_on = forms.DateField(label=_("计划日期"), widget=DayInput)
    medium = forms.ChoiceField(label=_("方式"), choices=FollowUp.Medium, widget=UnfoldAdminSelectWidget)
    place = PlaceChoice()
    assigned_to = ColleagueChoice()

    def apply(self, origin: Origin) -> Answer:
        said = self.cleaned_data
        return follow_ups.plan(
            self.member,
            text=said["plan"],
            due_on=said["due_on"],
            medium=said["medium"],
            assigned_to=said["assigned_to"],
            **self.place(),
            origin=origin,
        )


class DoneForm(CareForm):
    outcome = forms.ChoiceField(label=_("结果"), choices=FollowUp.Outcome, widget=UnfoldAdminSelectWidget)
    note = forms.CharField(
        label=_("回访记录"), required=False, max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    next_on = forms.DateField(
        label=_("下次回访"),
        required=False,
        widget=DayInput,
        help_text=_("填写后自动生成下一次回访，仍由同一人负责。"),
    )
    next_plan = forms.CharField(
        label=_("下次计划"),
        required=False,
        max_length=400,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("空 = 同上次。"),
    )

    def __init__(self, *args: Any, follow_up: FollowUp, **kwargs: Any) -> None:
        super().__init__(*args, member=follow_up.member, **kwargs)
        self.follow_up = follow_up

    def apply(self, origin: Origin) -> Answer:
        said = {name: self.cleaned_data[name] for name in ("outcome", "note", "next_on", "next_plan")}
        return follow_ups.done(self.follow_up, **said, origin=origin)


class Due(admin.SimpleListFilter):
    title = _("日期")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, Any]]:
        return [("overdue", _("已逾期")), ("today", _("今天")), ("week", _("未来 7 天"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        today = local_today(request)
        ranges = {
            "overdue": {"due_on__lt": today},
            "today": {"due_on": today},
            "week": {"due_on__gt": today, "due_on__lte": today + timedelta(days=7)},
        }
        if self.value() not in ranges:
            return queryset
        return queryset.open().filter(**ranges[self.value()])


@admin.register(FollowUp)
class FollowUpAdmin(ScopedAdmin):
    list_display = ("shown_due", "member_link", "plan", "medium", "place", "assignee", "shown_state", "outcome")
    list_display_links = ("shown_due", "plan")
    list_filter = (Whose, Due, "state", "medium", ("business", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("member", "business", "store", "assigned_to")
    search_fields = ("member__member_no",)
    search_help_text = _("会员号")
    ordering = ("due_on", "pk")

    @display(description=_("计划日期"), ordering="due_on")
    def shown_due(self, follow_up: FollowUp) -> SafeString | date:
        zone = (follow_up.business or group()).zone
        if follow_up.state == FollowUp.State.OPEN and follow_up.due_on < timezone.localdate(timezone=zone):
            late = gettext("逾期")
            return format_html(
                '<b class="text-red-700 dark:text-red-400">{} {}</b>', follow_up.due_on.isoformat(), late
            )
        return follow_up.due_on.isoformat()

    @display(description=_("会员"))
    def member_link(self, follow_up: FollowUp) -> SafeString:
        return link_to(follow_up.member)

    @display(description=_("归属"))
    def place(self, follow_up: FollowUp) -> str:
        return str(follow_up.store or follow_up.business or group())

    @display(description=_("负责人"), ordering="assigned_to")
    def assignee(self, follow_up: FollowUp) -> str:
        return who(follow_up.assigned_to)

    @display(description=_("状态"), ordering="state", label=STATES)
    def shown_state(self, follow_up: FollowUp) -> tuple[str, str]:
        return follow_up.state, follow_up.get_state_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They begin on member 360."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FollowUp | None = None) -> bool:
        return False

    def get_urls(self) -> list:
        plan = self.admin_site.admin_view(self.plan_view)
        return [
            path("plan/<int:member>/", plan, name="members_followup_plan"),
            *todo.urls(self.admin_site),
            *super().get_urls(),
        ]

    def plan_view(self, request: HttpRequest, member: int) -> HttpResponse:
        if not request.user.has_perm("members.add_followup"):
            raise PermissionDenied
        person = member_in_sight(request, member)
        form = PlanForm(request.POST or None, actor=request.user, member=person)
        if request.method == "POST" and form.applied(request):
            messages.success(request, gettext("回访已安排。"))
            return redirect("admin:members_member_360", person.pk)
        return self._page(request, "plan", gettext("新增回访"), form=form, member=person)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """The follow-up with those before and after it; and, while it is open, what can be done about it."""
        follow_up = self.get_object(request, object_id)
        if follow_up is None or not self.has_view_permission(request, follow_up):
            raise Http404
        may_change = follow_up.state == FollowUp.State.OPEN and self.has_change_permission(request, follow_up)
        is_done = request.POST.get("verb") == "done"
        form = DoneForm(request.POST if is_done else None, actor=request.user, follow_up=follow_up)
        if request.method == "POST" and self._changed(request, follow_up, form):
            return redirect("admin:members_followup_change", follow_up.pk)
        chain = {"earlier": follow_up.after, "later": FollowUp.objects.filter(after=follow_up).first()}
        hand_over = HandOverForm(actor=request.user, current=follow_up.assigned_to)
        return self._page(
            request,
            "page",
            gettext("回访"),
            follow_up=follow_up,
            form=form,
            hand_over=hand_over,
            may_change=may_change,
            late=follow_up.state == FollowUp.State.OPEN and follow_up.due_on < local_today(request),
            **chain,
        )

    def _changed(self, request: HttpRequest, follow_up: FollowUp, form: DoneForm) -> bool:
        """Do what was pressed; False where the page is to be shown again with what is wrong."""
        if not self.has_change_permission(request, follow_up):
            raise PermissionDenied
        verb = request.POST.get("verb")
        if verb == "done":
            return form.applied(request) is not None
        with refusals_as_messages(request):
            if verb == "assign":
                hand_over = HandOverForm(request.POST, actor=request.user, current=None)
                if hand_over.is_valid():
                    operator = hand_over.cleaned_data["operator"]
                    follow_ups.assign(follow_up, operator, origin=admin_origin(request))
            if verb == "cancel":
                follow_ups.cancel(follow_up, reason=request.POST.get("reason", ""), origin=admin_origin(request))
        return True

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        around = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, f"admin/members/follow_up/{name}.html", around | context)


def follow_ups_of(member: Member, actor: Operator) -> dict[str, Any]:
    """The tab of member 360."""
    rows = FollowUp.objects.visible_to(actor).filter(member=member)
    return {"follow_ups": rows.select_related("store", "business", "assigned_to", "done_by")[:ROWS]}
