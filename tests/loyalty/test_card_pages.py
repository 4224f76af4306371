"""A principal's pages: which card spent what of his points, who holds it, and the limits that he sets it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import CardAllowance, CardLimit
from loyalty.services import points
from loyalty.views import PAGE
from members.models import Card, Event, Member
from members.services import cards
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import CardTypeFactory, MemberFactory
from tests.member_session import enter
from tests.points import give_points, spend_points


@pytest.fixture
def mother(client: Client, cast: Cast) -> Member:
    """Signed in with `client`, with 1,000 points."""
    mother = MemberFactory(businesses=[cast.mall])
    give_points(mother, 1_000, cast.mall)
    enter(client, mother)
    return mother


@pytest.fixture
def card(cast: Cast, mother: Member) -> Card:
    card_type = CardTypeFactory(org_unit=cast.group, kind="supplementary", name="亲情卡")
    CardAllowance.objects.create(card_type=card_type, asset="points", per_day=500)
    child = MemberFactory(name="李小明")
    answer = cards.issue_to(child, card_type, org_unit=cast.mall, principal=mother, origin=own_origin("desk"))
    return cards.find(answer["number"], actor=cast.sees_all)


def spend(card: Card, quantity: int, cast: Cast) -> None:
    points.burn(card.principal, quantity, card=card, origin=own_origin("desk", store=cast.mall_1))


def page_of(card: Card) -> str:
    return reverse("points:card", args=[card.pk])


def test_each_row_says_which_card_and_who_holds_it(client: Client, card: Card, cast: Cast) -> None:
    spend(card, 120, cast)
    spend_points(card.principal, 30, cast.mall)
    page = client.get(reverse("points:history"))
    assert [row.card for row in page.context["rows"]] == [None, card, None]
    text = page.content.decode()
    assert f"**** {card.number[-4:]} 李**" in text
    assert ("李小明" in text, card.number in text) == (False, False)


def test_the_list_says_what_each_card_spent_this_month(client: Client, card: Card, cast: Cast) -> None:
    long_ago = own_origin("desk", store=cast.mall_1)
    object.__setattr__(long_ago, "posted_at", timezone.now() - timedelta(days=40))
    points.burn(card.principal, 7, card=card, origin=long_ago)
    spend(card, 120, cast)
    spend(card, 30, cast)
    assert client.get(reverse("points:cards")).context["rows"] == [(card, 150)]


def test_a_cards_page_has_its_own_rows_and_those_of_what_it_replaced(client: Client, card: Card, cast: Cast) -> None:
    spend(card, 120, cast)
    spend_points(card.principal, 1, cast.mall)
    new = cards.replace(card, reason="损坏", origin=own_origin("desk"))
    new_card = cards.find(new["number"], actor=cast.sees_all)
    spend(new_card, 30, cast)
    page = client.get(page_of(new_card))
    assert [row.active for row in page.context["rows"]] == [-30, -120]
    assert (page.context["room"].spent, page.context["form"] is not None) == (150, True)
    assert client.get(page_of(card)).context["form"] is None


def test_a_card_that_is_not_active_yet_has_its_page_too(client: Client, card: Card, cast: Cast) -> None:
    made = cards.issue(
        card.card_type, org_unit=cast.mall, member=card.member, principal=card.principal, origin=own_origin("desk")
    )
    new = cards.find(made["number"], actor=cast.sees_all)
    assert client.get(page_of(new)).context["rows"] == []
    assert [shown for shown, _ in client.get(reverse("points:cards")).context["rows"]] == [new, card]


def test_more_rows_follow(client: Client, card: Card, cast: Cast) -> None:
    for _ in range(PAGE + 2):
        spend(card, 1, cast)
    first = client.get(page_of(card))
    following = client.get(f"{page_of(card)}?{first.context['more']}", headers={"HX-Request": "true"})
    assert (len(first.context["rows"]), len(following.context["rows"]), following.context["more"]) == (PAGE, 2, "")
    assert "<html" not in following.content.decode()


def test_the_principal_sets_the_limits_of_a_card(client: Client, card: Card, cast: Cast) -> None:
    answer = client.post(page_of(card), {"per_use": "50", "per_day": ""})
    assert (answer.status_code, answer.url) == (302, page_of(card))
    limit = CardLimit.objects.get()
    assert (limit.card, limit.asset, limit.per_use, limit.per_day) == (card, "points", 50, 0)
    event = Event.objects.get(type="card.limited")
    assert (event.member, event.channel.code) == (card.principal, "member")
    assert client.get(page_of(card)).context["form"]["per_use"].value() == 50


@pytest.mark.parametrize("limits", [{"per_day": "501"}, {"per_use": "-1"}, {"per_use": "x"}])
def test_a_limit_that_is_none_or_above_the_types_is_not_set(client: Client, card: Card, limits) -> None:
    page = client.post(page_of(card), {"per_use": "", "per_day": ""} | limits)
    assert (page.status_code, list(page.context["form"].errors)) == (200, list(limits))
    assert not CardLimit.objects.exists()


def test_nobody_sees_or_limits_the_cards_of_another(client: Client, card: Card, cast: Cast) -> None:
    enter(client, card.member)  # the holder: he spends, but they are not his points
    assert client.get(reverse("points:cards")).context["rows"] == []
    assert client.get(page_of(card)).status_code == 404
    assert client.post(page_of(card), {"per_use": "1"}).status_code == 404
    assert not CardLimit.objects.exists()


def test_without_signing_in_there_is_nothing_to_see(client: Client, card: Card) -> None:
    client.logout()
    for address in (reverse("points:cards"), page_of(card)):
        assert client.get(address).status_code == 302
