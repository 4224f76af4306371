"""Types of cards, kept where they were decided; and batches: ordered, watched, downloaded."""

from functools import partial

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.admin.card_forms import CardTypeForm, OrderForm
from members.admin.jobs import STATE_LABELS
from members.errors import Refused
from members.interfaces.admin import OwnedAdmin, ReadOnlyAdmin, admin_origin, in_yuan
from members.interfaces.admin_approval import tell_asked
from members.interfaces.card_pages import card_pages
from members.models import CardBatch, CardType, Job
from members.rules import pace
from members.services import card_batches
from members.services.card_serials import left_of
from members.tasks import make_cards

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NUMBERED = ("code", "kind", "prefix", "length", "has_check_digit")  # what cards that were made rely on


@admin.register(CardType)
class CardTypeAdmin(OwnedAdmin):
    owner = "org_unit"
    form = CardTypeForm
    list_display = (
        "name",
        "code",
        "shown_kind",
        "org_unit",
        "numbering",
        "validity",
        "deposit_yuan",
        "left",
        "is_active",
    )
    list_filter = ("kind", "is_active")
    list_select_related = ("org_unit",)
    search_fields = ("name", "code", "prefix")
    fieldsets = (
        (None, {"fields": (("code", "name"), ("kind", "look"), "org_unit", "is_active")}),
        (_("编号规则"), {"fields": (("prefix", "length", "has_check_digit"), "left")}),
        (_("有效期、押金与等级"), {"fields": (("valid_days", "deposit", "carries_tier"),)}),
    )
    deposit_yuan = in_yuan("deposit", _("押金"))

    def get_inlines(self, request: HttpRequest, obj: CardType | None) -> list[type]:
        return [*card_pages.type_inlines]

    def get_readonly_fields(self, request: HttpRequest, obj: CardType | None = None) -> tuple[str, ...]:
        """Cards in people's pockets are not numbered anew."""
        return (*NUMBERED, "left") if obj and obj.cards.exists() else ("left",)

    def has_delete_permission(self, request: HttpRequest, obj: CardType | None = None) -> bool:
        """A type that has cards is stopped, not deleted."""
        return super().has_delete_permission(request, obj) and not (obj and obj.cards.exists())

    @display(description=_("类型"), ordering="kind", label={"personal": "success", "supplementary": "info"})
    def shown_kind(self, card_type: CardType) -> tuple[str, str]:
        return card_type.kind, card_type.get_kind_display()

    @display(description=_("编号规则"))
    def numbering(self, card_type: CardType) -> str:
        check = gettext("，含校验码") if card_type.has_check_digit else ""
        return gettext("%(prefix)s…，%(length)d 位%(check)s") % {
            "prefix": card_type.prefix,
            "length": card_type.length,
            "check": check,
        }

    @display(description=_("有效期"), ordering="valid_days")
    def validity(self, card_type: CardType) -> str:
        return gettext("%d 天") % card_type.valid_days if card_type.valid_days else gettext("长期")

    @display(description=_("剩余卡号"))
    def left(self, card_type: CardType) -> str:
        return f"{left_of(card_type):,}" if card_type.pk else "—"


@admin.register(CardBatch)
class CardBatchAdmin(ReadOnlyAdmin):
    list_display = (
        "shown_id",
        "card_type",
        "org_unit",
        "quantity",
        "first",
        "last",
        "shown_state",
        "operator",
        "created_at",
    )
    list_filter = (("card_type", admin.RelatedOnlyFieldListFilter), "created_at")
    list_select_related = ("card_type", "org_unit", "operator", "job")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("members.issue_card")

    @display(description=_("批次"), ordering="pk")
    def shown_id(self, batch: CardBatch) -> str:
        return f"#{batch.pk}"

    @display(description=_("状态"), label=STATE_LABELS)
    def shown_state(self, batch: CardBatch) -> tuple[str, str]:
        return (batch.job.state, batch.job.get_state_display()) if batch.job else ("", "—")

    def get_urls(self) -> list:
        download = self.admin_site.admin_view(self.download)
        return [path("<int:pk>/cards.<slug:form>", download, name="members_cardbatch_download"), *super().get_urls()]

    # Ordering -------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context=None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OrderForm(request.POST or None, actor=request.user)
        if form.is_valid() and (answer := self._place_order(request, form)):
            return answer
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("制卡"),
            "form": form,
            "opts": self.opts,
            "explained": gettext(
                "系统按编号规则生成卡号，完成后可下载文件交给制卡厂；卡为未激活状态，在门店绑定会员后可用。"
            ),
            "button": gettext("开始制卡"),
        }
        return TemplateResponse(request, "admin/members/card/form.html", context)

    def _place_order(self, request: HttpRequest, form: OrderForm) -> HttpResponse | None:
        """At once, or when a second person has agreed."""
        origin = admin_origin(request, reference=form.reference)
        try:
            if form.is_for_two:
                tell_asked(request, form.ask(origin))
                return redirect("admin:members_cardbatch_changelist")
            answer = form.apply(origin)
        except Refused as refusal:
            form.told(refusal)
            return None
        transaction.on_commit(partial(make_cards.delay, answer["job"]))
        return redirect("admin:members_cardbatch_change", answer["batch"])

    # Watching and downloading ---------------------------------------------------------------------------------

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context=None) -> HttpResponse:
        """The page of one batch; htmx asks for its inner part while there is progress to see."""
        batch = self._batch(request, object_id)
        job = batch.job
        context = {
            "batch": batch,
            "is_busy": job and job.state in (Job.State.QUEUED, Job.State.RUNNING),
            "pace": job and pace(job.done, job.total, timezone.now() - (job.started_at or timezone.now())),
            "may_download": self._may_download(request, batch),
        }
        if request.htmx:
            return TemplateResponse(request, "admin/members/card/_batch.html", context)
        context |= {**self.admin_site.each_context(request), "title": str(batch), "opts": self.opts, "original": batch}
        return TemplateResponse(request, "admin/members/card/batch.html", context)

    def download(self, request: HttpRequest, pk: int, form: str) -> HttpResponse:
        """Numbers of cards that nobody holds yet: for those who may issue them, and recorded."""
        batch = self._batch(request, pk)
        if not self._may_download(request, batch):
            raise PermissionDenied
        name = f"cards-{batch.pk}.{form}"
        if form == "xlsx" and batch.job.result_file:
            answer = FileResponse(
                batch.job.result_file.open("rb"), as_attachment=True, filename=name, content_type=WORKBOOK
            )
        elif form == "csv":
            answer = StreamingHttpResponse(card_batches.csv_of(batch), content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{name}"'
        else:
            raise Http404
        card_batches.record_download(batch, form=form, origin=admin_origin(request))
        return answer

    def _may_download(self, request: HttpRequest, batch: CardBatch) -> bool:
        is_done = bool(batch.job) and batch.job.state == Job.State.DONE
        return is_done and request.user.has_perm("members.issue_card")

    def _batch(self, request: HttpRequest, key: int | str) -> CardBatch:
        if not self.has_view_permission(request) or not str(key).isdecimal():
            raise Http404
        people = ("card_type", "org_unit", "operator", "job")
        return get_object_or_404(self.get_queryset(request).select_related(*people), pk=key)
