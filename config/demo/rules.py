"""What earns, what points are worth, how long they last: all in force before the first purchase."""

from decimal import Decimal

from config.demo.businesses import HOTEL, MALL, PROPERTY, WHOLE_BASKETS
from config.demo.edition import Edition, Rule
from loyalty.models import AssetPolicy, BurnRule, EarnRule, PointsPrice
from members.models import OrgUnit

FEN_PER_POINT = Decimal(5)
# Rule B: one point per full 1.00 of a purchase, then the business's multiplier; OTHER earns nothing.
MULTIPLIERS = {"GROC": 1, "FRESH": 1, "DINING": 2, "HEALTH": 1, "FUEL": 1, "FLORAL": 3, "SPIRITS": 1}
NEIGHBOURS_EARN = {HOTEL: 2, PROPERTY: 1, MALL: 1}
# What 100 points pay in fen, how many it takes to begin, and the most that they may pay of a bill in percent.
BURNS = {
    "FRESH": (500, 0, 50),
    "DINING": (500, 100, 100),
    HOTEL: (500, 500, 50),
    PROPERTY: (500, 100, 30),
    MALL: (500, 0, 100),
}


def lay_down(edition: Edition) -> None:
    group, start = OrgUnit.objects.get(depth=1), edition.begins
    PointsPrice.objects.create(issuer=group, price=FEN_PER_POINT, starts_at=start)
    AssetPolicy.objects.create(name="积分有效期十二个月", org_unit=group, starts_at=start, lasts=12)
    if edition.rule == Rule.A:
        _earns(WHOLE_BASKETS, 1, start)
        return
    for code, multiplier in (MULTIPLIERS | NEIGHBOURS_EARN).items():
        _earns(code, multiplier, start)
    for code, (amount, minimum, share) in BURNS.items():
        business = OrgUnit.objects.get(code=code)
        BurnRule.objects.create(
            name=f"{business.name}积分抵现",
            org_unit=business,
            starts_at=start,
            points=100,
            amount=amount,
            minimum=minimum,
            step=100,
            share_cap=share,
        )


def _earns(code: str, multiplier: int, start) -> None:
    business = OrgUnit.objects.get(code=code)
    EarnRule.objects.create(
        name=f"{business.name}消费 1 元积 {multiplier} 分", org_unit=business, starts_at=start, multiplier=multiplier
    )
