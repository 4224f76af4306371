"""The replay proves the ledger: the same points in order, shuffled over parallel workers, and twice over."""

import io
import os
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.testcases import LiveServerThread
from django.utils import timezone

from config.complete_journey import ZONE, Journey, load
from config.demo import edition
from config.demo.businesses import WHOLE_BASKETS
from config.demo.edition import Edition, Rule, weeks_until
from config.demo.keyring import Keyring
from config.demo.people import by_household
from config.replay import selection
from config.replay.progress import ProgressBar
from config.replay.selection import select
from loyalty.models import Account, Purchase, Transaction
from members.models import Member, OrgUnit
from tests.database import cloned_database

BASKETS = 240


@pytest.fixture(scope="module")
def journey() -> Journey:
    return load()


@pytest.fixture(autouse=True)
def own_keyring(tmp_path, monkeypatch) -> None:
    """Tests leave the passwords of this installation's demo alone."""
    monkeypatch.setattr(Keyring.__init__, "__defaults__", (tmp_path / "demo.json",))


@pytest.fixture
def empty_database(django_db_setup, django_db_blocker, request) -> Iterator[None]:
    """A database of its own: workers are processes with connections of theirs, which see only what is committed."""
    with django_db_blocker.unblock(), cloned_database(os.getpid(), f"replay_{abs(hash(request.node.name))}"):
        yield
        connection.close()


@pytest.fixture
def server(empty_database) -> Iterator[str]:
    """The API on a port of its own, over the same database."""
    thread = LiveServerThread("127.0.0.1", WSGIHandlerOfTests, connections_override={})
    thread.daemon = True
    thread.start()
    assert thread.is_ready.wait(30)
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


class WSGIHandlerOfTests(WSGIHandler):
    """LiveServerThread wraps a handler; ours needs nothing of what it would add."""

    def __init__(self, wsgi_handler: WSGIHandler) -> None:
        super().__init__()


def replay(*options: str) -> str:
    out = io.StringIO()
    call_command("replay", *options, stdout=out)
    return out.getvalue()


def points_by_household(journey: Journey) -> dict[int, int]:
    members = by_household(journey, business=OrgUnit.objects.get(code=WHOLE_BASKETS))
    balances = dict(Account.objects.values_list("member", "balance"))
    return {number: balances[member.pk] for number, member in members.items() if member.pk in balances}


def expected_points(journey: Journey, count: int) -> dict[int, int]:
    points = np.bincount(journey.household[:count], journey.totals[:count] // 100)
    return {int(number): int(points[number]) for number in np.unique(journey.household[:count])}


def test_rule_a_gives_the_same_in_order_and_shuffled_and_twice(journey, empty_database):
    expected = expected_points(journey, BASKETS)

    in_order = replay("--rule=A", f"--baskets={BASKETS // 2}")
    assert points_by_household(journey) == expected_points(journey, BASKETS // 2)
    assert f"sent       {BASKETS // 2} purchases" in in_order

    shuffled = replay("--rule=A", f"--baskets={BASKETS}", "--shuffle=7", "--workers=4")
    assert points_by_household(journey) == expected
    assert f"sent       {BASKETS - BASKETS // 2} purchases" in shuffled

    before = Transaction.objects.count()
    again = replay("--rule=A", f"--baskets={BASKETS}", "--workers=2", "--batch=50")
    assert "sent       0 purchases, 0 lines, 0 refunds\ngave       0 points" in again
    assert points_by_household(journey) == expected
    assert Transaction.objects.count() == before
    assert Purchase.objects.count() == BASKETS
    call_command("verify_ledger", stdout=io.StringIO())

    members = by_household(journey, business=OrgUnit.objects.get(code=WHOLE_BASKETS))
    assert sorted(members) == np.unique(journey.household).tolist()
    assert Member.objects.count() == 2_469
    with pytest.raises(CommandError, match="rule A"):
        replay("--rule=B")


def test_the_api_takes_the_same_purchases_one_by_one_and_in_batches(journey, server, monkeypatch):
    monkeypatch.setattr(selection, "digest", lambda number: number % 10 * 5)  # a refund of every tenth basket
    over_http = ("--rule=A", "--http=1", f"--url={server}", "--refunds")
    assert "sent       25 purchases" in replay(*over_http, "--baskets=25")
    assert "sent       25 purchases" in replay(*over_http, "--baskets=50", "--batch=30")
    assert "sent       0 purchases" in replay("--rule=A", "--baskets=50")

    purchases = Purchase.objects.all()
    kept = {number: 0 for number in journey.number[:50].tolist()}
    for purchase in purchases:
        kept[int(purchase.external_number)] = 0 if purchase.refunded_amount else purchase.net_amount // 100
    assert sum(Account.objects.values_list("balance", flat=True)) == sum(kept.values())
    assert purchases.count() == 50
    assert purchases.filter(refunded_amount__gt=0).exists()


def test_an_organisation_that_is_not_the_demos_is_left_alone(empty_database):
    OrgUnit.objects.add_root({"kind": "group", "code": "REAL", "name": "真实集团"})
    with pytest.raises(CommandError, match="not the demo's"):
        replay("--rule=A")
    assert OrgUnit.objects.count() == 1


def test_refunds_are_one_basket_in_fifty_that_cost_anything(journey, monkeypatch):
    monkeypatch.setattr(edition, "group", lambda: SimpleNamespace(zone=ZONE))
    chosen = select(journey, Edition(Rule.A, 0), baskets=5_000, refunds_until=timezone.now())
    refunded = [receipt for receipt in chosen.receipts(chosen.positions) if chosen.is_refunded(receipt)]
    assert 70 <= len(refunded) <= 130
    assert all(receipt.amount for receipt in refunded)


def test_lanes_keep_each_household_in_order_and_lose_nothing(journey):
    chosen = select(journey, Edition(Rule.B, 0), baskets=3_000)
    lanes = chosen.lanes(4, by_household=True)
    assert sorted(np.concatenate(lanes).tolist()) == chosen.positions.tolist()
    households = [set(journey.household[lane].tolist()) for lane in lanes]
    assert sum(map(len, households)) == len(set.union(*households))
    assert all((np.diff(lane) > 0).all() for lane in lanes)


def test_a_sample_of_households_is_always_the_same_and_has_the_examples(journey):
    chosen = select(journey, Edition(Rule.B, 0), households=5).households()
    assert chosen == select(journey, Edition(Rule.B, 0), households=5).households()
    assert {1, 900} <= set(chosen)
    assert len(chosen) == 5


def test_the_year_is_shifted_by_whole_weeks():
    weeks = weeks_until(date(2026, 11, 20))
    shifted = Edition(Rule.B, weeks)
    assert date(2026, 11, 13) < shifted.last_day <= date(2026, 11, 20)
    assert shifted.last_day.weekday() == date(2017, 12, 31).weekday()


def test_the_bar_shows_count_rate_and_time_left():
    bar = ProgressBar("消费", 200, io.StringIO())
    bar.advance(50)
    assert bar.picture(10) == "消费 ███████░░░░░░░░░░░░░░░░░░░░░░░ 50/200  25% 5/s 0:00:30 left"
