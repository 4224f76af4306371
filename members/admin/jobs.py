"""Long work: who asked for what and when, how far it is, what came of it, and the file for who may have it."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.interfaces.admin import ReadOnlyAdmin
from members.models import Job

STATE_LABELS = {
    "draft": "warning",
    "queued": "info",
    "running": "info",
    "done": "success",
    "failed": "danger",
    "cancelled": "default",
}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("title", "kind", "shown_state", "progress", "failed", "operator", "created_at", "finished_at")
    list_filter = ("state", "kind", "created_at")
    list_select_related = ("operator",)

    @display(description=_("状态"), ordering="state", label=STATE_LABELS)
    def shown_state(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description=_("进度"))
    def progress(self, job: Job) -> str:
        return format_html('<progress max="100" value="{}"></progress> {}/{}', job.percent, job.done, job.total)
