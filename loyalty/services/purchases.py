"""Purchases enter here from `benefits.checkout`, already priced; refunds undo them, cumulatively, burn before earn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F

from loyalty.errors import PurchaseExists, RefundNothing, RefundTooMuch, TendersDoNotAddUp
from loyalty.interfaces import DraftLine, PurchaseDraft, RefundItem
from loyalty.models import (
    Account,
    Asset,
    Award,
    Purchase,
    PurchaseLine,
    Refund,
    RefundLine,
    Tender,
    Transaction,
)
from loyalty.rules import apportion, claw_back_target, eligible_amount, kept_part
from loyalty.services.earning import give, preview, terms_of
from loyalty.services.ledger import burn, lock_accounts
from loyalty.services.terms import earn_rules, policy_of
from loyalty.services.undoing import claw_back, restore
from members.events import record as record_event
from members.interfaces import Origin
from members.services.people import ensure_membership


def lock_for(draft: PurchaseDraft) -> dict[str, Account]:
    """Lock the member's accounts that this purchase may touch: asset → account."""
    assets = {rule.asset for rule in earn_rules(draft.store, draft.at)}
    return lock_accounts(draft.member, assets | {Asset.POINTS.value})


def lock_of(purchase: Purchase) -> dict[str, Account]:
    """Lock the accounts that undoing this purchase may touch: asset → account; of whose it is now.

    It may change hands (merge, undo) until we hold the accounts, and not any more after that.
    """
    assets = set(purchase.awards.values_list("rule__asset", flat=True)) | {Asset.POINTS.value}
    accounts = lock_accounts(purchase.member, assets)
    purchase.refresh_from_db(fields=["member"])
    if purchase.member_id != accounts[Asset.POINTS].member_id:
        return lock_accounts(purchase.member, assets)
    return accounts


def record(draft: PurchaseDraft, accounts: dict[str, Account], *, origin: Origin) -> tuple[Purchase, list[Award]]:
    """Write a priced purchase: lines, tenders, the burn of its points, and what it earns; accounts are from `lock_for`.

    Raises PurchaseExists, TendersDoNotAddUp, NotEnoughPoints.
    """
    tenders = _tenders(draft)
    awards = preview(draft)
    purchase = _insert(draft, origin)
    PurchaseLine.objects.bulk_create(_lines(purchase, draft.lines))
    Tender.objects.bulk_create(Tender(purchase=purchase, kind=kind, amount=amount) for kind, amount in tenders)
    ensure_membership(draft.member, purchase.business, origin=origin)
    if draft.points_used:
        points = accounts[Asset.POINTS]
        burn(
            points,
            draft.points_used,
            amount=draft.points_amount,
            purchase=purchase,
            card=draft.card,
            origin=origin,
        )
    given = give(purchase, awards, accounts, origin=origin)
    record_event("purchase.recorded", origin=origin, member=draft.member, data=_facts(purchase, given))
    return purchase, given


def items_for_amount(purchase: Purchase, amount: int) -> list[RefundItem]:
    """Spread a refund amount over the lines, in proportion to what is still refundable. Raises RefundTooMuch."""
    lines = list(purchase.lines.all())
    left = [line.net_amount - line.refunded_amount for line in lines]
    if amount > sum(left):
        raise RefundTooMuch(field="amount", most=sum(left))
    parts = zip(lines, apportion(amount, left), strict=True)
    return [RefundItem(line.number, part) for line, part in parts if part]


def refund(
    purchase: Purchase,
    items: Sequence[RefundItem] | None,
    *,
    origin: Origin,
    amount: int | None = None,
    reason: str = "",
    external_number: str = "",
) -> Refund:
    """Undo part of a purchase: by lines (`items`), or an `amount` over all of them. Restores first, claws back after.

    Raises RefundTooMuch, RefundNothing.
    """
    accounts = lock_of(purchase)
    purchase = Purchase.objects.select_for_update(of=("self",)).select_related("member", "business").get(pk=purchase.pk)
    items = items_for_amount(purchase, amount) if items is None and amount else items
    before = {line.number: line for line in purchase.lines.all()}
    parts = _parts(before, items or ())
    refunded = _insert_refund(purchase, parts, origin=origin, reason=reason, external_number=external_number)
    if refunded.points_restored:
        _restore(purchase, refunded, accounts[Asset.POINTS], origin=origin)
    _claw_back(purchase, refunded, parts, accounts, origin=origin)
    record_event(
        "purchase.refunded",
        origin=origin,
        member=purchase.member,
        data={"purchase": purchase.pk, "refund": refunded.pk, "amount": refunded.amount},
    )
    return refunded


# Writing a purchase -------------------------------------------------------------------------------------------


def _insert(draft: PurchaseDraft, origin: Origin) -> Purchase:
    try:
        with transaction.atomic():
            return Purchase.objects.create(
                request=origin.request,
                member=draft.member,
                business=draft.store.business,
                store=draft.store,
                terminal=origin.terminal,
                channel=origin.channel,
                operator=origin.actor,
                card=draft.card,
                external_number=draft.external_number,
                at=draft.at,
                posted_at=origin.posted_at,
                list_amount=draft.list_amount,
                net_amount=draft.net_amount,
                points_used=draft.points_used,
                points_amount=draft.points_amount,
            )
    except IntegrityError as error:
        if "purchase_number_is_unique_in_its_store" in str(error):
            raise PurchaseExists(field="external_number", external_number=draft.external_number) from error
        raise


def _lines(purchase: Purchase, lines: Iterable[DraftLine]) -> list[PurchaseLine]:
    return [
        PurchaseLine(
            purchase=purchase,
            number=number,
            sku=line.sku,
            name=line.name,
            category=line.category,
            brand=line.brand,
            quantity=line.quantity,
            amount=line.amount,
            tier_discount=line.tier_discount,
            coupon_discount=line.coupon_discount,
            points_used=line.points_used,
            points_amount=line.points_amount,
        )
        for number, line in enumerate(lines, start=1)
    ]


def _tenders(draft: PurchaseDraft) -> list[tuple[str, int]]:
    """What points pay, then what was sent; nothing sent means that the rest was paid some other way."""
    due = draft.net_amount - draft.points_amount
    points = [(Tender.Kind.POINTS.value, draft.points_amount)]
    sent = list(draft.tenders) or [(Tender.Kind.OTHER.value, due)]
    if sum(amount for _, amount in sent) != due:
        raise TendersDoNotAddUp(field="tenders", due=due, sent=sum(amount for _, amount in sent))
    return [(kind, amount) for kind, amount in points + sent if amount]


def _facts(purchase: Purchase, awards: Iterable[Award]) -> dict:
    return {
        "purchase": purchase.pk,
        "card": purchase.card.number if purchase.card else None,
        "net_amount": purchase.net_amount,
        "points_used": purchase.points_used,
        "awards": [{"rule": award.rule_id, "given": award.given} for award in awards],
    }


# Writing a refund ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """What this refund does to one line: `before` and `after` are what stands of it."""

    line: PurchaseLine
    amount: int
    before: DraftLine
    after: DraftLine

    @property
    def points_restored(self) -> int:
        return self.before.points_used - self.after.points_used

    @property
    def points_amount(self) -> int:
        return self.before.points_amount - self.after.points_amount


def _parts(lines: dict[int, PurchaseLine], items: Iterable[RefundItem]) -> list[_Part]:
    """One part for every line, so that what stands can be summed over all; amount 0 where it is not refunded."""
    wanted = {item.line_number: item.amount for item in items}
    if not wanted or any(amount <= 0 for amount in wanted.values()):
        raise RefundNothing(field="lines")
    for number, amount in wanted.items():
        line = lines.get(number)
        if line is None:
            raise RefundNothing(field="lines", line=number)
        if amount > line.net_amount - line.refunded_amount:
            raise RefundTooMuch(field="lines", line=number, most=line.net_amount - line.refunded_amount)
    return [_part(line, wanted.get(number, 0)) for number, line in lines.items()]


def _part(line: PurchaseLine, amount: int) -> _Part:
    draft = _as_draft(line)
    after = kept_part(draft, line.refunded_amount + amount)
    return _Part(line, amount, kept_part(draft, line.refunded_amount), after)


def _as_draft(line: PurchaseLine) -> DraftLine:
    return DraftLine(
        amount=line.amount,
        category=line.category,
        brand=line.brand,
        tier_discount=line.tier_discount,
        coupon_discount=line.coupon_discount,
        points_used=line.points_used,
        points_amount=line.points_amount,
    )


def _insert_refund(
    purchase: Purchase, parts: Sequence[_Part], *, origin: Origin, reason: str, external_number: str
) -> Refund:
    refunded = [part for part in parts if part.amount]
    refund = Refund.objects.create(
        request=origin.request,
        purchase=purchase,
        store=origin.store or purchase.store,
        channel=origin.channel,
        operator=origin.actor,
        external_number=external_number,
        at=origin.at,
        posted_at=origin.posted_at,
        amount=sum(part.amount for part in refunded),
        points_restored=sum(part.points_restored for part in refunded),
        points_amount=sum(part.points_amount for part in refunded),
        reason=reason,
    )
    RefundLine.objects.bulk_create(
        RefundLine(refund=refund, line=part.line, amount=part.amount, points_restored=part.points_restored)
        for part in refunded
    )
    for part in refunded:
        part.line.refunded_amount += part.amount
    PurchaseLine.objects.bulk_update([part.line for part in refunded], ["refunded_amount"])
    Purchase.objects.filter(pk=purchase.pk).update(refunded_amount=F("refunded_amount") + refund.amount)
    return refund


def _restore(purchase: Purchase, refund: Refund, account: Account, *, origin: Origin) -> None:
    burned = purchase.transactions.get(kind__in=(Transaction.Kind.BURN, Transaction.Kind.CAPTURE))
    policy = policy_of(purchase.business, Asset.POINTS, origin.at)
    restore(burned, account, refund.points_restored, policy=policy, origin=origin, refund=refund, reason=refund.reason)


def _claw_back(
    purchase: Purchase, refund: Refund, parts: Sequence[_Part], accounts: dict[str, Account], *, origin: Origin
) -> None:
    """Bring each award down to what its rule gives for what stands: cumulative, so any order ends alike."""
    for award in purchase.awards.filter(given__gt=0).select_related("rule", "transaction"):
        due = _due(award, [part.after for part in parts]) - _due(award, [part.before for part in parts])
        if due > 0:
            account = accounts[award.rule.asset]
            policy = policy_of(purchase.business, award.rule.asset, origin.at)
            claw_back(
                award.transaction, account, due, policy=policy, origin=origin, refund=refund, reason=refund.reason
            )


def _due(award: Award, standing: Iterable[DraftLine]) -> int:
    kept = eligible_amount(standing, terms_of(award.rule))
    return claw_back_target(award.given, kept=kept, eligible=award.eligible_amount)
