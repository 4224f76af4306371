"""Tiers and coupons of the demo."""

from decimal import Decimal

from benefits.models import CouponShare, CouponTemplate, Tier, TierPrice, TierProgramme
from config.demo.businesses import HOTEL, MALL
from config.demo.edition import Edition
from members.models import OrgUnit

YUAN = 100
Look = Tier.Look
# code, name, spend in a year that reaches it, multiplier, look, what its holders pay at the hotel in percent
TIERS = (
    ("basic", "普通会员", 0, "1", Look.GREEN, None),
    ("silver", "银卡会员", 2_000 * YUAN, "1.1", Look.SILVER, 98),
    ("gold", "金卡会员", 5_000 * YUAN, "1.25", Look.GOLD, 95),
    ("black", "黑金会员", 10_000 * YUAN, "1.5", Look.BLACK, 88),
)


def found_tiers(edition: Edition) -> None:
    """One programme for the group, with history from the first day.

    Its multipliers begin only after the last purchase of the data, whose points are held against known totals.
    """
    programme = TierProgramme.objects.create(
        code="wutong",
        name="梧桐会员等级",
        org_unit=OrgUnit.objects.get(depth=1),
        window_days=365,
        starts_at=edition.begins,
        benefits_from=edition.ends,
    )
    hotel = OrgUnit.objects.get(code=HOTEL)
    for rank, (code, name, threshold, multiplier, look, percent) in enumerate(TIERS):
        tier = Tier.objects.create(
            programme=programme,
            code=code,
            name=name,
            rank=10 * rank,
            threshold=threshold,
            points_multiplier=Decimal(multiplier),
            look=look,
        )
        if percent:
            TierPrice.objects.create(tier=tier, business=hotel, percent=percent)


def write_coupon_templates(edition: Edition) -> None:
    """A welcome coupon that the group pays, one that the hotel and the group share, and the mall's own."""
    group = OrgUnit.objects.get(depth=1)
    hotel, mall = (OrgUnit.objects.get(code=code) for code in (HOTEL, MALL))
    _template("welcome", "入会礼 满50减10", group, 10, 50, {group: 100}, is_welcome_gift=True)
    _template(
        "hotel-weekend", "酒店周末 满600减80", group, 80, 600, {group: 60, hotel: 40}, places=(hotel,), for_days=60
    )
    _template("mall-fashion", "广场时尚 满300减50", mall, 50, 300, {None: 100}, places=(mall,), per_member=0)


def _template(
    code: str,
    name: str,
    owner: OrgUnit,
    yuan: int,
    threshold: int,
    shares: dict[OrgUnit | None, int],
    places: tuple[OrgUnit, ...] = (),
    **terms,
) -> None:
    template = CouponTemplate.objects.create(
        code=code, name=name, owner=owner, amount=yuan * YUAN, threshold=threshold * YUAN, **terms
    )
    template.businesses.set(places)
    for payer, percent in shares.items():
        CouponShare.objects.create(template=template, payer=payer, percent=percent)
