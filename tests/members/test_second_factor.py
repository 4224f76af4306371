"""Operators' second factor: demanded by a role, set up with a first code, asked for at each login, reset from above."""

import time
from binascii import unhexlify

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config import second_factor as pages
from members.models import AuditEntry, Operator, RolePolicy
from tests.cast import Cast
from tests.factories import OperatorFactory

INDEX = reverse("admin:index")
VERIFY, SET_UP = reverse("second_factor:verify"), reverse("second_factor:set_up")
MEMBERS = reverse("admin:members_member_changelist")


def code(key: str, *, steps: int = 0) -> str:
    totp = TOTP(unhexlify(key), drift=steps)
    totp.time = time.time()
    return f"{totp.token():06d}"


def wrong(key: str) -> str:
    right = {code(key, steps=step) for step in range(-3, 4)}
    return next(number for number in map("{:06d}".format, range(10)) if number not in right)


@pytest.fixture
def operator(cast: Cast) -> Operator:
    """Carries a role that demands a second factor."""
    role = Group.objects.create(name="财务")
    RolePolicy.objects.create(group=role, requires_totp=True)
    operator = OperatorFactory(username="finance", org_unit=cast.mall)
    operator.groups.add(role)
    return operator


def logged_in(operator: Operator) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def set_up(client: Client) -> tuple[str, list[str]]:
    """The app's key and the recovery codes."""
    client.get(SET_UP)
    key = client.session[pages.KEY]
    answer = client.post(SET_UP, {"code": code(key)})
    return key, answer.context["codes"]


def enters(client: Client) -> bool:
    return client.get(INDEX).status_code == 200


def test_who_must_show_a_code_sees_no_page_before(operator: Operator):
    client = logged_in(operator)
    for page in (INDEX, MEMBERS, reverse("admin:password_change"), reverse("admin:members_member_360", args=[1])):
        answer = client.get(page)
        assert (answer.status_code, answer.url.split("?")[0]) == (302, VERIFY)
    assert client.post(MEMBERS).url == VERIFY
    part = client.get(MEMBERS, headers={"HX-Request": "true"})
    assert (part.content, part["HX-Redirect"].split("?")[0]) == (b"", VERIFY)
    assert client.get(VERIFY).url == SET_UP
    assert client.post(reverse("admin:logout")).status_code == 200


def test_the_first_code_sets_it_up_and_lets_in(operator: Operator):
    client = logged_in(operator)
    assert "<svg" in client.get(SET_UP).content.decode()
    key, codes = set_up(client)
    assert enters(client)
    assert (len(codes), StaticToken.objects.count()) == (10, 10)
    assert TOTPDevice.objects.get(user=operator).key == key
    assert pages.KEY not in client.session


def test_a_wrong_first_code_sets_nothing_up(operator: Operator):
    client = logged_in(operator)
    client.get(SET_UP)
    key = client.session[pages.KEY]
    answer = client.post(SET_UP, {"code": wrong(key)})
    assert answer.context["form"].errors
    assert not TOTPDevice.objects.exists()
    assert not enters(client)
    assert client.session[pages.KEY] == key  # the same QR code is still good


def test_at_the_next_login_a_code_is_asked_for(operator: Operator):
    key, _ = set_up(logged_in(operator))
    client = logged_in(operator)
    answer = client.get(MEMBERS)
    assert answer.url == f"{VERIFY}?next={MEMBERS.replace('/', '%2F')}"
    assert client.get(SET_UP).url == VERIFY  # a password alone sets up no other app
    used = client.post(answer.url, {"code": code(key), "next": MEMBERS})
    assert used.status_code == 200  # the code that set it up is used up
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0, last_t=0)
    assert client.post(answer.url, {"code": code(key), "next": MEMBERS}).url == MEMBERS
    assert enters(client)


def test_after_a_wrong_code_one_has_to_wait(operator: Operator):
    key, _ = set_up(logged_in(operator))
    client = logged_in(operator)
    TOTPDevice.objects.update(last_t=0)
    client.post(VERIFY, {"code": wrong(key)})
    assert TOTPDevice.objects.get().throttling_failure_count == 1
    answer = client.post(VERIFY, {"code": code(key)})
    assert "稍候" in str(answer.context["form"].errors)
    assert not enters(client)


def test_a_recovery_code_is_good_once(operator: Operator):
    _, codes = set_up(logged_in(operator))
    client = logged_in(operator)
    assert client.post(VERIFY, {"code": f" {codes[0].upper()} "}).url == INDEX
    assert enters(client)
    again = logged_in(operator)
    assert again.post(VERIFY, {"code": codes[0]}).status_code == 200
    assert not enters(again)
    assert StaticToken.objects.count() == 9


def test_a_new_phone_takes_the_place_of_the_old_one(operator: Operator):
    client = logged_in(operator)
    old, codes = set_up(client)
    new, _ = set_up(client)
    assert TOTPDevice.objects.get(user=operator).key == new != old
    assert not StaticToken.objects.filter(token__in=codes).exists()
    assert enters(client)


def test_whoever_set_one_up_is_asked_though_no_role_demands_it(cast: Cast):
    client = logged_in(cast.sees_mall)
    assert enters(client)
    set_up(client)
    assert enters(client)
    assert not enters(logged_in(cast.sees_mall))


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(operator: Operator, elsewhere: str):
    _, codes = set_up(logged_in(operator))
    assert logged_in(operator).post(VERIFY, {"code": codes[0], "next": elsewhere}).url == INDEX


def test_members_pages_and_the_api_know_nothing_of_it(operator: Operator, cast: Cast):
    client = logged_in(operator)
    assert client.get(reverse("member:sign_in")).status_code == 200
    assert client.get("/api/v1/members?phone=13900000000", **cast.bearer(cast.mall_app)).status_code in (200, 404)


def test_who_is_not_logged_in_is_sent_to_the_login():
    for page in (VERIFY, SET_UP):
        assert Client().get(page).url.startswith(reverse("admin:login"))


# Reset from above ----------------------------------------------------------------------------------------------------


def reset(client: Client, operator: Operator) -> int:
    page = reverse("admin:members_operator_reset_second_factor", args=[operator.pk])
    return client.post(page, {"_form_submitted": "true"}, headers={"HX-Request": "true"}).status_code


def test_who_stands_above_resets_it_and_leaves_a_word(operator: Operator, cast: Cast):
    client = logged_in(operator)
    set_up(client)
    reset(logged_in(cast.sees_all), operator)
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
    assert not enters(client)  # the session that it had let in is out
    entry = AuditEntry.objects.filter(model="otp_totp.totpdevice", action="delete").get()
    assert (entry.operator, entry.title) == (cast.sees_all, "finance")


def test_nobody_else_does(operator: Operator, cast: Cast):
    set_up(logged_in(operator))
    hotelier = OperatorFactory(org_unit=cast.hotel)
    hotelier.user_permissions.set(cast.sees_mall.user_permissions.all())
    peer = OperatorFactory(org_unit=cast.mall)
    for stranger in (hotelier, peer, cast.sees_nothing):
        assert reset(logged_in(stranger), operator) in (302, 403, 404)
    assert TOTPDevice.objects.count() == 1
