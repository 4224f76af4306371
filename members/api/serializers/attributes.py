"""What goes in and out about attributes that operators have defined."""

from rest_framework import serializers

from members.models import Attribute


class AttributeAnswer(serializers.Serializer):
    """One question about a member, and what is known; sensitive values are null without the scope personal_data."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(Attribute.Kind.choices)
    options = serializers.ListField(child=serializers.CharField())
    is_required = serializers.BooleanField()
    value = serializers.JSONField(
        allow_null=True, help_text="Text, true or false, a list of options; numbers and days as text."
    )


class AttributesInput(serializers.Serializer):
    values = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        allow_empty=False,
        help_text="Code → value; null forgets it. What is left out stays.",
    )


class AttributesAnswer(serializers.Serializer):
    member_no = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField(), help_text="Codes of what is different now.")
