from rest_framework import serializers

from members.interfaces.api import Code, PastMoment
from members.models import Medium, Purpose


class EvidenceInput(serializers.Serializer):
    """What was shown and done, for whoever asks in a year; the address is kept as a digest only."""

    page = serializers.CharField(required=False, max_length=200, help_text="Page, form or script that was shown.")
    address = serializers.CharField(required=False, max_length=64, help_text="IP address from which the word came.")


class AgreementInput(serializers.Serializer):
    purpose = serializers.ChoiceField(Purpose.choices)
    medium = serializers.ChoiceField(Medium.choices, required=False, help_text="`any`, when left out.")
    receiver = Code(required=False, help_text="Code of the business, or of the group for all; the channel's own else.")
    version = serializers.CharField(required=False, max_length=20, help_text="Of the text; the one in force else.")
    evidence = EvidenceInput(required=False)


class ConsentInput(AgreementInput):
    at = PastMoment(required=False, help_text="When he agreed, where this is sent later.")


class WithdrawalInput(serializers.Serializer):
    purpose = serializers.ChoiceField(Purpose.choices)
    medium = serializers.ChoiceField(Medium.choices, required=False, help_text="`any`, when left out: all of them.")
    receiver = Code(required=False, help_text="As above; from the group it is taken from all of its businesses.")


class ConsentAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    receiver = serializers.CharField(source="receiver.code")
    purpose = serializers.ChoiceField(Purpose.choices)
    medium = serializers.ChoiceField(Medium.choices)
    version = serializers.CharField()
    given_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class ConsentsAnswer(serializers.Serializer):
    results = ConsentAnswer(many=True)


class GivenAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    member_no = serializers.CharField()
    receiver = serializers.CharField()
    purpose = serializers.ChoiceField(Purpose.choices)
    medium = serializers.ChoiceField(Medium.choices)
    version = serializers.CharField()
    given_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class WithdrawalAnswer(serializers.Serializer):
    member_no = serializers.CharField()
    receiver = serializers.CharField()
    purpose = serializers.ChoiceField(Purpose.choices)
    medium = serializers.ChoiceField(Medium.choices)
    ended = serializers.IntegerField(help_text="How many consents ended with it; 0 is a good answer too.")
    withdrawn_at = serializers.DateTimeField()
