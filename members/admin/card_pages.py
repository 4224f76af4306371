"""One card in the back office: the list, its page and history, each step it may take, and giving one to a member."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from members.admin.card_forms import ActivateForm, GrantForm, HandOverForm, ReplaceForm, StepForm, TokenForm
from members.errors import Refused
from members.interfaces import Answer
from members.interfaces.admin import ReadOnlyAdmin, admin_origin
from members.interfaces.card_pages import card_pages
from members.interfaces.money import yuan
from members.models import Card, CardChange, CardType, Member
from members.rules import canonical_card_number, in_groups, is_member_no
from members.services.card_issuing import is_served_by
from members.services.card_states import possible

Verb = CardChange.Verb

STATE_LABELS = {
    "issued": "info",
    "active": "success",
    "lost": "danger",
    "frozen": "warning",
    "expired": "default",
    "replaced": "default",
    "closed": "default",
}
PERMISSIONS = {
    Verb.ACTIVATE: "members.issue_card",
    Verb.REPORT_LOST: "members.block_card",
    Verb.RECOVER: "members.unblock_card",
    Verb.FREEZE: "members.block_card",
    Verb.UNFREEZE: "members.unblock_card",
    Verb.REPLACE: "members.replace_card",
    Verb.RENEW: "members.replace_card",
    Verb.CLOSE: "members.replace_card",
}
FORMS: dict[Verb, type[StepForm]] = {Verb.ACTIVATE: ActivateForm, Verb.REPLACE: ReplaceForm}
EXPLAINED = {
    Verb.ACTIVATE: _("激活后即可使用；卡号同时成为持卡会员的身份标识。"),
    Verb.REPORT_LOST: _("挂失立即生效，任何渠道都不能再用这张卡消费。"),
    Verb.RECOVER: _("找回卡片后恢复到挂失前的状态。"),
    Verb.FREEZE: _("冻结立即生效，任何渠道都不能再用这张卡消费。"),
    Verb.UNFREEZE: _("解冻后即可使用。"),
    Verb.REPLACE: _("卡号更换，持卡人、有效期、押金、限额都转到新卡；旧卡立即失效。"),
    Verb.RENEW: _("按卡类型的有效期顺延一个周期。"),
    Verb.CLOSE: _("退卡后不能恢复；押金应退还会员。"),
}


class CardTypeFilter(admin.SimpleListFilter):
    """The types in sight; which of them have cards would be asked of every card."""

    title = _("卡类型")
    parameter_name = "card_type"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return [(str(row.pk), row.name) for row in CardType.objects.visible_to(request.user).order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Card]) -> QuerySet[Card]:
        return queryset.filter(card_type=self.value()) if (self.value() or "").isdecimal() else queryset


@admin.register(Card)
class CardAdmin(ReadOnlyAdmin):
    list_display = (
        "shown_number",
        "card_type",
        "shown_state",
        "holder",
        "payer",
        "org_unit",
        "activated_at",
        "expires_at",
    )
    list_filter = ("state", CardTypeFilter, "issued_at")
    list_select_related = ("card_type", "member", "principal", "org_unit")
    search_fields = ("number",)
    search_help_text = _("卡号（或开头几位）、会员号")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = canonical_card_number(search_term)
        if is_member_no(term):
            member = Member.objects.filter(member_no=term).first()
            return queryset.filter(member=member) | queryset.filter(principal=member), False
        return (queryset.filter(number__startswith=term) if term else queryset), False

    @display(description=_("卡号"), ordering="number")
    def shown_number(self, card: Card) -> str:
        return in_groups(card.number)

    @display(description=_("状态"), ordering="state", label=STATE_LABELS)
    def shown_state(self, card: Card) -> tuple[str, str]:
        return card.state, card.get_state_display()

    @display(description=_("持卡会员"))
    def holder(self, card: Card) -> str:
        return _link(card.member)

    @display(description=_("主卡会员"))
    def payer(self, card: Card) -> str:
        return _link(card.principal)

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/step/<slug:verb>/", view(self.step), name="members_card_step"),
            path("hand-over/<int:member>/", view(self.hand_over), name="members_card_hand_over"),
            path("grant/<int:member>/", view(self.grant), name="members_card_grant"),
            *super().get_urls(),
        ]

    # One card -------------------------------------------------------------------------------------------------

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context=None) -> HttpResponse:
        card = self._card(request, object_id)
        changes = card.changes.select_related("operator", "channel", "store", "business")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("会员卡"),
            "opts": self.opts,
            "original": card,
            "card": card,
            "number": in_groups(card.number),
            "holder": _link(card.member),
            "payer": _link(card.principal),
            "parts": card_pages.parts(request, card),
            "history": changes.order_by("-pk"),
            "successor": Card.objects.filter(replaces=card).first(),
            "deposit": yuan(card.deposit),
            "ways": [verb for verb in possible(card.state) if self._may(request, card, verb)],
        }
        return TemplateResponse(request, "admin/members/card/card.html", context)

    def step(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Why, and then the step."""
        card = self._card(request, pk)
        if verb not in PERMISSIONS:
            raise Http404
        if not self._may(request, card, Verb(verb)):
            raise PermissionDenied
        form = FORMS.get(Verb(verb), StepForm)(request.POST or None, actor=request.user, card=card)
        form.verb = Verb(verb)
        if form.is_valid() and (answer := self._applied(request, form)):
            messages.success(request, _told(Verb(verb), answer))
            return redirect("admin:members_card_change", Card.objects.get(number=answer["number"]).pk)
        said = {"card": card, "number": in_groups(card.number), "explained": EXPLAINED[Verb(verb)]}
        return self._form_page(request, form, Verb(verb).label, said)

    # A card for a member --------------------------------------------------------------------------------------

    def hand_over(self, request: HttpRequest, member: int) -> HttpResponse:
        """办卡/绑卡: from the drawer by its number, or a new one."""
        return self._give(request, member, HandOverForm, gettext("办卡 / 绑卡"))

    def grant(self, request: HttpRequest, member: int) -> HttpResponse:
        """A card of somebody else's that spends this member's assets."""
        return self._give(request, member, GrantForm, gettext("开附属卡"))

    def _give(self, request: HttpRequest, pk: int, form_class: type[HandOverForm], title: str) -> HttpResponse:
        if not request.user.has_perm("members.issue_card"):
            raise PermissionDenied
        member = get_object_or_404(Member.objects.visible_to(request.user), pk=pk)
        form = form_class(request.POST or None, actor=request.user, member=member)
        if form.is_valid() and (answer := self._applied(request, form)):
            messages.success(request, _told(Verb.ACTIVATE, answer))
            return redirect("admin:members_member_360", member.pk)
        return self._form_page(request, form, title, {"member": member})

    def _applied(self, request: HttpRequest, form: Any) -> Answer | None:
        try:
            return form.apply(admin_origin(request, reference=form.reference))
        except Refused as refusal:
            form.told(refusal)
            return None

    def _form_page(self, request: HttpRequest, form: TokenForm, title: str, said: dict[str, Any]) -> HttpResponse:
        page = {**self.admin_site.each_context(request), "title": title, "button": title, "form": form}
        return TemplateResponse(request, "admin/members/card/form.html", page | {"opts": self.opts} | said)

    def _may(self, request: HttpRequest, card: Card, verb: Verb) -> bool:
        is_here = verb == Verb.REPORT_LOST or is_served_by(card, request.user)
        return is_here and request.user.has_perm(PERMISSIONS[verb])

    def _card(self, request: HttpRequest, key: int | str) -> Card:
        if not self.has_view_permission(request) or not str(key).isdecimal():
            raise Http404
        people = ("card_type", "member", "principal", "org_unit", "batch", "replaces")
        return get_object_or_404(self.get_queryset(request).select_related(*people), pk=key)


def _link(member: Member | None) -> SafeString | str:
    if member is None:
        return "—"
    page = reverse("admin:members_member_360", args=[member.pk])
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', page, member.member_no)


def _told(verb: Verb, answer: Answer) -> str:
    """What was done, and what is to be done with money now."""
    told = gettext("卡 %(number)s 已%(verb)s。") % {"number": in_groups(answer["number"]), "verb": verb.label}
    if verb == Verb.ACTIVATE and answer["deposit"]:
        told += gettext("请收取押金 %s。") % yuan(answer["deposit"])
    if answer.get("deposit_due"):
        told += gettext("请退还押金 %s。") % yuan(answer["deposit_due"])
    return told
