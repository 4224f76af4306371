"""What goes in and out at the addresses of points, holds and purchases. Ids are whole numbers without meaning."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from loyalty.models import Account, Asset, Bucket, Hold, Lot, Purchase, Transaction
from members.interfaces.api import Code, Fen, MemberField, Moment, PlaceInput, Quantity, SpenderInput

LONGEST_HOLD = timedelta(days=366)
GIVEN_BY_HAND = ((Asset.POINTS.value, Asset.POINTS.label), (Asset.GROWTH.value, Asset.GROWTH.label))

# --- In -----------------------------------------------------------------------------------------------------------


class Reason(serializers.CharField):
    def __init__(self, **kwargs) -> None:
        super().__init__(**{"max_length": 200, **kwargs})


class FutureMoment(Moment):
    default_error_messages = {
        "past": _("时间必须晚于现在。"),
        "too_late": _("时间过晚：最多 %(days)d 天。") % {"days": LONGEST_HOLD.days},
    }

    def to_internal_value(self, value) -> datetime:
        moment = super().to_internal_value(value)
        if moment <= timezone.now():
            self.fail("past")
        if moment > timezone.now() + LONGEST_HOLD:
            self.fail("too_late")
        return moment


class EarnInput(PlaceInput):
    member = MemberField()
    quantity = Quantity()
    asset = serializers.ChoiceField(GIVEN_BY_HAND, required=False)
    available_at = FutureMoment(required=False, help_text="Pending until then.")
    issuer = Code(required=False, help_text="Code of the business that gives, where it is not that of the place.")
    reason = Reason(required=False, allow_blank=True)


class BurnInput(SpenderInput):
    quantity = Quantity()
    amount = Fen(required=False, help_text="What the points pay, in fen.")


class ExpirationInput(serializers.Serializer):
    lot = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    quantity = Quantity()
    reason = Reason()


class ReversalInput(serializers.Serializer):
    reason = Reason()


class HoldInput(BurnInput):
    until = FutureMoment()


class CaptureInput(serializers.Serializer):
    quantity = Quantity(required=False, help_text="All that is held when left out; the rest is released.")


class ReleaseInput(serializers.Serializer):
    pass


# --- Out ----------------------------------------------------------------------------------------------------------


class EntryAnswer(serializers.Serializer):
    lot = serializers.IntegerField()
    issuer = serializers.CharField()
    quantity = serializers.IntegerField()
    bucket = serializers.ChoiceField(Bucket.choices)
    expires_at = serializers.DateTimeField(allow_null=True)


class TransactionAnswer(serializers.Serializer):
    """A transaction as it was written: the lots it touched, and the account after it."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Transaction.Kind.choices)
    member_no = serializers.CharField()
    card = serializers.CharField(allow_null=True, help_text="Number of the card that spends, if one does.")
    asset = serializers.ChoiceField(Asset.choices)
    quantity = serializers.IntegerField(help_text="Into (+) or out of (−) the account.")
    amount = serializers.IntegerField(help_text="What a burn was worth, in fen.")
    shortfall = serializers.IntegerField(help_text="What a clawback could not get back.")
    balance = serializers.IntegerField()
    pending = serializers.IntegerField()
    held = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    posted_at = serializers.DateTimeField()
    lots = EntryAnswer(many=True)


class HoldAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(Hold.State.choices)
    member_no = serializers.CharField()
    card = serializers.CharField(allow_null=True, help_text="Number of the card that set it aside, if one did.")
    asset = serializers.ChoiceField(Asset.choices)
    quantity = serializers.IntegerField()
    captured = serializers.IntegerField()
    amount = serializers.IntegerField()
    until = serializers.DateTimeField()
    balance = serializers.IntegerField()
    pending = serializers.IntegerField()
    held = serializers.IntegerField()


class CaptureAnswer(HoldAnswer):
    transaction = TransactionAnswer()


class AccountAnswer(serializers.ModelSerializer):
    expiring = serializers.IntegerField(help_text="Units that lapse within thirty days.")

    class Meta:
        model = Account
        fields = ("asset", "balance", "pending", "held", "expiring")


class AssetsAnswer(serializers.Serializer):
    results = AccountAnswer(many=True)


class LotAnswer(serializers.ModelSerializer):
    asset = serializers.ChoiceField(Asset.choices, source="account.asset")
    issuer = serializers.CharField(source="issuer.code")
    unit_price = serializers.DecimalField(max_digits=12, decimal_places=6, help_text="Fen a unit.")

    class Meta:
        model = Lot
        fields = (
            "id", "asset", "issuer", "quantity", "remaining", "held", "unit_price",
            "earned_at", "available_at", "activated_at", "expires_at",
        )  # fmt: skip


class TransactionRow(serializers.ModelSerializer):
    asset = serializers.ChoiceField(Asset.choices, source="account.asset")
    business = serializers.CharField(source="business.code", allow_null=True)
    store = serializers.CharField(source="store.code", allow_null=True)
    purchase = serializers.IntegerField(source="purchase_id", allow_null=True)
    refund = serializers.IntegerField(source="refund_id", allow_null=True)
    undoes = serializers.IntegerField(source="undoes_id", allow_null=True)
    card = serializers.CharField(source="card.number", allow_null=True)

    class Meta:
        model = Transaction
        fields = (
            "id", "kind", "asset", "quantity", "amount", "shortfall", "balance_after", "reason",
            "business", "store", "at", "posted_at", "purchase", "refund", "undoes", "card",
        )  # fmt: skip


class PurchaseRow(serializers.ModelSerializer):
    business = serializers.CharField(source="business.code")
    store = serializers.CharField(source="store.code")
    card = serializers.CharField(source="card.number", allow_null=True)

    class Meta:
        model = Purchase
        fields = (
            "id", "external_number", "card", "business", "store", "at",
            "list_amount", "net_amount", "points_used", "points_amount", "refunded_amount",
        )  # fmt: skip
