"""Forms of the back office: a rule is typed as JSON; at each pause it is told in words, and its members are counted."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from marketing.models import Campaign, MemberTag, Tag
from marketing.services import campaigns, tags
from members import criteria
from members.errors import Refused
from members.models import Operator, OrgUnit


class RuleWidget(UnfoldAdminTextareaWidget):
    """Shows beside itself what the server makes of the rule, for the organisation that the form names."""

    def __init__(self) -> None:
        super().__init__(
            attrs={
                "rows": 12,
                "spellcheck": "false",
                "hx-post": reverse_lazy("admin:marketing_rule_preview"),
                "hx-trigger": "load, input changed delay:600ms, change from:closest form",
                "hx-target": "#rule-preview",
                "hx-include": "closest form",
                "hx-params": "rule,scope,owner,csrfmiddlewaretoken",
            }
        )


class RulePreviewForm(forms.Form):
    rule = forms.JSONField(label=_("规则"))
    scope = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("适用组织"))

    def __init__(self, *args, actor: Operator, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].queryset = OrgUnit.objects.visible_to(actor)

    def clean_rule(self) -> criteria.Node:
        rule = self.cleaned_data["rule"]
        try:
            criteria.validate(rule)
        except criteria.InvalidRule as refusal:
            raise ValidationError([str(problem) for problem in refusal.problems]) from refusal
        return rule


class TagForm(forms.ModelForm):
    class Meta:
        model = Tag
        fields = ("code", "name", "colour", "scope", "kind", "rule", "is_active")
        widgets = {"rule": RuleWidget}

    def _post_clean(self) -> None:
        super()._post_clean()
        if not self.errors:
            add_refusal(self, "rule", tags.refuse_cycle, self.instance)


class MemberTagForm(forms.ModelForm):
    """A tag set by hand takes the place of what the rule has set: that there is a row already is no error."""

    class Meta:
        model = MemberTag
        fields = ("member", "tag", "value", "why", "until")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if "why" in self.fields:  # one that is only looked at has no fields
            self.fields["why"].required = True

    def _get_validation_exclusions(self) -> set[str]:
        """The form itself has checked the member; excluded here, no constraint over it is."""
        return super()._get_validation_exclusions() | {"member"}

    def clean_until(self):
        until = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise ValidationError(_("结束时间须晚于现在。"))
        return until

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if found.get("member") and found.get("tag"):
            add_refusal(self, "member", tags.refuse_out_of_scope, found["member"], found["tag"])
        return found


class CampaignForm(forms.ModelForm):
    class Meta:
        model = Campaign
        fields = ("name", "owner", "tag", "rule", "template", "points", "payer")
        widgets = {"rule": RuleWidget}


class LaunchForm(BaseDialogForm):
    """Says once more what will be given to how many, before it is."""

    form_before_template = "marketing/launch.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        campaign = Campaign.objects.visible_to(request.user).filter(pk=object_id).first()
        size = campaigns.audience(campaign, at=timezone.now()).count() if campaign else 0
        return {"campaign": campaign, "size": size}


def add_refusal(form: forms.ModelForm, field: str, check, *args) -> None:
    """Ask a service's check, and tell what it refuses as an error of the field."""
    try:
        check(*args)
    except Refused as refusal:
        form.add_error(field, ValidationError(str(refusal.message), code=refusal.code))
