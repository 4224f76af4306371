"""The dated decisions that hold at a node and a moment: most specific node first, then latest start."""

from datetime import datetime, timedelta
from decimal import Decimal

from loyalty.errors import NoPointsPrice
from loyalty.models import Asset, AssetPolicy, BurnRule, EarnRule, PointsPrice
from loyalty.models.rules import DatedRule
from loyalty.rules import expiry, local_midnight
from members.models import OrgUnit, Trade
from members.services.memory import Memory
from members.services.organisation import group

# Rules are read on every purchase and changed now and then: kept a few seconds in the process, chosen there by date.
_memory = Memory(seconds=5)


def earn_rules(store: OrgUnit, at: datetime) -> list[EarnRule]:
    """The earn rules in force at a store, in order of priority."""
    return [rule for rule in _over(EarnRule, store) if _in_force(rule, at) and _is_for(rule, store)]


def burn_rule(store: OrgUnit, at: datetime) -> BurnRule | None:
    """The first burn rule in force at a store: by priority, then the most specific node."""
    return next((rule for rule in _over(BurnRule, store) if _in_force(rule, at) and _is_for(rule, store)), None)


def policy_of(issuer: OrgUnit, asset: str, at: datetime) -> AssetPolicy:
    """How long the issuer's lots last and what undoing does; without any policy they never expire."""
    policies = [p for p in _over(AssetPolicy, issuer) if p.asset == asset and _in_force(p, at)]
    if not policies:
        return AssetPolicy(unit=AssetPolicy.Unit.NEVER, asset=asset, org_unit=issuer, starts_at=at)
    return max(policies, key=lambda policy: (policy.org_unit.depth, policy.starts_at))


def price_of(issuer: OrgUnit, asset: str, at: datetime) -> Decimal:
    """What one unit costs its issuer, in fen: his own price, else that of the node above. Raises NoPointsPrice."""
    if asset != Asset.POINTS:
        return Decimal(0)
    prices = [price for price in _prices(issuer) if price.starts_at <= at]
    if not prices:
        raise NoPointsPrice(issuer=issuer.code)
    return max(prices, key=lambda price: (price.issuer.depth, price.starts_at)).price


def expiry_of(issuer: OrgUnit, asset: str, at: datetime, posted_at: datetime) -> datetime | None:
    """When what is earned at `at` lapses. What would be born expired (sent late) lasts the policy's days of grace."""
    policy = policy_of(issuer, asset, at)
    zone = group().zone
    expires_at = expiry(at, zone, lasts=policy.lasts, unit=policy.unit, align=policy.align)
    if expires_at is None or expires_at > posted_at:
        return expires_at
    return local_midnight(posted_at + timedelta(days=policy.late_grace_days), zone, days=1)


def forget() -> None:
    """Read the rules again at once, in this process."""
    _memory.forget()


def _in_force(rule: EarnRule | BurnRule | AssetPolicy, at: datetime) -> bool:
    return rule.starts_at <= at and (rule.ends_at is None or at < rule.ends_at)


def _is_for(rule: EarnRule | BurnRule, store: OrgUnit) -> bool:
    """Whether the store is of a trade that the rule names; one that names none is for all."""
    return not rule.trades or _trades().get(store.trade_id) in rule.trades


def _trades() -> dict[int, str]:
    return _memory.get("Trade", lambda: dict(Trade.objects.values_list("pk", "code")))


def _over(model: type[DatedRule], node: OrgUnit) -> list:
    """The active rules whose node is `node` or above it. All are kept: stores are many, rules are few."""
    in_order = ("pk",) if model is AssetPolicy else ("priority", "-org_unit__depth", "pk")
    rules = model.objects.filter(is_active=True).select_related("org_unit").order_by(*in_order)
    return [
        rule for rule in _memory.get(model.__name__, lambda: list(rules)) if node.path.startswith(rule.org_unit.path)
    ]


def _prices(issuer: OrgUnit) -> list[PointsPrice]:
    prices = PointsPrice.objects.select_related("issuer")
    known = _memory.get("PointsPrice", lambda: list(prices))
    return [price for price in known if issuer.path.startswith(price.issuer.path)]
