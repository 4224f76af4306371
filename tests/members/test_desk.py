"""The service desk: anyone is found by whatever is typed or scanned, in one step, and every call has its reason."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.admin import navigation
from members.models import Call, Card, CardType, Event, FollowUp, Identity, Member, Operator, Reminder
from members.personal_data import blind_index
from members.services import cards
from members.services.member_code import issue_member_code
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory

DESK = reverse("admin:members_desk")
PHONE = "13800138000"


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall], phone=f"+86{PHONE}")


@pytest.fixture
def agent(cast: Cast) -> Operator:
    """Takes calls for the mall, and may not read personal data."""
    return allowed(OperatorFactory(username="agent", org_unit=cast.mall), "take_call", "view_member")


def allowed(operator: Operator, *codenames: str) -> Operator:
    operator.user_permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label="members"))
    return operator


@pytest.fixture
def desk(client, agent):
    def desk(operator: Operator | None = None):
        client.force_login(operator or agent)
        return client

    return desk


def page_of(member: Member) -> str:
    return reverse("admin:members_desk_member", args=[member.pk])


def card_of(cast: Cast, member: Member) -> Card:
    kind = CardType.objects.create(code="gold", name="金卡", org_unit=cast.mall, prefix="6225", length=16)
    origin = own_origin("admin", actor=cast.sees_mall, business=cast.mall)
    number = cards.issue_to(member, kind, org_unit=cast.mall_1, origin=origin)["number"]
    return Card.objects.get(number=number)


def typed(member: Member, card: Card) -> dict[str, str]:
    return {
        "phone": PHONE,
        "phone as people write it": "+86 138-0013-8000",
        "member number": member.member_no,
        "member code": issue_member_code(member, at=timezone.now()),
        "card": card.number,
        "card in fours": " ".join(card.number[at : at + 4] for at in range(0, 16, 4)),
    }


def test_whatever_is_typed_or_scanned_leads_to_the_member_in_one_step(cast, desk, member):
    found = {
        what: urlsplit(desk().post(DESK, {"q": written})["Location"]).path
        for what, written in typed(member, card_of(cast, member)).items()
    }
    assert found == dict.fromkeys(found, page_of(member))


def test_no_number_stands_in_an_address(desk, member):
    for number in (PHONE, "13900139000"):
        answer = desk().post(DESK, {"q": number})
        assert number[-8:] not in answer["Location"]
    assert not Call.objects.exists()  # looking somebody up says nothing yet of why


def test_the_page_is_member_360_under_the_banner_masked(cast, desk, member):
    lost = card_of(cast, member)
    cards.report_lost(lost, reason="丢了", origin=own_origin("admin", actor=cast.sees_mall))
    shown = desk().post(DESK, {"q": lost.number}, follow=True)
    text = shown.content.decode()
    assert shown.context["member"] == member
    assert "张*" in text
    assert "张三" not in text
    assert "已挂失" in text
    assert 'name="q"' in text
    assert "autofocus" in text


def test_the_caller_s_number_is_masked_for_everybody(desk, member, agent):
    """To see it whole is recorded on member 360; here it would not be."""
    allowed(agent, "view_personal_data")
    shown = desk(Operator.objects.get(pk=agent.pk)).post(DESK, {"q": PHONE}, follow=True).content.decode()
    assert "138****8000" in shown
    assert PHONE not in shown


@pytest.mark.parametrize("said", [{"reason": "查询积分、余额"}, {"q": "1"}])
def test_the_reason_is_picked_by_a_button_or_by_a_digit(cast, desk, member, agent, said):
    page = desk().post(DESK, {"q": PHONE})["Location"]
    desk().post(page, said | {"token": "t1"})
    desk().post(page, said | {"token": "t1"})  # a double click
    call = Call.objects.get()
    assert (call.member, call.phone, call.last_four, call.reason) == (member, f"+86{PHONE}", "8000", "查询积分、余额")
    assert (call.business, call.store, call.operator) == (cast.mall, None, agent)
    assert call.phone_index == blind_index(Identity.Kind.PHONE, f"+86{PHONE}")
    event = Event.objects.get(type="call.taken")
    assert (event.member, event.business, event.data) == (member, cast.mall, {"call": call.pk})


def test_a_call_without_a_reason_is_not_written(desk, member):
    page = desk().post(DESK, {"q": PHONE})["Location"]
    for said in ({"reason": " "}, {"q": "9"}, {"q": ""}):
        shown = desk().post(page, said, follow=True)
        assert "请选择或填写来电原因" in shown.content.decode()
    assert not Call.objects.exists()


def test_the_next_scan_on_a_caller_s_page_is_the_next_caller(cast, desk, member):
    following = MemberFactory(businesses=[cast.mall])
    answer = desk().post(page_of(member), {"q": following.member_no})
    assert urlsplit(answer["Location"]).path == page_of(following)
    assert not Call.objects.exists()


@pytest.mark.parametrize("written", ["", "abc", "123", "00000000000000000000", "6225000000000000"])
def test_what_is_nobody_s_and_no_phone_is_told(desk, member, written):
    shown = desk().post(DESK, {"q": written}, follow=True)
    assert shown.redirect_chain == [(DESK, 302)]
    assert "没有找到" in shown.content.decode()


def test_a_stranger_s_call_is_written_and_he_may_join_with_his_number(cast, desk, agent):
    clerk = allowed(OperatorFactory(org_unit=cast.mall_1), "take_call", "view_member", "add_member")
    page = desk(clerk).post(DESK, {"q": "139 0013 9000"})["Location"]
    assert urlsplit(page).path == reverse("admin:members_desk_stranger")
    assert 'value="13900139000"' in desk(clerk).get(page).content.decode()
    desk(clerk).post(page, {"reason": "想入会"})
    call = Call.objects.get()
    assert (call.member, call.phone, call.store, call.business) == (None, "+8613900139000", cast.mall_1, cast.mall)
    joined = desk(clerk).post(page, {"verb": "enrol", "phone": "13900139000", "name": "李四", "store": cast.mall_1.pk})
    member = Member.objects.get()
    assert urlsplit(joined["Location"]).path == page_of(member)
    shown = desk(clerk).get(joined["Location"])
    assert [earlier.reason for earlier in shown.context["earlier"]] == ["想入会"]


def test_who_may_not_enrol_is_offered_nothing_and_enrols_nobody(desk):
    page = desk().post(DESK, {"q": "13900139000"})["Location"]
    assert desk().get(page).context["form"] is None
    desk().post(page, {"verb": "enrol", "phone": "13900139000", "name": "李四"})
    assert not Member.objects.exists()


def test_another_business_s_member_is_a_stranger(cast, desk, member):
    hotelier = allowed(OperatorFactory(org_unit=cast.hotel), "take_call", "view_member")
    card = card_of(cast, member)
    for what, written in typed(member, card).items():
        answer = desk(hotelier).post(DESK, {"q": written})
        expected = reverse("admin:members_desk_stranger") if what.startswith("phone") else DESK
        assert urlsplit(answer["Location"]).path == expected, what
    assert desk(hotelier).get(page_of(member)).status_code == 404
    assert desk(hotelier).post(page_of(member), {"reason": "查询"}).status_code == 404
    assert not Call.objects.exists()


def test_after_a_merge_the_old_number_leads_to_who_he_is_now(cast, desk, member):
    loser = MemberFactory(businesses=[cast.mall], status="merged", merged_into=member)
    answer = desk().post(DESK, {"q": loser.member_no})
    assert urlsplit(answer["Location"]).path == page_of(member)


@pytest.mark.parametrize("name", ["sees_nothing", "without"])
def test_the_desk_is_for_those_who_may_and_stand_somewhere(cast, desk, member, name):
    operator = cast.sees_nothing if name == "sees_nothing" else OperatorFactory(org_unit=cast.mall)
    for page in (DESK, page_of(member), reverse("admin:members_desk_stranger")):
        assert desk(operator).get(page).status_code == 403
        assert desk(operator).post(page, {"q": PHONE, "reason": "x"}).status_code == 403
    assert not Call.objects.exists()


def test_a_store_sees_its_own_calls_of_a_number(cast, desk, member):
    clerks = [
        allowed(OperatorFactory(org_unit=store), "take_call", "view_member") for store in (cast.mall_1, cast.mall_2)
    ]
    for clerk in clerks:
        desk(clerk).post(desk(clerk).post(DESK, {"q": PHONE})["Location"], {"reason": f"在{clerk.org_unit}"})
    seen = desk(clerks[0]).get(page_of(member)).context["earlier"]
    assert [call.reason for call in seen] == ["在广场一店"]
    assert {call.reason for call in desk().get(page_of(member)).context["earlier"]} == {"在广场一店", "在广场二店"}


def test_a_forged_number_is_not_found(desk, member):
    for sealed in ("x", "AAAA", "bm90IG91cnM="):
        assert desk().get(f"{page_of(member)}?n={sealed}").status_code == 404


def test_beside_stand_today_s_birthdays_and_what_is_due(cast, desk, member, agent):
    allowed(agent, "view_followup", "view_reminder")
    today = timezone.localdate(timezone=cast.mall.zone)
    mine = planned(cast, member, today, assigned_to=agent)
    late = planned(cast, member, today - timedelta(days=1))
    planned(cast, member, today, assigned_to=cast.sees_mall)
    planned(cast, member, today + timedelta(days=1))
    planned(cast, member, today, business=cast.hotel)
    birthday = reminder(cast.mall, member, today)
    reminder(cast.mall, member, today + timedelta(days=1))
    reminder(cast.hotel, member, today)
    shown = desk(Operator.objects.get(pk=agent.pk)).get(DESK).context
    assert list(shown["due"]) == [late, mine]
    assert list(shown["birthdays"]) == [birthday]


def planned(cast: Cast, member: Member, day, **said) -> FollowUp:
    said = {"business": cast.mall, "created_at": timezone.now()} | said
    return FollowUp.objects.create(member=member, plan="回访", due_on=day, **said)


def reminder(business, member: Member, day) -> Reminder:
    said = {"kind": "birthday", "key": str(day), "created_at": timezone.now()}
    return Reminder.objects.create(member=member, business=business, due_on=day, **said)


def test_the_queries_of_the_desk_are_bounded(cast, desk, member, django_assert_max_num_queries):
    operator = cast.sees_mall
    today = timezone.localdate(timezone=cast.mall.zone)
    desk(operator).get(DESK)
    for many in (2, 30):
        for _ in range(many):
            other = MemberFactory(businesses=[cast.mall])
            planned(cast, other, today)
            reminder(cast.mall, other, today)
            Call.objects.create(member=member, reason="x", business=cast.mall, operator=operator, at=timezone.now())
        with django_assert_max_num_queries(14):
            desk(operator).get(DESK)
        with django_assert_max_num_queries(16):
            desk(operator).post(DESK, {"q": PHONE})


def test_a_caller_s_page_costs_little_more_than_member_360(cast, desk, member, django_assert_max_num_queries):
    card_of(cast, member)
    client = desk(cast.sees_mall)
    client.get(page_of(member))
    with CaptureQueriesContext(connection) as plain:
        client.get(reverse("admin:members_member_360", args=[member.pk]))
    with django_assert_max_num_queries(len(plain) + 5):
        client.get(page_of(member))


def test_the_menu_begins_with_the_day_and_marks_no_list_for_a_page_of_its_own(cast, rf):
    def menu(operator: Operator, address: str) -> list[dict]:
        request = rf.get(address)
        request.user = operator
        return [item for group in navigation(request) for item in group["items"]]

    todo, calls = reverse("admin:members_todo"), reverse("admin:members_call_changelist")
    assert [item["link"] for item in menu(cast.sees_mall, DESK)][1:3] == [todo, DESK]
    assert [item["link"] for item in menu(cast.sees_mall, DESK) if item.get("active")] == []
    assert [item["link"] for item in menu(cast.sees_mall, calls) if item.get("active")] == [calls]
    assert not {todo, DESK} & {item["link"] for item in menu(cast.sees_nothing, DESK)}


def test_its_short_address_leads_there(desk):
    assert desk().get("/admin/desk/")["Location"] == DESK
