"""Quote, purchase, batch and refund, coupons and tiers, as a till calls them."""

from uuid import uuid4

import pytest

from loyalty.models import Purchase, Transaction


def basket(member, *amounts: int, **more) -> dict:
    lines = [{"amount": amount, "sku": f"sku-{amount}", "quantity": "1.500"} for amount in amounts]
    return {"member": member.member_no, "store": "MALL-1", "lines": lines} | more


def purchase(member, *amounts: int, **more) -> dict:
    return basket(member, *amounts, **({"external_number": uuid4().hex} | more))


def test_what_is_quoted_is_what_is_paid(app, cast, shop, member):
    mall = app(cast.mall_app)
    mall.post("points/earns", {"member": member.member_no, "quantity": 5000})
    coupon = shop.coupon(member)
    asked = {"coupons": [coupon.code], "points": 1000}
    quoted = mall.post("checkout/quotes", basket(member, 20_000, 10_000, **asked), key=None)
    assert quoted.status_code == 200
    quote = quoted.json()
    assert (quote["list_amount"], quote["coupon_discount"], quote["points_amount"], quote["to_pay"]) == (
        30_000, 2_000, 1_000, 27_000,
    )  # fmt: skip
    bought = mall.post(
        "purchases",
        purchase(member, 20_000, 10_000, quote=quote["quote"], tenders=[{"kind": "wechat", "amount": 27_000}], **asked),
    )
    assert bought.status_code == 201
    answer = bought.json()
    assert {name: answer[name] for name in ("to_pay", "net_amount", "points_earned", "points_balance")} == {
        "to_pay": 27_000, "net_amount": 28_000, "points_earned": 270, "points_balance": 4_270,
    }  # fmt: skip
    assert mall.get(f"coupons/{coupon.code}").json()["state"] == "redeemed"


def test_a_price_that_has_changed_is_refused(app, cast, shop, member):
    mall = app(cast.mall_app)
    quote = mall.post("checkout/quotes", basket(member, 20_000), key=None).json()["quote"]
    shop.put_on(shop.gold, member)
    refused = mall.post("purchases", purchase(member, 20_000, quote=quote))
    assert (refused.status_code, refused.json()["code"]) == (409, "quote_changed")
    assert not Purchase.objects.exists()


def test_a_refund_goes_back_by_line(app, cast, shop, member):
    mall = app(cast.mall_app)
    bought = mall.post("purchases", purchase(member, 20_000, 10_000)).json()
    refunded = mall.post(f"purchases/{bought['id']}/refunds", {"lines": [{"number": 2, "amount": 5_000}]})
    assert refunded.status_code == 201
    answer = refunded.json()
    assert (answer["to_pay_back"], answer["points_clawed_back"], answer["points_balance"]) == (5_000, 50, 250)
    too_much = mall.post(f"purchases/{bought['id']}/refunds", {"lines": [{"number": 2, "amount": 5_001}]})
    assert (too_much.status_code, too_much.json()["code"]) == (422, "refund_too_much")
    whole = mall.post(f"purchases/{bought['id']}/refunds", {"whole": True}).json()
    assert (whole["kept_amount"], whole["points_balance"]) == (0, 0)
    detail = mall.get(f"purchases/{bought['id']}").json()
    assert [refund["amount"] for refund in detail["refunds"]] == [25_000, 5_000]


def test_a_batch_answers_for_each_item(app, cast, shop, member):
    mall = app(cast.mall_app)
    alone = purchase(member, 10_000)
    first = mall.post("purchases", alone, key="r1").json()
    items = [
        alone | {"reference": "r1"},
        purchase(member, 20_000) | {"reference": "r2"},
        purchase(member, -1) | {"reference": "r3"},
        purchase(member, 100, store="HOTEL-1") | {"reference": "r4"},
        purchase(member, 100, coupons=["NOSUCHCOUPON"]) | {"reference": "r5"},
    ]
    batch = mall.post("purchases/batch", {"purchases": items}, key=None)
    assert batch.status_code == 200
    results = batch.json()["results"]
    assert [result["reference"] for result in results] == ["r1", "r2", "r3", "r4", "r5"]
    assert results[0]["answer"] == first
    assert results[1]["answer"]["points_earned"] == 200
    errors = [(result["error"]["code"], result["error"]["field"]) for result in results[2:]]
    assert errors == [
        ("invalid_input", "lines[0].amount"), ("store_not_found", "store"), ("coupon_not_found", "coupons"),
    ]  # fmt: skip
    assert Purchase.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"amount": 1.5}]}, "lines[0].amount"),
        ({"lines": [{"amount": 1}, {"amount": 1, "quantity": "NaN"}]}, "lines[1].quantity"),
        ({"tenders": [{"kind": "points", "amount": 1}]}, "tenders[0].kind"),
        ({"external_number": ""}, "external_number"),
        ({"quote": "x"}, "quote"),
        ({"points": -1}, "points"),
    ],
)
def test_bad_input_names_the_field(app, cast, shop, member, body, field):
    problem = app(cast.mall_app).post("purchases", purchase(member, 100) | body)
    assert (problem.status_code, [error["field"] for error in problem.json()["errors"]]) == (400, [field])
    assert not Purchase.objects.exists()


def test_a_coupon_is_issued_and_redeemed_at_a_till_of_their_own(app, cast, shop, member):
    template = shop.template()
    mall, hotel = app(cast.mall_app), app(cast.hotel_app)
    issued = mall.post("coupons", {"template": template.code, "member": member.member_no})
    assert (issued.status_code, issued.json()["state"]) == (201, "issued")
    code = issued.json()["code"]
    [listed] = hotel.get(f"members/{member.member_no}/coupons").json()["results"]
    assert (listed["code"], listed["amount"], listed["state"]) == (code, 2_000, "issued")
    redeemed = hotel.post(f"coupons/{code}/redemptions", {"amount": 50_000, "store": "HOTEL-1"})
    assert (redeemed.status_code, redeemed.json()["discount"]) == (201, 2_000)
    again = mall.post(f"coupons/{code}/redemptions", {"amount": 50_000, "store": "MALL-1"})
    assert (again.status_code, again.json()["code"]) == (409, "coupon_not_open")


def test_a_purchase_lifts_the_tier(app, cast, shop, member):
    mall = app(cast.mall_app)
    assert mall.get(f"members/{member.member_no}/tier").json()["missing"] == 100_000
    bought = mall.post("purchases", purchase(member, 150_000)).json()
    assert (bought["tier_before"], bought["tier"]) == ("basic", "gold")
    tier = mall.get(f"members/{member.member_no}/tier").json()
    assert (tier["tier"], tier["spend"], tier["next_tier"], tier["missing"]) == ("gold", 150_000, "black", 350_000)


def test_no_programme_is_no_tier(app, cast, member):
    assert app(cast.mall_app).get(f"members/{member.member_no}/tier").json()["tier"] is None


def test_purchases_are_listed_where_they_happened(app, cast, shop, member):
    app(cast.mall_app).post("purchases", purchase(member, 100))
    address = f"members/{member.member_no}/purchases"
    [listed] = app(cast.mall_app).get(address).json()["results"]
    assert (listed["store"], listed["net_amount"]) == ("MALL-1", 100)
    assert app(cast.hotel_app).get(address).json()["results"] == []
    assert Transaction.objects.count() == 1
