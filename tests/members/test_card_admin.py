"""Cards in the back office: who may do what, with a reason; giving them out; types that never clash; batches."""

from functools import partial

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from members.admin.card_pages import PERMISSIONS
from members.models import Approval, ApprovalPolicy, Card, CardBatch, CardType, Event, Member
from members.services import card_batches, cards
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import CardTypeFactory, MemberFactory, OperatorFactory
from tests.filled_in import filled_in

desk = partial(own_origin, "desk")


@pytest.fixture(autouse=True)
def _media(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def gold(cast: Cast) -> CardType:
    return CardTypeFactory(org_unit=cast.mall, prefix="6200", deposit=2000)


@pytest.fixture
def holder(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall, cast.hotel])


@pytest.fixture
def card(cast: Cast, gold: CardType, holder: Member) -> Card:
    return made(cards.issue_to(holder, gold, org_unit=cast.mall_1, origin=desk()))


@pytest.fixture
def back(client: Client, cast: Cast) -> Client:
    client.force_login(cast.sees_mall)
    return client


def made(answer: dict) -> Card:
    return Card.objects.get(number=answer["number"])


def at(name: str, *args) -> str:
    return reverse(f"admin:members_{name}", args=args)


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_a_step_is_taken_with_a_reason_once(back, cast, card):
    page = at("card_step", card.pk, "report_lost")
    form = back.get(page).context["form"]
    token = form.fields["token"].initial
    assert "reason" in back.post(page, {"token": token}).context["form"].errors
    for _ in range(2):
        answer = back.post(page, {"token": token, "reason": "电话挂失"}, follow=True)
    card.refresh_from_db()
    assert card.state == Card.State.LOST
    assert card.changes.filter(verb="report_lost").count() == 1
    assert "卡 6200 0000 0000 0013 已挂失。" in said(answer)
    assert answer.context["history"][0].reason == "电话挂失"
    refused = back.post(at("card_step", card.pk, "freeze"), {"token": "t", "reason": "r"})
    assert "已挂失，不能冻结" in str(refused.context["form"].non_field_errors())


def test_replacing_leads_to_the_new_card_and_closing_names_the_deposit(back, card):
    answer = back.post(at("card_step", card.pk, "replace"), {"token": "t", "reason": "消磁"}, follow=True)
    new = Card.objects.get(replaces=card)
    assert answer.request["PATH_INFO"] == at("card_change", new.pk)
    answer = back.post(at("card_step", new.pk, "close"), {"token": "u", "reason": "退卡"}, follow=True)
    assert said(answer) == [f"卡 {answer.context['number']} 已退卡。请退还押金 ¥20.00。"]


@pytest.mark.parametrize("verb", PERMISSIONS)
def test_each_step_needs_its_permission(client, cast, card, verb):
    without = OperatorFactory(org_unit=cast.mall)
    codename = PERMISSIONS[verb].removeprefix("members.")
    without.user_permissions.set(Permission.objects.exclude(codename=codename))
    client.force_login(without)
    assert verb not in client.get(at("card_change", card.pk)).context["ways"]
    assert client.post(at("card_step", card.pk, verb), {"token": "t", "reason": "r"}).status_code == 403
    card.refresh_from_db()
    assert card.state == Card.State.ACTIVE


def test_another_business_that_knows_the_holder_may_report_a_loss_only(client, cast, card):
    hotelier = OperatorFactory(org_unit=cast.hotel)
    hotelier.user_permissions.set(Permission.objects.all())
    client.force_login(hotelier)
    assert client.get(at("card_change", card.pk)).context["ways"] == ["report_lost"]
    assert client.post(at("card_step", card.pk, "close"), {"token": "t", "reason": "r"}).status_code == 403


def test_cards_are_found_by_number_and_member(back, card, gold, cast, holder):
    other = made(cards.issue(gold, org_unit=cast.mall_2, origin=desk()))
    found = {
        term: [row.pk for row in back.get(at("card_changelist"), {"q": term}).context["cl"].queryset]
        for term in ("6200 0000 0000 0013", "6200", holder.member_no, "999")
    }
    assert found == {
        "6200 0000 0000 0013": [card.pk],
        "6200": [other.pk, card.pk],
        holder.member_no: [card.pk],
        "999": [],
    }


def test_a_card_from_the_drawer_is_bound_on_member_360(back, cast, gold, holder):
    stock = made(cards.issue(gold, org_unit=cast.mall_1, origin=desk()))
    answer = back.post(at("card_hand_over", holder.pk), {"token": "t", "number": stock.number}, follow=True)
    stock.refresh_from_db()
    assert (stock.state, stock.member) == (Card.State.ACTIVE, holder)
    assert said(answer) == ["卡 6200 0000 0000 0013 已激活。请收取押金 ¥20.00。"]
    tab = back.get(at("member_panel", holder.pk, "cards")).content.decode()
    assert "6200 0000 0000 0013" in tab
    assert "正常" in back.get(at("member_360", holder.pk)).content.decode()


def test_a_new_card_and_one_that_spends_for_him(back, cast, gold, holder):
    child = MemberFactory(businesses=[cast.mall])
    family = CardTypeFactory(org_unit=cast.mall, kind=CardType.Kind.SUPPLEMENTARY)
    back.post(at("card_hand_over", holder.pk), {"token": "t", "card_type": gold.pk})
    assert list(back.get(at("card_grant", holder.pk)).context["form"].fields["card_type"].queryset) == [family]
    back.post(at("card_grant", holder.pk), {"token": "u", "card_type": family.pk, "other": child.member_no})
    rows = Card.objects.order_by("pk").values_list("card_type", "member", "principal", "org_unit")
    assert list(rows) == [(gold.pk, holder.pk, None, cast.mall.pk), (family.pk, child.pk, holder.pk, cast.mall.pk)]


@pytest.mark.parametrize(
    ("filled", "field"),
    [
        ({}, None),
        ({"number": "1"}, "number"),
        ({"card_type": "family"}, "other"),
        ({"card_type": "gold", "other": "13900000000"}, "other"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(back, cast, gold, holder, filled, field):
    family = CardTypeFactory(org_unit=cast.mall, kind=CardType.Kind.SUPPLEMENTARY)
    keys = {"gold": gold.pk, "family": family.pk}
    filled = {name: keys.get(value, value) for name, value in filled.items()}
    form = back.post(at("card_hand_over", holder.pk), {"token": "t"} | filled).context["form"]
    assert list(form.errors) == [field or "__all__"]
    assert Card.objects.count() == 0


def test_a_type_has_numbers_of_its_own(back, cast, gold):
    filled = filled_in(back.get(at("cardtype_add")).content)
    filled |= {"code": "new", "name": "新卡", "org_unit": cast.mall.pk, "deposit": "20.00"}
    wrong = {
        ("62", 16): "prefix",
        ("620011", 16): "prefix",
        ("7", 11): "length",
        ("7", 12): "length",
        ("7", 20): "length",
        ("777777", 7): "length",
    }
    for (prefix, length), field in wrong.items():
        form = back.post(at("cardtype_add"), filled | {"prefix": prefix, "length": length}).context["adminform"].form
        assert list(form.errors) == [field], (prefix, length)
    back.post(at("cardtype_add"), filled | {"prefix": "6201", "length": 16})
    assert CardType.objects.get(code="new").deposit == 2000


def test_what_cards_rely_on_is_not_changed(back, card, gold):
    form = back.get(at("cardtype_change", gold.pk)).context["adminform"].form
    assert not {"prefix", "length", "has_check_digit", "kind", "code"} & form.fields.keys()
    assert back.get(at("cardtype_delete", gold.pk)).status_code == 403


def test_a_batch_is_ordered_made_and_downloaded(back, cast, gold):
    filled = {"token": "t", "card_type": gold.pk, "org_unit": cast.mall_1.pk, "quantity": 20}
    for _ in range(2):
        back.post(at("cardbatch_add"), filled)
    batch = CardBatch.objects.get()
    assert back.get(at("cardbatch_download", batch.pk, "csv")).status_code == 403  # not made yet
    card_batches.make(batch.job_id)
    workbook = back.get(at("cardbatch_download", batch.pk, "xlsx"))
    assert b"".join(workbook.streaming_content)[:2] == b"PK"
    lines = b"".join(back.get(at("cardbatch_download", batch.pk, "csv")).streaming_content).decode().splitlines()
    assert (len(lines), lines[1].split(",")[0]) == (21, "6200000000000013")
    taken = Event.objects.filter(type="cards.downloaded").order_by("pk")
    assert [(event.operator, event.data["format"]) for event in taken] == [
        (cast.sees_mall, "xlsx"),
        (cast.sees_mall, "csv"),
    ]
    assert "已制 20 张" in back.get(at("cardbatch_change", batch.pk)).content.decode()
    back.force_login(_hotelier(cast))
    assert back.get(at("cardbatch_download", batch.pk, "csv")).status_code == 404


def _hotelier(cast: Cast):
    operator = OperatorFactory(org_unit=cast.hotel)
    operator.user_permissions.set(Permission.objects.all())
    return operator


def test_a_large_batch_is_asked_for(back, cast, gold):
    ApprovalPolicy.objects.create(org_unit=cast.mall, verb=card_batches.VERB, threshold=100)
    filled = {"token": "t", "card_type": gold.pk, "org_unit": cast.mall_1.pk, "quantity": 100, "reason": "开业"}
    back.post(at("cardbatch_add"), filled)
    assert CardBatch.objects.count() == 0
    assert Approval.objects.get().quantity == 100
