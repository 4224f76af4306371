"""What operators fill in about a person; checked by the same rules as API and spreadsheets."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from members.errors import Refused
from members.models import Identity, Member, OrgUnit
from members.rules import canonical_identity, check_birthday
from members.services.organisation import group


class PersonForm(forms.ModelForm):
    name = forms.CharField(label=_("姓名"), max_length=60, required=False, widget=UnfoldAdminTextInputWidget)
    birthday = forms.DateField(label=_("生日"), required=False, widget=UnfoldAdminSingleDateWidget)

    class Meta:
        model = Member
        fields = ("name", "gender", "birthday")

    def clean_birthday(self):
        birthday = self.cleaned_data["birthday"]
        try:
            check_birthday(birthday, today=timezone.localdate(timezone=group().zone))
        except Refused as refusal:
            raise ValidationError(str(refusal.message)) from refusal
        return birthday


class ChangeMemberForm(PersonForm):
    def changes(self) -> dict[str, Any]:
        return {field: self.cleaned_data[field] for field in self.changed_data}


class EnrolForm(PersonForm):
    """A member is enrolled in a store, and so becomes a member of its business."""

    phone = forms.CharField(
        label=_("手机号"),
        max_length=20,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("已是集团会员的手机号不会重复建档，只会加入该门店所属业态。"),
    )
    store = forms.ModelChoiceField(OrgUnit.objects.none(), label=_("入会门店"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        stores = OrgUnit.objects.visible_to(self.actor).stores().filter(is_active=True)
        self.fields["store"].queryset = stores.select_related("business")

    def clean_phone(self) -> str:
        try:
            return canonical_identity(Identity.Kind.PHONE, self.cleaned_data["phone"])
        except Refused as refusal:
            raise ValidationError(str(refusal.message)) from refusal

    def person(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {
            "identities": {"phone": said["phone"]},
            "name": said["name"],
            "gender": said["gender"],
            "birthday": said["birthday"],
            "business": said["store"].business,
            "store": said["store"],
            "source": "admin",
        }
