"""The worked example of settlement, E1 to E7: through the tills, then to the last fen in the books.

1 point = ¥0.05 = issue price = face = reimbursement. MALL gives 1 point a yuan, HOTEL 2, the others none.
E1 MALL sells 1,000.00: 1,000 points. E2 HOTEL sells 600.00: 1,200 points. E3 at CVS 600 points pay 30.00 of 40.00.
E4 at PROP 800 points pay 40.00 of 200.00. E5 200.00 of E1 comes back: 200 points are clawed back, from E2's lot.
E6 100 points of E2's lot are expired. E7 half of E3 comes back: 300 points and 5.00.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from benefits.interfaces import Checkout, DraftLine, PurchaseDraft
from benefits.services import checkout
from loyalty.models import Asset, Lot, Purchase
from loyalty.services import points
from members.interfaces import Origin
from members.models import Member, OrgUnit
from members.services.organisation import add_business, add_store, own_channel
from settlement.models import AccountCode, NettingPayment, SettlementModel
from settlement.services.collect import collect
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.settlement.world import (
    agree,
    assert_sound,
    balance,
    book_of,
    cut_all,
    fund,
    nets,
    points_pay,
    points_per_yuan,
    price_points,
)

BEGIN = timezone.now() - timedelta(hours=1)


@dataclass
class Tills:
    """The businesses' tills: everything that the example does goes through here."""

    member: Member
    minute: int = 0

    def buy(self, store: OrgUnit, fen: int, *, with_points: int = 0) -> Purchase:
        draft = PurchaseDraft(
            member=self.member,
            store=store,
            at=self.now(),
            lines=(DraftLine(amount=fen, sku="1", name="商品"),),
            external_number=uuid4().hex,
            tenders=(("wechat", fen - 5 * with_points),),
        )
        answer = checkout.commit(Checkout(draft, points=with_points), origin=self.origin())
        return Purchase.objects.get(pk=answer["id"])

    def bring_back(self, purchase: Purchase, fen: int) -> dict:
        return checkout.refund(purchase, amount=fen, origin=self.origin())

    def expire(self, lot: Lot, quantity: int) -> dict:
        return points.expire(lot, quantity, reason="人工过期", origin=self.origin())

    def origin(self) -> Origin:
        at = self.now()
        return Origin(channel=own_channel("desk"), reference=uuid4().hex, at=at, posted_at=at)

    def now(self) -> datetime:
        self.minute += 1
        return BEGIN + timedelta(minutes=self.minute)


@pytest.fixture
def prop(cast: Cast) -> OrgUnit:
    prop = add_business(cast.group, "PROP", "梧桐物业")
    add_store(prop, "PROP-1", "物业一处")
    return prop


@pytest.fixture
def terms(cast: Cast, prop: OrgUnit) -> None:
    price_points(cast.group, 5)
    points_per_yuan(cast.mall)
    points_per_yuan(cast.hotel, multiplier=2)
    points_pay(cast.cvs, 5)
    points_pay(prop, 5)


@pytest.fixture
def tills(cast: Cast, prop: OrgUnit, terms: None) -> Tills:
    return Tills(MemberFactory(businesses=[cast.mall, cast.hotel, cast.cvs, prop]))


def play(cast: Cast, prop: OrgUnit, tills: Tills) -> None:
    e1 = tills.buy(cast.mall_1, 1000_00)
    tills.buy(cast.hotel_1, 600_00)
    e3 = tills.buy(cast.cvs_1, 40_00, with_points=600)
    tills.buy(prop.units.get(code="PROP-1"), 200_00, with_points=800)
    tills.bring_back(e1, 200_00)
    tills.expire(lot_of(cast.hotel), 100)
    tills.bring_back(e3, 20_00)


def lot_of(issuer: OrgUnit) -> Lot:
    return Lot.objects.get(issuer=issuer, account__asset=Asset.POINTS)


def test_the_lots_stand_as_the_example_says(cast, prop, tills):
    play(cast, prop, tills)
    assert (lot_of(cast.mall).remaining, lot_of(cast.hotel).remaining) == (300, 500)


def test_under_a_the_nets_the_liability_and_the_breakage_are_exact(cast, prop, tills):
    play(cast, prop, tills)
    collect()
    last = cut_all()
    assert nets(last) == {"MALL": -40_00, "HOTEL": -60_00, "CVS": 15_00, "PROP": 40_00, "FUND": 45_00}
    assert balance(AccountCode.POINTS_LIABILITY) == balance(AccountCode.POINTS_LIABILITY, fund()) == -40_00
    assert balance(AccountCode.BREAKAGE, fund()) == -5_00
    assert balance(AccountCode.MARGIN) == balance(AccountCode.PROMOTION_COST) == 0
    assert_sound()


def test_under_a_the_payments_settle_every_business(cast, prop, tills):
    play(cast, prop, tills)
    collect()
    cut_all()
    left = {"MALL": -40_00, "HOTEL": -60_00, "CVS": 15_00, "PROP": 40_00, "GROUP": 45_00}
    for payment in NettingPayment.objects.all():
        left[payment.payer.code] += payment.amount
        left[payment.payee.code] -= payment.amount
    assert set(left.values()) == {0}
    assert NettingPayment.objects.count() == 3  # MALL → PROP in full; HOTEL → group and CVS


def test_under_b_every_book_balances_and_inter_company_cancels(cast, prop, tills):
    """E3: MALL owes CVS 30. E4: MALL 20 and HOTEL 20 to PROP. E5: HOTEL, relieved of MALL's 200 points, owes MALL 10.
    E6: HOTEL keeps the breakage of 5. E7: MALL is given back 15 by CVS.
    MALL −30 −20 +10 +15 = −25, HOTEL −20 −10 = −30, CVS 30 − 15 = 15, PROP 40. MALL is liable for 300, HOTEL for 500.
    """
    agree(SettlementModel.PAY_AT_BURN)
    play(cast, prop, tills)
    collect()
    last = cut_all()
    assert nets(last) == {"MALL": -25_00, "HOTEL": -30_00, "CVS": 15_00, "PROP": 40_00}
    assert balance(AccountCode.POINTS_LIABILITY, book_of(cast.mall)) == -15_00
    assert balance(AccountCode.POINTS_LIABILITY, book_of(cast.hotel)) == -25_00
    assert balance(AccountCode.BREAKAGE, book_of(cast.hotel)) == -5_00
    assert balance(AccountCode.INTER_COMPANY) == 0
    assert_sound()
