"""What goes in and out at cards' addresses. The holder's name is masked, and told only where he is known."""

from rest_framework import serializers

from members.interfaces.api import Code, Fen, MemberField, PlaceInput
from members.models import Card, CardType
from members.rules import mask_name


class CardAnswer(serializers.Serializer):
    """A card as the channel may see it."""

    number = serializers.CharField()
    card_type = serializers.CharField(source="card_type.code")
    name = serializers.CharField(source="card_type.name", help_text="Of its type, for people.")
    kind = serializers.ChoiceField(CardType.Kind.choices, source="card_type.kind")
    state = serializers.ChoiceField(Card.State.choices, help_text="Only `active` spends.")
    member_no = serializers.CharField(source="member.member_no", allow_null=True, default=None)
    holder = serializers.SerializerMethodField(help_text="His name; masked without the scope `personal_data`.")
    principal_no = serializers.CharField(
        source="principal.member_no", allow_null=True, default=None, help_text="Whose assets it spends, if not his own."
    )
    org_unit = serializers.CharField(source="org_unit.code", help_text="Where it was given out.")
    deposit = Fen(help_text="Taken, in fen; to be paid back at closing.")
    issued_at = serializers.DateTimeField()
    activated_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="From then on it spends nothing; null: never.")
    replaces = serializers.CharField(source="replaces.number", allow_null=True, default=None)

    def get_holder(self, card: Card) -> str | None:
        if card.member_id not in self.context["known"]:
            return None
        return card.member.name if card.member_id in self.context["readable"] else mask_name(card.member.name)


class CardsAnswer(serializers.Serializer):
    """Cards that he holds, and those of others that spend his assets; newest first."""

    results = CardAnswer(many=True)


class CardToGive(PlaceInput):
    number = Code(required=False, max_length=40, help_text="Of a card that was made: it is bound. As scanned.")
    card_type = Code(required=False, help_text="Code of the type of a new card, where none was scanned.")
    principal = MemberField(required=False, help_text="Whose assets it spends: member number or phone.")


class Activation(PlaceInput):
    member = MemberField(required=False, help_text="Who gets it, where it is nobody's yet: member number or phone.")
    principal = MemberField(required=False, help_text="Whose assets it spends: member number or phone.")


class Reason(PlaceInput):
    reason = serializers.CharField(max_length=200, help_text="Why, for its history.")


class Replacement(Reason):
    number = Code(
        required=False, max_length=40, help_text="Of a card of the same type that lies ready; else a new one."
    )


class Renewal(PlaceInput):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class CardStep(serializers.Serializer):
    """The card after the step."""

    number = serializers.CharField()
    card_type = serializers.CharField()
    state = serializers.ChoiceField(Card.State.choices)
    member_no = serializers.CharField(allow_null=True)
    principal_no = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    deposit = Fen(help_text="Taken, in fen.")


class ReplacedCard(CardStep):
    """The new card."""

    replaces = serializers.CharField(help_text="The number that is good no more.")


class ClosedCard(CardStep):
    deposit_due = Fen(help_text="To be paid back now, in fen.")
