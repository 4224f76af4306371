"""Tiers: up on the event, up and down by night, over a window of whole local days; history never overlaps."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefits.models import MemberTier
from benefits.services import tier_review, tiers
from benefits.services.tier_review import movers, review_all
from members.models import Event, Member
from tests.benefits.shop import NOON, SHANGHAI, Shop


def test_a_purchase_upgrades_at_once(shop: Shop):
    assert shop.buy(99_999)["tier"] == "basic"
    answer = shop.buy(1)
    assert (answer["tier_before"], answer["tier"]) == ("basic", "gold")
    assert answer["points_earned"] == 0  # 0.01 earns nothing, and is priced at the tier before it
    assert shop.history() == [("basic", "start"), ("gold", "upgrade")]
    start, upgrade = MemberTier.objects.filter(member=shop.member).order_by("pk")
    assert start.since == shop.member.registered_at
    assert start.until == upgrade.since == shop.at
    assert (upgrade.spend, upgrade.until) == (100_000, None)
    changed = Event.objects.get(type="tier.changed")
    assert (changed.data["from"], changed.data["to"], changed.data["spend"]) == ("basic", "gold", 100_000)


def test_one_large_purchase_reaches_the_top(shop: Shop):
    assert shop.buy(600_000)["tier"] == "black"
    assert shop.buy(600_000)["tier"] == "black"
    assert shop.history() == [("basic", "start"), ("black", "upgrade")]


def test_the_window_is_thirty_local_days_with_today(shop: Shop):
    shop.at = datetime(2026, 3, 1, 23, 59, 59, tzinfo=SHANGHAI)
    shop.buy(99_900)
    shop.at = datetime(2026, 3, 31, 0, 0, tzinfo=SHANGHAI)  # the 31st day: the first one has left the window
    assert shop.buy(100)["tier"] == "basic"
    shop.at = datetime(2026, 3, 30, 23, 59, 59, tzinfo=SHANGHAI)
    other = shop.new_member()
    shop.at = datetime(2026, 3, 1, 0, 0, tzinfo=SHANGHAI)
    shop.buy(99_900, member=other)
    shop.at = datetime(2026, 3, 30, 23, 59, 59, tzinfo=SHANGHAI)  # the last moment of the 30th
    assert shop.buy(100, member=other)["tier"] == "gold"


def test_the_nightly_review_takes_down_when_the_window_has_passed(shop: Shop):
    shop.at = datetime(2026, 3, 1, 8, 0, tzinfo=SHANGHAI)
    shop.buy(500_000)
    still = datetime(2026, 3, 30, 23, 59, tzinfo=SHANGHAI)
    over = datetime(2026, 3, 31, 0, 5, tzinfo=SHANGHAI)
    assert review_all(still) == 0
    assert shop.tier == "black"
    assert review_all(over) == 1
    assert shop.tier == "basic"
    assert shop.history() == [("basic", "start"), ("black", "upgrade"), ("basic", "downgrade")]
    assert review_all(over) == 0  # twice is once


def test_the_nightly_review_steps_down_by_value(shop: Shop):
    shop.at = datetime(2026, 3, 1, 8, 0, tzinfo=SHANGHAI)
    shop.buy(400_000)
    shop.at = datetime(2026, 3, 10, 8, 0, tzinfo=SHANGHAI)
    shop.buy(200_000, store=shop.cast.cvs_1)
    assert shop.tier == "black"
    review_all(datetime(2026, 3, 31, 0, 5, tzinfo=SHANGHAI))
    assert shop.tier == "gold"


def test_a_refund_counts_on_the_day_of_its_purchase(shop: Shop):
    shop.at = datetime(2026, 3, 1, 8, 0, tzinfo=SHANGHAI)
    old = shop.buy(100_000, store=shop.cast.cvs_1)
    shop.at = datetime(2026, 4, 5, 8, 0, tzinfo=SHANGHAI)
    shop.buy(100_000, store=shop.cast.cvs_1)
    assert shop.tier == "gold"
    shop.refund(old, whole=True)  # outside the window by now: it takes nothing from what is in it
    assert review_all(shop.at) == 0
    assert shop.tier == "gold"


def test_a_refund_inside_the_window_costs_the_tier_by_night(shop: Shop):
    bought = shop.buy(100_000)
    shop.refund(bought, amount=1)
    assert shop.tier == "gold"
    assert review_all(shop.at + timedelta(hours=12)) == 1
    assert shop.history()[-1] == ("basic", "downgrade")
    assert MemberTier.objects.open().get(member=shop.member).spend == 99_999


def test_the_dry_run_lists_who_would_move_and_moves_nobody(shop: Shop):
    shop.buy(500_000)
    quiet = shop.new_member()
    later = shop.at + timedelta(days=31)
    mover = next(iter(movers(later)))
    assert [mover.member_id for mover in movers(later)] == [shop.member.pk]  # who starts at the bottom doesn't move
    assert (mover.before, mover.target, mover.spend, mover.reason) == (shop.black, shop.basic, 0, "downgrade")
    assert shop.tier == "black"
    assert not MemberTier.objects.filter(member=quiet).exists()


def test_a_programme_that_begins_later_rates_what_was_bought_before(shop: Shop):
    shop.programme.starts_at = shop.programme.benefits_from = shop.at + timedelta(days=1)
    shop.programme.save()
    tiers.forget()
    assert shop.buy(500_000)["tier"] is None
    assert not MemberTier.objects.exists()
    tomorrow = shop.at + timedelta(days=1)
    assert [(mover.before, mover.target.code) for mover in movers(tomorrow)] == [(None, "black")]
    review_all(tomorrow)
    assert shop.history() == [("black", "start")]


def test_members_who_bought_nothing_start_at_the_bottom(shop: Shop):
    closed = shop.new_member()
    Member.objects.filter(pk=closed.pk).update(status=Member.Status.CLOSED)
    assert review_all(shop.at) == 0
    assert shop.history() == [("basic", "start")]
    assert shop.history(closed) == []
    assert not Event.objects.filter(type="tier.changed").exists()


def test_the_review_goes_batch_by_batch(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tier_review, "BATCH", 2)
    crowd = [shop.new_member() for _ in range(7)]
    for member in crowd:
        shop.buy(100_000, member=member)
    assert len(list(movers(shop.at + timedelta(days=40)))) == 7
    seen: list[int] = []
    assert review_all(shop.at + timedelta(days=40), progress=seen.append) == 7
    assert seen[-1] == 7
    assert {row.tier.code for row in MemberTier.objects.open().select_related("tier")} == {"basic"}


def test_a_late_purchase_does_not_rewrite_history(shop: Shop):
    shop.buy(100_000)
    shop.at -= timedelta(days=2)
    shop.buy(400_000, store=shop.cast.cvs_1)
    assert shop.history() == [("basic", "start"), ("gold", "upgrade"), ("black", "upgrade")]
    assert MemberTier.objects.open().get(member=shop.member).since == NOON


def test_standing_says_what_is_missing(shop: Shop):
    shop.buy(150_000)
    now = tiers.standing(shop.member, shop.at)
    assert (now.tier, now.next_tier, now.spend) == (shop.gold, shop.black, 150_000)
    assert (now.missing, now.percent, now.missing_to_stay) == (350_000, 30, 0)
    unknown = tiers.standing(shop.new_member(), shop.at)
    assert (unknown.tier, unknown.since, unknown.missing) == (shop.basic, None, 100_000)


def test_the_database_refuses_overlapping_history(shop: Shop):
    row = shop.put_on(shop.gold)
    for since, until in (
        (row.since - timedelta(days=1), row.since + timedelta(microseconds=1)),
        (row.since, None),
        (row.since + timedelta(days=9), row.since + timedelta(days=10)),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            MemberTier.objects.create(
                member=shop.member,
                programme=shop.programme,
                tier=shop.basic,
                since=since,
                until=until,
                reason="manual",
                spend=0,
            )
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'x'")
        assert ("member_tier_periods_do_not_overlap",) in cursor.fetchall()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["buy", "refund", "review"]), st.integers(-20, 40), st.integers(1, 300_000)),
        min_size=1,
        max_size=6,
    )
)
def test_history_has_neither_gaps_nor_overlaps(shop: Shop, steps):
    """Purchases early and late, refunds and reviews in any order: row follows on row, the last is open."""
    member, bought, shop.at = shop.new_member(), [], NOON
    for what, days, amount in steps:
        shop.at = max(shop.at, NOON) + timedelta(days=max(days, 0))
        if what == "buy":
            bought.append(
                shop.buy(amount, member=member, store=shop.cast.cvs_1, at=shop.at + timedelta(days=min(days, 0)))
            )
        elif what == "refund" and bought:
            shop.refund(bought.pop(), whole=True)
        else:
            review_all(shop.at)
    rows = list(MemberTier.objects.filter(member=member).order_by("since", F("until").asc(nulls_last=True), "pk"))
    assert all(row.until == following.since for row, following in pairwise(rows))
    assert not rows or rows[-1].until is None
    if rows and what == "review":
        now = tiers.standing(member, shop.at)
        assert now.missing_to_stay == 0
        assert now.next_tier is None or now.missing > 0
