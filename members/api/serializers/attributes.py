"""What goes in and out about attributes that operators have defined."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from members.models import Attribute


@extend_schema_field({})  # "anything" says null already: nullable beside it would say it twice, which is never true
class AnyValue(serializers.JSONField):
    """A value of any attribute's type."""


class AttributeAnswer(serializers.Serializer):
    """One question about a member, and what is known; sensitive values are null without the scope personal_data."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(Attribute.Kind.choices)
    options = serializers.ListField(child=serializers.CharField())
    is_required = serializers.BooleanField()
    value = AnyValue(help_text="Text, true or false, a list of options; numbers and days as text; null if not known.")


class AttributesInput(serializers.Serializer):
    values = serializers.DictField(
        child=AnyValue(allow_null=True),
        allow_empty=False,
        help_text="Code → value; null forgets it. What is left out stays.",
    )


class AttributesAnswer(serializers.Serializer):
    member_no = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField(), help_text="Codes of what is different now.")
