"""Cards on members' own pages: whose they are, lost at any hour, and decided over by who pays."""

from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from members.models import Card, CardChange, CardType, Member
from members.services import cards
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import CardTypeFactory, MemberFactory
from tests.member_session import enter

desk = partial(own_origin, "desk")


@pytest.fixture
def mother(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall])


@pytest.fixture
def child(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall], name="李小四")


@pytest.fixture
def card(cast: Cast, mother: Member) -> Card:
    return made(cards.issue_to(mother, CardTypeFactory(org_unit=cast.mall), org_unit=cast.mall, origin=desk()))


@pytest.fixture
def family(cast: Cast, mother: Member, child: Member) -> Card:
    card_type = CardTypeFactory(org_unit=cast.mall, name="家庭卡", kind=CardType.Kind.SUPPLEMENTARY)
    return made(cards.issue_to(child, card_type, org_unit=cast.mall, principal=mother, origin=desk()))


def made(answer: dict) -> Card:
    return Card.objects.get(number=answer["number"])


def page(client: Client, name: str, *args) -> str:
    answer = client.get(reverse(f"member:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def do(client: Client, card: Card, verb: str) -> Card:
    address = reverse("member:card_step", args=[card.pk, verb])
    asked = client.get(address)
    token = asked.context["token"] if asked.status_code == 200 else "t"
    client.post(address, {"token": token})
    card.refresh_from_db()
    return card


def test_my_cards_and_those_that_spend_my_points(client, mother, card, family):
    enter(client, mother)
    listed = page(client, "cards")
    assert f"**** {card.number[-4:]}" in listed
    assert card.number not in listed
    assert "李**" in listed
    assert '<div class="value number">2</div><div class="label">会员卡</div>' in page(client, "home")


def test_who_has_no_card_has_no_tile(client, mother):
    enter(client, mother)
    assert '<div class="label">会员卡</div>' not in page(client, "home")


def test_a_loss_is_asked_once_more_and_then_reported(client, mother, card):
    enter(client, mother)
    address = reverse("member:card_step", args=[card.pk, "report_lost"])
    token = client.get(address).context["token"]
    card.refresh_from_db()
    assert card.state == Card.State.ACTIVE
    for _ in range(2):
        client.post(address, {"token": token})
    card.refresh_from_db()
    assert card.state == Card.State.LOST
    [step] = CardChange.objects.filter(verb="report_lost")
    assert (step.channel.code, step.operator, step.reason) == ("member", None, "会员自助挂失")
    assert "本人到门店解挂" in page(client, "card", card.pk)


@pytest.mark.parametrize("verb", ["recover", "freeze", "replace", "close", "renew", "nothing"])
def test_a_holder_does_no_more_than_that(client, mother, card, verb):
    enter(client, mother)
    assert do(client, card, verb).state == Card.State.ACTIVE
    do(client, card, "report_lost")
    assert do(client, card, verb).state == Card.State.LOST


def test_a_frozen_member_may_still_report_a_loss(client, mother, card):
    Member.objects.filter(pk=mother.pk).update(status=Member.Status.FROZEN)
    enter(client, mother)
    assert do(client, card, "report_lost").state == Card.State.LOST


def test_the_principal_stops_a_card_and_lets_it_go_on(client, mother, family):
    enter(client, mother)
    assert do(client, family, "freeze").state == Card.State.FROZEN
    assert do(client, family, "unfreeze").state == Card.State.ACTIVE
    assert do(client, family, "report_lost").state == Card.State.LOST
    assert do(client, family, "recover").state == Card.State.LOST


def test_what_an_operator_froze_the_principal_does_not_unfreeze(client, mother, family):
    cards.freeze(family, reason="风控", origin=desk())
    enter(client, mother)
    assert "/unfreeze/" not in page(client, "card", family.pk)
    assert do(client, family, "unfreeze").state == Card.State.FROZEN


def test_the_holder_of_a_supplementary_card_reports_it_lost_only(client, child, family):
    enter(client, child)
    assert do(client, family, "freeze").state == Card.State.ACTIVE
    assert do(client, family, "report_lost").state == Card.State.LOST


def test_another_member_s_card_is_not_there(client, card, child):
    enter(client, child)
    for address in (reverse("member:card", args=[card.pk]), reverse("member:card_step", args=[card.pk, "report_lost"])):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code in (404, 405)
    card.refresh_from_db()
    assert card.state == Card.State.ACTIVE


def test_nobody_sees_cards_without_signing_in(client, cast, card):
    for address in (reverse("member:cards"), reverse("member:card_step", args=[card.pk, "report_lost"])):
        assert client.post(address).status_code in (302, 405)
    card.refresh_from_db()
    assert card.state == Card.State.ACTIVE
