"""Paying with a card, as a till calls it: in place of the member, seen by whoever knows whose assets it spends."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from loyalty.models import CardAllowance, Hold, Purchase, Transaction
from members.models import Card, Member
from members.services import cards
from members.services.organisation import own_origin
from tests.factories import CardTypeFactory, MemberFactory


@pytest.fixture
def card(app, cast, shop, member: Member) -> Card:
    """A child's card on the member's 1,000 points of the mall: 300 at once. The hotel knows the member too."""
    app(cast.mall_app).post("points/earns", {"member": member.member_no, "quantity": 1000})
    card_type = CardTypeFactory(org_unit=cast.group, kind="supplementary")
    CardAllowance.objects.create(card_type=card_type, asset="points", per_use=300)
    child = MemberFactory(businesses=[cast.mall])
    answer = cards.issue_to(child, card_type, org_unit=cast.mall, principal=member, origin=own_origin("desk"))
    return cards.find(answer["number"], actor=cast.sees_all)


def basket(**more) -> dict:
    return {"store": "MALL-1", "lines": [{"amount": 20_000}]} | more


def ask_all(app, **who) -> dict[str, object]:
    """Every call that takes a card: name → response."""
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    return {
        "burn": app.post("points/burns", {"quantity": 10, **who}),
        "hold": app.post("holds", {"quantity": 10, "until": until, **who}),
        "quote": app.post("checkout/quotes", basket(**who), key=None),
        "purchase": app.post("purchases", basket(external_number=uuid4().hex, **who)),
    }


def written() -> tuple[int, int, int]:
    return Transaction.objects.count(), Hold.objects.count(), Purchase.objects.count()


def test_a_card_stands_for_whose_assets_it_spends(app, cast, member, card):
    spaced = f"{card.number[:4]} {card.number[4:]}"  # as it is embossed
    answers = ask_all(app(cast.mall_app), card=spaced)
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "burn": 201, "hold": 201, "quote": 200, "purchase": 201,
    }  # fmt: skip
    assert {(answer.json()["member_no"], answer.json()["card"]) for answer in answers.values()} == {
        (member.member_no, card.number)
    }
    mall = app(cast.mall_app)
    rows = mall.get(f"members/{member.member_no}/transactions").json()["results"]
    assert [(row["kind"], row["card"]) for row in rows] == [
        ("earn", card.number), ("burn", card.number), ("earn", None),
    ]  # fmt: skip
    purchase = answers["purchase"].json()
    assert mall.get(f"purchases/{purchase['id']}").json()["card"] == card.number
    assert [row["card"] for row in mall.get(f"members/{member.member_no}/purchases").json()["results"]] == [card.number]
    held = mall.get(f"holds/{answers['hold'].json()['id']}").json()
    captured = mall.post(f"holds/{held['id']}/capture").json()
    assert (held["card"], captured["transaction"]["card"]) == (card.number, card.number)


def test_a_member_without_a_card_has_none_in_the_answers(app, cast, member, card):
    answers = ask_all(app(cast.mall_app), member=member.member_no)
    assert {answer.json()["card"] for answer in answers.values()} == {None}


def test_a_lost_card_is_refused_everywhere_and_the_member_is_not(app, cast, member, card):
    cards.report_lost(card, reason="不见了", origin=own_origin("member"))
    before = written()
    for name, refused in ask_all(app(cast.mall_app), card=card.number).items():
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["details"]) == (409, "card_not_usable", {"state": "lost"})
        assert [error["field"] for error in problem["errors"]] == ["card"], name
    assert written() == before
    assert app(cast.mall_app).post("points/burns", {"quantity": 10, "member": member.member_no}).status_code == 201


def test_the_limit_says_what_is_left(app, cast, card):
    refused = app(cast.mall_app).post("points/burns", {"quantity": 301, "card": card.number})
    assert (refused.status_code, refused.json()["code"]) == (422, "card_limit_exceeded")
    assert refused.json()["details"] == {"wanted": 301, "left": 300, "per_use": 300, "per_day": 0}


@pytest.mark.parametrize("number", ["6200000000000000", "\x00", "四"])
def test_a_number_that_is_no_cards_is_not_found(app, cast, card, number):
    for refused in ask_all(app(cast.mall_app), card=number).values():
        assert refused.status_code in (400, 404)
        assert [error["field"] for error in refused.json()["errors"]] == ["card"]


def test_a_card_in_stock_is_nobodys(app, cast, card):
    made = cards.issue(
        CardTypeFactory(org_unit=cast.mall), org_unit=cast.mall, origin=own_origin("desk", business=cast.mall)
    )
    refused = app(cast.mall_app).post("points/burns", {"quantity": 1, "card": made["number"]})
    assert (refused.status_code, refused.json()["code"]) == (404, "card_not_found")


def test_another_business_takes_the_card_where_it_knows_the_principal(app, cast, member, card):
    """As with his number: the hotel knows him and serves the card, the convenience stores do not."""
    at_hotel = {"store": "HOTEL-1", "quantity": 10}
    assert app(cast.hotel_app).post("points/burns", at_hotel | {"card": card.number}).status_code == 201
    before = written()
    for who in ({"card": card.number}, {"member": member.member_no}):
        refused = app(cast.cvs_app).post("points/burns", {"store": "CVS-1", "quantity": 10} | who)
        assert refused.status_code == 404
    assert written() == before


@pytest.mark.parametrize("both", [True, False])
def test_a_member_or_a_card_but_not_both_and_not_neither(app, cast, member, card, both):
    who = {"member": member.member_no, "card": card.number} if both else {}
    before = written()
    for refused in ask_all(app(cast.mall_app), **who).values():
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
        assert [error["field"] for error in refused.json()["errors"]] == ["member"]
    assert written() == before


def test_the_same_again_after_the_card_was_lost_gets_the_first_answer(app, cast, card):
    mall = app(cast.mall_app)
    sent = {"quantity": 10, "card": card.number}
    first = mall.post("points/burns", sent, key="k")
    cards.report_lost(card, reason="不见了", origin=own_origin("member"))
    again = mall.post("points/burns", sent, key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert Transaction.objects.filter(kind="burn").count() == 1


def test_a_batch_answers_for_each_card(app, cast, member, card):
    items = [
        basket(card=card.number, external_number="1", reference="1"),
        basket(card="6200000000000000", external_number="2", reference="2"),
        basket(card=card.number, member=member.member_no, external_number="3", reference="3"),
    ]
    results = app(cast.mall_app).post("purchases/batch", {"purchases": items}, key=None).json()["results"]
    assert results[0]["answer"]["card"] == card.number
    assert [result["error"]["code"] for result in results[1:]] == ["card_not_found", "invalid_input"]
    assert Purchase.objects.get().card == card
