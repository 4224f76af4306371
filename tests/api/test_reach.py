"""Every endpoint, asked by those whom it does not concern: what is not yours does not exist.

`CASES` says for each operation how to ask it well. The tests walk the served operations, so one without a case fails.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from loyalty.models import Account, Entry, Hold, Lot, Purchase, Refund, Transaction
from members.models import (
    Attribute,
    Card,
    CardType,
    Channel,
    Event,
    Identity,
    Member,
    Membership,
    Request,
    Ticket,
    TicketNote,
    TicketType,
)
from members.services import cards, tickets
from members.services.memory import Memory
from members.services.organisation import own_origin
from settlement.models import Period, Statement, StatementLine
from settlement.services.collect import collect
from settlement.services.periods import cut
from tests.api import documented
from tests.api.client import App
from tests.cast import Cast
from tests.factories import CardTypeFactory

WRITTEN: tuple[type[Model], ...] = (
    Account, Entry, Event, Hold, Identity, Lot, Membership, Purchase, Refund, Request, Transaction, Ticket, TicketNote,
)  # fmt: skip


@dataclass(frozen=True)
class Mall:
    """What exists at the mall, and nowhere else."""

    member: str
    leaver: str
    twins: list[str]
    merge: int
    identity: int
    tickets: list[str]  # the last one is resolved
    lot: int
    burn: int
    hold: int
    held: int
    purchase: int
    coupon: str
    cards: dict[str, str]  # operation → number of a card that can take it
    card_type: str
    template: str
    period: str
    statement: int
    line: int


@dataclass(frozen=True)
class Case:
    """A good call. `is_hidden`: others get 404 for it; otherwise they get an empty list, or their own thing."""

    path: Callable[[Mall], str]
    body: Callable[[Mall], dict[str, Any]] = lambda mall: {}
    is_hidden: bool = True
    needs_key: bool = True


def soon() -> str:
    return (timezone.now() + timedelta(hours=1)).isoformat()


def place(mall: Mall) -> dict[str, Any]:
    return {"member": mall.member, "store": "MALL-1"}


def basket(mall: Mall) -> dict[str, Any]:
    return place(mall) | {"lines": [{"amount": 100}]}


def purchase(mall: Mall) -> dict[str, Any]:
    return basket(mall) | {"external_number": "n-1"}


STEPS_OF_CARDS = (
    ("read", "", {}),
    ("activate", "/activations", {}),
    ("report_lost", "/losses", {"reason": "r"}),
    ("recover", "/recoveries", {"reason": "r"}),
    ("freeze", "/freezes", {"reason": "r"}),
    ("unfreeze", "/unfreezes", {"reason": "r"}),
    ("replace", "/replacements", {"reason": "r"}),
    ("renew", "/renewals", {}),
    ("close", "/closures", {"reason": "r"}),
)

CASES = {
    "members_find": Case(lambda m: "members?phone=13800138999", is_hidden=False),
    "members_enrol": Case(
        lambda m: "members", lambda m: {"identities": [{"kind": "card", "value": "1"}], "store": "MALL-1"}
    ),
    "members_read": Case(lambda m: f"members/{m.member}"),
    "members_update": Case(lambda m: f"members/{m.member}", lambda m: {"gender": "f"}),
    "members_identities": Case(lambda m: f"members/{m.member}/identities"),
    "members_identify": Case(
        lambda m: f"members/{m.member}/identities", lambda m: {"kind": "email", "value": "b@example.com"}
    ),
    "members_forget_identity": Case(lambda m: f"members/{m.member}/identities/{m.identity}"),
    "members_consents": Case(lambda m: f"members/{m.member}/consents"),
    "members_consent": Case(lambda m: f"members/{m.member}/consents", lambda m: {"purpose": "marketing"}),
    "members_withdraw_consent": Case(
        lambda m: f"members/{m.member}/consents/withdrawals", lambda m: {"purpose": "sharing"}
    ),
    "members_close": Case(lambda m: f"members/{m.leaver}/closures"),
    "members_merge": Case(lambda m: f"members/{m.twins[0]}/merges", lambda m: {"into": m.twins[1], "reason": "r"}),
    "merges_undo": Case(lambda m: f"merges/{m.merge}/undo"),
    "members_attributes": Case(lambda m: f"members/{m.member}/attributes"),
    "members_set_attributes": Case(lambda m: f"members/{m.member}/attributes", lambda m: {"values": {"hobby": "go"}}),
    "members_assets": Case(lambda m: f"members/{m.member}/assets"),
    "members_transactions": Case(lambda m: f"members/{m.member}/transactions"),
    "members_lots": Case(lambda m: f"members/{m.member}/lots"),
    "members_purchases": Case(lambda m: f"members/{m.member}/purchases"),
    "members_coupons": Case(lambda m: f"members/{m.member}/coupons"),
    "members_tier": Case(lambda m: f"members/{m.member}/tier"),
    "events_list": Case(lambda m: "events", is_hidden=False),
    "ticket_types_list": Case(lambda m: "ticket-types", is_hidden=False),
    "tickets_list": Case(lambda m: "tickets", is_hidden=False),
    "tickets_open": Case(
        lambda m: "tickets", lambda m: place(m) | {"type": "complaint", "title": "t", "description": "d"}
    ),
    "tickets_read": Case(lambda m: f"tickets/{m.tickets[0]}"),
    "tickets_note": Case(lambda m: f"tickets/{m.tickets[0]}/notes", lambda m: {"text": "t", "is_by_member": True}),
    "tickets_close": Case(lambda m: f"tickets/{m.tickets[1]}/closures"),
    "tickets_rate": Case(lambda m: f"tickets/{m.tickets[2]}/ratings", lambda m: {"score": 5}),
    "points_earn": Case(lambda m: "points/earns", lambda m: place(m) | {"quantity": 5}),
    "points_burn": Case(lambda m: "points/burns", lambda m: place(m) | {"quantity": 5}),
    "points_expire": Case(lambda m: "points/expirations", lambda m: {"lot": m.lot, "quantity": 5, "reason": "r"}),
    "transactions_reverse": Case(lambda m: f"transactions/{m.burn}/reversals", lambda m: {"reason": "r"}),
    "holds_create": Case(lambda m: "holds", lambda m: place(m) | {"quantity": 5, "until": soon()}),
    "holds_read": Case(lambda m: f"holds/{m.hold}"),
    "holds_capture": Case(lambda m: f"holds/{m.hold}/capture"),
    "holds_release": Case(lambda m: f"holds/{m.held}/release"),
    "checkout_quote": Case(lambda m: "checkout/quotes", basket, needs_key=False),
    "purchases_create": Case(lambda m: "purchases", purchase),
    "purchases_create_batch": Case(
        lambda m: "purchases/batch",
        lambda m: {"purchases": [purchase(m) | {"reference": "b-1", "external_number": "n-2"}]},
        is_hidden=False,
        needs_key=False,
    ),
    "purchases_read": Case(lambda m: f"purchases/{m.purchase}"),
    "purchases_refund": Case(lambda m: f"purchases/{m.purchase}/refunds", lambda m: {"whole": True}),
    "coupons_issue": Case(lambda m: "coupons", lambda m: {"template": m.template, "member": m.member}),
    "coupons_read": Case(lambda m: f"coupons/{m.coupon}"),
    "coupons_redeem": Case(
        lambda m: f"coupons/{m.coupon}/redemptions", lambda m: {"amount": 50_000, "store": "MALL-1"}
    ),
    **{
        f"cards_{step}": Case(
            lambda m, step=step, where=where: f"cards/{m.cards[step]}{where}",
            lambda m, body=body: body,
        )
        for step, where, body in STEPS_OF_CARDS
    },
    "members_cards": Case(lambda m: f"members/{m.member}/cards"),
    "members_give_card": Case(lambda m: f"members/{m.member}/cards", lambda m: {"card_type": m.card_type}),
    "settlement_periods": Case(lambda m: "settlement/periods", is_hidden=False),
    "settlement_cut": Case(lambda m: f"settlement/periods/{m.period}/cut", needs_key=False),
    "settlement_lock": Case(lambda m: f"settlement/periods/{m.period}/lock", needs_key=False),
    "settlement_statements": Case(lambda m: "settlement/statements", is_hidden=False),
    "settlement_statement": Case(lambda m: f"settlement/statements/{m.statement}"),
    "settlement_lines": Case(lambda m: f"settlement/statements/{m.statement}/lines"),
    "settlement_entries": Case(lambda m: f"settlement/lines/{m.line}/entries"),
}
OPERATIONS = {operation["operationId"]: method for method, _, operation in documented.operations()}
EVERYBODYS = {"settlement_periods"}  # a calendar
THE_GROUPS = {"settlement_cut", "settlement_lock"}


@pytest.fixture
def mall(app, cast, shop) -> Mall:
    till = app(cast.mall_app)
    enrolled = till.post("members", {"identities": [{"kind": "phone", "value": "13800138999"}], "store": "MALL-1"})
    where = {"member": enrolled.json()["member_no"], "store": "MALL-1"}
    leaver = till.post("members", {"identities": [{"kind": "card", "value": "9"}], "store": "MALL-1"}).json()
    twins = [
        till.post("members", {"identities": [{"kind": "card", "value": f"t{i}"}], "store": "MALL-1"}).json()[
            "member_no"
        ]
        for i in range(4)
    ]
    merged = till.post(f"members/{twins[2]}/merges", {"into": twins[3], "reason": "r"}).json()
    email = {"kind": "email", "value": "a@example.com"}
    identity = till.post(f"members/{where['member']}/identities", email).json()
    earned = till.post("points/earns", where | {"quantity": 1_000}).json()
    burned = till.post("points/burns", where | {"quantity": 10, "amount": 10}).json()
    holds = [till.post("holds", where | {"quantity": 10, "until": soon()}).json() for _ in range(2)]
    bought = till.post("purchases", where | {"lines": [{"amount": 50_000}], "external_number": "n-0"}).json()
    template = shop.template(owner=cast.mall)
    coupon = till.post("coupons", {"template": template.code, "member": where["member"]}).json()
    statement, line = stated(cast)
    card_type = CardTypeFactory(org_unit=cast.mall)
    Attribute.objects.create(code="hobby", name="爱好", kind="text", org_unit=cast.group)
    return Mall(
        member=where["member"],
        leaver=leaver["member_no"],
        twins=twins[:2],
        merge=merged["id"],
        identity=identity["id"],
        tickets=complained(cast, till, where),
        lot=earned["lots"][0]["lot"],
        burn=burned["id"],
        hold=holds[0]["id"],
        held=holds[1]["id"],
        purchase=bought["id"],
        coupon=coupon["code"],
        cards=cards_of(cast, Member.objects.get(member_no=where["member"]), card_type),
        card_type=card_type.code,
        template=template.code,
        period=statement.period.name,
        statement=statement.pk,
        line=line.pk,
    )


def complained(cast: Cast, till: App, where: dict[str, Any]) -> list[str]:
    TicketType.objects.create(code="complaint", name="投诉", org_unit=cast.mall)
    said = where | {"type": "complaint", "title": "t", "description": "d"}
    numbers = [till.post("tickets", said).json()["number"] for _ in range(3)]
    tickets.resolve(Ticket.objects.get(number=numbers[-1]), "done", origin=own_origin("admin", actor=cast.sees_mall))
    return numbers


def test_each_operation_has_a_case():
    assert sorted(CASES) == sorted(OPERATIONS)


def test_its_own_channel_is_served(app, cast, mall):
    answers = {name: call(app(cast.mall_app), name, mall) for name in OPERATIONS.keys() - THE_GROUPS}
    assert {name: answer.json() for name, answer in answers.items() if answer.status_code not in (200, 201)} == {}


def test_the_group_alone_closes_periods(app, cast, mall):
    for name in THE_GROUPS:
        refused = call(app(cast.mall_app), name, mall)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert call(app(cast.group_app), "settlement_cut", mall).status_code == 200
    refused = call(app(cast.group_app), "settlement_lock", mall)
    assert (refused.status_code, refused.json()["code"]) == (422, "period_not_over")


def test_another_business_finds_nothing(app, cast, mall):
    before = written()
    assert what_is_found(app(cast.cvs_app), mall, OPERATIONS) == {}
    assert written() == before


def test_another_business_that_knows_the_member_finds_only_the_member(app, cast, mall):
    """The hotel shares the member; what the mall did with him stays the mall's, and so do its stores."""
    hotel = app(cast.hotel_app)
    hotel.post("members", {"identities": [{"kind": "phone", "value": "13800138999"}]})
    of_the_member = {name for name in OPERATIONS if name.startswith("members_")} - {"members_enrol"}
    before = written()
    for name in ("members_transactions", "members_lots", "members_purchases"):
        assert call(hotel, name, mall).json()["results"] == [], name
    # A coupon is its member's: any business that knows him may see it, and its terms say where it is good for.
    # So is a card: lost, it may be reported anywhere (tests/api/test_cards.py).
    of_the_cards = {name for name in OPERATIONS if name.startswith("cards_")}
    others = OPERATIONS.keys() - of_the_member - of_the_cards - {"coupons_read", "coupons_issue", "events_list"}
    assert what_is_found(hotel, mall, others) == {}
    assert written() == before
    assert [event["business"] for event in hotel.get("events").json()["results"]] == []


@pytest.mark.parametrize("scopes", [["nothing.read"], ["personal_data"]])
def test_a_channel_without_the_scope_is_not_served(app, cast, mall, scopes):
    Channel.objects.filter(pk=cast.mall_app.pk).update(scopes=scopes)
    Memory.forget_all()
    before = written()
    answers = {name: call(app(cast.mall_app), name, mall) for name in OPERATIONS}
    assert {name: answer.json()["code"] for name, answer in answers.items()} == dict.fromkeys(
        OPERATIONS, "permission_denied"
    )
    assert written() == before


def test_nobody_is_served_without_a_key(app, mall):
    before = written()
    answers = {name: call(app(None), name, mall) for name in OPERATIONS}
    assert {name: answer.json()["code"] for name, answer in answers.items()} == dict.fromkeys(
        OPERATIONS, "not_authenticated"
    )
    assert written() == before


def test_what_changes_something_asks_for_a_reference(app, cast, mall):
    changing = [name for name, method in OPERATIONS.items() if method != "GET" and CASES[name].needs_key]
    before = written()
    answers = {name: call(app(cast.mall_app), name, mall, key=None) for name in changing}
    assert {name: answer.json()["code"] for name, answer in answers.items()} == dict.fromkeys(
        changing, "idempotency_key_missing"
    )
    assert written() == before


def what_is_found(stranger: App, mall: Mall, names: Iterable[str]) -> dict[str, Any]:
    """What a stranger gets other than 404, an empty list, or things of his own."""
    return {name: found for name in names if (found := _found(stranger, name, mall))}


def _found(stranger: App, name: str, mall: Mall) -> Any:
    response = call(stranger, name, mall)
    if CASES[name].is_hidden:
        return response.json() if response.status_code != (403 if name in THE_GROUPS else 404) else None
    rows = response.json()["results"]
    if name == "purchases_create_batch":
        return [row for row in rows if "answer" in row]
    return [row for row in rows if name not in EVERYBODYS]


def call(app: App, name: str, mall: Mall, *, key: str | None = ""):
    case = CASES[name]
    if OPERATIONS[name] == "GET":
        return app.get(case.path(mall))
    return app.send(OPERATIONS[name], case.path(mall), case.body(mall), key=key)


def written() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in WRITTEN}


def cards_of(cast: Cast, member: Member, card_type: CardType) -> dict[str, str]:
    """For each step a card of the member that can take it."""
    by_mall = partial(own_origin, "desk", store=cast.mall_1)
    found = {}
    for step, *_ in STEPS_OF_CARDS:
        answer = cards.issue(card_type, org_unit=cast.mall_1, member=member, origin=by_mall())
        card = Card.objects.get(number=answer["number"])
        if step != "activate":
            cards.activate(card, origin=by_mall())
        if step in ("recover", "unfreeze"):
            block = cards.report_lost if step == "recover" else cards.freeze
            block(card, reason="r", origin=by_mall())
        found[step] = card.number
    return found


def stated(cast: Cast) -> tuple[Statement, StatementLine]:
    """The mall's statement of the month so far, and a line of it."""
    collect()
    cut(Period.objects.get(), origin=own_origin("clock"))
    statement = Statement.objects.get(book__org_unit=cast.mall)
    return statement, statement.lines.first()
