"""What an operator fills in to adjust points."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from loyalty.models import Account, Asset
from loyalty.services import adjusting, points
from members.interfaces import Answer, Origin
from members.models import Approval, Member, Operator, OrgUnit


class AdjustForm(forms.Form):
    """Before (read-only) → add or subtract → reason. The token makes a double click one adjustment."""

    asset = forms.ChoiceField(
        label=_("资产"),
        choices=[(asset.value, asset.label) for asset in (Asset.POINTS, Asset.GROWTH)],
        widget=UnfoldAdminSelectWidget,
    )
    quantity = forms.IntegerField(
        label=_("增减数量"),
        min_value=-10_000_000,
        max_value=10_000_000,
        help_text=_("正数为增加，负数为扣减。"),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    issuer = forms.ModelChoiceField(
        OrgUnit.objects.none(),
        empty_label=None,
        label=_("承担方"),
        help_text=_("增加的积分由谁承担成本。"),
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(label=_("原因"), max_length=200, widget=UnfoldAdminTextInputWidget)
    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, member: Member, actor: Operator, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.member = member
        self.actor = actor
        issuers = adjusting.issuers_for(actor)
        self.fields["issuer"].queryset = issuers
        self.fields["issuer"].initial = issuers.order_by("path").first()
        self.fields["token"].initial = uuid4().hex
        accounts = Account.objects.filter(member=member)
        self.before = {account.asset: account.balance for account in accounts}
        self.thresholds = adjusting.thresholds(issuers, actor=actor)

    def clean_quantity(self) -> int:
        if not self.cleaned_data["quantity"]:
            raise forms.ValidationError(_("请填写不为零的数量。"))
        return self.cleaned_data["quantity"]

    @property
    def is_for_two(self) -> bool:
        """Whether a second person has to agree to what was filled in."""
        return adjusting.is_for_two(self.cleaned_data["issuer"], self.cleaned_data["quantity"], actor=self.actor)

    def apply(self, origin: Origin) -> Answer:
        return points.adjust(self.member, self.cleaned_data["quantity"], **self._terms, origin=origin)

    def ask(self, origin: Origin) -> Approval:
        return adjusting.ask(self.member, self.cleaned_data["quantity"], **self._terms, origin=origin)

    @property
    def _terms(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("reason", "issuer", "asset")}
