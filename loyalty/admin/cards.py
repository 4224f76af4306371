"""What cards may spend: allowances on the page of their type, limits and spending on the page of each card."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from loyalty.errors import CardAssetNotAllowed
from loyalty.forms import LimitForm
from loyalty.models import Asset, CardAllowance, CardLimit, Transaction
from loyalty.services import cards as spending
from members.errors import Refused
from members.interfaces.admin import ReadOnlyAdmin, admin_origin
from members.models import Card, Operator
from members.services.card_issuing import is_served_by
from members.services.card_states import OVER

ROWS = 20  # the card's page shows the latest; the list behind it has all


# --- What a type may spend ----------------------------------------------------------------------------------------


class AllowanceForm(forms.ModelForm):
    def has_changed(self) -> bool:
        """What a new type begins with is meant, though nobody touched it."""
        return super().has_changed() or (self.instance.pk is None and bool(self.initial))


class AllowanceFormSet(BaseInlineFormSet):
    """A new type of card begins with points, without limits; who means something else strikes that out."""

    def __init__(self, *args, **kwargs) -> None:
        if kwargs["instance"].pk is None:
            kwargs["initial"] = [{"asset": Asset.POINTS.value, "per_use": 0, "per_day": 0}]
        super().__init__(*args, **kwargs)


class AllowanceInline(TabularInline):
    model = CardAllowance
    form = AllowanceForm
    formset = AllowanceFormSet
    fields = ("asset", "per_use", "per_day")
    hide_title = True

    def get_extra(self, request: HttpRequest, obj=None, **kwargs) -> int:
        return 0 if obj else 1


# --- What one card may spend, and what it did -----------------------------------------------------------------------


class OperatorLimitForm(LimitForm):
    """The token makes a double click one change."""

    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, unit: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].initial = uuid4().hex
        for name, label in (("per_use", _("单次最多（%s）")), ("per_day", _("每日最多（%s）"))):
            field = self.fields[name]
            field.label = label % unit
            field.widget = UnfoldAdminIntegerFieldWidget(attrs={"min": 0})


@admin.register(CardLimit)
class CardLimitAdmin(ReadOnlyAdmin):
    list_display = ("card", "holder", "asset", "per_use", "per_day")
    list_filter = ("asset",)
    list_select_related = ("card__member",)
    search_fields = ("card__number",)
    search_help_text = _("卡号")

    @display(description=_("持卡会员"))
    def holder(self, limit: CardLimit) -> str:
        member = limit.card.member
        if member is None:
            return "—"
        return format_html('<a href="{}">{}</a>', reverse("admin:members_member_360", args=[member.pk]), member)

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.set_limit)
        return [path("set/<int:card>/<slug:asset>/", view, name="loyalty_cardlimit_set"), *super().get_urls()]

    def set_limit(self, request: HttpRequest, card: int, asset: str) -> HttpResponse:
        """How much of one asset one card may spend, under what its type may."""
        shown = get_object_or_404(Card.objects.visible_to(request.user).select_related("card_type"), pk=card)
        if not may_limit(shown, request.user):
            raise PermissionDenied
        room = _room(shown, asset)
        if room is None:
            raise Http404
        unit = gettext("积分") if asset == Asset.POINTS else gettext("分")
        form = OperatorLimitForm(request.POST or None, room=room, unit=unit)
        if form.is_valid() and self._is_set(request, shown, asset, form):
            messages.success(request, gettext("限额已保存，立即生效。"))
            return redirect("admin:members_card_change", shown.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("设置限额：%s") % Asset(asset).label,
            "opts": self.opts,
            "card": shown,
            "number": shown.number,
            "explained": gettext("限额不能高于卡类型；留空按卡类型执行。补换卡后限额随新卡。"),
            "form": form,
            "button": gettext("保存"),
        }
        return TemplateResponse(request, "admin/members/card/form.html", context)

    def _is_set(self, request: HttpRequest, card: Card, asset: str, form: OperatorLimitForm) -> bool:
        origin = admin_origin(request, reference=f"limit:{form.cleaned_data['token']}")
        try:
            spending.limit(card, asset, **form.limits, origin=origin)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
            return False
        return True


def may_limit(card: Card, actor: Operator) -> bool:
    """Those who serve the card, with the permission; one that is over is limited no more."""
    return card.state not in OVER and is_served_by(card, actor) and actor.has_perm("loyalty.change_cardlimit")


def card_panel(card: Card, actor: Operator) -> dict[str, Any]:
    """What the card may spend of each asset, what it has spent today, and its last transactions in sight."""
    allowed = CardAllowance.objects.filter(card_type=card.card_type_id).order_by("-asset")
    return {
        "rooms": [(allowance, _room(card, allowance.asset)) for allowance in allowed],
        "may_limit": may_limit(card, actor),
        "transactions": _transactions(card, actor)[:ROWS] if actor.has_perm("loyalty.view_transaction") else None,
    }


def _room(card: Card, asset: str) -> spending.Room | None:
    try:
        return spending.room(card, asset, at=timezone.now())
    except CardAssetNotAllowed:
        return None


def _transactions(card: Card, actor: Operator) -> QuerySet[Transaction]:
    rows = Transaction.objects.visible_to(actor).filter(card__in=spending.line_of(card))
    return rows.select_related("account", "business", "store", "card").order_by("-pk")
