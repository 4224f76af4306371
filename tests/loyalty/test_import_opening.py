"""The spreadsheets of opening balances: lots in the ledger, each opened once, and the ledger still adds up."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from loyalty.models import Account, Asset, Entry, Lot, PointsPrice, Transaction
from loyalty.resources import OPENING_GROWTH, OPENING_POINTS
from loyalty.services import points
from loyalty.services.opening import Opening, open_lots
from loyalty.services.verify import violations
from members.errors import ReasonMissing
from members.interfaces.imports import Policy
from members.models import Event, Member
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.sheets import imported, problems, totals

START = datetime(2020, 1, 1, tzinfo=UTC)
HEADER = ("会员", "积分", "发行业态", "获取日期", "失效日期", "单价", "凭证号")
NEXT_YEAR = date(datetime.now(UTC).year + 1, 12, 31)


@pytest.fixture
def member(cast: Cast) -> Member:
    PointsPrice.objects.create(issuer=cast.group, price=Decimal("0.8"), starts_at=START)
    return MemberFactory(phone="+8613800138000", businesses=[cast.mall])


def clean() -> bool:
    return not any(violation for _, violation in violations())


def test_points_come_as_lots_with_issuer_price_and_expiry(cast: Cast, member: Member) -> None:
    how = {"by": cast.sees_mall, "business": cast.mall, "header": (*HEADER[:5], "单价（分）", "凭证号")}
    rows = (
        ("13800138000", 1200, "", "2025-06-30", NEXT_YEAR, "", ""),
        (member.member_no, "500", "MALL", "", "", "1.25", "OLD-1"),
        (member.member_no, "500", "MALL", "", "", "1.25", "OLD-2"),
        ("13800138000", 7, "HOTEL", "", "", "", ""),
        ("13800138000", "1.5", "", "", "", "", ""),
        ("13800138000", 5, "", "", "2020-01-01", "", ""),
        ("13800138000", 1200, "", "2025-06-30", NEXT_YEAR, "", ""),
    )
    job = imported(OPENING_POINTS, *rows, **how)
    assert (totals(job), sorted(problems(job))) == ({"new": 3, "skipped": 1, "failed": 3}, [5, 6, 7])
    lots = Lot.objects.order_by("-quantity", "pk").values_list("quantity", "issuer__code", "unit_price")
    assert list(lots) == [
        (1200, "MALL", Decimal("0.8")),
        (500, "MALL", Decimal("1.25")),
        (500, "MALL", Decimal("1.25")),
    ]
    assert Lot.objects.get(quantity=1200).expires_at.astimezone(cast.group.zone).date() == NEXT_YEAR
    assert Account.objects.get().balance == 2200
    assert set(Transaction.objects.values_list("kind", "operator")) == {("earn", cast.sees_mall.pk)}
    assert Event.objects.filter(type="points.opened", member=member).count() == 1
    assert clean()
    assert totals(imported(OPENING_POINTS, *rows, **how)) == {"unchanged": 3, "skipped": 1, "failed": 3}
    assert totals(imported(OPENING_POINTS, *rows[:1], policy=Policy.FAIL, **how)) == {"failed": 1}
    assert (Account.objects.get().balance, Entry.objects.count()) == (2200, 3)


def test_growth_comes_too(cast: Cast, member: Member) -> None:
    job = imported(OPENING_GROWTH, ("13800138000", 3600, "2025-12-31", ""), by=cast.sees_mall, business=cast.mall)
    assert totals(job) == {"new": 1}
    assert Account.objects.get(asset=Asset.GROWTH).balance == 3600
    assert clean()


def test_what_comes_in_meets_debt_first(cast: Cast, member: Member) -> None:
    origin = own_origin("desk", business=cast.mall)
    earned = points.earn(member, 100, issuer=cast.mall, origin=origin)
    points.burn(member, 80, origin=own_origin("desk", business=cast.mall))
    points.reverse(Transaction.objects.get(pk=earned["id"]), reason="错", origin=own_origin("desk"))
    account = Account.objects.get()
    assert (owed := account.balance) < 0
    imported(OPENING_POINTS, ("13800138000", 200, "", "", "", "", ""), by=cast.sees_mall, business=cast.mall)
    account.refresh_from_db()
    assert account.balance == 200 + owed
    assert clean()


def test_a_reason_is_needed(cast: Cast, member: Member) -> None:
    with pytest.raises(ReasonMissing):
        open_lots([], Asset.POINTS, reason=" ", origin=own_origin("import"))


def test_a_thousand_lots_a_second(cast: Cast, member: Member) -> None:
    """Measured with room to spare: a slow machine must not fail it."""
    now = datetime.now(UTC)
    openings = [
        Opening(f"open-{number}", member, cast.mall, number + 1, Decimal(1), now, now + timedelta(days=300))
        for number in range(2_000)
    ]
    began = time.perf_counter()
    assert len(open_lots(openings, Asset.POINTS, reason="期初", origin=own_origin("import"))) == 2_000
    assert time.perf_counter() - began < 4
    assert Account.objects.get().balance == sum(range(1, 2_001))
    assert open_lots(openings, Asset.POINTS, reason="期初", origin=own_origin("import")) == set()
    assert clean()
