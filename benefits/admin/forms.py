"""What operators fill in: money in yuan, discounts as price tags say them, and shares that make a whole."""

from decimal import Decimal
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from benefits.admin.words import worth
from benefits.models import CouponShare, CouponTemplate, Tier
from members.interfaces.money import YuanField
from members.models import Member, Operator, OrgUnit

WHOLE = 100


class TierForm(forms.ModelForm):
    threshold = YuanField(
        label=_("门槛（元）"), help_text=_("窗口内净消费达到多少即升级；单位：元。0 = 无门槛。"), initial=0
    )

    class Meta:
        model = Tier
        fields = ("code", "name", "rank", "threshold", "points_multiplier", "look")


class CouponTemplateForm(forms.ModelForm):
    amount = YuanField(label=_("面额（元）"), help_text=_("最多抵扣多少；单位：元。"), min_value=Decimal("0.01"))
    threshold = YuanField(
        label=_("使用门槛（元）"), help_text=_("等级价之后的金额满多少可用；单位：元。0 = 无门槛。"), initial=0
    )

    class Meta:
        model = CouponTemplate
        fields = ("amount", "threshold")
        widgets = {
            "businesses": UnfoldAdminCheckboxSelectMultipleWidget,
            "categories": UnfoldAdminTextInputWidget,
            "terms_text": UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        }
        help_texts = {"categories": _("空 = 全部品类；多个用英文逗号分隔。")}


class ShareForm(forms.ModelForm):
    """A share that was given to somebody out of sight stays: only new ones are limited to what one sees."""

    class Meta:
        model = CouponShare
        fields = ("payer", "percent")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        payers = self.fields["payer"].queryset
        self.fields["payer"].queryset = payers | OrgUnit.objects.filter(pk=self.instance.payer_id)
        self.fields["payer"].empty_label = _("核销业态自己承担")


class SharesFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form.cleaned_data for form in self.forms if form not in self.deleted_forms and form.cleaned_data]
        total = sum((share["percent"] for share in kept), Decimal(0))
        if total != WHOLE:
            raise ValidationError(
                _("承担比例之和必须是 100%%，现在是 %(total)s%%。"),
                code="shares_not_whole",
                params={"total": f"{total.normalize():f}"},
            )


class ReasonForm(BaseDialogForm):
    reason = forms.CharField(label=_("原因"), max_length=200, widget=UnfoldAdminTextInputWidget)


class TemplateField(forms.ModelChoiceField):
    def label_from_instance(self, template: CouponTemplate) -> str:
        return f"{template.name} · {worth(template.amount, template.threshold)} · {template.owner}"


class IssueForm(forms.Form):
    """Which coupon a member is given. The token makes a double click one coupon."""

    template = TemplateField(
        CouponTemplate.objects.none(), label=_("券模板"), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, member: Member, actor: Operator, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.member = member
        self.fields["template"].queryset = CouponTemplate.objects.visible_to(actor).issuable().select_related("owner")
        self.fields["token"].initial = uuid4().hex
