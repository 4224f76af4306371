"""What goes in and out at the addresses of checkout, coupons and tiers. Money in fen."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from benefits.models import Coupon
from benefits.services.checkout import LARGEST_BATCH
from benefits.services.pricing import MONEY
from loyalty.models import Asset, Purchase, PurchaseLine, Refund, Tender
from members.interfaces.api import Code, Fen, MemberField, PlaceInput, Quantity, SpenderInput

MOST_LINES = 500
MONEY_TENDERS = tuple((kind, label) for kind, label in Tender.Kind.choices if kind in MONEY)

# --- In -----------------------------------------------------------------------------------------------------------


class LineInput(serializers.Serializer):
    amount = Fen(help_text="Of the whole line, before any discount.")
    sku = serializers.CharField(required=False, allow_blank=True, max_length=64)
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    category = serializers.CharField(required=False, allow_blank=True, max_length=80)
    brand = serializers.CharField(required=False, allow_blank=True, max_length=80)
    quantity = serializers.DecimalField(14, 3, required=False, min_value=Decimal("0.001"))


class TenderInput(serializers.Serializer):
    kind = serializers.ChoiceField(MONEY_TENDERS)
    amount = Fen(min_value=1)


class BasketInput(SpenderInput):
    lines = LineInput(many=True, allow_empty=False, max_length=MOST_LINES)
    coupons = serializers.ListField(child=Code(), required=False, max_length=10)
    points = Quantity(min_value=0, required=False, help_text="How many points are to pay.")


class PurchaseInput(BasketInput):
    external_number = Code(help_text="Your receipt number; unique in the store.")
    tenders = TenderInput(
        many=True, required=False, max_length=20, help_text="How the rest was paid; must add up to `to_pay`."
    )
    quote = serializers.RegexField(
        r"^[0-9a-f]{64}$", required=False, help_text="`quote` of the quote that the customer has agreed to."
    )


class BatchItem(PurchaseInput):
    reference = serializers.CharField(max_length=120, help_text="In place of the Idempotency-Key.")


class BatchInput(serializers.Serializer):
    purchases = BatchItem(many=True, allow_empty=False, max_length=LARGEST_BATCH)


class BatchEnvelope(serializers.Serializer):
    """Only what a batch must have so that each item can be answered for itself."""

    purchases = serializers.ListField(child=serializers.DictField(), allow_empty=False, max_length=LARGEST_BATCH)

    def validate_purchases(self, purchases: list[dict]) -> list[dict]:
        reference = BatchItem().fields["reference"]
        return [item | {"reference": reference.run_validation(item.get("reference"))} for item in purchases]


class RefundLineInput(serializers.Serializer):
    number = serializers.IntegerField(min_value=1, max_value=32767)
    amount = Fen(min_value=1)


class RefundInput(PlaceInput):
    """By lines, or by an amount over all lines, or `whole`: all that is left."""

    lines = RefundLineInput(many=True, required=False, allow_empty=False, max_length=MOST_LINES)
    amount = Fen(required=False, min_value=1)
    whole = serializers.BooleanField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)
    external_number = Code(required=False, allow_blank=True)

    def validate(self, data: dict) -> dict:
        if sum((bool(data.get("lines")), "amount" in data, data.get("whole", False))) != 1:
            raise serializers.ValidationError(_("请填写 lines、amount、whole 中的一个。"), code="one_of")
        return data


class IssueInput(PlaceInput):
    template = Code(help_text="Code of the coupon template.")
    member = MemberField()


class RedemptionInput(PlaceInput):
    amount = Fen(min_value=1, help_text="What the coupon covers on your receipt.")
    order_number = Code(required=False, allow_blank=True)


class ReturnInput(serializers.Serializer):
    reason = serializers.CharField(max_length=200)


# --- Out ----------------------------------------------------------------------------------------------------------


class PricedLine(serializers.Serializer):
    number = serializers.IntegerField()
    amount = serializers.IntegerField()
    tier_discount = serializers.IntegerField()
    coupon_discount = serializers.IntegerField()
    points_used = serializers.IntegerField()
    points_amount = serializers.IntegerField()
    to_pay = serializers.IntegerField()


class CouponDiscount(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    discount = serializers.IntegerField()


class PriceAnswer(serializers.Serializer):
    member_no = serializers.CharField()
    card = serializers.CharField(allow_null=True, help_text="Number of the card that was shown, if one was.")
    store = serializers.CharField()
    tier = serializers.CharField(allow_null=True)
    points_multiplier = serializers.DecimalField(15, 9)
    list_amount = serializers.IntegerField()
    tier_discount = serializers.IntegerField()
    coupon_discount = serializers.IntegerField()
    net_amount = serializers.IntegerField()
    points_used = serializers.IntegerField()
    points_amount = serializers.IntegerField()
    to_pay = serializers.IntegerField(help_text="What is left for money.")
    coupons = CouponDiscount(many=True)
    lines = PricedLine(many=True)


class AwardOffer(serializers.Serializer):
    rule = serializers.IntegerField()
    name = serializers.CharField()
    asset = serializers.ChoiceField(Asset.choices)
    given = serializers.IntegerField()


class AwardAnswer(AwardOffer):
    """given = ⌊⌊eligible_amount × rate⌋ × multiplier⌋, capped where `cap` says by what."""

    eligible_amount = serializers.IntegerField()
    base = serializers.IntegerField()
    multiplier = serializers.DecimalField(15, 9)
    cap = serializers.CharField(allow_blank=True)


class QuoteAnswer(PriceAnswer):
    awards = AwardOffer(many=True)
    quote = serializers.CharField(help_text="Send it with the purchase: refused (`quote_changed`) if this changes.")
    points_balance = serializers.IntegerField()
    most_points = serializers.IntegerField(help_text="The most that points may pay here, by the card's limits too.")
    most_points_amount = serializers.IntegerField()
    usable_coupons = CouponDiscount(many=True)


class PurchaseAnswer(PriceAnswer):
    id = serializers.IntegerField()
    business = serializers.CharField()
    external_number = serializers.CharField()
    at = serializers.DateTimeField()
    awards = AwardAnswer(many=True)
    points_earned = serializers.IntegerField()
    points_balance = serializers.IntegerField()
    points_pending = serializers.IntegerField()
    tier_before = serializers.CharField(allow_null=True)


class BatchError(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    details = serializers.DictField()


class BatchResult(serializers.Serializer):
    """Either `answer`, as if it had been sent alone, or `error`."""

    reference = serializers.CharField()
    answer = PurchaseAnswer(required=False)
    error = BatchError(required=False)


class BatchAnswer(serializers.Serializer):
    results = BatchResult(many=True)


class RefundAnswer(serializers.Serializer):
    id = serializers.IntegerField(allow_null=True, help_text="Null where a coupon had paid for everything.")
    purchase = serializers.IntegerField()
    amount = serializers.IntegerField()
    points_restored = serializers.IntegerField()
    points_amount = serializers.IntegerField()
    to_pay_back = serializers.IntegerField(help_text="In money.")
    refunded_amount = serializers.IntegerField(help_text="Of the purchase, with all refunds so far.")
    kept_amount = serializers.IntegerField()
    points_clawed_back = serializers.IntegerField()
    points_not_recovered = serializers.IntegerField()
    points_balance = serializers.IntegerField()
    coupon_discount_undone = serializers.IntegerField()
    coupons_returned = serializers.ListField(child=serializers.CharField())


class CouponAnswer(serializers.Serializer):
    code = serializers.CharField()
    template = serializers.CharField()
    name = serializers.CharField()
    member_no = serializers.CharField()
    state = serializers.ChoiceField(Coupon.State.choices)
    amount = serializers.IntegerField()
    threshold = serializers.IntegerField()
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField()


class RedemptionAnswer(CouponAnswer):
    discount = serializers.IntegerField()


class TierAnswer(serializers.Serializer):
    """Where a member stands; all null where no tier programme has begun."""

    programme = serializers.CharField(allow_null=True)
    tier = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)
    spend = serializers.IntegerField(help_text="In the programme's window.")
    next_tier = serializers.CharField(allow_null=True)
    missing = serializers.IntegerField(help_text="To the next tier.")


class BoughtLine(serializers.ModelSerializer):
    class Meta:
        model = PurchaseLine
        fields = (
            "number", "sku", "name", "category", "brand", "quantity", "amount", "tier_discount", "coupon_discount",
            "points_used", "points_amount", "refunded_amount",
        )  # fmt: skip


class TenderAnswer(serializers.ModelSerializer):
    class Meta:
        model = Tender
        fields = ("kind", "amount")


class RefundRow(serializers.ModelSerializer):
    class Meta:
        model = Refund
        fields = ("id", "external_number", "at", "amount", "points_restored", "points_amount", "reason")


class PurchaseDetail(serializers.ModelSerializer):
    member_no = serializers.CharField(source="member.member_no")
    business = serializers.CharField(source="business.code")
    store = serializers.CharField(source="store.code")
    card = serializers.CharField(source="card.number", allow_null=True)
    lines = BoughtLine(many=True)
    tenders = TenderAnswer(many=True)
    refunds = RefundRow(many=True)

    class Meta:
        model = Purchase
        fields = (
            "id", "external_number", "member_no", "card", "business", "store", "at", "list_amount", "net_amount",
            "points_used", "points_amount", "refunded_amount", "lines", "tenders", "refunds",
        )  # fmt: skip
