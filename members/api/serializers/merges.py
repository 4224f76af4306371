from rest_framework import serializers

from members.interfaces.api import MemberField


class MergeInput(serializers.Serializer):
    into = MemberField(help_text="Member number or phone of the one who stays.")
    reason = serializers.CharField(max_length=200, help_text="Why the two are one person.")


class MergeAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    loser = serializers.CharField(help_text="The number that leads to the other from now on.")
    member_no = serializers.CharField(help_text="The one who stays.")
    reason = serializers.CharField()
    merged_at = serializers.DateTimeField()
    undo_until = serializers.DateTimeField(help_text="Until then one person can undo it.")
    undone_at = serializers.DateTimeField(allow_null=True)
