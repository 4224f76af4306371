"""What operators do to the person from member 360: with permission, within reach, with a reason, on record."""

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from members.models import Duplicate, Event, FormerIdentity, Member, Operator
from members.services import consents, identities
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import MemberFactory

FIRST, SECOND = "+8613912345678", "+8613800138000"
STEPS = ("phone", "email", "freeze", "close", "data")


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(name="李雷", phone=FIRST, businesses=[cast.mall])


@pytest.fixture
def sign_in(client: Client):
    def sign_in(operator: Operator) -> None:
        client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")

    return sign_in


def page(step: str, member: Member, *args) -> str:
    return reverse(f"admin:members_member_{step}", args=[member.pk, *args])


def do(client: Client, step: str, member: Member, **said) -> HttpResponse:
    return client.post(page(step, member), {"token": f"t-{step}", "reason": "本人来店", **said})


def test_what_is_done_daily_is_at_hand_and_the_rest_in_a_menu(
    client: Client, cast: Cast, member: Member, sign_in
) -> None:
    sign_in(cast.sees_mall)
    shown = client.get(page("360", member))
    buttons, menu = shown.content.decode().split('<details class="wt-more"')
    daily = ("members_member_change", "loyalty_account_adjust", "benefits_coupon_issue", "members_followup_plan")
    for name in daily:
        assert f'class="wt-button" href="{reverse(f"admin:{name}", args=[member.pk])}"' in buttons
    menu = menu.split("</details>")[0]
    for action in shown.context["others"]:
        assert f'<a href="{reverse(action.url_name, args=[member.pk])}">{action.label}</a>' in menu
    assert page("close", member) in menu

    only_looks = Operator.objects.get(pk=cast.sees_mall.pk)
    only_looks.user_permissions.set(Permission.objects.filter(codename="view_member"))
    assert "wt-more" not in client.get(page("360", member)).content.decode()


def test_a_phone_is_changed_on_an_operator_s_word(client: Client, cast: Cast, member: Member, sign_in) -> None:
    sign_in(cast.sees_mall)
    assert "139****5678" in client.get(page("phone", member)).content.decode()
    assert do(client, "phone", member, value=SECOND, reason=" ").status_code == 200
    assert do(client, "phone", member, value=SECOND).status_code == 302
    assert (member.identities.get().value, member.identities.get().verified_at) == (SECOND, None)
    event = Event.objects.get(type="member.phone_changed")
    assert (event.operator, event.data) == (cast.sees_mall, {"is_proven": False, "reason": "本人来店"})


def test_somebody_else_s_number_leads_to_the_comparison(client: Client, cast: Cast, member: Member, sign_in) -> None:
    other = MemberFactory(phone=SECOND, businesses=[cast.mall])
    sign_in(cast.sees_mall)
    refused = do(client, "phone", member, value=SECOND).content.decode()
    assert reverse("admin:members_merge_compare", args=[other.pk, member.pk]) in refused
    assert member.identities.get().value == FIRST
    assert (Duplicate.objects.get().first, Duplicate.objects.get().second) == (member, other)


def test_one_out_of_sight_is_not_linked(client: Client, cast: Cast, member: Member, sign_in) -> None:
    other = MemberFactory(phone=SECOND, businesses=[cast.hotel])
    sign_in(cast.sees_mall)
    refused = do(client, "phone", member, value=SECOND).content.decode()
    assert "已属于另一位会员" in refused
    assert f"/{other.pk}/" not in refused


def test_freezing_and_back(client: Client, cast: Cast, member: Member, sign_in) -> None:
    sign_in(cast.sees_mall)
    do(client, "freeze", member, token="1")
    member.refresh_from_db()
    assert member.status == "frozen"
    do(client, "freeze", member, token="2")
    member.refresh_from_db()
    assert member.status == "active"
    assert [event.data["reason"] for event in Event.objects.filter(member=member)] == ["本人来店"] * 2


def test_closing_shows_what_is_lost_first(client: Client, cast: Cast, member: Member, sign_in) -> None:
    sign_in(cast.sees_all)
    assert "姓名、生日与 1 个身份标识将删除" in client.get(page("close", member)).content.decode()
    assert do(client, "close", member, reason="").status_code == 200
    member.refresh_from_db()
    assert member.status == "active"
    assert do(client, "close", member)["Location"] == page("360", member)
    member.refresh_from_db()
    assert (member.status, FormerIdentity.objects.count()) == ("closed", 1)
    assert "已注销" in do(client, "close", member, token="again").content.decode()


def test_headquarters_hands_over_the_data_and_each_look_is_told(
    client: Client, cast: Cast, member: Member, sign_in
) -> None:
    sign_in(cast.sees_mall)
    assert client.get(page("data", member)).status_code == 403
    assert client.post(page("download", member)).status_code == 403
    sign_in(cast.sees_all)
    assert FIRST in client.get(page("data", member)).content.decode()
    assert client.post(page("download", member)).json()["member_no"] == member.member_no
    assert (
        list(Event.objects.filter(type="member.exported").values_list("operator", flat=True)) == [cast.sees_all.pk] * 2
    )


def test_identities_are_shown_masked_and_removed(client: Client, cast: Cast, member: Member, sign_in) -> None:
    identities.add(member, "email", "li@example.com", is_verified=True, origin=own_origin("member"))
    hotels = own_origin("desk", business=cast.hotel)
    foreign = identities.add(member, "external", "H-7", is_verified=False, origin=hotels)["id"]
    sign_in(cast.sees_mall)
    panel = client.get(reverse("admin:members_member_panel", args=[member.pk, "identities"])).content.decode()
    assert ("l***@example.com" in panel, "已验证" in panel, "H-7" in panel) == (True, True, False)
    assert client.post(page("remove_identity", member, foreign)).status_code == 404
    email = member.identities.get(kind="email")
    client.post(page("remove_identity", member, email.pk))
    assert sorted(member.identities.values_list("kind", flat=True)) == ["external", "phone"]


def test_the_panel_of_consents_shows_what_concerns_the_operator(
    client: Client, cast: Cast, member: Member, sign_in
) -> None:
    for receiver in (cast.mall, cast.hotel):
        consents.give(member, receiver=receiver, purpose="marketing", origin=own_origin("member"))
    sign_in(cast.sees_mall)
    panel = client.get(reverse("admin:members_member_panel", args=[member.pk, "consents"])).content.decode()
    assert ("梧桐广场" in panel, "梧桐酒店" in panel) == (True, False)


@pytest.mark.parametrize("step", STEPS)
def test_nobody_without_reach_or_permission(client: Client, cast: Cast, member: Member, sign_in, step: str) -> None:
    sign_in(cast.sees_nothing)
    assert client.get(page(step, member)).status_code == 404
    cast.sees_mall.user_permissions.set(Permission.objects.filter(codename="view_member"))
    sign_in(cast.sees_mall)
    assert client.get(page(step, member)).status_code == 403
    assert do(client, step, member, value=SECOND).status_code == 403
    assert member.identities.get().value == FIRST
