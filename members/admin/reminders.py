"""Reminders to work off, the settings that make them, and members' own days."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from members.errors import Refused
from members.interfaces.admin import OwnedAdmin, ReadOnlyAdmin, admin_origin, refusals_as_messages
from members.interfaces.refusals import tell
from members.models import ImportantDate, Member, Reminder, ReminderSetting
from members.services import important_dates, reminders


@admin.register(ReminderSetting)
class ReminderSettingAdmin(OwnedAdmin):
    owner = "org_unit"
    list_display = ("org_unit", "kind", "days", "sends_message", "is_active", "looked_on")
    list_filter = ("kind", "sends_message", "is_active", ("org_unit", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("org_unit",)
    search_fields = ("org_unit__name", "message")
    readonly_fields = ("looked_on",)

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "org_unit":
            field.queryset = field.queryset.filter(kind="business")
        return field


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    """What the clock has found; done and dismissed from here, one by one or many at once."""

    list_display = ("due_on", "kind", "link", "text", "business", "shown_state", "sent", "done_by")
    list_filter = ("state", "kind", ("business", admin.RelatedOnlyFieldListFilter), "due_on")
    list_select_related = ("member", "business", "done_by")
    search_fields = ("member__member_no",)
    list_display_links = None
    actions = ("mark_done", "dismiss")

    @display(description=_("会员"))
    def link(self, reminder: Reminder) -> str:
        page = reverse("admin:members_member_360", args=[reminder.member_id])
        return format_html('<a class="text-primary-600" href="{}">{}</a>', page, reminder.member.member_no)

    @display(
        description=_("状态"), ordering="state", label={"open": "warning", "done": "success", "dismissed": "default"}
    )
    def shown_state(self, reminder: Reminder) -> tuple[str, str]:
        return reminder.state, reminder.get_state_display()

    @admin.action(description=_("标为已处理"), permissions=["close"])
    def mark_done(self, request: HttpRequest, queryset: QuerySet[Reminder]) -> None:
        self._close(request, queryset, Reminder.State.DONE)

    @admin.action(description=_("忽略"), permissions=["close"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Reminder]) -> None:
        self._close(request, queryset, Reminder.State.DISMISSED)

    def has_close_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("members.change_reminder")

    def _close(self, request: HttpRequest, queryset: QuerySet[Reminder], state: Reminder.State) -> None:
        chosen = list(queryset.open())
        for reminder in chosen:
            with refusals_as_messages(request):
                reminders.close(reminder, state=state, origin=admin_origin(request))
        messages.success(request, gettext("已处理 %d 条提醒。") % len(chosen))

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("dates/<int:member>/", view(self.add_date), name="members_member_dates"),
            path("dates/<int:member>/<int:pk>/remove/", view(self.remove_date), name="members_member_date_remove"),
            *super().get_urls(),
        ]

    def add_date(self, request: HttpRequest, member: int) -> HttpResponse:
        """The member's own days: those that we know, and a form for one more."""
        person = _member(request, member)
        form = DateForm(request.POST or None)
        if form.is_valid():
            try:
                important_dates.add(person, **form.cleaned_data, origin=admin_origin(request))
            except Refused as refusal:
                tell(form, refusal)
            else:
                messages.success(request, gettext("纪念日已保存。"))
                return redirect("admin:members_member_dates", person.pk)
        context = {"title": gettext("纪念日"), "form": form, "member": person, "opts": self.opts}
        return TemplateResponse(request, "admin/members/dates.html", self.admin_site.each_context(request) | context)

    def remove_date(self, request: HttpRequest, member: int, pk: int) -> HttpResponse:
        person = _member(request, member)
        if request.method == "POST":
            found = get_object_or_404(ImportantDate, pk=pk, member=person)
            important_dates.remove(found, origin=admin_origin(request))
            messages.success(request, gettext("纪念日已删除。"))
        return redirect("admin:members_member_dates", person.pk)


class DateForm(forms.Form):
    name = forms.CharField(label=_("名称"), max_length=40, widget=UnfoldAdminTextInputWidget)
    day = forms.DateField(
        label=_("日期"),
        widget=UnfoldAdminSingleDateWidget,
        help_text=_("每年同月同日提醒；2 月 29 日在平年提前到 28 日。"),
    )


def _member(request: HttpRequest, pk: int) -> Member:
    if not request.user.has_perm("members.change_reminder"):
        raise PermissionDenied
    return get_object_or_404(Member.objects.visible_to(request.user), pk=pk)


def panel(member: Member, actor: Any) -> dict[str, Any]:
    """For member 360: reminders within the actor's reach, and the member's own days."""
    rows = Reminder.objects.visible_to(actor).filter(member=member).select_related("business", "done_by")
    return {"rows": rows.order_by("-due_on")[:50], "dates": member.important_dates.order_by("day")}
