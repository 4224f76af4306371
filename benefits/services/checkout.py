"""Checkout: quote → commit → refund. The one way by which a purchase enters, and by which it is undone.

Order: tier price → coupons → points → (later) stored value. Quote and commit are the same calculation; commit makes it
again under the member's lock, and refuses if the customer was promised something else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from benefits.errors import (
    BatchTooLarge,
    ExternalNumberMissing,
    InTheFuture,
    QuoteChanged,
    RefundBeforePurchase,
)
from benefits.interfaces import Checkout
from benefits.models import Charge, CouponTemplate, MemberTier
from benefits.rules import coupon_part_refunded
from benefits.services import charges, coupons, pricing, tiers
from benefits.services.pricing import Quote
from loyalty.errors import RefundNothing
from loyalty.interfaces import RefundItem
from loyalty.models import Account, Asset, Award, Purchase, Refund, Transaction
from loyalty.services import cards, purchases
from members.errors import Refused
from members.interfaces import Answer, Origin
from members.services.locking import refuse_inactive_now
from members.services.requests import idempotent

CLOCK_TOLERANCE = timedelta(minutes=10)  # what a till's clock may be ahead of ours
LARGEST_BATCH = 500


def quote(checkout: Checkout, *, now: datetime | None = None) -> Answer:
    """What the basket would cost and earn, and what else could be used. Refuses what commit would.

    A card is asked at `now`; at the basket's time without it.
    """
    quoted = pricing.work_out(checkout)
    now = now or checkout.draft.at
    if checkout.draft.card:
        cards.check(checkout.draft.card, Asset.POINTS, checkout.points, at=now)
    return (
        pricing.describe(quoted)
        | {"awards": pricing.describe_awards(quoted), "quote": pricing.token_of(quoted)}
        | pricing.offers(quoted, now=now)
    )


@idempotent("purchases.create")
def commit(checkout: Checkout, *, origin: Origin) -> Answer:
    """Record a purchase: priced, paid with coupons and points, earning, and reviewing the tier. All of it or nothing.

    Business time, store and business are the basket's. Raises QuoteChanged; ExternalNumberMissing, InTheFuture, what
    `pricing.work_out` and `cards.admit` raise; PurchaseExists, TendersDoNotAddUp, NotEnoughPoints.
    """
    draft = checkout.draft
    if not draft.external_number:
        raise ExternalNumberMissing(field="external_number")
    if draft.at > origin.posted_at + CLOCK_TOLERANCE:
        raise InTheFuture(field="at", now=origin.posted_at.isoformat())
    origin = replace(origin, at=draft.at, store=draft.store, business=draft.store.business)
    accounts = purchases.lock_for(draft)
    if accounts[Asset.POINTS].member != draft.member:  # merged while we waited
        draft = replace(draft, member=accounts[Asset.POINTS].member)
        checkout = replace(checkout, draft=draft)
    refuse_inactive_now(draft.member, field="member")
    if draft.card:  # a good one, even where nothing is spent; in the order of locks before the coupons
        cards.admit(draft.card, accounts[Asset.POINTS], checkout.points, origin=origin)
    quoted = pricing.work_out(checkout, lock=True)
    if checkout.quote and checkout.quote != pricing.token_of(quoted):
        raise QuoteChanged(field="quote", to_pay=quoted.draft.net_amount - quoted.draft.points_amount)
    purchase, awards = purchases.record(quoted.draft, accounts, origin=origin)
    for coupon, discount in zip(quoted.coupons, quoted.discounts, strict=True):
        coupons.redeem(
            coupon,
            discount,
            store=draft.store,
            purchase=purchase,
            order_number=draft.external_number,
            origin=origin,
        )
    reached = tiers.review(draft.member, origin=origin)
    return _describe(purchase, quoted, awards, accounts, reached)


@idempotent("purchases.refund")
def refund(
    purchase: Purchase,
    items: Sequence[RefundItem] | None = None,
    *,
    amount: int | None = None,
    whole: bool = False,
    reason: str = "",
    external_number: str = "",
    origin: Origin,
) -> Answer:
    """Undo a purchase by lines (`items`), by an `amount` in fen over all lines, or `whole`: all that is left of it.

    Points are restored before points are clawed back; coupons are un-charged in the ratio in which they were charged,
    and come back with the last fen, if their terms say so. The tier follows in the nightly review.
    Raises RefundNothing, RefundTooMuch, RefundBeforePurchase.
    """
    if origin.at < purchase.at:
        raise RefundBeforePurchase(field="at")
    store = origin.store or purchase.store
    origin = replace(origin, store=store, business=store.business)
    points = purchases.lock_of(purchase)[Asset.POINTS]
    purchase.refresh_from_db()
    refunded = None
    if not (whole and purchase.net_amount == 0):  # there a coupon paid for everything: nothing but it to give back
        rest = purchase.kept_amount if whole else amount
        refunded = purchases.refund(
            purchase, items, amount=rest, reason=reason, external_number=external_number, origin=origin
        )
        purchase.refresh_from_db()
    undone = _undo_charges(purchase, refunded, origin=origin)
    if refunded is None and not undone:
        raise RefundNothing(field="amount")
    returned = _return_coupons(purchase, origin=origin, reason=reason) if purchase.kept_amount == 0 else []
    points.refresh_from_db()
    return _describe_refund(purchase, refunded, points, undone, returned)


def record_batch(batch: Sequence[tuple[Checkout, Origin]]) -> list[Answer]:
    """Commit up to 500 purchases in one transaction, each in a savepoint: one that is refused doesn't stop the others.

    Returns for each, in order, {"reference", "answer"} or {"reference", "error"}. Raises BatchTooLarge.
    """
    if len(batch) > LARGEST_BATCH:
        raise BatchTooLarge(field="purchases", most=LARGEST_BATCH)
    with transaction.atomic():
        _lock_in_order({checkout.draft.member.pk for checkout, _ in batch})
        return [_try(checkout, origin) for checkout, origin in batch]


def _lock_in_order(members: Iterable[int]) -> None:
    """Take a batch's accounts by their keys before its items take them in any order, so that batches can't deadlock."""
    accounts = Account.objects.select_for_update().filter(member__in=members).order_by("pk")
    list(accounts.values_list("pk"))


def _try(checkout: Checkout, origin: Origin) -> Answer:
    try:
        return {"reference": origin.reference, "answer": commit(checkout, origin=origin)}
    except Refused as refused:
        return {"reference": origin.reference, "error": describe_refusal(refused)}


def describe_refusal(refused: Refused) -> Answer:
    """Why one item of a batch was not recorded."""
    about = {"code": refused.code, "detail": str(refused.message), "field": refused.field}
    return about | {"details": refused.details}


def _undo_charges(purchase: Purchase, refunded: Refund | None, *, origin: Origin) -> list[Charge]:
    lines = list(purchase.lines.all())
    undone = (
        charges.undo(charge, coupon_part_refunded(lines, charge.amount), refund=refunded, origin=origin)
        for charge in purchase.charges.original().order_by("pk")
    )
    return [charge for charge in undone if charge]


def _return_coupons(purchase: Purchase, *, origin: Origin, reason: str) -> list[str]:
    """Give back the coupons of a purchase of which nothing stands, if their terms say so. Returns their codes."""
    returned = []
    for coupon in purchase.coupons.select_for_update(of=("self",)).order_by("pk"):
        if coupon.terms["on_refund"] == CouponTemplate.OnRefund.RETURN:
            coupons.give_back(coupon, origin=origin, reason=reason)
            returned.append(coupon.code)
    return returned


# Answers ----------------------------------------------------------------------------------------------------------


def _describe(
    purchase: Purchase,
    quoted: Quote,
    awards: Iterable[Award],
    accounts: dict[str, Account],
    reached: MemberTier | None,
) -> Answer:
    points = accounts[Asset.POINTS]
    before = quoted.tier.code if quoted.tier else None
    return pricing.describe(quoted) | {
        "id": purchase.pk,
        "business": purchase.business.code,
        "external_number": purchase.external_number,
        "at": purchase.at.isoformat(),
        "awards": [_describe_award(award) for award in awards],
        "points_earned": sum(award.given for award in awards if award.rule.asset == Asset.POINTS),
        "points_balance": points.balance,
        "points_pending": points.pending,
        "tier": reached.tier.code if reached else before,
        "tier_before": before,
    }


def _describe_award(award: Award) -> Answer:
    return {
        "rule": award.rule_id,
        "name": award.rule.name,
        "asset": award.rule.asset,
        "eligible_amount": award.eligible_amount,
        "base": award.base,
        "multiplier": str(award.multiplier),
        "given": award.given,
        "cap": award.cap,
    }


def _describe_refund(
    purchase: Purchase, refunded: Refund | None, points: Account, undone: Sequence[Charge], returned: list[str]
) -> Answer:
    return {
        "id": refunded.pk if refunded else None,
        "purchase": purchase.pk,
        "amount": refunded.amount if refunded else 0,
        "points_restored": refunded.points_restored if refunded else 0,
        "points_amount": refunded.points_amount if refunded else 0,
        "to_pay_back": refunded.money_amount if refunded else 0,
        "refunded_amount": purchase.refunded_amount,
        "kept_amount": purchase.kept_amount,
        **_clawed_back(refunded),
        "points_balance": points.balance,
        "coupon_discount_undone": -sum(charge.amount for charge in undone),
        "coupons_returned": returned,
    }


def _clawed_back(refunded: Refund | None) -> Answer:
    taken = Transaction.objects.filter(refund=refunded, kind=Transaction.Kind.CLAW_BACK, account__asset=Asset.POINTS)
    sums = taken.aggregate(quantity=Sum("quantity", default=0), shortfall=Sum("shortfall", default=0))
    return {"points_clawed_back": -sums["quantity"] if refunded else 0, "points_not_recovered": sums["shortfall"]}
