"""Sent again is not done again: idempotency over HTTP, also when the repetitions arrive at once."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from loyalty.models import Account, Purchase, Transaction
from members.models import Event, Request

HEADERS = {"Content-Type": "application/json"}


def test_the_same_again_gets_the_first_answer(app, cast, shop, member):
    mall, body = app(cast.mall_app), {"member": member.member_no, "quantity": 5}
    first = mall.post("points/earns", body, key="r-1")
    again = mall.post("points/earns", dict(reversed(body.items())), key="r-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert (Transaction.objects.count(), Event.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("path", "change"), [("points/earns", {"quantity": 6}), ("points/earns", {"reason": ""}), ("points/burns", {})]
)
def test_something_else_under_the_same_key_is_refused(app, cast, shop, member, path, change):
    mall, body = app(cast.mall_app), {"member": member.member_no, "quantity": 5}
    mall.post("points/earns", body, key="r-1")
    refused = mall.post(path, body | change, key="r-1")
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_reused")
    assert Transaction.objects.count() == 1


def test_keys_of_two_channels_have_nothing_to_do_with_each_other(app, cast, shop, member):
    body = {"member": member.member_no, "quantity": 5}
    for channel in (cast.mall_app, cast.hotel_app):
        assert app(channel).post("points/earns", body, key="r-1").status_code == 201
    assert Transaction.objects.count() == 2


def test_a_refused_request_may_be_mended(app, cast, shop, member):
    mall, body = app(cast.mall_app), {"member": member.member_no, "quantity": 5}
    assert mall.post("points/burns", body, key="r-1").status_code == 422
    mall.post("points/earns", body, key="r-2")
    assert mall.post("points/burns", body, key="r-1").status_code == 201


@pytest.mark.slow
@pytest.mark.parametrize("path", ["points/burns", "purchases"])
def test_twenty_at_once_have_one_effect(transactional_db, live_server, app, cast, shop, member, path):
    app(cast.mall_app).post("points/earns", {"member": member.member_no, "quantity": 1_000}, key="e")
    body = {"member": member.member_no, "store": "MALL-1"}
    body |= {"quantity": 5} if path == "points/burns" else {"external_number": "1", "lines": [{"amount": 10_000}]}
    headers = HEADERS | {"Authorization": cast.bearer(cast.mall_app)["HTTP_AUTHORIZATION"], "Idempotency-Key": "r-1"}

    def send(_: int) -> tuple[int, dict]:
        connection = http.client.HTTPConnection(urlsplit(live_server.url).netloc, timeout=60)
        connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert [status for status, _ in answers] == [201] * 20
    assert all(answer == answers[0][1] for _, answer in answers)
    assert Request.objects.filter(reference="r-1").count() == 1
    assert Account.objects.get(asset="points").balance == (995 if path == "points/burns" else 1_100)
    assert Purchase.objects.count() == (0 if path == "points/burns" else 1)
