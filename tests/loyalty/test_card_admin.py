"""The back office of what cards spend: allowances with the type, limits and spending with the card."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from loyalty.models import CardAllowance, CardLimit
from loyalty.services import points
from members.models import Card, CardType, Event, Operator
from members.services import cards
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import CardTypeFactory, MemberFactory
from tests.points import give_points

NEW_TYPE = {
    "code": "gold", "name": "金卡", "kind": "personal", "look": "gold", "is_active": "on", "prefix": "88",
    "length": "16", "has_check_digit": "on", "valid_days": "0", "deposit": "0", "carries_tier": "",
}  # fmt: skip


@pytest.fixture
def card(cast: Cast) -> Card:
    """A driver's card of the mall, on a member's 1,000 points: 300 at once, 500 a day."""
    card_type = CardTypeFactory(org_unit=cast.mall, kind="group")
    CardAllowance.objects.create(card_type=card_type, asset="points", per_use=300, per_day=500)
    company, driver = (MemberFactory(businesses=[cast.mall, cast.hotel], name=name) for name in ("梧桐公司", "李小明"))
    give_points(company, 1_000, cast.mall)
    answer = cards.issue_to(driver, card_type, org_unit=cast.mall, principal=company, origin=own_origin("desk"))
    return cards.find(answer["number"], actor=cast.sees_all)


@pytest.fixture
def page(client: Client) -> Callable[..., HttpResponse]:
    def page(operator: Operator, name: str, *args, post: dict | None = None) -> HttpResponse:
        client.force_login(operator)
        address = reverse(f"admin:{name}", args=args)
        return client.get(address) if post is None else client.post(address, post)

    return page


def test_a_new_type_begins_with_points_without_limits(cast: Cast, page) -> None:
    form = page(cast.sees_all, "members_cardtype_add").context["inline_admin_formsets"][0].formset
    rows = {name: str(form.management_form[name].value()) for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    row = {field.name: field.value() for field in form.forms[0] if field.name in ("asset", "per_use", "per_day")}
    assert (rows["TOTAL_FORMS"], row) == ("1", {"asset": "points", "per_use": 0, "per_day": 0})
    sent = NEW_TYPE | {"org_unit": str(cast.group.pk)}
    sent |= {f"{form.prefix}-{name}": value for name, value in rows.items()}
    sent |= {f"{form.prefix}-0-{name}": str(value) for name, value in row.items()}
    assert page(cast.sees_all, "members_cardtype_add", post=sent).status_code == 302
    allowance = CardAllowance.objects.get(card_type=CardType.objects.get(code="gold"))
    assert (allowance.asset, allowance.per_use, allowance.per_day) == ("points", 0, 0)


def test_who_strikes_the_points_out_makes_cards_that_spend_nothing(cast: Cast, page) -> None:
    sent = NEW_TYPE | {"org_unit": str(cast.group.pk), "allowances-TOTAL_FORMS": "0", "allowances-INITIAL_FORMS": "0"}
    assert page(cast.sees_all, "members_cardtype_add", post=sent).status_code == 302
    assert (CardType.objects.count(), CardAllowance.objects.count()) == (1, 0)


def test_a_cards_page_says_what_it_may_and_what_it_did(cast: Cast, card: Card, page) -> None:
    points.burn(card.principal, 120, card=card, origin=own_origin("desk", store=cast.mall_1))
    points.burn(card.principal, 30, card=card, origin=own_origin("desk", store=cast.hotel_1))
    everything = page(cast.sees_all, "members_card_change", card.pk).content.decode()
    assert "−120" in everything
    assert "−30" in everything
    at_the_mall = page(cast.sees_mall, "members_card_change", card.pk).content.decode()
    assert ("−120" in at_the_mall, "−30" in at_the_mall) == (True, False)


def test_member_360_says_who_spent(cast: Cast, card: Card, page) -> None:
    points.burn(card.principal, 120, card=card, origin=own_origin("desk", store=cast.mall_1))
    panel = page(cast.sees_mall, "members_member_panel", card.principal.pk, "transactions").content.decode()
    assert f"**** {card.number[-4:]}</a> 李**" in panel


def test_an_operator_limits_a_card(cast: Cast, card: Card, page) -> None:
    form = page(cast.sees_mall, "loyalty_cardlimit_set", card.pk, "points").context["form"]
    sent = {"per_use": "50", "per_day": "", "token": form["token"].value()}
    for _ in range(2):  # a double click
        answer = page(cast.sees_mall, "loyalty_cardlimit_set", card.pk, "points", post=sent)
        assert (answer.status_code, answer.url) == (302, reverse("admin:members_card_change", args=[card.pk]))
    limit = CardLimit.objects.get()
    assert (limit.card, limit.per_use, limit.per_day) == (card, 50, 0)
    assert Event.objects.get(type="card.limited").operator == cast.sees_mall


@pytest.mark.parametrize("sent", [{"per_use": "301"}, {"per_day": "501"}, {"per_day": "-1"}])
def test_no_limit_above_the_types(cast: Cast, card: Card, page, sent) -> None:
    blank = {"per_use": "", "per_day": "", "token": "t"}
    answer = page(cast.sees_mall, "loyalty_cardlimit_set", card.pk, "points", post=blank | sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, list(sent))
    assert not CardLimit.objects.exists()


def test_only_who_serves_the_card_and_may_limits_it(cast: Cast, card: Card, page) -> None:
    sent = {"per_use": "1", "per_day": "1", "token": "t"}
    cast.sees_all.org_unit = cast.hotel  # knows the holder, did not give the card out
    cast.sees_all.save()
    assert page(cast.sees_all, "loyalty_cardlimit_set", card.pk, "points", post=sent).status_code == 403
    assert page(cast.sees_nothing, "loyalty_cardlimit_set", card.pk, "points", post=sent).status_code == 404
    cast.sees_mall.user_permissions.set([])
    assert page(cast.sees_mall, "loyalty_cardlimit_set", card.pk, "points", post=sent).status_code == 403
    assert not CardLimit.objects.exists()


@pytest.mark.parametrize("asset", ["balance", "growth", "nonsense"])
def test_an_asset_that_the_type_does_not_spend_has_no_limit(cast: Cast, card: Card, page, asset: str) -> None:
    assert page(cast.sees_mall, "loyalty_cardlimit_set", card.pk, asset).status_code == 404
