"""One effect per reference, and the same answer every time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from django.db import connection

from members import events
from members.errors import ReferenceReused, Refused
from members.interfaces import Answer, Origin
from members.models import Event, Request
from members.services.organisation import own_origin
from members.services.requests import hash_input, idempotent
from tests.cast import Cast

PARALLEL = 20


@idempotent("test.count")
def count(*, fail: bool = False, origin: Origin) -> Answer:
    events.record("test.counted", origin=origin)
    if fail:
        raise Refused
    return {"count": Event.objects.count(), "request": origin.request.pk}


@pytest.fixture
def origin(cast: Cast) -> Origin:
    return own_origin("desk", reference="R-1", input_hash=hash_input({"amount": 1, "store": "MALL-1"}))


def test_the_same_reference_gets_the_first_answer(origin: Origin) -> None:
    first = count(origin=origin)
    assert first == {"count": 1, "request": Request.objects.get().pk}
    assert count(origin=origin) == first
    assert Event.objects.count() == 1


def test_the_order_of_what_was_sent_does_not_matter(origin: Origin) -> None:
    count(origin=origin)
    count(origin=replace(origin, input_hash=hash_input({"store": "MALL-1", "amount": 1})))
    assert Event.objects.count() == 1


def test_other_content_or_another_verb_under_it_is_refused(origin: Origin) -> None:
    count(origin=origin)
    for other in (
        lambda: count(origin=replace(origin, input_hash=hash_input({"amount": 2}))),
        lambda: idempotent("test.other")(lambda *, origin: {})(origin=origin),
    ):
        with pytest.raises(ReferenceReused):
            other()
    assert Event.objects.count() == 1


def test_channels_have_references_of_their_own(cast: Cast, origin: Origin) -> None:
    count(origin=origin)
    count(origin=replace(origin, channel=cast.mall_app))
    assert Event.objects.count() == 2


def test_a_refused_request_leaves_nothing_and_may_be_mended(origin: Origin) -> None:
    with pytest.raises(Refused):
        count(fail=True, origin=origin)
    assert (Request.objects.count(), Event.objects.count()) == (0, 0)
    assert count(origin=replace(origin, input_hash="mended"))["count"] == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_have_one_effect_and_identical_answers(origin: Origin) -> None:
    start = Barrier(PARALLEL)

    def ask(_: int) -> Answer:
        start.wait()
        try:
            return count(origin=origin)
        finally:
            connection.close()

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(ask, range(PARALLEL)))
    assert Event.objects.count() == 1
    assert answers == [answers[0]] * PARALLEL
