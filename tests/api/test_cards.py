"""Cards through the API: given out, blocked and replaced by whose they are, and lost anywhere."""

import pytest
from django.utils import timezone

from members.models import Card, CardChange, CardType, Channel, Identity
from members.services import cards
from members.services.memory import Memory
from members.services.organisation import own_origin
from tests.factories import CardTypeFactory, MemberFactory


@pytest.fixture
def gold(cast) -> CardType:
    return CardTypeFactory(org_unit=cast.mall, code="gold", prefix="6200", valid_days=30, deposit=1000)


@pytest.fixture
def till(app, cast):
    return app(cast.mall_app)


@pytest.fixture
def number(till, gold, member) -> str:
    answer = till.post(f"members/{member.member_no}/cards", {"card_type": "gold", "store": "MALL-1"})
    assert answer.status_code == 201
    return answer.json()["number"]


def test_a_new_card_of_a_type(till, gold, member, number):
    assert number == "6200000000000013"
    card = till.get(f"cards/{number}").json()
    assert card["state"] == "active"
    assert (card["card_type"], card["name"], card["kind"]) == ("gold", "金卡", "personal")
    assert (card["member_no"], card["holder"], card["principal_no"]) == (member.member_no, "张*", None)
    assert (card["org_unit"], card["deposit"], card["replaces"]) == ("MALL-1", 1000, None)
    assert till.get("members", {"identity": f"card:{number}"}).json()["results"][0]["member_no"] == member.member_no
    step = CardChange.objects.get(verb="activate")
    assert (step.channel.code, step.store.code, step.operator) == ("mall-app", "MALL-1", None)


def test_the_holder_s_name_with_the_scope_for_it(till, cast, number):
    Channel.objects.filter(pk=cast.mall_app.pk).update(scopes=["cards.read", "personal_data"])
    Memory.forget_all()
    assert till.get(f"cards/{number}").json()["holder"] == "张三"


def test_a_card_from_the_drawer_is_bound_once(till, cast, gold, member):
    stock = cards.issue(gold, org_unit=cast.mall_1, origin=own_origin("desk"))["number"]
    body = {"number": f"{stock[:4]} {stock[4:]}"}
    first = till.post(f"members/{member.member_no}/cards", body, key="bind")
    assert (first.status_code, first.json()["number"], first.json()["state"]) == (201, stock, "active")
    assert till.post(f"members/{member.member_no}/cards", body, key="bind").json() == first.json()
    again = till.post(f"members/{member.member_no}/cards", body)
    assert (again.status_code, again.json()["code"]) == (409, "card_state_forbids")
    assert Identity.objects.filter(kind="card").count() == 1


def test_a_number_that_nobody_has_made_may_be_given_with_its_type(till, gold, member):
    body = {"number": "6200000000000070", "card_type": "gold"}
    first = till.post(f"members/{member.member_no}/cards", body, key="given")
    assert first.json()["number"] == "6200000000000070"
    assert till.post(f"members/{member.member_no}/cards", body, key="given").json() == first.json()
    assert Card.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "card_not_found", "number"),
        ({"number": "6200000000000013"}, "card_not_found", "number"),
        ({"number": "6200000000000014", "card_type": "gold"}, "invalid_card_number", "number"),
        ({"card_type": "none"}, "card_type_not_found", "card_type"),
        ({"card_type": "guests"}, "card_type_not_found", "card_type"),
        ({"card_type": "family"}, "card_principal_missing", "principal"),
        ({"card_type": "gold", "principal": "13900000000"}, "member_not_found", "principal"),
    ],
)
def test_refused_cards_are_not_made(till, cast, gold, member, body, code, field):
    CardTypeFactory(org_unit=cast.hotel, code="guests")
    CardTypeFactory(org_unit=cast.mall, code="family", kind=CardType.Kind.SUPPLEMENTARY)
    refused = till.post(f"members/{member.member_no}/cards", body).json()
    assert (refused["code"], refused["errors"][0]["field"]) == (code, field)
    assert Card.objects.count() == 0


def test_a_card_that_spends_for_another(till, cast, member):
    CardTypeFactory(org_unit=cast.mall, code="family", kind=CardType.Kind.SUPPLEMENTARY)
    child = MemberFactory(businesses=[cast.mall])
    body = {"card_type": "family", "principal": "13800138000"}
    answer = till.post(f"members/{child.member_no}/cards", body).json()
    assert (answer["member_no"], answer["principal_no"]) == (child.member_no, member.member_no)
    for person in (child, member):
        [card] = till.get(f"members/{person.member_no}/cards").json()["results"]
        assert card["number"] == answer["number"]


def test_its_life(till, number):
    def step(name: str, **body) -> dict:
        answer = till.post(f"cards/{number}/{name}", {"reason": "r"} | body)
        assert answer.status_code == 201, answer.json()
        return answer.json()

    assert step("losses")["state"] == "lost"
    assert step("recoveries")["state"] == "active"
    assert step("freezes")["state"] == "frozen"
    assert step("unfreezes")["state"] == "active"
    before = till.get(f"cards/{number}").json()["expires_at"]
    assert step("renewals")["expires_at"] > before
    new = step("replacements")
    assert (new["state"], new["replaces"]) == ("active", number)
    assert till.get(f"cards/{number}").json()["state"] == "replaced"
    closed = till.post(f"cards/{new['number']}/closures", {"reason": "r"}).json()
    assert (closed["state"], closed["deposit_due"]) == ("closed", 1000)


def test_activating_a_card_that_was_made_for_nobody(till, cast, gold, member):
    stock = cards.issue(gold, org_unit=cast.mall_1, origin=own_origin("desk"))["number"]
    assert till.post(f"cards/{stock}/activations").json()["code"] == "card_holder_missing"
    assert till.post(f"cards/{stock}/activations", {"member": "13800138000"}).json()["member_no"] == member.member_no


def test_a_refusal_says_where_the_card_is(till, number):
    till.post(f"cards/{number}/losses", {"reason": "丢了"})
    refused = till.post(f"cards/{number}/freezes", {"reason": "r"})
    assert (refused.status_code, refused.json()["code"]) == (409, "card_state_forbids")
    assert refused.json()["details"] == {"state": "lost", "verb": "freeze"}
    assert Card.objects.get().state == Card.State.LOST


def test_another_business_that_knows_the_holder_reports_a_loss_and_nothing_else(app, cast, number):
    hotel = app(cast.hotel_app)
    assert hotel.get(f"cards/{number}").json()["holder"] == "张*"
    for name in ("freezes", "replacements", "renewals", "closures"):
        refused = hotel.post(f"cards/{number}/{name}", {"reason": "r"})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed"), name
    assert hotel.post(f"cards/{number}/losses", {"reason": "丢了"}).json()["state"] == "lost"
    assert hotel.post(f"cards/{number}/recoveries", {"reason": "r"}).status_code == 403
    step = CardChange.objects.first()
    assert (step.verb, step.business.code) == ("report_lost", "HOTEL")


def test_a_principal_s_business_is_not_told_the_name_of_a_holder_whom_it_does_not_know(app, till, cast, member):
    CardTypeFactory(org_unit=cast.mall, code="family", kind=CardType.Kind.SUPPLEMENTARY)
    child = MemberFactory(businesses=[cast.mall])
    till.post(f"members/{child.member_no}/cards", {"card_type": "family", "principal": member.member_no})
    [card] = app(cast.hotel_app).get(f"members/{member.member_no}/cards").json()["results"]
    assert (card["principal_no"], card["holder"]) == (member.member_no, None)


def test_past_its_day_a_card_is_renewed_first(till, number):
    Card.objects.update(expires_at=timezone.now())
    refused = till.post(f"cards/{number}/replacements", {"reason": "r"})
    assert (refused.status_code, refused.json()["code"]) == (422, "card_expired")
