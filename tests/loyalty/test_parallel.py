"""Real connections at once: what is scarce is given out exactly, and one reference has one effect."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from loyalty.errors import NotEnoughPoints
from loyalty.models import Account, Lot, PointsPrice, Transaction
from loyalty.services import points
from loyalty.services.verify import violations
from members.errors import Refused
from members.interfaces import Answer, Origin
from members.services.organisation import own_channel
from tests.cast import Cast, build_cast
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    cast = build_cast()
    PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=timezone.now() - timedelta(days=1))
    return cast


def at_once(times: int, verb: Callable[[int], Answer]) -> list[Answer | Refused]:
    """Run `verb(i)` on as many connections at the same time; a refusal comes back as its error."""

    def run(i: int) -> Answer | Refused:
        try:
            return verb(i)
        except Refused as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def origin(cast: Cast, reference: str) -> Origin:
    return Origin(channel=own_channel("desk"), reference=reference, business=cast.mall, input_hash="same")


def test_fifty_burns_race_for_the_worth_of_ten(cast: Cast):
    member = MemberFactory(businesses=[cast.mall])
    for i in range(3):  # several lots, so that burns split
        points.earn(member, 100 if i else 50, issuer=cast.mall, origin=origin(cast, f"earn{i}"))
    answers = at_once(50, lambda i: points.burn(member, 25, origin=origin(cast, f"burn{i}")))
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(answers) - len(refused) == 10
    assert {type(refusal) for refusal in refused} == {NotEnoughPoints}
    assert Account.objects.get().balance == 0
    assert min(Lot.objects.values_list("remaining", flat=True)) == 0
    assert sorted(answer["balance"] for answer in answers if isinstance(answer, dict)) == list(range(0, 250, 25))
    assert [violation for _, violation in violations() if violation] == []


def test_the_same_reference_twenty_times_at_once_has_one_effect(cast: Cast):
    member = MemberFactory(businesses=[cast.mall])
    answers = at_once(20, lambda i: points.earn(member, 100, issuer=cast.mall, origin=origin(cast, "once")))
    assert [answer for answer in answers if isinstance(answer, Refused)] == []
    assert all(answer == answers[0] for answer in answers)
    assert Transaction.objects.count() == 1
    assert Account.objects.get().balance == 100


def test_first_earns_at_once_make_one_account(cast: Cast):
    member = MemberFactory(businesses=[cast.mall])
    at_once(12, lambda i: points.earn(member, 10, issuer=cast.mall, origin=origin(cast, f"earn{i}")))
    assert Account.objects.get().balance == 120


def test_a_hold_is_captured_or_released_but_not_both(cast: Cast):
    member = MemberFactory(businesses=[cast.mall])
    points.earn(member, 100, issuer=cast.mall, origin=origin(cast, "earn"))
    until = timezone.now() + timedelta(hours=1)
    held = points.hold(member, 100, until=until, origin=origin(cast, "hold"))
    hold = Account.objects.get().holds.get(pk=held["id"])
    verbs = (points.capture, points.release)
    answers = at_once(10, lambda i: verbs[i % 2](hold, origin=origin(cast, f"end{i}")))
    assert len([answer for answer in answers if isinstance(answer, dict)]) == 1
    account = Account.objects.get()
    assert (account.held, account.balance) in {(0, 0), (0, 100)}
    assert [violation for _, violation in violations() if violation] == []
