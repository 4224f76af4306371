"""What points may pay of a purchase, and how it falls on the lines."""

from dataclasses import dataclass, replace

from loyalty.errors import PointsNotUsable
from loyalty.interfaces import PurchaseDraft
from loyalty.models import BurnRule
from loyalty.rules import BurnTerms, apportion, most_points, payable_with_points, worth
from loyalty.services.terms import burn_rule


@dataclass(frozen=True, slots=True)
class BurnOffer:
    """The most that points may do here: so many points, worth so many fen; all of it zero where no rule allows any."""

    rule: BurnRule | None
    most_points: int
    most_amount: int


def offer(draft: PurchaseDraft, *, balance: int) -> BurnOffer:
    """What a member with this balance could pay with points."""
    rule = burn_rule(draft.store, draft.at)
    if rule is None:
        return BurnOffer(None, 0, 0)
    terms = _terms(rule)
    points = most_points(payable_with_points(draft.lines, terms), balance, terms)
    return BurnOffer(rule, points, worth(points, terms))


def apply(draft: PurchaseDraft, points: int) -> PurchaseDraft:
    """The draft with `points` and their worth apportioned to the lines that the rule covers. Raises PointsNotUsable."""
    if not points:
        return draft
    rule = burn_rule(draft.store, draft.at)
    if rule is None:
        raise PointsNotUsable(field="points", most=0)
    terms = _terms(rule)
    payable = payable_with_points(draft.lines, terms)
    amount = worth(points, terms)
    if points < terms.minimum or points % terms.step or amount > payable:
        raise PointsNotUsable(
            field="points", most=most_points(payable, points, terms), minimum=terms.minimum, step=terms.step
        )
    weights = [
        line.net_amount if not terms.categories or line.category in terms.categories else 0 for line in draft.lines
    ]
    shares = zip(draft.lines, apportion(points, weights), apportion(amount, weights), strict=True)
    lines = tuple(replace(line, points_used=used, points_amount=value) for line, used, value in shares)
    return replace(draft, lines=lines)


def _terms(rule: BurnRule) -> BurnTerms:
    return BurnTerms(
        points=rule.points,
        amount=rule.amount,
        minimum=rule.minimum,
        step=rule.step,
        share_cap=rule.share_cap,
        categories=frozenset(rule.categories),
    )
