"""Points, holds and what a member has, for channels. A channel acts on what happened within its own reach."""

from datetime import timedelta

from django.db.models import F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty.api import serializers as shapes
from loyalty.models import Account, Asset, Hold, Lot, Purchase, Transaction
from loyalty.services import points
from members.errors import StoreMissing
from members.interfaces import Origin
from members.interfaces.api import (
    business_of,
    checked,
    created,
    member_at,
    member_of,
    origin_of,
    query,
    spender_of,
    verb,
)
from members.models import Member

EXPIRING_SOON = timedelta(days=30)


# --- Changing -----------------------------------------------------------------------------------------------------


class EarnsView(APIView):
    scope = "points"

    @verb(shapes.EarnInput, shapes.TransactionAnswer, operation_id="points_earn")
    def post(self, request: Request) -> Response:
        """Give points or growth without a purchase; at once, or pending until a time."""
        data = checked(shapes.EarnInput, request.data)
        origin = placed_origin(request, data)
        issuer = business_of(request.user, data["issuer"]) if "issuer" in data else origin.business
        member = member_of(request.user, data["member"])
        given = {name: data[name] for name in ("asset", "available_at", "reason") if name in data}
        return created(points.earn(member, data["quantity"], issuer=issuer, origin=origin, **given))


class BurnsView(APIView):
    scope = "points"

    @verb(shapes.BurnInput, shapes.TransactionAnswer, operation_id="points_burn")
    def post(self, request: Request) -> Response:
        """Spend points without a purchase of ours: soonest to expire first."""
        data = checked(shapes.BurnInput, request.data)
        origin = placed_origin(request, data)
        member, card = spender_of(request.user, data)
        return created(points.burn(member, data["quantity"], amount=data.get("amount", 0), card=card, origin=origin))


class ExpirationsView(APIView):
    scope = "points"

    @verb(shapes.ExpirationInput, shapes.TransactionAnswer, operation_id="points_expire")
    def post(self, request: Request) -> Response:
        """Let part of a lot that the channel's business has issued lapse before its time."""
        data = checked(shapes.ExpirationInput, request.data)
        lot = get_object_or_404(Lot.objects.visible_to(request.user), pk=data["lot"])
        answer = points.expire(lot, data["quantity"], reason=data["reason"], origin=origin_of(request, {}))
        return created(answer)


class ReversalsView(APIView):
    scope = "points"

    @verb(shapes.ReversalInput, shapes.TransactionAnswer, operation_id="transactions_reverse")
    def post(self, request: Request, pk: int) -> Response:
        """Undo an earn, a burn, a capture or an adjustment that belongs to no purchase."""
        data = checked(shapes.ReversalInput, request.data)
        transaction = get_object_or_404(Transaction.objects.visible_to(request.user), pk=pk)
        return created(points.reverse(transaction, reason=data["reason"], origin=origin_of(request, {})))


class HoldsView(APIView):
    scope = "points"

    @verb(shapes.HoldInput, shapes.HoldAnswer, operation_id="holds_create")
    def post(self, request: Request) -> Response:
        """Set points aside until a time."""
        data = checked(shapes.HoldInput, request.data)
        origin = placed_origin(request, data)
        member, card = spender_of(request.user, data)
        terms = {"until": data["until"], "amount": data.get("amount", 0), "card": card}
        return created(points.hold(member, data["quantity"], origin=origin, **terms))


class HoldView(APIView):
    scope = "points"

    @query(shapes.HoldAnswer, operation_id="holds_read")
    def get(self, request: Request, pk: int) -> Response:
        """Read a hold."""
        hold = _hold(request, pk)
        return Response(points.describe_hold(hold, hold.account))


class CaptureView(APIView):
    scope = "points"

    @verb(shapes.CaptureInput, shapes.CaptureAnswer, operation_id="holds_capture")
    def post(self, request: Request, pk: int) -> Response:
        """Spend what is held, wholly or in part; the rest is released."""
        data = checked(shapes.CaptureInput, request.data)
        return created(points.capture(_hold(request, pk), data.get("quantity"), origin=origin_of(request, {})))


class ReleaseView(APIView):
    scope = "points"

    @verb(shapes.ReleaseInput, shapes.HoldAnswer, operation_id="holds_release")
    def post(self, request: Request, pk: int) -> Response:
        """Give back what is held."""
        checked(shapes.ReleaseInput, request.data)
        return created(points.release(_hold(request, pk), origin=origin_of(request, {})))


# --- Reading ------------------------------------------------------------------------------------------------------


class AssetsView(APIView):
    scope = "points"

    @query(shapes.AssetsAnswer, operation_id="members_assets")
    def get(self, request: Request, member_no: str) -> Response:
        """What a member has of each asset; points and growth always, zero where there are none."""
        accounts = _accounts(member_at(request, member_no))
        return Response({"results": shapes.AccountAnswer(accounts, many=True).data})


class MemberTransactionsView(ListAPIView):
    scope = "points"
    serializer_class = shapes.TransactionRow

    @query(shapes.TransactionRow(many=True), operation_id="members_transactions")
    def get(self, request: Request, member_no: str) -> Response:
        """A member's transactions that happened within the channel's reach, newest first."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Transaction]:
        member = member_at(self.request, self.kwargs["member_no"])
        transactions = Transaction.objects.visible_to(self.request.user).filter(account__member=member)
        return transactions.select_related("account", "business", "store", "card")


class MemberLotsView(ListAPIView):
    scope = "points"
    serializer_class = shapes.LotAnswer

    @query(shapes.LotAnswer(many=True), operation_id="members_lots")
    def get(self, request: Request, member_no: str) -> Response:
        """A member's lots that a business within the channel's reach has issued, newest first."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Lot]:
        member = member_at(self.request, self.kwargs["member_no"])
        return (
            Lot.objects.visible_to(self.request.user).filter(account__member=member).select_related("account", "issuer")
        )


class MemberPurchasesView(ListAPIView):
    scope = "purchases"
    serializer_class = shapes.PurchaseRow

    @query(shapes.PurchaseRow(many=True), operation_id="members_purchases")
    def get(self, request: Request, member_no: str) -> Response:
        """A member's purchases within the channel's reach, newest first."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Purchase]:
        member = member_at(self.request, self.kwargs["member_no"])
        purchases = Purchase.objects.visible_to(self.request.user).filter(member=member)
        return purchases.select_related("business", "store", "card")


def placed_origin(request: Request, data: dict) -> Origin:
    """The origin of what must belong to a business. Raises StoreMissing for a group's channel that names no store."""
    origin = origin_of(request, data)
    if origin.business is None:
        raise StoreMissing(field="store")
    return origin


def _hold(request: Request, pk: int) -> Hold:
    holds = Hold.objects.visible_to(request.user)
    return get_object_or_404(holds.select_related("account__member", "card"), pk=pk)


def _accounts(member: Member) -> list[Account]:
    now = timezone.now()
    lapses_soon = Q(
        lots__activated_at__isnull=False, lots__expires_at__gt=now, lots__expires_at__lte=now + EXPIRING_SOON
    )
    unheld = Sum(F("lots__remaining") - F("lots__held"), filter=lapses_soon)
    accounts = Account.objects.filter(member=member).annotate(expiring=Coalesce(unheld, Value(0)))
    found = {account.asset: account for account in accounts}
    for asset in (Asset.POINTS, Asset.GROWTH):
        found.setdefault(asset.value, _empty(member, asset))
    return [found[asset] for asset in Asset.values if asset in found]


def _empty(member: Member, asset: Asset) -> Account:
    account = Account(member=member, asset=asset)
    account.expiring = 0
    return account
