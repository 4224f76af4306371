"""Every event reaches every reaction: once where all goes well, again after a failure, and never by two at once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from members import events
from members.models import Delivery, Event, Job
from members.services.deliveries import dispatch, retry_parked
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory

LATER = datetime(2999, 1, 1, tzinfo=UTC)

made: list[int] = []
failing: set[int] = set()
_lock = Lock()


def react(event: Event) -> None:
    Job.objects.create(kind="test", title="a trace", org_unit=event.channel.org_unit)
    if event.pk in failing:
        raise ValueError("not today")
    with _lock:
        made.append(event.pk)


def react_too(event: Event) -> None:
    with _lock:
        made.append(-event.pk)


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    """A table of two reactions; afterwards the one that was installed at start-up."""
    before = dict(events._reactions), dict(events._reactions_by_type)
    events.install({"test.happened": (react, react_too), "test.alone": (react_too,)})
    made.clear()
    failing.clear()
    yield
    events._reactions, events._reactions_by_type = before


@pytest.fixture
def happened(cast: Cast) -> Event:
    return events.record("test.happened", origin=own_origin("desk"))


def test_each_reaction_is_made_once(happened: Event) -> None:
    dispatched = dispatch(timezone.now())
    assert (dispatched.done, dispatched.failed) == (2, 0)
    assert sorted(made) == [-happened.pk, happened.pk]
    assert dispatch(timezone.now()).done == 0


def test_an_event_without_reactions_is_recorded_only(cast: Cast) -> None:
    events.record("test.ignored", origin=own_origin("desk"))
    assert (Event.objects.count(), Delivery.objects.count()) == (1, 0)


def test_many_events_are_recorded_in_one_statement(cast: Cast, django_assert_num_queries) -> None:
    members = [MemberFactory().pk for _ in range(3)]
    origin = own_origin("import", actor=cast.sees_all, business=cast.mall, reference="R-1")
    with django_assert_num_queries(1):
        events.record_many("test.alone", origin=origin, member_ids=members, data={"why": "测试"})
    found = Event.objects.order_by("member_id").values_list("member_id", "business", "operator", "reference", "data")
    assert list(found) == [(pk, cast.mall.pk, cast.sees_all.pk, "R-1", {"why": "测试"}) for pk in members]
    assert dispatch(timezone.now()).done == 3


def test_a_failure_is_undone_put_off_and_does_not_stop_the_others(happened: Event) -> None:
    failing.add(happened.pk)
    now = timezone.now()
    dispatched = dispatch(now)
    assert (dispatched.done, dispatched.failed, made) == (1, 1, [-happened.pk])
    assert Job.objects.count() == 0  # what the reaction wrote is taken back
    waiting = Delivery.objects.get(state="waiting")
    assert (waiting.tries, waiting.error, waiting.next_at) == (1, "ValueError: not today", now + timedelta(seconds=10))
    assert dispatch(now + timedelta(seconds=9)).failed == 0
    failing.clear()
    assert dispatch(now + timedelta(seconds=10)).done == 1
    assert set(Delivery.objects.values_list("state", "error")) == {("done", "")}


def test_after_the_last_try_it_is_parked_and_can_be_tried_again(happened: Event, settings) -> None:
    settings.MEMBERS_DELIVERY_TRIES = 3
    failing.add(happened.pk)
    for _ in range(5):
        dispatch(LATER)
        Delivery.objects.filter(state="waiting").update(next_at=LATER)
    parked = Delivery.objects.get(state="parked")
    assert (parked.reaction, parked.tries) == (f"{__name__}.react", 3)
    failing.clear()
    assert retry_parked(LATER) == 1
    assert dispatch(LATER).done == 1


def test_a_reaction_that_is_no_longer_in_the_table_is_an_error_one_can_see(happened: Event, settings) -> None:
    settings.MEMBERS_DELIVERY_TRIES = 1
    Delivery.objects.filter(reaction=f"{__name__}.react").update(reaction="gone.reaction")
    dispatch(timezone.now())
    assert "gone.reaction" in Delivery.objects.get(state="parked").error


@pytest.mark.django_db(transaction=True)
def test_several_dispatchers_share_the_work_and_do_nothing_twice(cast: Cast) -> None:
    happened = [events.record("test.alone", origin=own_origin("desk")).pk for _ in range(60)]
    start = Barrier(4)

    def dispatch_once(_: int) -> int:
        start.wait()
        try:
            return dispatch(LATER).done
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(dispatch_once, range(4)))
    assert sum(shares) == 60
    assert Counter(made) == Counter(-pk for pk in happened)


@pytest.mark.parametrize(
    "change", ["UPDATE members_event SET type = 'x'", "DELETE FROM members_event", "TRUNCATE members_event CASCADE"]
)
def test_what_was_recorded_stays(happened: Event, change: str) -> None:
    cursor = connection.cursor()
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or TRUNCATE stumbles over the test's own checks first
    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
        cursor.execute(change)
    assert Event.objects.get().type == "test.happened"
