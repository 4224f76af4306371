"""Coupons: issue, hold, redeem, give back, revoke, expire. Each step is one conditional UPDATE with one winner."""

from dataclasses import replace
from datetime import datetime

from django.db.models import F, Q

from benefits.errors import (
    AmountInvalid,
    CouponHeld,
    CouponLimitReached,
    CouponNotFound,
    CouponNotOpen,
    CouponNotRedeemed,
    CouponOfAPurchase,
    CouponsSoldOut,
    CouponTemplateOver,
    CouponTemplateStopped,
    ExternalNumberMissing,
    ReasonMissing,
    SharesNotWhole,
)
from benefits.models import Coupon, CouponTemplate
from benefits.rules import (
    CouponTerms,
    canonical_code,
    coupon_discount,
    coupon_period,
    is_whole,
    new_coupon_code,
)
from benefits.services import charges
from loyalty.models import Purchase
from members import events
from members.interfaces import Answer, Origin
from members.models import Member, OrgUnit
from members.scoping import lineage
from members.services.locking import refuse_inactive, refuse_inactive_now
from members.services.organisation import group
from members.services.requests import idempotent

State = Coupon.State


# Finding ----------------------------------------------------------------------------------------------------------


def find(code: str, *, actor) -> Coupon:
    """The coupon behind a code as typed or scanned. Raises CouponNotFound, also where it is not the actor's to see."""
    coupons = Coupon.objects.visible_to(actor).select_related("member", "template")
    coupon = coupons.filter(code=canonical_code(code)).first()
    if coupon is None:
        raise CouponNotFound(field="code")
    return coupon


def of_member(member: Member, code: str, *, lock: bool = False) -> Coupon:
    """A member's coupon by its code; with `lock`, kept until the transaction ends. Raises CouponNotFound."""
    coupons = Coupon.objects.select_for_update(of=("self",)) if lock else Coupon.objects.all()
    coupon = coupons.filter(member=member, code=canonical_code(code)).first()
    if coupon is None:
        raise CouponNotFound(field="coupons")
    return coupon


def require_open(coupon: Coupon, *, order_number: str = "") -> None:
    """Raises CouponNotOpen, or CouponHeld where another order keeps it."""
    if coupon.state == State.HELD and coupon.held_for != order_number:
        raise CouponHeld(field="coupons")
    if not coupon.is_open and coupon.state != State.HELD:
        raise CouponNotOpen(field="coupons", state=coupon.state)


def terms_of(coupon: Coupon) -> CouponTerms:
    return CouponTerms.of(coupon.terms, coupon.valid_from, coupon.valid_until)


def places_above(store: OrgUnit) -> frozenset[int]:
    """A store and every node above it, by id: what a coupon's places are held against."""
    return frozenset(OrgUnit.objects.filter(path__in=lineage(store)).values_list("pk", flat=True))


# Issuing ----------------------------------------------------------------------------------------------------------


@idempotent("benefits.issue_coupon")
def issue_coupon(template: CouponTemplate, member: Member, *, origin: Origin) -> Answer:
    """Give a member a coupon. Raises what `issue` raises."""
    return describe(issue(template, member, origin=origin))


def issue(template: CouponTemplate, member: Member, *, origin: Origin) -> Coupon:
    """The same as a part of another verb (welcome gifts, campaigns, packs); `origin.request` is set.

    Raises MemberClosed, CouponTemplateStopped, CouponsSoldOut, CouponLimitReached, CouponTemplateOver, SharesNotWhole.
    """
    refuse_inactive(member)
    template = _take_one(template)
    if template.per_member and template.coupons.filter(member=member).count() >= template.per_member:
        raise CouponLimitReached(per_member=template.per_member)
    valid_from, valid_until = coupon_period(template, origin.at, group().zone)
    if valid_until <= origin.at:
        raise CouponTemplateOver(valid_until=valid_until.isoformat())
    coupon = Coupon.objects.create(
        template=template,
        member=member,
        issuer=template.owner,
        request=origin.request,
        code=new_coupon_code(),
        terms=snapshot(template),
        issued_at=origin.at,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    _record("coupon.issued", coupon, origin=origin)
    return coupon


def _take_one(template: CouponTemplate) -> CouponTemplate:
    """Count one more as issued, if there is one left.

    From here on parallel issues of this template wait for each other, which is also what makes the limit per member
    hold. It is the last lock taken, and checkouts never take it.
    """
    left = CouponTemplate.objects.issuable().filter(Q(total_quantity=0) | Q(issued__lt=F("total_quantity")))
    taken = left.filter(pk=template.pk).update(issued=F("issued") + 1)
    template = CouponTemplate.objects.select_related("owner").get(pk=template.pk)
    if taken:
        return template
    raise CouponsSoldOut(total=template.total_quantity) if template.is_active else CouponTemplateStopped


def snapshot(template: CouponTemplate) -> dict:
    """The terms as they stand: what the coupon will be held to, whatever becomes of the template."""
    businesses = list(template.businesses.order_by("pk").values_list("pk", flat=True))
    shares = [{"payer": share.payer_id, "percent": str(share.percent)} for share in template.shares.all()]
    if not is_whole(shares):
        raise SharesNotWhole(field="shares", template=template.code)
    return {
        "template": template.code,
        "name": template.name,
        "kind": template.kind,
        "amount": template.amount,
        "threshold": template.threshold,
        "places": businesses or [template.owner_id],
        "categories": template.categories,
        "on_refund": template.on_refund,
        "terms_text": template.terms_text,
        "shares": shares,
    }


# Holding ----------------------------------------------------------------------------------------------------------


@idempotent("benefits.hold_coupon")
def hold(coupon: Coupon, order_number: str, *, until: datetime, origin: Origin) -> Answer:
    """Keep a coupon for one order, which alone may redeem it until then. Raises CouponNotOpen, CouponHeld."""
    if not order_number:
        raise ExternalNumberMissing(field="order_number")
    usable = Coupon.objects.usable(origin.at)
    _change(coupon, usable, state=State.HELD, held_for=order_number, held_until=until)
    _record("coupon.held", coupon, origin=origin, order_number=order_number)
    return describe(coupon)


@idempotent("benefits.release_coupon")
def release(coupon: Coupon, *, origin: Origin) -> Answer:
    """Give up the hold. Raises CouponNotOpen where there is none."""
    _change(coupon, Coupon.objects.filter(state=State.HELD), state=State.ISSUED, held_for="", held_until=None)
    _record("coupon.released", coupon, origin=origin)
    return describe(coupon)


# Redeeming and giving back ----------------------------------------------------------------------------------------


def redeem(
    coupon: Coupon,
    discount: int,
    *,
    store: OrgUnit,
    purchase: Purchase | None,
    order_number: str = "",
    origin: Origin,
) -> None:
    """Use up a coupon, and charge its discount. One winner. Raises CouponNotOpen, CouponHeld (for another order)."""
    kept_for_us = Q(state=State.HELD, held_for=order_number) if order_number else Q(pk=None)
    usable = Coupon.objects.filter(Q(state__in=Coupon.OPEN) | kept_for_us)
    _change(
        coupon,
        usable,
        state=State.REDEEMED,
        redeemed_at=origin.at,
        purchase=purchase,
        held_for="",
        held_until=None,
    )
    charges.charge_coupon(coupon, discount, store=store, purchase=purchase, origin=origin)
    _record("coupon.redeemed", coupon, origin=origin, discount=discount, purchase=purchase.pk if purchase else None)


@idempotent("benefits.redeem_coupon")
def redeem_coupon(coupon: Coupon, amount: int, *, store: OrgUnit, order_number: str = "", origin: Origin) -> Answer:
    """Redeem at a till that keeps its own receipts: `amount` is what the coupon covers there, in fen.

    Raises AmountInvalid, CouponNotOpen, CouponHeld and what `rules.coupon_discount` raises.
    """
    if amount <= 0:
        raise AmountInvalid(field="amount")
    origin = replace(origin, store=store, business=store.business)
    refuse_inactive_now(coupon.member)
    discount = coupon_discount(amount, terms_of(coupon), at=origin.at, lineage=places_above(store))
    redeem(coupon, discount, store=store, purchase=None, order_number=order_number, origin=origin)
    return describe(coupon) | {"discount": discount}


@idempotent("benefits.return_coupon")
def return_coupon(coupon: Coupon, *, reason: str, origin: Origin) -> Answer:
    """Undo `redeem_coupon`, with a reason. Raises CouponOfAPurchase (refund that), CouponNotRedeemed, ReasonMissing."""
    _require_reason(reason)
    coupon = Coupon.objects.select_for_update().get(pk=coupon.pk)
    if coupon.purchase_id:
        raise CouponOfAPurchase(purchase=coupon.purchase_id)
    if coupon.state != State.REDEEMED:
        raise CouponNotRedeemed(state=coupon.state)
    charge = coupon.charges.original().latest("pk")
    charges.undo(charge, charge.amount, origin=origin)
    give_back(coupon, origin=origin, reason=reason)
    return describe(coupon)


def give_back(coupon: Coupon, *, origin: Origin, reason: str = "") -> None:
    """Make a redeemed coupon usable again, or let it lapse if its time is over. Raises CouponNotOpen."""
    state = State.RETURNED if origin.posted_at < coupon.valid_until else State.EXPIRED
    _change(coupon, Coupon.objects.filter(state=State.REDEEMED), state=state, redeemed_at=None, purchase=None)
    _record("coupon.returned", coupon, origin=origin, reason=reason)


@idempotent("benefits.revoke_coupon")
def revoke_coupon(coupon: Coupon, *, reason: str, origin: Origin) -> Answer:
    """Take a coupon away that has not been used. Raises CouponNotOpen, ReasonMissing."""
    _require_reason(reason)
    revoke(coupon, reason=reason, origin=origin)
    return describe(coupon)


def revoke(coupon: Coupon, *, reason: str, origin: Origin) -> None:
    """The same as a part of another verb."""
    _change(
        coupon,
        Coupon.objects.filter(state__in=[*Coupon.OPEN, State.HELD]),
        state=State.REVOKED,
        held_for="",
        held_until=None,
    )
    _record("coupon.revoked", coupon, origin=origin, reason=reason)


def describe(coupon: Coupon) -> Answer:
    terms = coupon.terms
    return {
        "code": coupon.code,
        "template": terms["template"],
        "name": terms["name"],
        "member_no": coupon.member.member_no,
        "state": coupon.state,
        "amount": terms["amount"],
        "threshold": terms["threshold"],
        "valid_from": coupon.valid_from.isoformat(),
        "valid_until": coupon.valid_until.isoformat(),
    }


def _change(coupon: Coupon, allowed, **values) -> None:
    """The one way from state to state: UPDATE … WHERE it is still allowed; whoever comes second is refused."""
    if not allowed.filter(pk=coupon.pk).update(**values):
        state = Coupon.objects.values_list("state", flat=True).get(pk=coupon.pk)
        raise CouponHeld(field="coupons") if state == State.HELD else CouponNotOpen(field="coupons", state=state)
    for name, value in values.items():
        setattr(coupon, name, value)


def _record(event_type: str, coupon: Coupon, *, origin: Origin, **facts) -> None:
    data = {"coupon": coupon.pk, "template": coupon.terms["template"]} | facts
    events.record(event_type, origin=origin, member=coupon.member, data=data)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing(field="reason")
