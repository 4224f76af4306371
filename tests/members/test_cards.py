"""A card's life: every step of the table, allowed and refused, and what goes with it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from members.errors import (
    CardExpired,
    CardNotFound,
    CardNumberTaken,
    CardReplacementUnfit,
    CardStateForbids,
    NotChangeable,
    ReasonMissing,
)
from members.interfaces import Origin
from members.models import Card, CardChange, CardType, Event, Identity, Member
from members.services import cards, identities
from members.services.card_states import STEPS, State, Verb
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import CardTypeFactory, MemberFactory

VERBS: dict[Verb, Callable] = {
    Verb.ACTIVATE: lambda card, origin: cards.activate(card, origin=origin),
    Verb.REPORT_LOST: lambda card, origin: cards.report_lost(card, reason="丢了", origin=origin),
    Verb.RECOVER: lambda card, origin: cards.recover(card, reason="找到了", origin=origin),
    Verb.FREEZE: lambda card, origin: cards.freeze(card, reason="可疑", origin=origin),
    Verb.UNFREEZE: lambda card, origin: cards.unfreeze(card, reason="核实", origin=origin),
    Verb.REPLACE: lambda card, origin: cards.replace(card, reason="损坏", origin=origin),
    Verb.RENEW: lambda card, origin: cards.renew(card, origin=origin),
    Verb.CLOSE: lambda card, origin: cards.close(card, reason="不用了", origin=origin),
}
# How a card gets into each state, by its verbs.
WAYS: dict[State, tuple[Verb, ...]] = {
    State.ISSUED: (),
    State.ACTIVE: (Verb.ACTIVATE,),
    State.LOST: (Verb.ACTIVATE, Verb.REPORT_LOST),
    State.FROZEN: (Verb.ACTIVATE, Verb.FREEZE),
    State.REPLACED: (Verb.ACTIVATE, Verb.REPLACE),
    State.CLOSED: (Verb.ACTIVATE, Verb.CLOSE),
}
# What must come out: verb → state before → state after. Everything else is refused.
ALLOWED = {
    Verb.ACTIVATE: {"issued": "active"},
    Verb.REPORT_LOST: {"active": "lost", "frozen": "lost"},
    Verb.RECOVER: {"lost": "active"},
    Verb.FREEZE: {"active": "frozen"},
    Verb.UNFREEZE: {"frozen": "active"},
    Verb.REPLACE: {"active": "replaced", "lost": "replaced", "frozen": "replaced"},
    Verb.RENEW: {"active": "active", "lost": "lost", "frozen": "frozen", "expired": "active"},
    Verb.CLOSE: {state: "closed" for state in ("issued", "active", "lost", "frozen", "expired")},
}
EVENTS = {
    Verb.ACTIVATE: "card.activated",
    Verb.REPORT_LOST: "card.lost",
    Verb.RECOVER: "card.recovered",
    Verb.FREEZE: "card.frozen",
    Verb.UNFREEZE: "card.unfrozen",
    Verb.REPLACE: "card.replaced",
    Verb.RENEW: "card.renewed",
    Verb.CLOSE: "card.closed",
}


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


def brought_to(card: Card, state: State, origin: Callable[[], Origin]) -> Card:
    if state == State.EXPIRED:
        VERBS[Verb.ACTIVATE](card, origin())
        cards.expire_due(timezone.now() + timedelta(days=367))
    else:
        for verb in WAYS[state]:
            VERBS[verb](card, origin())
    card.refresh_from_db()
    assert card.state == state
    return card


# --- The table --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", State)
def test_each_step_from_each_state(card, desk, state, verb):
    brought_to(card, state, desk)
    before = (Card.objects.count(), CardChange.objects.count(), Event.objects.count())
    after = ALLOWED[verb].get(state.value)
    if after is None:
        with pytest.raises(CardStateForbids) as refused:
            VERBS[verb](card, desk())
        assert refused.value.details == {"state": state.value, "verb": verb.value}
        card.refresh_from_db()
        assert card.state == state
        assert (Card.objects.count(), CardChange.objects.count(), Event.objects.count()) == before
        return
    VERBS[verb](card, desk())
    card.refresh_from_db()
    assert card.state == after
    step = card.changes.first()
    assert (step.verb, step.from_state, step.to_state) == (verb, state, after)
    assert step.operator.username == "sees_mall"
    assert (step.channel.code, step.store.code, step.business.code) == ("desk", "MALL-1", "MALL")
    event = Event.objects.order_by("-pk").first()
    assert (event.type, event.member, event.data["card"]) == (EVENTS[verb], card.member, card.number)
    assert (event.data["from"], event.data["to"]) == (state, after)


def test_the_table_has_no_other_verb():
    assert set(STEPS) - set(VERBS) == {Verb.EXPIRE}


def test_a_refusal_says_where_the_card_is_and_what_can_be_done(card, desk):
    brought_to(card, State.LOST, desk)
    with translation.override("zh-hans"), pytest.raises(CardStateForbids) as refused:
        cards.freeze(card, reason="可疑", origin=desk())
    assert str(refused.value.message) == "这张卡已挂失，不能冻结；现在可以：解挂、补换卡、续期、退卡。"


@pytest.mark.parametrize("verb", [Verb.REPORT_LOST, Verb.FREEZE, Verb.REPLACE, Verb.CLOSE])
def test_blocking_wants_a_reason(card, desk, verb):
    brought_to(card, State.ACTIVE, desk)
    with pytest.raises(ReasonMissing):
        getattr(cards, verb)(card, reason=" ", origin=desk())
    card.refresh_from_db()
    assert card.state == State.ACTIVE


def test_the_same_reference_does_it_once(card, desk):
    brought_to(card, State.ACTIVE, desk)
    origin = desk()
    first = cards.report_lost(card, reason="丢了", origin=origin)
    assert cards.report_lost(card, reason="丢了", origin=origin) == first
    assert card.changes.filter(verb=Verb.REPORT_LOST).count() == 1


def test_nothing_launders_a_freeze(card, desk):
    """Lost while frozen, found, lost, replaced, expired, renewed, found: still frozen."""
    brought_to(card, State.FROZEN, desk)
    assert cards.report_lost(card, reason="丢", origin=desk())["state"] == "lost"
    assert cards.recover(card, reason="找到", origin=desk())["state"] == "frozen"
    cards.report_lost(card, reason="又丢", origin=desk())
    new = made(cards.replace(card, reason="补", origin=desk()))
    assert new.state == State.FROZEN
    cards.report_lost(new, reason="丢", origin=desk())
    assert cards.expire_due(timezone.now() + timedelta(days=367)) == 1
    assert cards.renew(new, origin=desk())["state"] == "lost"
    assert cards.recover(new, reason="找到", origin=desk())["state"] == "frozen"


# --- Replacing, renewing, ending --------------------------------------------------------------------------------


def test_everything_follows_the_new_number(card, desk, holder):
    brought_to(card, State.LOST, desk)
    answer = cards.replace(card, reason="补卡", origin=desk())
    card.refresh_from_db()
    new = made(answer)
    assert new.number != card.number
    assert (answer["replaces"], new.replaces, new.state) == (card.number, card, State.ACTIVE)
    followed = ("member", "principal", "card_type", "expires_at", "org_unit")
    assert [getattr(new, name) for name in followed] == [getattr(card, name) for name in followed]
    assert (new.deposit, card.deposit) == (2000, 0)
    assert known_by(holder) == {new.number}
    [step] = new.changes.all()
    assert (step.verb, step.from_state, step.to_state) == (Verb.REPLACE, "", "active")
    assert Event.objects.get(type="card.replaced").data["new"] == new.number


def test_a_printed_card_takes_its_place(cast, card, desk, holder):
    brought_to(card, State.ACTIVE, desk)
    printed = made(cards.issue(card.card_type, org_unit=cast.mall_2, origin=desk()))
    assert cards.replace(card, reason="换卡", number=printed.number, origin=desk())["number"] == printed.number
    printed.refresh_from_db()
    assert (printed.state, printed.member, printed.replaces_id) == (State.ACTIVE, holder, card.pk)
    assert known_by(holder) == {printed.number}


def test_what_does_not_fit_replaces_nothing(cast, card, desk, holder):
    brought_to(card, State.ACTIVE, desk)
    other = made(cards.issue(CardTypeFactory(org_unit=cast.mall), org_unit=cast.mall, origin=desk()))
    used = made(cards.issue_to(holder, card.card_type, org_unit=cast.mall, origin=desk()))
    promised = made(cards.issue(card.card_type, org_unit=cast.mall, member=MemberFactory(), origin=desk()))
    for unfit in (other, used, promised, card):
        with pytest.raises(CardReplacementUnfit):
            cards.replace(card, reason="换卡", number=unfit.number, origin=desk())
    elsewhere = made(cards.issue(card.card_type, org_unit=cast.mall_2, origin=desk()))
    Card.objects.filter(pk=elsewhere.pk).update(org_unit=cast.hotel_1)
    with pytest.raises(CardNumberTaken):  # a drawer that nobody here may look into
        cards.replace(card, reason="换卡", number=elsewhere.number, origin=desk())
    card.refresh_from_db()
    assert card.state == State.ACTIVE
    assert known_by(holder) == {card.number, used.number}


def test_renewing_adds_a_term_to_the_end(card, desk):
    brought_to(card, State.ACTIVE, desk)
    cards.renew(card, origin=desk())
    first = card.expires_at
    card.refresh_from_db()
    assert card.expires_at - first == timedelta(days=366)


def test_past_its_validity_a_card_can_only_be_renewed_or_closed(card, desk):
    """Also before the clock has marked it."""
    brought_to(card, State.LOST, desk)
    Card.objects.filter(pk=card.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    for verb in (Verb.RECOVER, Verb.REPLACE):
        with pytest.raises(CardExpired):
            VERBS[verb](card, desk())
    assert cards.renew(card, origin=desk())["state"] == "lost"
    assert cards.recover(card, reason="找到", origin=desk())["state"] == "active"


def test_the_clock_marks_what_has_ended_once(card, desk):
    brought_to(card, State.FROZEN, desk)
    assert cards.expire_due(card.expires_at - timedelta(seconds=1)) == 0
    assert cards.expire_due(card.expires_at) == 1
    assert cards.expire_due(card.expires_at) == 0
    step = card.changes.first()
    assert (step.verb, step.from_state, step.at, step.operator) == (Verb.EXPIRE, "frozen", card.expires_at, None)
    assert Event.objects.get(type="card.expired").business.code == "MALL"


def test_closing_gives_the_deposit_back_and_forgets_the_number(card, desk, holder):
    brought_to(card, State.ACTIVE, desk)
    answer = cards.close(card, reason="不用了", origin=desk())
    assert (answer["state"], answer["deposit_due"], answer["deposit"]) == ("closed", 2000, 0)
    assert Event.objects.get(type="card.closed").data["deposit_due"] == 2000
    assert known_by(holder) == set()
    card.refresh_from_db()
    assert (card.deposit, card.member) == (0, holder)


def test_who_leaves_takes_his_cards_and_those_that_spend_for_him(cast, card, holder, desk):
    brought_to(card, State.LOST, desk)
    child = MemberFactory()
    family = CardTypeFactory(org_unit=cast.mall, kind=CardType.Kind.SUPPLEMENTARY)
    granted = made(cards.issue_to(child, family, org_unit=cast.mall, principal=holder, origin=desk()))
    own = made(cards.issue_to(child, CardTypeFactory(org_unit=cast.mall), org_unit=cast.mall, origin=desk()))
    closed = cards.close_all_of(holder, reason="注销", origin=desk())
    assert closed == [(card.number, 2000), (granted.number, 0)]
    states = dict(Card.objects.values_list("number", "state"))
    assert states == {card.number: "closed", granted.number: "closed", own.number: "active"}
    assert known_by(child) == {own.number}


def test_the_number_of_a_card_goes_with_the_card_only(card, holder, desk):
    brought_to(card, State.FROZEN, desk)
    with pytest.raises(NotChangeable):
        identities.remove(holder.identities.get(kind="card"), origin=desk())
    assert known_by(holder) == {card.number}


# --- Who sees them ----------------------------------------------------------------------------------------------


def test_a_card_is_found_by_those_who_may_see_it(cast, card):
    spaced = f" {card.number[:4]} {card.number[4:]}"
    assert cards.find(spaced, actor=cast.sees_mall) == card
    assert cards.find(card.number, actor=cast.sees_all) == card
    for stranger in (cast.sees_nothing, cast.hotel_app):
        with pytest.raises(CardNotFound):
            cards.find(card.number, actor=stranger)


def test_a_store_sees_its_stock_and_the_cards_of_its_members(cast, gold, card, desk):
    stock_1, stock_2 = (made(cards.issue(gold, org_unit=store, origin=desk())) for store in (cast.mall_1, cast.mall_2))
    store = cast.sees_mall
    store.org_unit = cast.mall_2
    assert set(Card.objects.visible_to(store)) == {stock_2, card}
    assert set(CardChange.objects.visible_to(store).values_list("card", flat=True)) == {stock_2.pk, card.pk}
    assert set(Card.objects.visible_to(cast.sees_all)) == {stock_1, stock_2, card}
