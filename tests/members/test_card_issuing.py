"""Giving cards out: made, bound from the drawer, or refused; and whose number is whose."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from members.errors import (
    CardHolderMissing,
    CardNotBound,
    CardNumbersExhausted,
    CardNumberTaken,
    CardOfAnother,
    CardPrincipalMissing,
    CardPrincipalNotAllowed,
    CardTypeNotHere,
    CardTypeStopped,
    IdentityTaken,
    InvalidCardNumber,
    MemberClosed,
)
from members.interfaces import Origin
from members.models import Card, CardType, Identity, Member
from members.services import cards, identities, people
from members.services.card_states import State
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import CardTypeFactory, IdentityFactory, MemberFactory


@pytest.fixture
def desk(cast: Cast) -> Callable[[], Origin]:
    return lambda: own_origin("desk", actor=cast.sees_mall, store=cast.mall_1)


@pytest.fixture
def gold(cast: Cast) -> CardType:
    return CardTypeFactory(org_unit=cast.mall, prefix="6200", valid_days=365, deposit=2000)


@pytest.fixture
def holder(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall])


@pytest.fixture
def card(cast, gold, holder, desk) -> Card:
    """His, and not yet activated."""
    return made(cards.issue(gold, org_unit=cast.mall_1, member=holder, origin=desk()))


def made(answer: dict) -> Card:
    return Card.objects.get(number=answer["number"])


def known_by(member: Member) -> set[str]:
    return {identity.value for identity in member.identities.filter(kind=Identity.Kind.CARD)}


def test_numbers_follow_each_other_and_pass_by_those_given_by_hand(cast, gold, desk):
    second = "6200000000000021"
    assert cards.issue(gold, org_unit=cast.mall, number="6200 0000 0000 0021", origin=desk())["number"] == second
    numbers = [cards.issue(gold, org_unit=cast.mall, origin=desk())["number"] for _ in range(2)]
    assert numbers == ["6200000000000013", "6200000000000039"]


def test_activating_begins_validity_and_takes_the_deposit(card, desk, holder):
    assert (card.state, card.deposit, card.expires_at) == ("issued", 0, None)
    answer = cards.activate(card, origin=desk())
    card.refresh_from_db()
    zone = card.org_unit.zone
    assert card.deposit == answer["deposit"] == 2000
    assert card.expires_at.astimezone(zone).date() - card.activated_at.astimezone(zone).date() == timedelta(days=366)
    assert known_by(holder) == {card.number}
    assert people.find("card", card.number) == holder


def test_a_card_from_the_drawer_is_bound(cast, gold, holder, desk):
    stock = made(cards.issue(gold, org_unit=cast.mall_1, origin=desk()))
    with pytest.raises(CardHolderMissing):
        cards.activate(stock, origin=desk())
    assert cards.activate(stock, holder, origin=desk())["member_no"] == holder.member_no
    assert known_by(holder) == {stock.number}


def test_what_is_made_for_one_is_not_given_to_another(cast, card, desk):
    with pytest.raises(CardOfAnother):
        cards.activate(card, MemberFactory(), origin=desk())
    card.refresh_from_db()
    assert card.state == State.ISSUED


def test_a_number_that_finds_somebody_else_is_not_bound(cast, gold, holder, desk):
    stock = made(cards.issue(gold, org_unit=cast.mall_1, origin=desk()))
    IdentityFactory(member=MemberFactory(), kind="card", value=stock.number)
    with pytest.raises(IdentityTaken):
        cards.activate(stock, holder, origin=desk())
    stock.refresh_from_db()
    assert (stock.state, stock.member) == (State.ISSUED, None)


def test_nobody_claims_a_card_by_naming_its_number(cast, gold, holder, desk):
    stock = made(cards.issue(gold, org_unit=cast.mall_1, origin=desk()))
    written = f"{stock.number[:4]} {stock.number[4:]}"
    his = {"phone": holder.identities.get(kind="phone").value, "card": stock.number}
    for claimed in ({"card": stock.number}, {"card": written}, his | {"phone": "13900139000"}, his):
        with pytest.raises(CardNotBound):
            people.enrol(identities=claimed, business=cast.mall, origin=desk())
    with pytest.raises(CardNotBound):
        identities.add(holder, "card", stock.number, is_verified=False, origin=desk())
    assert (Member.objects.count(), known_by(holder)) == (1, set())
    cards.activate(stock, holder, origin=desk())
    same = people.enrol(identities=his, business=cast.mall, origin=desk())
    assert (same["member_no"], same["is_new"]) == (holder.member_no, False)


def test_a_number_by_which_he_is_known_already_is_his(cast, gold, holder, desk):
    stock = made(cards.issue(gold, org_unit=cast.mall_1, origin=desk()))
    IdentityFactory(member=holder, kind="card", value=stock.number)
    cards.activate(stock, holder, origin=desk())
    assert known_by(holder) == {stock.number}


def test_refused_cards_are_not_made(cast, gold, holder, desk):
    other = CardTypeFactory(org_unit=cast.hotel)
    stopped = CardTypeFactory(org_unit=cast.mall, is_active=False)
    tiny = CardTypeFactory(org_unit=cast.mall, prefix="9999", length=6, next_serial=10)
    taken = cards.issue(gold, org_unit=cast.mall, origin=desk())["number"]
    family = CardTypeFactory(org_unit=cast.mall, kind=CardType.Kind.SUPPLEMENTARY)
    gone = MemberFactory(status=Member.Status.CLOSED)
    refused = [
        (CardTypeNotHere, other, {}),
        (CardTypeStopped, stopped, {}),
        (CardNumbersExhausted, tiny, {}),
        (CardNumberTaken, gold, {"number": taken}),
        (InvalidCardNumber, gold, {"number": "6200000000000014"}),
        (CardPrincipalMissing, family, {"member": holder}),
        (CardPrincipalNotAllowed, family, {"member": holder, "principal": holder}),
        (CardPrincipalNotAllowed, gold, {"member": holder, "principal": MemberFactory()}),
        (MemberClosed, gold, {"member": gone}),
        (MemberClosed, family, {"member": holder, "principal": gone}),
    ]
    for reason, card_type, more in refused:
        with pytest.raises(reason):
            cards.issue_to(more.pop("member", holder), card_type, org_unit=cast.mall, origin=desk(), **more)
    assert [card.number for card in Card.objects.all()] == [taken]
    assert Identity.objects.filter(kind="card").count() == 0


def test_a_supplementary_card_spends_for_its_principal(cast, holder, desk):
    child = MemberFactory(businesses=[cast.mall])
    family = CardTypeFactory(org_unit=cast.mall, kind=CardType.Kind.SUPPLEMENTARY)
    answer = cards.issue_to(child, family, org_unit=cast.mall, principal=holder, origin=desk())
    card = made(answer)
    assert (card.member, card.principal, card.spender) == (child, holder, holder)
    assert answer["principal_no"] == holder.member_no
    assert list(Card.objects.spending_for(holder)) == [card]
    assert list(Card.objects.spending_for(child)) == []
    assert known_by(child) == {card.number}
    assert known_by(holder) == set()
