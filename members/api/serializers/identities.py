"""Identities in and out; masked like everything personal."""

from rest_framework import serializers

from members.models import Identity
from members.rules import mask_email, mask_phone

MASKS = {Identity.Kind.PHONE: mask_phone, Identity.Kind.EMAIL: mask_email}


class IdentityInput(serializers.Serializer):
    kind = serializers.ChoiceField(Identity.Kind.choices)
    value = serializers.CharField(max_length=120, help_text="As written: 138 0013 8000, +852…, name@example.com.")


class IdentityToAdd(IdentityInput):
    is_verified = serializers.BooleanField(
        required=False, default=False, help_text="True: your app has seen him prove it (a code, a WeChat login)."
    )


class IdentityAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Identity.Kind.choices)
    value = serializers.SerializerMethodField()
    verified_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_value(self, identity: Identity) -> str:
        if identity.member_id in self.context["readable"]:
            return identity.value
        mask = MASKS.get(Identity.Kind(identity.kind))
        return mask(identity.value) if mask else f"****{identity.last_four}"


class IdentitiesAnswer(serializers.Serializer):
    results = IdentityAnswer(many=True)


class IdentityAdded(serializers.Serializer):
    member_no = serializers.CharField()
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Identity.Kind.choices)
    verified_at = serializers.DateTimeField(allow_null=True)
    is_new = serializers.BooleanField(help_text="False: he was known by it already.")


class IdentityRemoved(serializers.Serializer):
    member_no = serializers.CharField()
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Identity.Kind.choices)
