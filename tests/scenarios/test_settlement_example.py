"""The worked example of settlement, E1 to E7: through the tills, then to the last fen in the books.

1 point = ¥0.05 = issue price = face = reimbursement. MALL gives 1 point a yuan, HOTEL 2, the others none.
E1 MALL sells 1,000.00: 1,000 points. E2 HOTEL sells 600.00: 1,200 points. E3 at CVS 600 points pay 30.00 of 40.00.
E4 at PROP 800 points pay 40.00 of 200.00. E5 200.00 of E1 comes back: 200 points are clawed back, from E2's lot.
E6 100 points of E2's lot are expired. E7 half of E3 comes back: 300 points and 5.00.
"""

from uuid import uuid4

import pytest

from members.models import Member, OrgUnit
from members.services.organisation import add_business, add_store
from settlement.models import AccountCode, NettingPayment, SettlementModel
from settlement.tasks import collect_journals
from tests.api.client import App
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.settlement.world import (
    agree,
    assert_sound,
    balance,
    book_of,
    fund,
    points_pay,
    points_per_yuan,
    price_points,
)


class Tills:
    """One member at the businesses' tills, and the group's finance; all through the public API."""

    def __init__(self, app: App, member: Member) -> None:
        self.app = app
        self.member = member

    def buy(self, store: str, fen: int, *, with_points: int = 0) -> int:
        body = {
            "member": self.member.member_no,
            "store": store,
            "external_number": uuid4().hex,
            "lines": [{"amount": fen, "name": "商品"}],
            "tenders": [{"kind": "wechat", "amount": fen - 5 * with_points}],
            "points": with_points,
        }
        return self.created("purchases", body)["id"]

    def bring_back(self, purchase: int, fen: int) -> dict:
        return self.created(f"purchases/{purchase}/refunds", {"amount": fen})

    def expire(self, lot: int, quantity: int) -> dict:
        return self.created("points/expirations", {"lot": lot, "quantity": quantity, "reason": "人工过期"})

    def lots(self) -> dict[str, dict]:
        """By issuer."""
        return {lot["issuer"]: lot for lot in self.app.get(f"members/{self.member.member_no}/lots").json()["results"]}

    def statements(self) -> dict[str, dict]:
        """Of the last period, by business; the fund by its role."""
        collect_journals()
        for period in reversed(self.app.get("settlement/periods").json()["results"]):
            assert self.app.post(f"settlement/periods/{period['name']}/cut").status_code == 200
        answer = self.app.get("settlement/statements", {"period": period["name"]}).json()
        return dict(map(self.by_book, answer["results"]))

    def by_book(self, statement: dict) -> tuple[str, dict]:
        book = statement["book"]
        return "FUND" if book["role"] == "fund" else book["business"], statement

    def created(self, path: str, body: dict) -> dict:
        response = self.app.post(path, body)
        assert response.status_code == 201, response.content
        return response.json()


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
    return Tills(App(cast, cast.group_app), MemberFactory(businesses=[cast.mall, cast.hotel, cast.cvs, prop]))


def play(tills: Tills) -> None:
    e1 = tills.buy("MALL-1", 1000_00)
    tills.buy("HOTEL-1", 600_00)
    e3 = tills.buy("CVS-1", 40_00, with_points=600)
    tills.buy("PROP-1", 200_00, with_points=800)
    tills.bring_back(e1, 200_00)
    tills.expire(tills.lots()["HOTEL"]["id"], 100)
    tills.bring_back(e3, 20_00)


def nets(statements: dict[str, dict]) -> dict[str, int]:
    """What each book has to receive (+) or to pay (−) in all, in fen."""
    return {book: statement["closing"] for book, statement in statements.items()}


def test_the_lots_stand_as_the_example_says(tills):
    play(tills)
    assert {issuer: lot["remaining"] for issuer, lot in tills.lots().items()} == {"MALL": 300, "HOTEL": 500}


def test_under_a_the_nets_the_liability_and_the_breakage_are_exact(tills):
    play(tills)
    statements = tills.statements()
    assert nets(statements) == {"MALL": -40_00, "HOTEL": -60_00, "CVS": 15_00, "PROP": 40_00, "FUND": 45_00}
    assert (statements["FUND"]["points_closing"], statements["FUND"]["liability"]) == (800, "4000.000000")
    assert balance(AccountCode.POINTS_LIABILITY) == balance(AccountCode.POINTS_LIABILITY, fund()) == -40_00
    assert balance(AccountCode.BREAKAGE, fund()) == -5_00
    assert balance(AccountCode.MARGIN) == balance(AccountCode.PROMOTION_COST) == 0
    assert_sound()


def test_under_a_three_payments_settle_every_business(tills):
    play(tills)
    tills.statements()
    left = {"MALL": -40_00, "HOTEL": -60_00, "CVS": 15_00, "PROP": 40_00, "GROUP": 45_00}
    for payment in NettingPayment.objects.all():
        left[payment.payer.code] += payment.amount
        left[payment.payee.code] -= payment.amount
    assert set(left.values()) == {0}
    assert NettingPayment.objects.count() == 3  # MALL → PROP in full; HOTEL → the group and CVS


def test_under_b_every_book_balances_and_inter_company_cancels(cast, tills):
    """E3: MALL owes CVS 30. E4: MALL 20 and HOTEL 20 to PROP. E5: HOTEL, relieved of MALL's 200 points, owes MALL 10.
    E6: HOTEL keeps the breakage of 5. E7: MALL is given back 15 by CVS.
    MALL −30 −20 +10 +15 = −25, HOTEL −20 −10 = −30, CVS 30 − 15 = 15, PROP 40. MALL is liable for 300, HOTEL for 500.
    """
    agree(SettlementModel.PAY_AT_BURN)
    play(tills)
    assert nets(tills.statements()) == {"MALL": -25_00, "HOTEL": -30_00, "CVS": 15_00, "PROP": 40_00}
    assert balance(AccountCode.POINTS_LIABILITY, book_of(cast.mall)) == -15_00
    assert balance(AccountCode.POINTS_LIABILITY, book_of(cast.hotel)) == -25_00
    assert balance(AccountCode.BREAKAGE, book_of(cast.hotel)) == -5_00
    assert balance(AccountCode.INTER_COMPANY) == 0
    assert_sound()


def test_a_business_sees_its_own_statement_and_no_other(cast, tills):
    play(tills)
    tills.statements()
    seen = App(cast, cast.mall_app).get("settlement/statements").json()["results"]
    assert {statement["book"]["business"] for statement in seen} == {"MALL"}
