from rest_framework import serializers


class ClosureInput(serializers.Serializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class ClosureAnswer(serializers.Serializer):
    member_no = serializers.CharField()
    closed_at = serializers.DateTimeField()
    deposits_due = serializers.DictField(
        child=serializers.IntegerField(), help_text="Card number → deposit to pay back, in fen."
    )
