"""Every admin that is registered, whoever registers it: it answers, and it shows nobody what is not his."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from benefits.models import CouponTemplate, Tier, TierProgramme
from benefits.services import checkout, coupons
from loyalty.models import AssetPolicy, BurnRule, CardAllowance, EarnRule, PointsPrice, Purchase
from loyalty.services import adjusting, points
from loyalty.services import cards as spending
from marketing.models import Campaign, Tag
from marketing.services import campaigns, tags
from members.models import (
    ApprovalPolicy,
    Attribute,
    ConsentText,
    Duplicate,
    Member,
    Operator,
    ReminderKind,
    ReminderSetting,
    TicketType,
    Trade,
)
from members.services import (
    calls,
    card_batches,
    cards,
    consents,
    duplicates,
    follow_ups,
    merging,
    people,
    reminders,
    tickets,
)
from members.services.organisation import own_origin
from settlement.models import IssueAgreement, Period, RedemptionAgreement
from settlement.services import periods
from settlement.services.collect import collect
from tests.benefits.shop import LONG_AGO, Shop
from tests.cast import Cast
from tests.factories import CardTypeFactory, MemberFactory, OperatorFactory

FLOORS = ("members", "loyalty", "benefits", "settlement", "marketing")
OURS = [model for model in admin.site._registry if model._meta.app_label in FLOORS]
EVERYBODYS = {Period, Trade}  # the calendar and the list of trades: whoever stands anywhere sees them

Ask = Callable[..., HttpResponse]


@pytest.fixture
def hotel(cast: Cast) -> Cast:
    """A hotel that has something of everything, made as everything is made. The mall beside it has nothing of that."""
    shop = Shop(cast)
    shop.at = timezone.now()
    shop.member = _guest(cast)
    _take_for_one(cast)
    _decide(cast)
    template = shop.template(owner=cast.hotel, shares=((cast.group, 50), (None, 50)))
    at_hotel = {"store": cast.hotel_1}
    answer = shop.buy(100_000, **at_hotel)
    coupon = coupons.issue_coupon(template, shop.member, origin=shop.origin(**at_hotel))
    shop.buy(20_000, points=500, coupons=(coupon["code"],), **at_hotel)
    checkout.refund(Purchase.objects.get(pk=answer["id"]), amount=5_000, origin=shop.origin(**at_hotel))
    points.hold(shop.member, 100, until=shop.at + timedelta(hours=1), origin=shop.origin(**at_hotel))
    _market(cast, template)
    _print_cards(cast, shop.member)
    adjusting.ask(
        shop.member, 100, reason="补登", issuer=cast.hotel, origin=shop.origin(actor=cast.sees_all, **at_hotel)
    )
    reminders.raise_due(timezone.now())
    _care(cast, shop.member)
    _agree(cast, shop.member)
    collect()
    periods.cut(Period.objects.latest("starts_at"), origin=own_origin("clock"))
    return cast


def _guest(cast: Cast) -> Member:
    origin = own_origin("admin", store=cast.hotel_1)
    born = timezone.localdate().replace(year=1992)
    person = {
        "identities": {"phone": "+8613912345678"},
        "business": cast.hotel,
        "store": cast.hotel_1,
        "birthday": born,
    }
    return Member.objects.get(member_no=people.enrol(**person, origin=origin)["member_no"])


def _take_for_one(cast: Cast) -> None:
    """Two who look like one person, and two who were found to be one."""
    first, second, loser, winner = (MemberFactory(businesses=[cast.hotel]) for _ in range(4))
    duplicates.note(first, second, Duplicate.Reason.DEVICE, timezone.now())
    merging.merge(loser, winner, reason="同一人", origin=own_origin("admin", actor=cast.sees_all))


def _decide(cast: Cast) -> None:
    """What an operator of the hotel, or headquarters for it, has decided."""
    OperatorFactory(org_unit=cast.hotel)
    Trade.objects.create(code="hotel", name="酒店")
    Attribute.objects.create(code="room", name="房型", kind="text", org_unit=cast.hotel)
    ReminderSetting.objects.create(org_unit=cast.hotel, kind=ReminderKind.BIRTHDAY, days=7)
    for rule in (EarnRule, BurnRule, AssetPolicy):
        rule.objects.create(name="酒店的", org_unit=cast.hotel, starts_at=LONG_AGO)
    PointsPrice.objects.create(issuer=cast.hotel, price=5, starts_at=LONG_AGO)
    IssueAgreement.objects.create(issuer=cast.hotel, starts_at=LONG_AGO)
    RedemptionAgreement.objects.create(issuer=cast.hotel, redeemer=cast.cvs, starts_at=LONG_AGO)
    own = {"org_unit": cast.hotel, "starts_at": LONG_AGO, "benefits_from": LONG_AGO}
    ApprovalPolicy.objects.create(org_unit=cast.hotel, verb="change:loyalty.earnrule")
    programme = TierProgramme.objects.create(code="hotel", name="酒店等级", **own)
    Tier.objects.create(programme=programme, code="guest", name="住客", rank=0)


def _agree(cast: Cast, member: Member) -> None:
    ConsentText.objects.create(receiver=cast.hotel, purpose="marketing", version="1", text="…", starts_at=LONG_AGO)
    consents.give(member, receiver=cast.hotel, purpose="marketing", origin=own_origin("member"))


def _market(cast: Cast, template: CouponTemplate) -> None:
    origin = own_origin("admin", business=cast.hotel, actor=cast.sees_all)
    rule = {"attr": "business", "cmp": "eq", "value": "HOTEL"}
    tag = Tag.objects.create(code="guests", name="住客", scope=cast.hotel, kind=Tag.Kind.RULE, rule=rule)
    tags.recompute(tag, as_of=timezone.localdate(), origin=origin)
    campaign = Campaign.objects.create(name="送券", owner=cast.hotel, tag=tag, template=template)
    campaigns.launch(campaign, origin=origin)


def _print_cards(cast: Cast, member: Member) -> None:
    card_type = CardTypeFactory(org_unit=cast.hotel)
    card_batches.order(card_type, 10, org_unit=cast.hotel_1, origin=own_origin("admin"))
    answer = cards.issue_to(member, card_type, org_unit=cast.hotel_1, origin=own_origin("admin"))
    CardAllowance.objects.create(card_type=card_type, asset="points")
    card = cards.find(answer["number"], actor=cast.sees_all)
    spending.limit(card, "points", per_use=100, per_day=0, origin=own_origin("admin"))


def _care(cast: Cast, member: Member) -> None:
    at_hotel = {"business": cast.hotel, "store": cast.hotel_1, "origin": own_origin("admin", actor=cast.sees_all)}
    follow_ups.plan(member, text="回访", due_on=timezone.localdate() + timedelta(days=2), **at_hotel)
    at_hotel["origin"] = own_origin("admin", actor=cast.sees_all)
    kind = TicketType.objects.create(code="room", name="客房", org_unit=cast.hotel)
    tickets.open_ticket(member, type=kind, title="空调", description="不凉", **at_hotel)
    at_hotel["origin"] = own_origin("admin", actor=cast.sees_all)
    calls.record(calls.Caller(member, phone="+8613912345678"), reason="预订", **at_hotel)


@pytest.fixture
def ask(client) -> Ask:
    def ask(operator: Operator, model: type[Model], page: str, *args, **query) -> HttpResponse:
        client.force_login(operator)
        client.raise_request_exception = False
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        return client.get(reverse(name, args=args), query)

    ask.client = client
    return ask


def _expected(page: str, model: type[Model], request: HttpRequest) -> int:
    """Pages that somebody with every permission may not have are those that nobody has."""
    return 403 if page == "add" and not admin.site._registry[model].has_add_permission(request) else 200


def hidden_from(operator: Operator, model: type[Model]) -> Model | None:
    """Something that exists, and that this operator doesn't see."""
    seen = model._default_manager.all().visible_to(operator).order_by().values("pk")
    return model._default_manager.exclude(pk__in=seen).first()


def test_every_page_answers_headquarters(hotel, ask, rf):
    broken = {}
    request = rf.get("/")
    request.user = hotel.sees_all
    for model in admin.site._registry:
        changes = [("change", row.pk) for row in model._default_manager.all()[:1]]
        for page in (("changelist",), ("add",), *changes):
            status = ask(hotel.sees_all, model, *page).status_code
            if status != _expected(page[0], model, request):
                broken[model._meta.label, page] = status
    assert broken == {}


def test_every_list_can_be_searched(hotel, ask):
    searched = [model for model, shown in admin.site._registry.items() if shown.search_fields]
    assert [model for model in searched if ask(hotel.sees_all, model, "changelist", q="无").status_code != 200] == []


def test_every_list_is_exported_with_the_rows_that_it_shows(hotel, ask):
    wrong = {}
    for model in OURS:
        shown = ask(hotel.sees_mall, model, "changelist").context["cl"].queryset.count()
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_export_list")
        answer = ask.client.post(page, {"format": "csv"})
        lines = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
        if (answer.status_code, len(lines)) != (200, shown + 1):
            wrong[model._meta.label] = (answer.status_code, len(lines) - 1, shown)
    assert wrong == {}


def test_who_stands_nowhere_sees_no_row_of_anything(hotel, ask):
    assert [model for model in OURS if not model._default_manager.exists()] == []
    shown = {
        model._meta.label: found.result_count
        for model in OURS
        if (found := ask(hotel.sees_nothing, model, "changelist").context["cl"]).result_count
    }
    assert shown == {}


@pytest.mark.parametrize("name", ["sees_nothing", "sees_mall"])
def test_what_is_another_s_is_as_if_it_were_not_there(hotel, ask, name):
    operator = getattr(hotel, name)
    hidden = {model: hidden_from(operator, model) for model in OURS}
    assert {model for model, row in hidden.items() if row is None} <= EVERYBODYS
    pages = ((row, ask(operator, model, "change", row.pk)) for model, row in hidden.items() if row)
    open_to_him = [row for row, answer in pages if answer.status_code not in (302, 404)]
    assert open_to_him == []


def test_what_is_another_s_is_in_no_list(hotel, ask):
    listed = [
        row
        for model in OURS
        if (row := hidden_from(hotel.sees_mall, model))
        and row in ask(hotel.sees_mall, model, "changelist").context["cl"].queryset
    ]
    assert listed == []
