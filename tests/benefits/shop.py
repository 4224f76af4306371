"""A group that is open for business: rules, prices, tiers and coupons of round figures, and tills to use them.

1 point per 1.00, 100 points pay 1.00, a point costs 5 fen. Tiers by spend in 30 days: BASIC from 0, GOLD from 1,000.00
(1.5 × points, 9.5折 at the mall), BLACK from 5,000.00 (2 × points, 9折 at the mall).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

from benefits.interfaces import Checkout
from benefits.models import (
    Coupon,
    CouponShare,
    CouponTemplate,
    MemberTier,
    Tier,
    TierPrice,
    TierProgramme,
)
from benefits.services import checkout, coupons
from loyalty.interfaces import DraftLine, PurchaseDraft, RefundItem
from loyalty.models import Account, BurnRule, EarnRule, PointsPrice, Purchase
from members.interfaces import Answer, Origin
from members.models import Member, OrgUnit
from members.services.organisation import own_channel
from tests.cast import Cast
from tests.factories import MemberFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = datetime(2020, 1, 1, tzinfo=SHANGHAI)
NOON = datetime(2026, 3, 10, 12, tzinfo=SHANGHAI)


class Shop:
    """`at` is both business time and posting time; move it to move on."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.at = NOON
        PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=LONG_AGO)
        BurnRule.objects.create(name="抵现", org_unit=cast.group, starts_at=LONG_AGO)
        self.rule = EarnRule.objects.create(name="消费得积分", org_unit=cast.group, starts_at=LONG_AGO)
        self.programme = TierProgramme.objects.create(
            code="group",
            name="集团等级",
            org_unit=cast.group,
            window_days=30,
            starts_at=LONG_AGO,
            benefits_from=LONG_AGO,
        )
        self.basic, self.gold, self.black = (
            Tier.objects.create(
                programme=self.programme,
                code=code,
                name=code.title(),
                rank=rank,
                threshold=threshold,
                points_multiplier=Decimal(multiplier),
            )
            for code, rank, threshold, multiplier in (
                ("basic", 0, 0, "1"),
                ("gold", 10, 100_000, "1.5"),
                ("black", 20, 500_000, "2"),
            )
        )
        TierPrice.objects.create(tier=self.gold, business=cast.mall, percent=95)
        TierPrice.objects.create(tier=self.black, business=cast.mall, percent=90)
        self.member = self.new_member()

    def new_member(self) -> Member:
        return MemberFactory(businesses=[self.cast.mall], registered_at=NOON - timedelta(days=100))

    def put_on(self, tier: Tier, member: Member | None = None) -> MemberTier:
        return MemberTier.objects.create(
            member=member or self.member,
            programme=self.programme,
            tier=tier,
            since=self.at - timedelta(days=50),
            reason=MemberTier.Reason.START,
            spend=0,
        )

    def origin(self, reference: str = "", **facts) -> Origin:
        facts = {"at": self.at, "posted_at": self.at, "store": self.cast.mall_1} | facts
        facts["business"] = facts["store"].business
        return Origin(channel=own_channel("desk"), reference=reference or uuid4().hex, **facts)

    # Coupons -----------------------------------------------------------------------------------------------------

    def template(self, *, shares: Sequence[tuple[OrgUnit | None, str]] = ((None, "100"),), **facts) -> CouponTemplate:
        """20.00 off from 100.00 on, of the group, unlimited, unless said otherwise."""
        defaults = {"name": "满100减20", "owner": self.cast.group, "amount": 2000, "threshold": 10_000, "per_member": 0}
        template = CouponTemplate.objects.create(code=f"t-{uuid4().hex[:8]}", **(defaults | facts))
        CouponShare.objects.bulk_create(
            CouponShare(template=template, payer=payer, percent=percent) for payer, percent in shares
        )
        return template

    def coupon(self, member: Member | None = None, **facts) -> Coupon:
        answer = coupons.issue_coupon(self.template(**facts), member or self.member, origin=self.origin())
        return Coupon.objects.get(code=answer["code"])

    # The till ----------------------------------------------------------------------------------------------------

    def basket(
        self,
        *amounts: int | DraftLine,
        member: Member | None = None,
        store: OrgUnit | None = None,
        tenders: Sequence[tuple[str, int]] = (),
        number: str | None = None,
        at: datetime | None = None,
        **asked,
    ) -> Checkout:
        lines = tuple(DraftLine(amount) if isinstance(amount, int) else amount for amount in amounts)
        draft = PurchaseDraft(
            member=member or self.member,
            store=store or self.cast.mall_1,
            at=at or self.at,
            lines=lines,
            external_number=uuid4().hex if number is None else number,
            tenders=tuple(tenders),
        )
        return Checkout(draft, **asked)

    def buy(self, *amounts: int | DraftLine, **options) -> Answer:
        return checkout.commit(self.basket(*amounts, **options), origin=self.origin())

    def refund(self, answer: Answer, lines: dict[int, int] | None = None, **options) -> Answer:
        """`lines` is line number → fen; without it, `amount=…` or `whole=True`."""
        items = [RefundItem(number, amount) for number, amount in lines.items()] if lines else None
        purchase = Purchase.objects.get(pk=answer["id"])
        return checkout.refund(purchase, items, origin=self.origin(), **options)

    @property
    def balance(self) -> int:
        return Account.objects.get(member=self.member, asset="points").balance

    @property
    def tier(self) -> str:
        return MemberTier.objects.open().get(member=self.member).tier.code

    def history(self, member: Member | None = None) -> list[tuple[str, str]]:
        """(tier, reason), in order."""
        rows = MemberTier.objects.filter(member=member or self.member).order_by("since", "pk")
        return list(rows.values_list("tier__code", "reason"))
