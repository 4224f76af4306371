"""What operators fill in about cards: a type, an order of many, whose a card is, and why something is done with it."""

from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from members.errors import Refused
from members.interfaces import Answer, Origin
from members.interfaces.money import YuanField
from members.interfaces.refusals import tell
from members.models import Approval, Card, CardChange, CardType, Member, Operator, OrgUnit
from members.rules import TAKEN_LENGTHS, Numbering
from members.services import card_batches, cards, people

SCANNED = {"autofocus": True, "autocomplete": "off", "inputmode": "numeric", "placeholder": _("扫描或输入卡号")}
PERSON = {"autocomplete": "off", "placeholder": _("会员号或手机号")}


class CardTypeForm(forms.ModelForm):
    """Two types never share a number, and no card is taken for a phone, a member number or a member code."""

    deposit = YuanField(label=_("押金"), help_text=_("元；激活时收取，退卡时退回；0 = 无。"), initial=0)

    class Meta:
        model = CardType
        fields = (
            "code", "name", "kind", "org_unit", "look", "prefix", "length", "has_check_digit",
            "valid_days", "deposit", "carries_tier", "is_active",
        )  # fmt: skip

    def clean_length(self) -> int:
        length = self.cleaned_data["length"]
        if length in TAKEN_LENGTHS:
            raise forms.ValidationError(_("11、12、20 位分别是手机号、会员号和会员码，请选用其他位数。"))
        return length

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.keys() >= {"prefix", "length", "has_check_digit"}:
            self._check_numbering(Numbering(said["prefix"], said["length"], said["has_check_digit"]))
        return said

    def _check_numbering(self, rule: Numbering) -> None:
        if not rule.capacity:
            self.add_error("length", _("前缀和校验码已占满卡号，没有流水号的位置。"))
        others = CardType.objects.filter(length=rule.length).exclude(pk=self.instance.pk)
        clash = next((other for other in others if rule.overlaps(Numbering(other.prefix, other.length))), None)
        if clash:
            self.add_error("prefix", _("与卡类型“%(name)s”的卡号会重复，请换一个前缀或位数。") % {"name": clash.name})


class TokenForm(forms.Form):
    """A form that one service applies. The token makes a double click one change."""

    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: Operator, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["token"].initial = uuid4().hex

    @property
    def reference(self) -> str:
        return f"{type(self).__name__}:{self.cleaned_data['token']}"

    def told(self, refusal: Refused) -> None:
        tell(self, refusal)

    def person(self, field: str) -> Member | None:
        """The member whom a field names; a wrong one becomes its error."""
        written = self.cleaned_data.get(field, "").strip()
        try:
            return people.resolve(written, actor=self.actor) if written else None
        except Refused as refusal:
            raise forms.ValidationError({field: str(refusal.message)}) from refusal


class OrderForm(TokenForm):
    card_type = forms.ModelChoiceField(CardType.objects.none(), label=_("卡类型"), widget=UnfoldAdminSelectWidget)
    org_unit = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("发往组织"), widget=UnfoldAdminSelectWidget)
    quantity = forms.IntegerField(
        label=_("张数"),
        min_value=1,
        max_value=card_batches.LARGEST,
        help_text=_("一次最多 500,000 张。"),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(label=_("说明"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, actor: Operator, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["card_type"].queryset = CardType.objects.visible_to(actor).active().select_related("org_unit")
        self.fields["org_unit"].queryset = OrgUnit.objects.visible_to(actor).filter(is_active=True)
        self.fields["org_unit"].initial = actor.reach

    @property
    def is_for_two(self) -> bool:
        return card_batches.is_for_two(self.cleaned_data["org_unit"], self.cleaned_data["quantity"])

    def ask(self, origin: Origin) -> Approval:
        return card_batches.ask(**self._ordered, reason=self.cleaned_data["reason"], origin=origin)

    def apply(self, origin: Origin) -> Answer:
        return card_batches.order(**self._ordered, origin=origin)

    @property
    def _ordered(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("card_type", "quantity", "org_unit")}


# --- One card ---------------------------------------------------------------------------------------------------


class StepForm(TokenForm):
    """Why a step is taken."""

    reason = forms.CharField(label=_("原因"), max_length=200, widget=UnfoldAdminTextInputWidget)
    verb: CardChange.Verb

    def __init__(self, *args: Any, card: Card, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.card = card

    def apply(self, origin: Origin) -> Answer:
        step = getattr(cards, self.verb.value)
        return step(self.card, reason=self.cleaned_data["reason"], origin=origin)


class ReplaceForm(StepForm):
    number = forms.CharField(
        label=_("新卡卡号"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=SCANNED),
        help_text=_("扫描一张同类型的空白卡；留空则按编号规则生成新卡号。"),
    )
    field_order = ("number", "reason")

    def apply(self, origin: Origin) -> Answer:
        said = self.cleaned_data
        return cards.replace(self.card, reason=said["reason"], number=said["number"], origin=origin)


class ActivateForm(StepForm):
    """Whose the card is: the holder, and for cards that spend for another, that other."""

    reason = None
    member = forms.CharField(
        label=_("持卡会员"), max_length=40, required=False, widget=UnfoldAdminTextInputWidget(attrs=PERSON)
    )
    principal = forms.CharField(
        label=_("主卡会员"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=PERSON),
        help_text=_("卡上的消费使用他的资产。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.card.member:
            del self.fields["member"]
        if self.card.principal or not self.card.card_type.spends_for_another:
            del self.fields["principal"]

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        return said | {name: self.person(name) for name in ("member", "principal") if name in self.fields}

    def apply(self, origin: Origin) -> Answer:
        said = self.cleaned_data
        return cards.activate(self.card, said.get("member"), principal=said.get("principal"), origin=origin)


# --- A card for a member ----------------------------------------------------------------------------------------


class HandOverForm(TokenForm):
    """A card from the drawer by its number, or a new one of a type, for the member of the page.

    `other` is the other person of the two: the principal; for a principal, the holder.
    """

    number = forms.CharField(
        label=_("卡号"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=SCANNED),
        help_text=_("绑定已制好的卡；留空则按所选类型发一张新卡（虚拟卡）。"),
    )
    card_type = forms.ModelChoiceField(
        CardType.objects.none(),
        label=_("卡类型"),
        required=False,
        empty_label=_("按卡号识别"),
        widget=UnfoldAdminSelectWidget,
    )
    other = forms.CharField(
        label=_("主卡会员"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=PERSON),
        help_text=_("仅附属卡、关联卡、团体卡填写：卡上的消费使用他的资产。"),
    )

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member
        self.fields["card_type"].queryset = CardType.objects.visible_to(self.actor).active().filter(self.kinds)

    kinds = Q()
    asks_for = "principal"  # what services call the other person

    def told(self, refusal: Refused) -> None:
        refusal.field = "other" if refusal.field == self.asks_for else refusal.field
        super().told(refusal)

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if not said.get("number") and not said.get("card_type"):
            raise forms.ValidationError(_("请扫描卡号，或选择卡类型发新卡。"))
        return said | {"other": self.person("other")}

    @property
    def people(self) -> tuple[Member, Member | None]:
        """Holder and principal."""
        return self.member, self.cleaned_data["other"]

    def apply(self, origin: Origin) -> Answer:
        said, (holder, principal) = self.cleaned_data, self.people
        wanted = {"number": said["number"], "card_type": said["card_type"], "principal": principal}
        return cards.hand_over(holder, node=self.actor.reach, **wanted, origin=origin)


class GrantForm(HandOverForm):
    """The same from the principal's page: somebody else's card, that spends his assets."""

    kinds = ~Q(kind=CardType.Kind.PERSONAL)
    asks_for = "member"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        other = self.fields["other"]
        other.label, other.required = _("持卡会员"), True
        other.help_text = _("他用这张卡消费时，使用本页会员的资产。")
        self.order_fields(("other", "number", "card_type"))

    @property
    def people(self) -> tuple[Member, Member | None]:
        return self.cleaned_data["other"], self.member
