"""What a checkout comes to: the one calculation behind quote and commit, and the checks of what was sent."""

from dataclasses import dataclass
from datetime import datetime

from benefits.errors import (
    LinesInvalid,
    NotAStore,
    PointsInvalid,
    TendersInvalid,
    TooManyCoupons,
)
from benefits.interfaces import Checkout
from benefits.models import Coupon, Tier
from benefits.rules import at_tier_price, coupon_discount, price
from benefits.services import coupons, tiers
from loyalty.errors import CardAssetNotAllowed
from loyalty.interfaces import DraftLine, PurchaseDraft
from loyalty.models import Account, Asset, Tender
from loyalty.services import burning, cards, earning
from members.errors import Refused
from members.interfaces import Answer
from members.models import Card, OrgUnit
from members.services.locking import refuse_inactive
from members.services.requests import hash_input

MONEY = frozenset({Tender.Kind.CASH, Tender.Kind.BANK_CARD, Tender.Kind.WECHAT, Tender.Kind.ALIPAY, Tender.Kind.OTHER})


@dataclass(frozen=True, slots=True)
class Quote:
    """A priced basket: every column of every line, the tier it was priced at, and what each coupon takes off."""

    draft: PurchaseDraft
    tier: Tier | None
    coupons: tuple[Coupon, ...]
    discounts: tuple[int, ...]


def work_out(checkout: Checkout, *, lock: bool = False) -> Quote:
    """Tier price → coupons → points. With `lock`, the coupons are kept from other tills until the transaction ends.

    Raises what `check`, `rules.price` and `burning.apply` raise, CouponNotFound, CouponNotOpen, CouponHeld.
    """
    check(checkout)
    draft = checkout.draft
    tier, terms = tiers.terms_of(draft.member, draft.store, draft.at)
    chosen = tuple(coupons.of_member(draft.member, code, lock=lock) for code in checkout.coupons)
    for coupon in chosen:
        coupons.require_open(coupon, order_number=draft.external_number)
    lineage = coupons.places_above(draft.store) if chosen else ()
    priced = price(draft, terms, [coupons.terms_of(coupon) for coupon in chosen], lineage=lineage)
    return Quote(burning.apply(priced.draft, checkout.points), tier, chosen, priced.discounts)


def check(checkout: Checkout) -> None:
    """What can be said of a basket without pricing it. Raises the reason, with the field."""
    draft = checkout.draft
    if draft.store.kind != OrgUnit.Kind.STORE or not draft.store.is_active:
        raise NotAStore(field="store")
    refuse_inactive(draft.member, field="member")
    if not draft.lines or any(line.amount < 0 for line in draft.lines):
        raise LinesInvalid(field="lines")
    if checkout.points < 0:
        raise PointsInvalid(field="points")
    if len(checkout.coupons) > 1:
        raise TooManyCoupons(field="coupons", most=1)
    if any(kind not in MONEY or amount <= 0 for kind, amount in draft.tenders):
        raise TendersInvalid(field="tenders")


def token_of(quote: Quote) -> str:
    """What a customer agreed to, in 64 hex digits: the price line by line, and what it earns."""
    return hash_input([describe(quote), describe_awards(quote)])


def describe(quote: Quote) -> Answer:
    """The price as an answer, in fen; `to_pay` is what is left for money."""
    draft = quote.draft
    return {
        "member_no": draft.member.member_no,
        "card": draft.card.number if draft.card else None,
        "store": draft.store.code,
        "tier": quote.tier.code if quote.tier else None,
        "points_multiplier": str(draft.boost.normalize()),
        "list_amount": draft.list_amount,
        "tier_discount": sum(line.tier_discount for line in draft.lines),
        "coupon_discount": sum(line.coupon_discount for line in draft.lines),
        "net_amount": draft.net_amount,
        "points_used": draft.points_used,
        "points_amount": draft.points_amount,
        "to_pay": draft.net_amount - draft.points_amount,
        "coupons": describe_coupons(quote),
        "lines": [_describe_line(number, line) for number, line in enumerate(draft.lines, start=1)],
    }


def describe_coupons(quote: Quote) -> list[Answer]:
    return [
        {"code": coupon.code, "name": coupon.terms["name"], "discount": discount}
        for coupon, discount in zip(quote.coupons, quote.discounts, strict=True)
    ]


def describe_awards(quote: Quote) -> list[Answer]:
    """What the purchase would earn, rule by rule."""
    return [
        {"rule": award.rule.pk, "name": award.rule.name, "asset": award.rule.asset, "given": award.earned.given}
        for award in earning.preview(quote.draft)
    ]


def offers(quote: Quote, *, now: datetime) -> Answer:
    """What else the member could use here: points, with a card as many as it may spend; coupons, the best first."""
    draft = quote.draft
    points = Account.objects.filter(member=draft.member, asset=Asset.POINTS).values_list("balance", flat=True)
    balance = points.first() or 0
    most = burning.offer(draft, balance=min(balance, _left_on(draft.card, now, balance)))
    return {
        "points_balance": balance,
        "most_points": most.most_points,
        "most_points_amount": most.most_amount,
        "usable_coupons": _usable_coupons(quote),
    }


def _left_on(card: Card | None, now: datetime, balance: int) -> int:
    """How many points the card may spend: of a kind that spends none, none."""
    if card is None:
        return balance
    try:
        left = cards.room(card, Asset.POINTS, at=now).left
    except CardAssetNotAllowed:
        return 0
    return balance if left is None else left


def _usable_coupons(quote: Quote) -> list[Answer]:
    draft = quote.draft
    _, tier_terms = tiers.terms_of(draft.member, draft.store, draft.at)
    lines = at_tier_price(draft.lines, tier_terms.percent)
    lineage = coupons.places_above(draft.store)
    found = []
    for coupon in Coupon.objects.usable(draft.at).filter(member=draft.member).order_by("valid_until", "pk"):
        terms = coupons.terms_of(coupon)
        covered = sum(line.amount - line.tier_discount for line in lines if terms.covers(line))
        try:
            discount = coupon_discount(covered, terms, at=draft.at, lineage=lineage)
        except Refused:  # not for this basket
            continue
        found.append({"code": coupon.code, "name": coupon.terms["name"], "discount": discount})
    return sorted(found, key=lambda offer: -offer["discount"])


def _describe_line(number: int, line: DraftLine) -> Answer:
    return {
        "number": number,
        "amount": line.amount,
        "tier_discount": line.tier_discount,
        "coupon_discount": line.coupon_discount,
        "points_used": line.points_used,
        "points_amount": line.points_amount,
        "to_pay": line.paid_amount,
    }
