"""Earning, spending, holding and undoing as a channel; exact values, through the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from loyalty.models import Account, Lot, Transaction

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def earned(app, cast, member) -> dict:
    """1,000 points of the mall."""
    return app(cast.mall_app).post("points/earns", {"member": member.member_no, "quantity": 1000}).json()


def balance(app, channel, member) -> tuple[int, int]:
    [points] = [
        account
        for account in app(channel).get(f"members/{member.member_no}/assets").json()["results"]
        if account["asset"] == "points"
    ]
    return points["balance"], points["held"]


def test_points_of_one_business_are_spent_at_another(app, cast, member, earned):
    hotel = app(cast.hotel_app)
    burned = hotel.post("points/burns", {"member": "13800138000", "quantity": 600, "amount": 3000, "store": "HOTEL-1"})
    assert burned.status_code == 201
    answer = burned.json()
    assert (answer["kind"], answer["quantity"], answer["amount"], answer["balance"]) == ("burn", -600, 3000, 400)
    assert [(lot["issuer"], lot["quantity"]) for lot in answer["lots"]] == [("MALL", -600)]
    assert Transaction.objects.get(pk=answer["id"]).store == cast.hotel_1


def test_what_is_not_there_is_not_spent(app, cast, member, earned):
    refused = app(cast.mall_app).post("points/burns", {"member": member.member_no, "quantity": 1001})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_enough_points")
    assert refused.json()["details"] == {"balance": 1000, "wanted": 1001}
    assert Transaction.objects.count() == 1


def test_a_hold_is_captured_in_part(app, cast, member, earned):
    mall = app(cast.mall_app)
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    held = mall.post("holds", {"member": member.member_no, "quantity": 500, "until": until, "amount": 2500}).json()
    assert balance(app, cast.mall_app, member) == (500, 500)
    captured = mall.post(f"holds/{held['id']}/capture", {"quantity": 300}).json()
    assert (captured["state"], captured["transaction"]["amount"]) == ("captured", 1500)
    assert balance(app, cast.mall_app, member) == (700, 0)
    again = mall.post(f"holds/{held['id']}/release")
    assert (again.status_code, again.json()["code"]) == (409, "hold_not_open")
    assert mall.get(f"holds/{held['id']}").json()["captured"] == 300


def test_a_hold_is_released(app, cast, member, earned):
    mall = app(cast.mall_app)
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    held = mall.post("holds", {"member": member.member_no, "quantity": 500, "until": until}).json()
    assert mall.post(f"holds/{held['id']}/release").json()["state"] == "released"
    assert balance(app, cast.mall_app, member) == (1000, 0)


def test_a_burn_is_undone_once(app, cast, member, earned):
    mall = app(cast.mall_app)
    burned = mall.post("points/burns", {"member": member.member_no, "quantity": 600}).json()
    undone = mall.post(f"transactions/{burned['id']}/reversals", {"reason": "顾客取消"})
    assert (undone.status_code, undone.json()["kind"], undone.json()["quantity"]) == (201, "restore", 600)
    again = mall.post(f"transactions/{burned['id']}/reversals", {"reason": "再来一次"})
    assert (again.status_code, again.json()["code"]) == (409, "not_reversible")
    assert balance(app, cast.mall_app, member) == (1000, 0)


def test_part_of_a_lot_lapses_by_hand(app, cast, member, earned):
    mall = app(cast.mall_app)
    [lot] = mall.get(f"members/{member.member_no}/lots").json()["results"]
    lapsed = mall.post("points/expirations", {"lot": lot["id"], "quantity": 100, "reason": "活动终止"}).json()
    assert (lapsed["kind"], lapsed["balance"]) == ("expire", 900)
    assert Lot.objects.get(pk=lot["id"]).remaining == 900


def test_points_may_become_spendable_later(app, cast, member):
    mall = app(cast.mall_app)
    later = (timezone.now() + timedelta(days=7)).isoformat()
    given = mall.post("points/earns", {"member": member.member_no, "quantity": 50, "available_at": later}).json()
    assert (given["balance"], given["pending"]) == (0, 50)


def test_the_history_is_read_page_by_page(app, cast, member, earned):
    mall = app(cast.mall_app)
    for quantity in (1, 2, 3):
        mall.post("points/burns", {"member": member.member_no, "quantity": quantity})
    first = mall.get(f"members/{member.member_no}/transactions", {"page_size": 3}).json()
    assert [row["quantity"] for row in first["results"]] == [-3, -2, -1]
    rest = mall.get(f"members/{member.member_no}/transactions", {"page_size": 3, "cursor": first["cursor"]}).json()
    assert [row["quantity"] for row in rest["results"]] == [1000]
    assert (rest["next"], first["next"] is not None) == (None, True)


def test_a_groups_channel_says_where(app, cast, member):
    group = app(cast.group_app)
    refused = group.post("points/earns", {"member": member.member_no, "quantity": 5})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "store")
    given = group.post("points/earns", {"member": member.member_no, "quantity": 5, "store": "CVS-1"})
    assert given.json()["lots"][0]["issuer"] == "CVS"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("points/earns", {"quantity": 0}, "quantity"),
        ("points/earns", {"quantity": 10**30}, "quantity"),
        ("points/earns", {"asset": "balance"}, "asset"),
        ("points/earns", {"member": "\x00"}, "member"),
        ("points/burns", {"amount": -1}, "amount"),
        ("points/burns", {"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ("holds", {"until": "2020-01-01T00:00:00Z"}, "until"),
    ],
)
def test_bad_input_names_the_field(app, cast, member, path, body, field):
    good = {"member": member.member_no, "quantity": 5}
    if path == "holds":
        good["until"] = (timezone.now() + timedelta(hours=1)).isoformat()
    problem = app(cast.mall_app).post(path, good | body)
    assert (problem.status_code, [error["field"] for error in problem.json()["errors"]]) == (400, [field])
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [({"store": "HOTEL-1"}, "store_not_found"), ({"store": "MALL-1", "terminal": "9"}, "terminal_not_found")],
)
def test_a_place_outside_the_reach_does_not_exist(app, cast, member, body, code):
    problem = app(cast.mall_app).post("points/earns", {"member": member.member_no, "quantity": 5} | body)
    assert (problem.status_code, problem.json()["code"]) == (404, code)
    assert [error["field"] for error in problem.json()["errors"]] == [list(body)[-1]]
