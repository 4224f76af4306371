from rest_framework import serializers

from members.models import Event


class EventQuery(serializers.Serializer):
    type = serializers.CharField(required=False, max_length=60, help_text="Only this type, for example points.burned.")


class EventAnswer(serializers.ModelSerializer):
    member_no = serializers.CharField(source="member.member_no", allow_null=True)
    business = serializers.CharField(source="business.code", allow_null=True)
    store = serializers.CharField(source="store.code", allow_null=True)
    channel = serializers.CharField(source="channel.code")
    data = serializers.DictField()

    class Meta:
        model = Event
        fields = ("id", "type", "at", "posted_at", "member_no", "business", "store", "channel", "reference", "data")
