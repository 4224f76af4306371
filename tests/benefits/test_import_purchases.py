"""The spreadsheet of purchases: rows of one receipt are one purchase, that earns as at the till."""

from datetime import UTC, datetime

import pytest

from benefits.resources import PURCHASES
from loyalty.models import EarnRule, PointsPrice, Purchase
from loyalty.services.verify import violations
from members.interfaces.imports import Policy
from members.models import Member
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.sheets import imported, problems, totals

HEADER = ("单号", "门店", "会员", "消费时间", "金额", "商品", "数量")
START = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def member(cast: Cast) -> Member:
    PointsPrice.objects.create(issuer=cast.group, price=1, starts_at=START)
    EarnRule.objects.create(name="1 元 1 分", org_unit=cast.group, starts_at=START)
    return MemberFactory(phone="+8613800138000", businesses=[cast.mall])


def test_rows_of_a_receipt_are_one_purchase(cast: Cast, member: Member) -> None:
    how = {"by": cast.sees_mall, "business": cast.mall, "header": HEADER}
    rows = (
        ("R-1", "MALL-1", "13800138000", "2026-05-01 18:30", "100.50", "衬衫", 1),
        ("R-2", "MALL-1", member.member_no, datetime(2026, 5, 2, 9, 15), 20, "袜子", 2),
        ("R-1", "MALL-1", "13800138000", "2026-05-01 18:30", "9.5", "袋子", ""),
    )
    job = imported(PURCHASES, *rows, **how)
    assert totals(job) == {"new": 3}
    first, second = Purchase.objects.order_by("at")
    assert (first.external_number, first.net_amount, first.lines.count(), first.store) == ("R-1", 11000, 2, cast.mall_1)
    assert first.at.astimezone(cast.group.zone).isoformat() == "2026-05-01T18:30:00+08:00"
    assert (second.net_amount, second.lines.get().quantity, second.member) == (2000, 2, member)
    assert member.accounts.get(asset="points").balance == 110 + 20
    job = imported(PURCHASES, *rows, **how)
    assert (totals(job), Purchase.objects.count()) == ({"unchanged": 3}, 2)
    job = imported(PURCHASES, *rows, policy=Policy.FAIL, **how)
    assert (totals(job), Purchase.objects.count()) == ({"failed": 3}, 2)
    assert not any(violation for _, violation in violations())


def test_a_receipt_with_a_bad_line_fails_whole(cast: Cast, member: Member) -> None:
    job = imported(
        PURCHASES,
        ("R-1", "MALL-1", "13800138000", "2026-05-01 18:30", "100", "", ""),
        ("R-1", "MALL-1", "13800138000", "2026-05-01 18:30", "1.234", "", ""),
        ("R-2", "HOTEL-1", "13800138000", "2026-05-01 18:30", "100", "", ""),
        ("R-3", "MALL-1", "13800138000", "2999-05-01 18:30", "100", "", ""),
        ("R-4", "MALL-1", "13800138000", "2026-05-01 18:30", "100", "", ""),
        ("R-4", "MALL-1", "13800138000", "2026-05-01 18:31", "100", "", ""),
        ("R-5", "MALL-1", "13800138000", "2026-05-01 18:30", "100", "", ""),
        by=cast.sees_mall,
        business=cast.mall,
        header=HEADER,
    )
    assert totals(job) == {"new": 1, "failed": 6}
    assert problems(job)[2] == "同一单的第 3 行有误，整单未导入"
    assert Purchase.objects.get().external_number == "R-5"
