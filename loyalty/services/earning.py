"""What a purchase earns, and why: the same calculation for the preview, the commit and the page that explains it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum

from loyalty.interfaces import PurchaseDraft
from loyalty.models import Account, Award, EarnRule, Purchase
from loyalty.rules import Earned, EarnTerms, earned, eligible_amount, local_midnight
from loyalty.services.ledger import earn
from loyalty.services.terms import earn_rules, expiry_of, price_of
from members import criteria
from members.interfaces import Origin
from members.models import Member
from members.services.organisation import group


@dataclass(frozen=True, slots=True)
class AwardDraft:
    """What one rule gives for a purchase, before it is written."""

    rule: EarnRule
    earned: Earned


def preview(draft: PurchaseDraft) -> list[AwardDraft]:
    """What the rules in force give, in their order; an exclusive rule ends the turn of its asset."""
    awards, closed = [], set()
    for rule in earn_rules(draft.store, draft.at):
        if rule.asset in closed or not _is_for(rule, draft.member, draft.at):
            continue
        terms = terms_of(rule)
        eligible = eligible_amount(draft.lines, terms)
        if eligible <= 0:
            continue
        boost = draft.boost if rule.boosted_by_tier else Decimal(1)
        today = _given_today(rule, draft) if rule.cap_per_day else 0
        awards.append(AwardDraft(rule, earned(eligible, terms, boost=boost, given_today=today)))
        if rule.is_exclusive:
            closed.add(rule.asset)
    return awards


def give(purchase: Purchase, drafts: list[AwardDraft], accounts: dict[str, Account], *, origin: Origin) -> list[Award]:
    """Write the awards of a purchase: one lot per rule that gives, and for each rule how it came about."""
    awards = []
    for draft in drafts:
        award = _award(purchase, draft)
        if award.given:
            award.transaction = earn(
                accounts[draft.rule.asset],
                award.given,
                issuer=purchase.business,
                unit_price=price_of(purchase.business, draft.rule.asset, purchase.at),
                origin=origin,
                expires_at=expiry_of(purchase.business, draft.rule.asset, purchase.at, origin.posted_at),
                available_at=_available_at(draft.rule, purchase.at),
                purchase=purchase,
                card=purchase.card,
            )
        awards.append(award)
    return Award.objects.bulk_create(awards)


def _award(purchase: Purchase, draft: AwardDraft) -> Award:
    result = draft.earned
    return Award(
        purchase=purchase,
        rule=draft.rule,
        eligible_amount=result.eligible_amount,
        base=result.base,
        multiplier=result.multiplier,
        given=result.given,
        cap=result.cap,
    )


def terms_of(rule: EarnRule) -> EarnTerms:
    return EarnTerms(
        points=rule.points,
        per_amount=rule.per_amount,
        multiplier=rule.multiplier,
        base=rule.base,
        categories=frozenset(rule.categories),
        brands=frozenset(rule.brands),
        cap_per_purchase=rule.cap_per_purchase,
        cap_per_day=rule.cap_per_day,
    )


def _is_for(rule: EarnRule, member: Member, at: datetime) -> bool:
    return not rule.audience or criteria.matches(rule.audience, member, as_of=at)


def _given_today(rule: EarnRule, draft: PurchaseDraft) -> int:
    """What the rule has already given the member on the purchase's local day; refunds give nothing back to the cap."""
    zone = group().zone
    today = Award.objects.filter(
        rule=rule,
        purchase__member=draft.member,
        purchase__at__gte=local_midnight(draft.at, zone),
        purchase__at__lt=local_midnight(draft.at, zone, days=1),
    )
    return today.aggregate(n=Sum("given", default=0))["n"]


def _available_at(rule: EarnRule, at: datetime) -> datetime | None:
    if not rule.pending_days:
        return None
    return local_midnight(at + timedelta(days=rule.pending_days), group().zone)
