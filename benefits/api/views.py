"""Checkout, coupons and tiers, for channels."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.views import APIView

from benefits.api import serializers as shapes
from benefits.interfaces import Checkout, DraftLine, PurchaseDraft, RefundItem
from benefits.models import Coupon, CouponTemplate
from benefits.services import checkout, coupons, tiers
from loyalty.models import Purchase
from members.errors import Refused, StoreMissing
from members.interfaces import Origin
from members.interfaces.api import (
    checked,
    created,
    make_origin,
    member_at,
    member_of,
    origin_of,
    query,
    spender_of,
    store_of,
    verb,
)
from members.interfaces.complaints import complaints_of
from members.models import Channel, OrgUnit
from members.services.requests import hash_input

# --- Checkout -----------------------------------------------------------------------------------------------------


class QuotesView(APIView):
    scope = "purchases"

    @query(shapes.QuoteAnswer, request=shapes.BasketInput, operation_id="checkout_quote")
    def post(self, request: Request) -> Response:
        """What a basket would cost and earn. Changes nothing, so it needs no Idempotency-Key."""
        data = checked(shapes.BasketInput, request.data)
        return Response(checkout.quote(_checkout(request.user, data), now=timezone.now()))


class PurchasesView(APIView):
    scope = "purchases"

    @verb(shapes.PurchaseInput, shapes.PurchaseAnswer, operation_id="purchases_create")
    def post(self, request: Request) -> Response:
        """Record a purchase: priced, paid with coupons and points, earning. All of it or nothing."""
        data = checked(shapes.PurchaseInput, request.data)
        origin = origin_of(request, data)
        return created(checkout.commit(_checkout(request.user, data, origin), origin=origin))


class PurchaseBatchView(APIView):
    scope = "purchases"

    @query(shapes.BatchAnswer, request=shapes.BatchInput, operation_id="purchases_create_batch")
    def post(self, request: Request) -> Response:
        """Record up to 500 purchases. Each has a reference, and a result, of its own: one refused stops no other."""
        items = checked(shapes.BatchEnvelope, request.data)["purchases"]
        path = request.path.removesuffix("/batch")
        read = [_read(request.user, item, path) for item in items]
        answers = iter(checkout.record_batch([item for item in read if isinstance(item, tuple)]))
        return Response({"results": [next(answers) if isinstance(item, tuple) else item for item in read]})


class PurchaseView(APIView):
    scope = "purchases"

    @query(shapes.PurchaseDetail, operation_id="purchases_read")
    def get(self, request: Request, pk: int) -> Response:
        """Read a purchase with its lines, tenders and refunds."""
        return Response(shapes.PurchaseDetail(_purchase(request, pk)).data)


class RefundsView(APIView):
    scope = "purchases"

    @verb(shapes.RefundInput, shapes.RefundAnswer, operation_id="purchases_refund")
    def post(self, request: Request, pk: int) -> Response:
        """Undo a purchase, in part or whole: earn, burn and coupons go back together, pro rata."""
        data = checked(shapes.RefundInput, request.data)
        purchase = _purchase(request, pk)
        items = [RefundItem(line["number"], line["amount"]) for line in data["lines"]] if "lines" in data else None
        how = {name: data[name] for name in ("amount", "whole", "reason", "external_number") if name in data}
        return created(checkout.refund(purchase, items, origin=origin_of(request, data), **how))


# --- Coupons and tiers --------------------------------------------------------------------------------------------


class CouponsView(APIView):
    scope = "coupons"

    @verb(shapes.IssueInput, shapes.CouponAnswer, operation_id="coupons_issue")
    def post(self, request: Request) -> Response:
        """Give a member a coupon."""
        data = checked(shapes.IssueInput, request.data)
        templates = CouponTemplate.objects.visible_to(request.user)
        template = get_object_or_404(templates, code=data["template"])
        member = member_of(request.user, data["member"])
        return created(coupons.issue_coupon(template, member, origin=origin_of(request, data)))


class CouponView(APIView):
    scope = "coupons"

    @query(shapes.CouponAnswer, operation_id="coupons_read")
    def get(self, request: Request, code: str) -> Response:
        """Read a coupon by its code, as typed or scanned."""
        return Response(coupons.describe(coupons.find(code, actor=request.user)))


class RedemptionsView(APIView):
    scope = "coupons"

    @verb(shapes.RedemptionInput, shapes.RedemptionAnswer, operation_id="coupons_redeem")
    def post(self, request: Request, code: str) -> Response:
        """Redeem at a till that keeps its own receipts; checkout redeems the coupons of its purchases itself."""
        data = checked(shapes.RedemptionInput, request.data)
        coupon = coupons.find(code, actor=request.user)
        origin = origin_of(request, data)
        order_number = data.get("order_number", "")
        store = _required_store(origin.store)
        return created(
            coupons.redeem_coupon(coupon, data["amount"], store=store, order_number=order_number, origin=origin)
        )


class MemberCouponsView(ListAPIView):
    scope = "coupons"

    @query(shapes.CouponAnswer(many=True), operation_id="members_coupons")
    def get(self, request: Request, member_no: str) -> Response:
        """A member's coupons, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([coupons.describe(coupon) for coupon in page])

    def get_queryset(self) -> QuerySet[Coupon]:
        member = member_at(self.request, self.kwargs["member_no"])
        return Coupon.objects.filter(member=member).select_related("member")


class TierView(APIView):
    scope = "tiers"

    @query(shapes.TierAnswer, operation_id="members_tier")
    def get(self, request: Request, member_no: str) -> Response:
        """Where a member stands, and what is missing to the next tier."""
        standing = tiers.standing(member_at(request, member_no), timezone.now())
        return Response(_describe_tier(standing))


# --- From input to values -----------------------------------------------------------------------------------------


def _checkout(channel: Channel, data: dict[str, Any], origin: Origin | None = None) -> Checkout:
    store = _required_store(origin.store if origin else store_of(channel, data.get("store")))
    member, card = spender_of(channel, data)
    draft = PurchaseDraft(
        member=member,
        card=card,
        store=store,
        at=origin.at if origin else data.get("at") or timezone.now(),
        lines=tuple(DraftLine(**line) for line in data["lines"]),
        external_number=data.get("external_number", ""),
        tenders=tuple((tender["kind"], tender["amount"]) for tender in data.get("tenders", ())),
    )
    return Checkout(draft, tuple(data.get("coupons", ())), data.get("points", 0), data.get("quote", ""))


def _read(channel: Channel, item: dict[str, Any], path: str) -> tuple[Checkout, Origin] | dict[str, Any]:
    """One purchase of a batch, ready to be recorded; or its result, where it can't be."""
    reference = item["reference"]
    content = {name: value for name, value in item.items() if name != "reference"}
    try:
        data = checked(shapes.PurchaseInput, content)
        # As if it had been sent alone, so that it may be sent again alone.
        origin = make_origin(channel, data, reference=reference, input_hash=hash_input(["POST", path, content]))
        return _checkout(channel, data, origin), origin
    except ValidationError as error:
        complaints = complaints_of(error)
        first = complaints[0]
        problem = {"code": "invalid_input", "detail": first["message"], "field": first["field"]}
        return {"reference": reference, "error": problem | {"details": {"errors": complaints}}}
    except Refused as refused:
        return {"reference": reference, "error": checkout.describe_refusal(refused)}


def _required_store(store: OrgUnit | None) -> OrgUnit:
    if store is None:
        raise StoreMissing(field="store")
    return store


def _purchase(request: Request, pk: int) -> Purchase:
    purchases = Purchase.objects.visible_to(request.user).select_related("member", "business", "store", "card")
    return get_object_or_404(purchases, pk=pk)


def _describe_tier(standing: tiers.Standing | None) -> dict[str, Any]:
    if standing is None:
        nothing = dict.fromkeys(("programme", "tier", "name", "since", "next_tier"))
        return nothing | {"spend": 0, "missing": 0}
    return {
        "programme": standing.programme.code,
        "tier": standing.tier.code,
        "name": standing.tier.name,
        "since": standing.since,
        "spend": standing.spend,
        "next_tier": standing.next_tier.code if standing.next_tier else None,
        "missing": standing.missing,
    }
