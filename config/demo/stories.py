"""What the data can't tell: points spent, coupons used and money given back at the hotel, the property and the mall.

On the first morning of each month a few members come by; every visit has its reference, so telling it twice
changes nothing.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from benefits.interfaces import Checkout
from benefits.models import CouponTemplate
from benefits.services import checkout, coupons
from config.demo.businesses import HOTEL, MALL, PROPERTY
from loyalty.interfaces import DraftLine, PurchaseDraft
from loyalty.models import Account, Asset, Purchase
from members.interfaces import Origin
from members.models import Channel, Member, OrgUnit, Request
from members.services.organisation import own_channel

FEN_PER_POINT = 5
LEAST, STEP = 500, 100  # every burn rule of the demo allows these
MOST_SHARE = {HOTEL: 40, PROPERTY: 20, MALL: 60}  # percent of a bill: below every rule's cap, at every tier's price
GOODS = {
    HOTEL: (("客房", "豪华大床房", (480_00, 1_280_00)), ("餐饮", "双人早餐", (96_00, 168_00))),
    PROPERTY: (("物业费", "季度物业费", (420_00, 1_500_00)), ("停车", "月租车位", (200_00, 300_00))),
    MALL: (("服饰", "羊绒大衣", (300_00, 900_00)), ("鞋履", "运动鞋", (259_00, 699_00))),
}
REFUNDED = 4  # every so many visits, one loses its second line some days later


@dataclass(frozen=True)
class Visit:
    """One member at one of the neighbours."""

    household: int
    member: Member
    store: OrgUnit
    number: str
    at: datetime

    @property
    def business(self) -> str:
        return self.store.business.code

    def lines(self) -> tuple[DraftLine, ...]:
        chance = random.Random(self.number)
        return tuple(
            DraftLine(amount=chance.randrange(*span) // 100 * 100, name=name, category=category)
            for category, name, span in GOODS[self.business]
        )


class Stories:
    def __init__(self, members: Mapping[int, Member], households: Sequence[int], *, now: datetime) -> None:
        self.members, self.households, self.now = members, households, now
        self.desk = own_channel(Channel.Kind.DESK)
        stores = OrgUnit.objects.stores().filter(business__code__in=GOODS).select_related("business")
        self.stores = list(stores.order_by("code"))

    def tell(self, morning: datetime, *, visits: int) -> int:
        """The visits of one month's first morning; returns how many are new."""
        due = [visit for visit in self._visits(morning, visits) if visit.at < self.now]
        done = set(
            Request.objects.filter(channel=self.desk, reference__in=[visit.number for visit in due]).values_list(
                "reference", flat=True
            )
        )
        new = [visit for visit in due if visit.number not in done]
        for visit in new:
            self._pay(visit)
        for visit in new[::REFUNDED]:
            self._give_back(visit)
        return len(new)

    def _visits(self, morning: datetime, count: int) -> Iterator[Visit]:
        for number in range(count):
            household = self.households[(morning.month * count + number) % len(self.households)]
            store = self.stores[(morning.month + 3 * number) % len(self.stores)]  # now here, now there
            reference = f"{store.code}:{morning:%Y%m}:{household}"
            yield Visit(household, self.members[household], store, reference, morning + timedelta(minutes=4 * number))

    def _pay(self, visit: Visit) -> None:
        draft = PurchaseDraft(visit.member, visit.store, visit.at, visit.lines(), external_number=visit.number)
        basket = Checkout(draft, coupons=self._coupons(visit), points=self._points(visit, draft.list_amount))
        checkout.commit(basket, origin=self._origin(visit, visit.number, visit.at))

    def _points(self, visit: Visit, amount: int) -> int:
        """As many as he has, within what the rules allow; nothing if that is too little."""
        account = Account.objects.filter(member=visit.member, asset=Asset.POINTS).first()
        most = amount * MOST_SHARE[visit.business] // 100 // FEN_PER_POINT
        points = min(account.balance if account else 0, most) // STEP * STEP
        return points if points >= LEAST else 0

    def _coupons(self, visit: Visit) -> tuple[str, ...]:
        if visit.business != MALL:
            return ()
        template = CouponTemplate.objects.get(code="mall-fashion")
        reference = f"{visit.number}:coupon"
        issued = coupons.issue_coupon(template, visit.member, origin=self._origin(visit, reference, visit.at))
        return (issued["code"],)

    def _give_back(self, visit: Visit) -> None:
        at = visit.at + timedelta(days=2)
        if at > self.now:
            return
        purchase = Purchase.objects.get(store=visit.store, external_number=visit.number)
        amount = purchase.lines.get(number=2).net_amount
        checkout.refund(purchase, amount=amount, origin=self._origin(visit, f"{visit.number}:refund", at))

    def _origin(self, visit: Visit, reference: str, at: datetime) -> Origin:
        return Origin(
            channel=self.desk,
            reference=reference,
            at=at,
            posted_at=at,
            store=visit.store,
            business=visit.store.business,
            terminal=visit.store.terminals.first(),
        )
