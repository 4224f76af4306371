"""What goes in and out at tickets' addresses. Internal notes have no shape here: they neither come in nor go out."""

from rest_framework import serializers

from members.interfaces.api import Code, MemberField
from members.models import Ticket, TicketNote

PRIORITIES = {priority.name.lower(): priority for priority in Ticket.Priority}
TEXT = 4000  # characters
SCORE = {"min_value": 1, "max_value": 5}


class TicketInput(serializers.Serializer):
    member = MemberField()
    type = Code(help_text="Code of the type: `GET ticket-types`.")
    title = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=TEXT)
    priority = serializers.ChoiceField(list(PRIORITIES), required=False, help_text="normal when left out.")
    business = Code(required=False, help_text="Code of the business, where it is not the channel's own.")
    store = Code(required=False, help_text="Code of the store that it is about.")


class TicketQuery(serializers.Serializer):
    member = MemberField(required=False)
    state = serializers.ChoiceField(Ticket.State.choices, required=False)


class NoteInput(serializers.Serializer):
    text = serializers.CharField(max_length=TEXT)
    is_by_member = serializers.BooleanField(
        help_text="true: the member says it, which opens a resolved ticket again; false: it is said to him."
    )


class RatingInput(serializers.Serializer):
    score = serializers.IntegerField(**SCORE)
    note = serializers.CharField(required=False, allow_blank=True, max_length=400)


class TicketClosureInput(serializers.Serializer):
    note = serializers.CharField(required=False, allow_blank=True, max_length=TEXT, help_text="What he says about it.")


class TicketStanding(serializers.Serializer):
    number = serializers.CharField()
    state = serializers.ChoiceField(Ticket.State.choices)
    due_at = serializers.DateTimeField()


class TicketTypeAnswer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    hours = serializers.IntegerField(help_text="At normal priority; urgent a quarter, high half, low twice of it.")


class TicketTypes(serializers.Serializer):
    results = TicketTypeAnswer(many=True)


class TicketNoteAnswer(serializers.ModelSerializer):
    by = serializers.SerializerMethodField(help_text="member, or staff (the clock as well)")
    state = serializers.SerializerMethodField(help_text="The state that it led to; null where that stayed.")

    class Meta:
        model = TicketNote
        fields = ("at", "by", "text", "state")

    def get_by(self, note: TicketNote) -> str:
        return "member" if note.is_by_member else "staff"

    def get_state(self, note: TicketNote) -> str | None:
        return note.to_state or None


class TicketRow(serializers.ModelSerializer):
    member_no = serializers.CharField(source="member.member_no")
    type = serializers.CharField(source="type.code")
    priority = serializers.SerializerMethodField()
    business = serializers.CharField(source="business.code", allow_null=True, default=None)
    store = serializers.CharField(source="store.code", allow_null=True, default=None)

    class Meta:
        model = Ticket
        fields: tuple[str, ...] = (
            "number",
            "member_no",
            "business",
            "store",
            "type",
            "priority",
            "state",
            "title",
            "created_at",
            "due_at",
            "resolved_at",
            "closed_at",
            "satisfaction",
            "satisfaction_note",
        )

    def get_priority(self, ticket: Ticket) -> str:
        return Ticket.Priority(ticket.priority).name.lower()


class TicketAnswer(TicketRow):
    description = serializers.CharField()
    notes = TicketNoteAnswer(many=True, source="public_notes")

    class Meta(TicketRow.Meta):
        fields = (*TicketRow.Meta.fields, "description", "notes")
