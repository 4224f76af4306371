"""Purchases and refunds through the ledger: what is earned and burned, and that refunds undo it exactly."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import transaction

from loyalty.errors import NotReversible, PurchaseExists, RefundNothing, RefundTooMuch, TendersDoNotAddUp
from loyalty.interfaces import DraftLine, PurchaseDraft, RefundItem
from loyalty.models import Account, BurnRule, EarnRule, PointsPrice, Purchase, Tender, Transaction
from loyalty.services import burning, earning, points, purchases, terms
from members.interfaces import Origin
from members.models import Membership
from members.services.organisation import own_channel
from members.services.requests import claim
from tests.cast import Cast
from tests.factories import MemberFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 10, 12, tzinfo=SHANGHAI)
START = datetime(2020, 1, 1, tzinfo=SHANGHAI)


class Shop:
    """One member buying at MALL-1, where 1 point is earned per 1.00 and 1 point pays 0.05."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.member = MemberFactory()
        PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=START)
        self.rule(name="基础")
        BurnRule.objects.create(name="抵扣", org_unit=cast.group, starts_at=START, points=1, amount=5)

    def rule(self, **facts) -> EarnRule:
        rule = EarnRule.objects.create(**{"org_unit": self.cast.mall, "starts_at": START} | facts)
        terms.forget()
        return rule

    def origin(self, at: datetime = NOW) -> Origin:
        origin = Origin(
            channel=own_channel("desk"),
            reference=uuid4().hex,
            business=self.cast.mall,
            store=self.cast.mall_1,
            at=at,
            posted_at=at,
        )
        return origin.with_request(claim(origin, "test")[0])

    def draft(self, *lines: DraftLine, **facts) -> PurchaseDraft:
        facts = {"member": self.member, "store": self.cast.mall_1, "at": NOW, "external_number": uuid4().hex} | facts
        return PurchaseDraft(lines=lines, **facts)

    def buy(self, *lines: DraftLine, use_points: int = 0, **facts) -> Purchase:
        draft = burning.apply(self.draft(*lines, **facts), use_points)
        with transaction.atomic():
            return purchases.record(draft, purchases.lock_for(draft), origin=self.origin(draft.at))[0]

    def refund(self, purchase: Purchase, items: list[RefundItem] | None = None, **facts):
        with transaction.atomic():
            return purchases.refund(purchase, items, origin=self.origin(NOW + timedelta(days=1)), **facts)

    def grant(self, quantity: int) -> None:
        with transaction.atomic():
            points.grant(self.member, quantity, issuer=self.cast.hotel, origin=self.origin())

    @property
    def balance(self) -> int:
        return Account.objects.get(member=self.member, asset="points").balance


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return Shop(cast)


@pytest.fixture(autouse=True)
def _proven(db: None):
    yield
    call_command("verify_ledger", stdout=open("/dev/null", "w"))  # noqa: SIM115


def test_a_purchase_earns_and_makes_a_membership(shop: Shop):
    purchase = shop.buy(DraftLine(amount=1999), DraftLine(amount=350))
    assert (purchase.net_amount, shop.balance) == (2349, 23)
    assert Membership.objects.get(member=shop.member).business == shop.cast.mall
    assert list(Tender.objects.values_list("kind", "amount")) == [("other", 2349)]
    award = purchase.awards.get()
    assert (award.eligible_amount, award.base, award.given) == (2349, 23, 23)


def test_the_preview_is_what_the_commit_gives(shop: Shop):
    shop.rule(name="酒类双倍", categories=["酒"], multiplier=2, cap_per_purchase=50)
    lines = (DraftLine(amount=12_345, category="酒"), DraftLine(amount=990, category="茶"))
    preview = [award.earned.given for award in earning.preview(shop.draft(*lines))]
    purchase = shop.buy(*lines)
    assert preview == list(purchase.awards.order_by("pk").values_list("given", flat=True)) == [133, 50]


def test_points_are_not_earned_on_what_points_paid(shop: Shop):
    shop.grant(600)
    purchase = shop.buy(DraftLine(amount=4000), use_points=600)
    assert (purchase.points_amount, purchase.points_used) == (3000, 600)
    assert purchase.awards.get().eligible_amount == 1000
    assert shop.balance == 10
    assert set(purchase.tenders.values_list("kind", "amount")) == {("points", 3000), ("other", 1000)}


def test_an_exclusive_rule_ends_the_turn_of_its_asset_only(shop: Shop):
    shop.rule(name="独占", priority=1, is_exclusive=True, multiplier=3)
    shop.rule(name="成长", asset="growth", priority=200)
    shop.buy(DraftLine(amount=1000))
    assert shop.balance == 30
    assert Account.objects.get(member=shop.member, asset="growth").balance == 10


def test_a_rule_holds_at_its_node_and_in_its_dates(shop: Shop):
    shop.rule(name="二店", org_unit=shop.cast.mall_2)
    shop.rule(name="酒店", org_unit=shop.cast.hotel)
    shop.rule(name="已结束", ends_at=NOW)
    shop.rule(name="今起", starts_at=NOW)
    assert [award.rule.name for award in earning.preview(shop.draft(DraftLine(amount=1000)))] == ["基础", "今起"]


def test_a_daily_cap_counts_the_local_day(shop: Shop):
    shop.rule(name="限额", cap_per_day=15, priority=1, is_exclusive=True)
    midnight = datetime(2026, 3, 11, tzinfo=SHANGHAI)
    moments = (midnight - timedelta(hours=20), midnight - timedelta(seconds=1), midnight)
    given = [shop.buy(DraftLine(amount=1000), at=at).awards.get().given for at in moments]
    assert given == [10, 5, 10]


def test_the_same_number_twice_in_a_store_is_refused_and_nothing_is_kept(shop: Shop):
    shop.buy(DraftLine(amount=1000), external_number="A1")
    with pytest.raises(PurchaseExists):
        shop.buy(DraftLine(amount=2000), external_number="A1")
    assert (Purchase.objects.count(), shop.balance) == (1, 10)


def test_tenders_must_add_up(shop: Shop):
    with pytest.raises(TendersDoNotAddUp):
        shop.buy(DraftLine(amount=1000), tenders=(("cash", 900),))
    assert Purchase.objects.count() == 0


def test_half_a_refund_restores_half_the_points_first(shop: Shop):
    shop.grant(600)
    purchase = shop.buy(DraftLine(amount=4000), use_points=600)
    refund = shop.refund(purchase, amount=2000)
    assert (refund.points_restored, refund.points_amount, refund.money_amount) == (300, 1500, 500)
    assert shop.balance == 10 + 300 - 5
    kinds = Transaction.objects.filter(refund=refund).order_by("pk").values_list("kind", "quantity")
    assert list(kinds) == [("restore", 300), ("claw_back", -5)]


def test_refunds_in_any_pieces_end_where_one_refund_ends(shop: Shop):
    shop.grant(1000)
    lines = (DraftLine(amount=3333), DraftLine(amount=101), DraftLine(amount=7))
    purchase = shop.buy(*lines, use_points=333)
    for items in ([(1, 1)], [(2, 50), (3, 7)], [(1, 1700)], [(2, 51)], [(1, 1632)]):
        shop.refund(purchase, [RefundItem(*item) for item in items])
    purchase.refresh_from_db()
    assert (purchase.kept_amount, shop.balance) == (0, 1000)
    with pytest.raises(RefundTooMuch):
        shop.refund(purchase, [RefundItem(1, 1)])


@pytest.mark.parametrize("items", [[], [RefundItem(9, 1)], [RefundItem(1, 0)], [RefundItem(1, -5)]])
def test_a_refund_of_nothing_is_refused(shop: Shop, items: list[RefundItem]):
    purchase = shop.buy(DraftLine(amount=1000))
    with pytest.raises(RefundNothing):
        shop.refund(purchase, items)
    assert purchase.refunds.count() == 0


def test_buy_earn_spend_refund_leaves_debt_not_points(shop: Shop):
    purchase = shop.buy(DraftLine(amount=10_000))
    with transaction.atomic():
        points.burn(shop.member, 100, origin=Origin(channel=own_channel("desk"), reference="b", at=NOW, posted_at=NOW))
    shop.refund(purchase, amount=10_000)
    assert shop.balance == -100


def test_what_belongs_to_a_purchase_is_undone_through_its_refund_only(shop: Shop):
    purchase = shop.buy(DraftLine(amount=1000))
    with pytest.raises(NotReversible):
        points.reverse(purchase.transactions.get(), reason="撤销", origin=replace(shop.origin(), reference="undo"))


def test_a_late_purchase_lasts_the_days_of_grace(shop: Shop):
    shop.cast.group.refresh_from_db()
    from_last_year = NOW - timedelta(days=400)
    terms_of_group = {"name": "政策", "org_unit": shop.cast.group, "starts_at": START, "late_grace_days": 10}
    from_policy = terms.AssetPolicy.objects.create(lasts=1, unit="months", align="month", **terms_of_group)
    terms.forget()
    assert from_policy.late_grace_days == 10
    expires_at = terms.expiry_of(shop.cast.mall, "points", from_last_year, NOW)
    assert expires_at == datetime(2026, 3, 21, tzinfo=SHANGHAI)
    assert terms.price_of(shop.cast.mall, "points", NOW) == Decimal(5)
