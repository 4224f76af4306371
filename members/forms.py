"""What members type on their own pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.errors import InvalidEmail, InvalidPhone, Refused
from members.interfaces.refusals import tell
from members.models import Channel, Identity, Member, Purpose
from members.rules import canonical_email, canonical_phone
from members.services.consents import Agreement, evidence_of
from members.services.organisation import group, own_origin
from members.services.people import enrol
from members.services.requests import hash_input
from members.services.sign_in import CODE_DIGITS

GENDERS = [("", _("不填写")), *(choice for choice in Member.Gender.choices if choice[0])]


class PhoneForm(forms.Form):
    phone = forms.CharField(
        label=_("手机号"),
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "type": "tel",
                "inputmode": "tel",
                "autocomplete": "tel",
                "placeholder": _("请输入手机号"),
                "autofocus": True,
            }
        ),
    )

    def clean_phone(self) -> str:
        try:
            return canonical_phone(self.cleaned_data["phone"])
        except InvalidPhone as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from refusal


class EmailForm(forms.Form):
    email = forms.CharField(
        label=_("邮箱"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": _("请输入邮箱地址"), "autofocus": True}),
    )

    def clean_email(self) -> str:
        try:
            return canonical_email(self.cleaned_data["email"])
        except InvalidEmail as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from refusal


class CodeForm(forms.Form):
    code = forms.RegexField(
        rf"^\d{{{CODE_DIGITS}}}$",
        label=_("短信验证码"),
        error_messages={"invalid": _("请输入短信中的 6 位数字。")},
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "maxlength": CODE_DIGITS,
                "autofocus": True,
            }
        ),
    )


class PersonForm(forms.Form):
    name = forms.CharField(
        label=_("姓名"),
        max_length=50,
        widget=forms.TextInput(attrs={"autocomplete": "name", "placeholder": _("请输入姓名")}),
    )
    gender = forms.ChoiceField(label=_("性别（选填）"), choices=GENDERS, required=False)
    birthday = forms.DateField(
        label=_("生日（选填）"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "bday"}),
    )


class ProfileForm(PersonForm):
    """The same of one who is a member already."""

    def __init__(self, *args, member: Member, **kwargs) -> None:
        known = {"name": member.name, "gender": member.gender, "birthday": member.birthday}
        super().__init__(*args, initial=known, **kwargs)

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data}


class EnrolForm(PersonForm):
    agrees = forms.BooleanField(
        label=_("同意会员章程"), error_messages={"required": _("请阅读并同意会员章程与隐私政策，才能加入。")}
    )

    def enrol(self, phone: str, *, reference: str, address: str = "", device: str = "") -> Member | None:
        """Join the group and agree to its terms; None, with the reason in the form, where that was refused."""
        person = {name: self.cleaned_data[name] for name in ("name", "gender", "birthday")}
        origin = own_origin(Channel.Kind.MEMBER, reference=reference, input_hash=hash_input([phone, person]))
        try:
            answer = enrol(
                identities={Identity.Kind.PHONE: phone},
                business=None,
                source="member-page",
                device=device,
                agreements=[Agreement(group(), Purpose.TERMS, evidence=evidence_of(page="join", address=address))],
                origin=origin,
                **person,
            )
        except Refused as refusal:
            tell(self, refusal)
            return None
        return Member.objects.get(member_no=answer["member_no"])
