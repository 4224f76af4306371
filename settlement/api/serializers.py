"""What goes out at the addresses of settlement. Whole numbers are fen; exact fen are decimals, sent as text."""

from rest_framework import serializers

from members.interfaces.api import Code
from settlement.models import Book, EventType, Period, Posting, Statement, StatementLine


class PeriodAnswer(serializers.ModelSerializer):
    class Meta:
        model = Period
        fields = ("id", "name", "starts_at", "ends_at", "state", "cut_at", "locked_at")


class StatementQuery(serializers.Serializer):
    period = Code(required=False, help_text="Name of the period, for example 2026-11.")


class BookAnswer(serializers.ModelSerializer):
    business = serializers.CharField(source="org_unit.code")

    class Meta:
        model = Book
        fields = ("business", "role")


class StatementAnswer(serializers.ModelSerializer):
    """opening + Σ lines = closing; + is to receive, − to pay."""

    period = serializers.CharField(source="period.name")
    state = serializers.ChoiceField(Period.State.choices, source="period.state")
    book = BookAnswer()
    net = serializers.IntegerField(help_text="What the period adds: closing − opening.")

    class Meta:
        model = Statement
        fields: tuple[str, ...] = (
            "id", "period", "state", "book", "opening", "closing", "net",
            "points_opening", "points_closing", "points_value", "liability",
        )  # fmt: skip


class BalanceAnswer(serializers.Serializer):
    counterparty = BookAnswer()
    opening = serializers.IntegerField()
    closing = serializers.IntegerField()


class MovementAnswer(serializers.Serializer):
    event = serializers.ChoiceField(EventType.choices)
    is_taken = serializers.BooleanField(help_text="By other businesses' clawbacks.")
    quantity = serializers.IntegerField()
    value = serializers.DecimalField(20, 6)


class StatementDetail(StatementAnswer):
    balances = BalanceAnswer(many=True)
    points = MovementAnswer(many=True)

    class Meta(StatementAnswer.Meta):
        fields: tuple[str, ...] = (*StatementAnswer.Meta.fields, "balances", "points")


class LineAnswer(serializers.ModelSerializer):
    counterparty = BookAnswer()

    class Meta:
        model = StatementLine
        fields = ("id", "counterparty", "event", "is_prior_period", "amount")


class PostingAnswer(serializers.ModelSerializer):
    """One posting behind a line: the event, the order, the lot and its price, and the agreements that applied."""

    journal = serializers.IntegerField(source="journal_id")
    event = serializers.ChoiceField(EventType.choices, source="journal.event")
    at = serializers.DateTimeField(source="journal.at")
    posted_at = serializers.DateTimeField(source="journal.posted_at")
    store = serializers.CharField(source="journal.store.code", allow_null=True, default=None)
    transaction = serializers.IntegerField(source="journal.entry.transaction_id", allow_null=True, default=None)
    charge = serializers.IntegerField(source="journal.charge_id", allow_null=True)
    lot = serializers.IntegerField(source="journal.entry.lot_id", allow_null=True, default=None)
    quantity = serializers.IntegerField(source="journal.entry.quantity", allow_null=True, default=None)
    unit_price = serializers.DecimalField(
        12, 6, source="journal.entry.lot.unit_price", allow_null=True, default=None, help_text="Fen a point."
    )
    issue_agreement = serializers.IntegerField(source="journal.issue_agreement_id", allow_null=True)
    redemption_agreement = serializers.IntegerField(source="journal.redemption_agreement_id", allow_null=True)
    undoes = serializers.IntegerField(source="journal.undoes_id", allow_null=True)

    class Meta:
        model = Posting
        fields = (
            "id", "journal", "event", "at", "posted_at", "store", "transaction", "charge", "lot", "quantity",
            "unit_price", "issue_agreement", "redemption_agreement", "undoes", "amount",
        )  # fmt: skip
