"""Statements as the businesses' finance systems read them: each its own, down to the posting."""

import pytest

from settlement.services.calendar import local_month
from settlement.services.collect import collect


@pytest.fixture
def month(app, cast, shop, member) -> str:
    """1,000 points of the mall, 600 of them spent at the hotel for 30.00; stated."""
    app(cast.mall_app).post("points/earns", {"member": member.member_no, "quantity": 1_000})
    app(cast.hotel_app).post("points/burns", {"member": member.member_no, "quantity": 600, "amount": 3_000})
    collect()
    name = f"{local_month(shop.at)[0]:%Y-%m}"
    assert app(cast.group_app).post(f"settlement/periods/{name}/cut", key=None).json()["name"] == name
    return name


def test_each_business_sees_its_own_statement(app, cast, month):
    nets = {}
    for channel in (cast.mall_app, cast.hotel_app):
        [statement] = app(channel).get("settlement/statements", {"period": month}).json()["results"]
        nets[statement["book"]["business"]] = (statement["opening"], statement["net"], statement["closing"])
    assert nets == {"MALL": (0, -5_000, -5_000), "HOTEL": (0, 3_000, 3_000)}
    every = app(cast.group_app).get("settlement/statements", {"period": month}).json()["results"]
    assert sum(statement["net"] for statement in every) == 0
    assert {statement["book"]["role"] for statement in every} == {"operating", "fund"}


def test_a_statement_opens_down_to_the_lot(app, cast, month):
    hotel = app(cast.hotel_app)
    [statement] = hotel.get("settlement/statements").json()["results"]
    detail = hotel.get(f"settlement/statements/{statement['id']}").json()
    assert [(balance["counterparty"]["role"], balance["closing"]) for balance in detail["balances"]] == [
        ("fund", 3_000)
    ]
    [line] = hotel.get(f"settlement/statements/{statement['id']}/lines").json()["results"]
    assert (line["event"], line["amount"]) == ("burn", 3_000)
    [entry] = hotel.get(f"settlement/lines/{line['id']}/entries").json()["results"]
    assert (entry["quantity"], entry["unit_price"], entry["amount"]) == (-600, "5.000000", "3000.000000")


def test_a_period_that_is_not_over_stays_open(app, cast, month):
    refused = app(cast.group_app).post(f"settlement/periods/{month}/lock", key=None)
    assert (refused.status_code, refused.json()["code"]) == (422, "period_not_over")
    [period] = app(cast.hotel_app).get("settlement/periods").json()["results"]
    assert (period["state"], period["locked_at"]) == ("open", None)


def test_another_month_has_no_statement(app, cast, month):
    assert app(cast.hotel_app).get("settlement/statements", {"period": "1999-01"}).json()["results"] == []
