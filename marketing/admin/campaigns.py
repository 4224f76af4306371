from collections.abc import Callable

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect
from unfold.dataclasses import ActionDialog, UnfoldAction
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from marketing.admin.preview import rule_in_words
from marketing.forms import CampaignForm, LaunchForm
from marketing.models import Campaign, CampaignMember
from marketing.services import campaigns
from marketing.tasks import run_campaign
from members.interfaces.admin import OwnedAdmin, ReadOnlyAdmin, admin_origin, refusals_as_messages

STATES = {
    Campaign.State.DRAFT: "default",
    Campaign.State.RUNNING: "info",
    Campaign.State.DONE: "success",
    Campaign.State.CANCELLED: "warning",
}
# What can be done to a campaign in each state.
FITTING = {
    Campaign.State.DRAFT: ("launch", "cancel"),
    Campaign.State.RUNNING: ("cancel",),
    Campaign.State.DONE: ("give_again",),
    Campaign.State.CANCELLED: (),
}


def asking(title: str, description: str, form_class: type[BaseDialogForm] = BaseDialogForm) -> ActionDialog:
    """A question before the act, which is then a POST."""
    return {"title": title, "description": description, "form_class": form_class, "form_submit_text": _("确定")}


@admin.register(Campaign)
class CampaignAdmin(OwnedAdmin):
    owner = "owner"
    form = CampaignForm
    list_display = ("name", "owner", "shown_state", "gift", "audience", "percent", "launched_at")
    list_filter = ("state", ("owner", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("owner", "tag", "template", "job")
    search_fields = ("name",)
    fields = ("name", "owner", "tag", "rule", "said", "template", "points", "payer", "progress")
    readonly_fields = ("said", "progress")
    actions_detail = ("launch", "give_again", "cancel")

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Launched, it never changes."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == Campaign.State.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.state == Campaign.State.DRAFT)

    def has_run_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("marketing.change_campaign")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        state = self.get_queryset(request).filter(pk=object_id).values_list("state", flat=True).first()
        fitting = {f"marketing_campaign_{name}" for name in FITTING.get(state, ())}
        return [found for found in super().get_actions_detail(request, object_id) if found.action_name in fitting]

    @action(
        description=_("启动活动"),
        permissions=["run"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=asking(_("启动活动？"), "", LaunchForm),
    )
    def launch(self, request: HttpRequest, form: LaunchForm, object_id: str) -> HttpResponse:
        return self._do(request, object_id, campaigns.launch, gettext("活动已启动，正在发放。"))

    @action(
        description=_("补发"),
        permissions=["run"],
        icon="replay",
        dialog=asking(_("补发？"), _("未发放的会员将再发放一次；已发放的不会重复。")),
    )
    def give_again(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._do(request, object_id, campaigns.give_again, gettext("正在为未发放的会员补发。"))

    @action(
        description=_("取消活动"),
        permissions=["run"],
        icon="stop",
        variant=ActionVariant.DANGER,
        dialog=asking(_("取消活动？"), _("不再发放；已发放的不受影响。")),
    )
    def cancel(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._do(request, object_id, campaigns.cancel, gettext("活动已取消，已发放的不受影响。"))

    def _do(self, request: HttpRequest, object_id: str, verb: Callable, told: str) -> HttpResponse:
        """One verb of the campaign's life; what then waits is given by a worker."""
        campaign = get_object_or_404(self.get_queryset(request), pk=object_id)
        with refusals_as_messages(request):
            verb(campaign, origin=admin_origin(request))
            transaction.on_commit(lambda: run_campaign.delay(campaign.pk), robust=True)  # else the clock resumes it
            messages.success(request, told)
        return HttpResponseClientRedirect(reverse("admin:marketing_campaign_change", args=[object_id]))

    def get_urls(self) -> list:
        progress = path(
            "<int:object_id>/progress/",
            self.admin_site.admin_view(self.progress_view),
            name="marketing_campaign_progress",
        )
        return [progress, *super().get_urls()]

    def progress_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return HttpResponse(self.progress(get_object_or_404(self.get_queryset(request), pk=object_id)))

    @display(description=_("进度"))
    def progress(self, campaign: Campaign) -> str:
        return render_to_string("marketing/progress.html", {"campaign": campaign})

    @display(description=_("状态"), ordering="state", label=STATES)
    def shown_state(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.state, campaign.get_state_display()

    @display(description=_("赠送"))
    def gift(self, campaign: Campaign) -> str:
        return campaign.gift

    @display(description=_("目标人群"))
    def audience(self, campaign: Campaign) -> str:
        return str(campaign.tag or _("按条件"))

    @display(description=_("进度"))
    def percent(self, campaign: Campaign) -> str:
        return f"{campaign.job.percent}%" if campaign.job else "—"

    @display(description=_("条件说明"))
    def said(self, campaign: Campaign) -> str:
        return rule_in_words(campaign.rule)


@admin.register(CampaignMember)
class CampaignMemberAdmin(ReadOnlyAdmin):
    list_display = ("member", "campaign", "state", "shown_result")
    list_filter = ("state", ("campaign", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("member", "campaign")
    search_fields = ("member__member_no",)

    @display(description=_("结果"))
    def shown_result(self, row: CampaignMember) -> str:
        return row.result.get("message") or "、".join(f"{key} {value}" for key, value in row.result.items())
