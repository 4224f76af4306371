"""What goes in and out at members' addresses. Personal data goes out masked unless the channel may see it."""

from datetime import date

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from members.api.serializers.consents import AgreementInput
from members.api.serializers.identities import IdentityAnswer, IdentityInput
from members.interfaces.api import Code, PlaceInput
from members.models import Identity, Member
from members.rules import mask_name

PERSONAL_DATA = "personal_data"  # the scope; it must be given by name: an empty list of scopes does not hold it


class EnrolInput(PlaceInput):
    """Identities of a person, or the code on the phone of a member who stands at the till."""

    identities = IdentityInput(many=True, required=False, allow_empty=False, max_length=len(Identity.Kind))
    code = Code(required=False, help_text="Member code, as scanned: the member joins the business.")
    name = serializers.CharField(required=False, allow_blank=True, max_length=50)
    gender = serializers.ChoiceField(Member.Gender.choices, required=False, allow_blank=True)
    birthday = serializers.DateField(required=False, allow_null=True)
    business = Code(required=False, help_text="Code of the business that he joins, where it is not the channel's own.")
    source = serializers.CharField(required=False, allow_blank=True, max_length=40)
    device = serializers.CharField(
        required=False, max_length=200, help_text="Names the device on which he joined; kept as a digest only."
    )
    consents = AgreementInput(many=True, required=False, max_length=20, help_text="What he agrees to by joining.")

    def validate_identities(self, identities: list[dict]) -> dict[str, str]:
        by_kind = {identity["kind"]: identity["value"] for identity in identities}
        if len(by_kind) < len(identities):
            raise serializers.ValidationError(_("同一类型的身份标识只能填写一个。"), code="repeated")
        return by_kind

    def validate(self, data: dict) -> dict:
        if ("identities" in data) == ("code" in data):
            one_of = _("请填写 identities 或 code 其中之一。")
            raise serializers.ValidationError({"identities": [one_of]}, code="one_of")
        return data


class EnrolAnswer(serializers.Serializer):
    member_no = serializers.CharField()
    is_new = serializers.BooleanField(help_text="False: this person was a member already, and stays himself.")
    is_new_membership = serializers.BooleanField(help_text="Whether the business did not know him before.")


class UpdateInput(serializers.Serializer):
    name = serializers.CharField(required=False, allow_blank=True, max_length=50)
    gender = serializers.ChoiceField(Member.Gender.choices, required=False, allow_blank=True)
    birthday = serializers.DateField(required=False, allow_null=True)


class UpdateAnswer(serializers.Serializer):
    member_no = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField(), help_text="Fields that are now different.")


class MemberQuery(serializers.Serializer):
    """One way to name a person."""

    phone = serializers.CharField(required=False, max_length=40)
    email = serializers.CharField(required=False, max_length=254)
    identity = serializers.RegexField(
        r"^[a-z_]+:.+$", required=False, max_length=140, help_text="kind:value, for example wechat_openid:o6_bm…"
    )
    code = serializers.CharField(required=False, max_length=40, help_text="The code on the member's phone, as scanned.")

    def validate_identity(self, identity: str) -> str:
        if identity.partition(":")[0] not in Identity.Kind:
            raise serializers.ValidationError(_("未知的身份标识类型。"), code="unknown_kind")
        return identity

    def validate(self, ways: dict[str, str]) -> dict[str, str]:
        if len(ways) != 1:
            raise serializers.ValidationError(_("请用 phone、email、identity、code 中的一个来查找。"), code="one_of")
        return ways


class MembershipAnswer(serializers.Serializer):
    business = serializers.CharField(source="business.code")
    joined_at = serializers.DateTimeField()


class MemberAnswer(serializers.Serializer):
    """`name`, `birthday` and identities are masked (a birthday is null) without the scope `personal_data`.

    And for a business with which the member does not share them: who withdraws that consent is a number to it.
    """

    member_no = serializers.CharField()
    name = serializers.SerializerMethodField()
    gender = serializers.ChoiceField(Member.Gender.choices, allow_blank=True)
    birthday = serializers.SerializerMethodField()
    status = serializers.ChoiceField(Member.Status.choices)
    registered_at = serializers.DateTimeField()
    identities = IdentityAnswer(many=True, source="visible_identities")
    memberships = MembershipAnswer(many=True, source="visible_memberships")

    def get_name(self, member: Member) -> str:
        return member.name if member.pk in self.context["readable"] else mask_name(member.name)

    def get_birthday(self, member: Member) -> date | None:
        return member.birthday if member.pk in self.context["readable"] else None


class FoundMembers(serializers.Serializer):
    """One at most: an identity belongs to one person."""

    results = MemberAnswer(many=True)
