"""What a card spends: of whom, of what, how much a use and a day, and what gives the day back."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.errors import (
    CardAssetNotAllowed,
    CardLimitExceeded,
    CardLimitTooHigh,
    CardNotUsable,
    InvalidQuantity,
)
from loyalty.models import Account, CardAllowance, CardLimit, Hold, Transaction
from loyalty.services import cards as spending
from loyalty.services import points
from loyalty.services.verify import violations
from members.errors import MemberFrozen
from members.interfaces import Origin
from members.models import Card, Event, Member
from members.services import cards
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import CardTypeFactory, MemberFactory
from tests.points import give_points

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 10, 12, tzinfo=SHANGHAI)


class Wallet:
    """A mother with 10,000 points, her child with a supplementary card: 300 at once, 500 a day."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.at = NOON
        self.mother = MemberFactory(businesses=[cast.mall])
        self.child = MemberFactory(businesses=[cast.mall])
        self.card_type = CardTypeFactory(org_unit=cast.group, kind="supplementary")
        self.allowance = CardAllowance.objects.create(
            card_type=self.card_type, asset="points", per_use=300, per_day=500
        )
        give_points(self.mother, 10_000, cast.mall, at=NOON - timedelta(days=9))
        answer = cards.issue_to(
            self.child, self.card_type, org_unit=cast.mall, principal=self.mother, origin=self.origin()
        )
        self.card = self.named(answer["number"])

    def named(self, number: str) -> Card:
        return cards.find(number, actor=self.cast.sees_all)

    def origin(self) -> Origin:
        origin = own_origin("desk", store=self.cast.mall_1, at=self.at)
        return Origin(**{name: getattr(origin, name) for name in origin.__dataclass_fields__} | {"posted_at": self.at})

    def spend(self, quantity: int, card: Card | None = None) -> dict:
        return points.burn(self.mother, quantity, card=card or self.card, origin=self.origin())

    def hold(self, quantity: int) -> Hold:
        terms = {"until": self.at + timedelta(days=9), "card": self.card}
        return Hold.objects.get(pk=points.hold(self.mother, quantity, origin=self.origin(), **terms)["id"])

    def capture(self, held: Hold, quantity: int | None = None) -> dict:
        return points.capture(held, quantity, origin=self.origin())

    def limit(self, card: Card | None = None, **limits: int) -> dict:
        return spending.limit(
            card or self.card, "points", **{"per_use": 0, "per_day": 0} | limits, origin=self.origin()
        )

    @property
    def left(self) -> int | None:
        return spending.room(self.card, "points", at=self.at).left

    @property
    def balance(self) -> int:
        return Account.objects.get(member=self.mother).balance

    def refuses(self, quantity: int, why: type[Exception], **details) -> None:
        """Spending so much is refused for this reason, and changes nothing."""
        before = (self.balance, Transaction.objects.count(), Event.objects.count())
        with pytest.raises(why) as refusal:
            self.spend(quantity)
        assert refusal.value.details.items() >= details.items()
        assert (self.balance, Transaction.objects.count(), Event.objects.count()) == before


@pytest.fixture
def wallet(cast: Cast) -> Wallet:
    return Wallet(cast)


def test_a_supplementary_card_spends_its_principals_points(wallet: Wallet) -> None:
    answer = wallet.spend(300)
    assert (answer["member_no"], answer["card"], answer["balance"]) == (
        wallet.mother.member_no, wallet.card.number, 9_700,
    )  # fmt: skip
    burned = Transaction.objects.get(pk=answer["id"])
    assert (burned.card, burned.account.member) == (wallet.card, wallet.mother)
    assert not Account.objects.filter(member=wallet.child).exists()
    event = Event.objects.get(type="points.burned")
    assert (event.member, event.data["card"]) == (wallet.mother, wallet.card.number)


def test_no_more_at_once_than_the_type_allows(wallet: Wallet) -> None:
    wallet.refuses(301, CardLimitExceeded, left=300, per_use=300, per_day=500, wanted=301)
    assert wallet.spend(300)["balance"] == 9_700


def test_no_more_a_day_than_the_type_allows(wallet: Wallet) -> None:
    wallet.spend(300)
    wallet.refuses(201, CardLimitExceeded, left=200)
    wallet.spend(200)
    wallet.refuses(1, CardLimitExceeded, left=0)


def test_the_day_is_the_groups_local_day(wallet: Wallet) -> None:
    wallet.at = NOON.replace(hour=23, minute=59)
    wallet.spend(300)
    wallet.spend(200)
    wallet.refuses(1, CardLimitExceeded, left=0)
    wallet.at += timedelta(minutes=1)  # midnight in Shanghai, not yet in Greenwich
    assert wallet.spend(300)["balance"] == 9_200


def test_what_is_given_back_is_taken_off_its_own_day(wallet: Wallet) -> None:
    burned = Transaction.objects.get(pk=wallet.spend(300)["id"])
    wallet.spend(200)
    points.reverse(burned, reason="退货", origin=wallet.origin())
    assert Transaction.objects.get(kind="restore").card == wallet.card
    assert wallet.left == 300
    wallet.spend(300)
    wallet.at += timedelta(days=1)
    yesterday = Transaction.objects.filter(kind="burn").latest("pk")
    points.reverse(yesterday, reason="退货", origin=wallet.origin())
    wallet.spend(300)
    wallet.refuses(201, CardLimitExceeded, left=200)  # yesterday's return makes no room today


def test_open_holds_take_room_until_they_are_captured_or_released(wallet: Wallet) -> None:
    first, second = wallet.hold(300), wallet.hold(200)
    assert wallet.left == 0
    assert wallet.capture(first, 100)["card"] == wallet.card.number
    assert wallet.left == 200
    points.release(second, origin=wallet.origin())
    assert wallet.left == 300  # of 500 a day, 100 are gone


def test_a_hold_of_yesterday_takes_room_today_for_it_may_be_captured_today(wallet: Wallet) -> None:
    held = wallet.hold(300)
    wallet.at += timedelta(days=1)
    wallet.refuses(201, CardLimitExceeded, left=200)
    wallet.capture(held)
    wallet.spend(200)
    wallet.refuses(1, CardLimitExceeded, left=0)


def test_what_is_not_allowed_to_the_type_is_not_spent(wallet: Wallet) -> None:
    wallet.allowance.delete()
    wallet.refuses(1, CardAssetNotAllowed, asset="points")


def test_a_limit_of_nought_is_no_limit(wallet: Wallet) -> None:
    CardAllowance.objects.update(per_use=0, per_day=0)
    assert wallet.left is None
    assert wallet.spend(9_999)["balance"] == 1


def test_nothing_is_not_a_quantity_with_a_card_either(wallet: Wallet) -> None:
    wallet.refuses(0, InvalidQuantity)


# Good or not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "state"),
    [
        (cards.report_lost, "lost"),
        (cards.freeze, "frozen"),
        (cards.replace, "replaced"),
        (cards.close, "closed"),
    ],
)
def test_a_blocked_card_spends_nothing_and_captures_nothing(wallet: Wallet, block, state: str) -> None:
    held = wallet.hold(100)
    block(wallet.card, reason="不见了", origin=wallet.origin())
    wallet.refuses(1, CardNotUsable, state=state)
    with pytest.raises(CardNotUsable):
        wallet.hold(1)
    if state != "replaced":  # there its successor captures
        with pytest.raises(CardNotUsable):
            wallet.capture(held)
        assert Transaction.objects.filter(card=wallet.card).count() == 0
    points.release(held, origin=wallet.origin())
    assert wallet.balance == 10_000


def test_an_expired_card_spends_nothing_though_the_clock_has_not_marked_it(wallet: Wallet) -> None:
    Card.objects.filter(pk=wallet.card.pk).update(expires_at=NOON)
    wallet.refuses(1, CardNotUsable, state="expired")
    wallet.at -= timedelta(seconds=1)
    wallet.spend(1)


def test_a_card_that_nobody_has_activated_spends_nothing(wallet: Wallet) -> None:
    answer = cards.issue(
        wallet.card_type, org_unit=wallet.cast.mall, member=wallet.child, principal=wallet.mother,
        origin=wallet.origin(),
    )  # fmt: skip
    wallet.card = wallet.named(answer["number"])
    wallet.refuses(1, CardNotUsable, state="issued")


def test_a_found_card_spends_again(wallet: Wallet) -> None:
    cards.report_lost(wallet.card, reason="不见了", origin=wallet.origin())
    cards.recover(wallet.card, reason="找到了", origin=wallet.origin())
    assert wallet.spend(300)["balance"] == 9_700


def test_a_card_of_somebody_else_does_not_spend_from_this_account(wallet: Wallet) -> None:
    Card.objects.filter(pk=wallet.card.pk).update(principal=MemberFactory())
    wallet.refuses(1, CardNotUsable)


def test_a_frozen_holder_spends_nothing_of_his_principals(wallet: Wallet) -> None:
    Member.objects.filter(pk=wallet.child.pk).update(status=Member.Status.FROZEN)
    wallet.refuses(1, MemberFrozen)


# Replacing --------------------------------------------------------------------------------------------------------


def test_limits_and_what_the_day_has_taken_go_on_over_a_replacement(wallet: Wallet) -> None:
    wallet.limit(per_day=250)
    wallet.spend(100)
    held = wallet.hold(100)
    for reason in ("损坏", "又坏了"):
        wallet.card = wallet.named(cards.replace(wallet.card, reason=reason, origin=wallet.origin())["number"])
    wallet.refuses(51, CardLimitExceeded, left=50, per_day=250)
    assert wallet.capture(held)["transaction"]["card"] == wallet.card.number
    wallet.spend(50)
    wallet.limit(per_day=260)  # the nearest counts
    assert wallet.left == 10


# Limits of a card's own ---------------------------------------------------------------------------------------------


def test_a_card_has_limits_of_its_own_under_its_types(wallet: Wallet) -> None:
    assert wallet.limit(per_use=50, per_day=120) == {
        "card": wallet.card.number, "asset": "points", "per_use": 50, "per_day": 120,
    }  # fmt: skip
    wallet.refuses(51, CardLimitExceeded, left=50)
    wallet.spend(50)
    wallet.spend(50)
    wallet.refuses(21, CardLimitExceeded, left=20)
    event = Event.objects.get(type="card.limited")
    assert (event.member, event.data["per_day"]) == (wallet.mother, 120)


def test_no_limit_of_its_own_means_its_types(wallet: Wallet) -> None:
    wallet.limit(per_use=50)
    wallet.limit()
    assert (wallet.left, CardLimit.objects.count()) == (300, 1)


@pytest.mark.parametrize("limits", [{"per_use": 301}, {"per_day": 501}])
def test_a_limit_of_its_own_is_not_above_its_types(wallet: Wallet, limits: dict[str, int]) -> None:
    with pytest.raises(CardLimitTooHigh) as refusal:
        wallet.limit(**limits)
    assert refusal.value.details == {"most": 300 if "per_use" in limits else 500}
    assert not CardLimit.objects.exists()


def test_a_type_that_became_stricter_holds_at_once(wallet: Wallet) -> None:
    wallet.limit(per_use=200)
    CardAllowance.objects.update(per_use=10)
    assert wallet.left == 10


def test_a_limit_is_only_of_what_the_type_spends_and_of_a_card_in_use(wallet: Wallet) -> None:
    with pytest.raises(CardAssetNotAllowed):
        spending.limit(wallet.card, "balance", per_use=1, per_day=1, origin=wallet.origin())
    cards.close(wallet.card, reason="退卡", origin=wallet.origin())
    with pytest.raises(CardNotUsable):
        wallet.limit(per_use=1)
    assert not CardLimit.objects.exists()


def test_the_proof_of_the_ledger_notices_a_card_that_spent_for_somebody_else(wallet: Wallet) -> None:
    wallet.spend(100)
    assert [invariant for invariant, violation in violations() if violation] == []
    Card.objects.filter(pk=wallet.card.pk).update(principal=MemberFactory())
    [broken] = [violation for _, violation in violations() if violation]
    assert (broken.count, broken.invariant.sentence.startswith("What is done with a card")) == (1, True)


# What it costs ------------------------------------------------------------------------------------------------------


def test_a_card_costs_two_statements_and_none_where_there_is_no_card(wallet: Wallet) -> None:
    def statements(card: Card | None) -> int:
        with CaptureQueriesContext(connection) as captured:
            points.burn(wallet.mother, 1, card=card, origin=wallet.origin())
        asked = [query["sql"] for query in captured]
        assert any("members_card" in sql for sql in asked) == (card is not None)
        return len(asked)

    statements(wallet.card)  # fills the memory of the process
    assert statements(wallet.card) == statements(None) + 2
