"""Charges: what a discount cost and who bears it, and the undoing of it."""

from benefits.models import Charge, Coupon
from benefits.rules import split, undoing_shares
from loyalty.models import Purchase, Refund
from members.interfaces import Origin
from members.models import OrgUnit


def charge_coupon(coupon: Coupon, amount: int, *, store: OrgUnit, purchase: Purchase | None, origin: Origin) -> Charge:
    """Write what a coupon took off at a store, split by the shares it was issued with."""
    business = store.business
    return Charge.objects.create(
        kind=Charge.Kind.COUPON,
        business=business,
        store=store,
        member_id=coupon.member_id,
        coupon=coupon,
        purchase=purchase,
        amount=amount,
        shares=split(amount, coupon.terms["shares"], redeemer=business.pk),
        **_from(origin),
    )


def undo(charge: Charge, target: int, *, origin: Origin, refund: Refund | None = None) -> Charge | None:
    """Bring what is undone of a charge up to `target` fen in all; None where so much is undone already."""
    undone = list(charge.undone_by.all())
    due = target + sum(undoing.amount for undoing in undone)
    if due <= 0:
        return None
    return Charge.objects.create(
        kind=charge.kind,
        business_id=charge.business_id,
        store_id=charge.store_id,
        member_id=charge.member_id,
        coupon_id=charge.coupon_id,
        purchase_id=charge.purchase_id,
        refund=refund,
        amount=-due,
        shares=undoing_shares(charge.shares, [undoing.shares for undoing in undone], target),
        undoes=charge,
        **_from(origin),
    )


def _from(origin: Origin) -> dict:
    return {
        "request": origin.request,
        "channel": origin.channel,
        "operator": origin.actor,
        "at": origin.at,
        "posted_at": origin.posted_at,
    }
