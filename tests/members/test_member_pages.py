"""Members' own pages: signing in by SMS code, joining, the card, the member code, signing out."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.errors import MemberCodeInvalid
from members.models import Event, Identity, Member
from members.notifications import MemorySmsBackend
from members.personal_data import blind_index
from members.services.member_code import issue_member_code, resolve_member_code
from members.services.sign_in import SENDS_PER_DAY, TRIES
from tests.cast import Cast
from tests.factories import MemberFactory

PHONE = "+8613912345678"
SIGN_IN, CODE, JOIN = reverse("member:sign_in"), reverse("member:sign_in_code"), reverse("member:enrol")


@pytest.fixture(autouse=True)
def _empty_outbox() -> None:
    MemorySmsBackend.outbox.clear()


def ask_for_code(client: Client, phone: str = PHONE) -> str:
    """Returns the code from the message."""
    response = client.post(SIGN_IN, {"phone": phone})
    assert response.status_code == 302, response.context["form"].errors
    sent_to, text = MemorySmsBackend.outbox[-1]
    assert sent_to == PHONE
    return re.search(r"\d{6}", text)[0]


def sign_in(client: Client) -> None:
    assert client.post(CODE, {"code": ask_for_code(client)}).status_code == 302


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


# --- Signing in -------------------------------------------------------------------------------------------------


def test_a_member_signs_in_and_comes_to_where_he_wanted(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    away = client.get(reverse("member:me"))
    assert away["Location"] == f"{SIGN_IN}?next=%2Fm%2Fme%2F"
    client.get(away["Location"])
    answer = client.post(CODE, {"code": ask_for_code(client, "139 1234 5678")})
    assert answer["Location"] == "/m/me/"
    assert "139****5678" in client.get("/m/me/").content.decode()
    assert Identity.objects.get().verified_at is not None


def test_nobody_is_sent_to_another_site(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    client.get(SIGN_IN, {"next": "https://elsewhere.example/"})
    answer = client.post(CODE, {"code": ask_for_code(client)})
    assert answer["Location"] == reverse("member:home")


def test_a_new_session_id_comes_with_signing_in(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    code = ask_for_code(client)
    before = client.session.session_key
    client.post(CODE, {"code": code})
    assert client.session.session_key != before


def test_a_wrong_code_lets_nobody_in(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    code = ask_for_code(client)
    answer = client.post(CODE, {"code": wrong(code)})
    assert "验证码不正确" in answer.content.decode()
    assert client.get(reverse("member:home")).status_code == 302


def test_after_too_many_wrong_codes_the_right_one_is_worth_nothing(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    code = ask_for_code(client)
    for _ in range(TRIES):
        client.post(CODE, {"code": wrong(code)})
    answer = client.post(CODE, {"code": code})
    assert "输错次数过多" in answer.content.decode()
    assert "已失效" in client.post(CODE, {"code": code}).content.decode()


def test_a_code_is_good_once(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    code = ask_for_code(client)
    client.post(CODE, {"code": code})
    client.post(reverse("member:sign_out"))
    second = Client()
    second.cookies = client.cookies
    assert second.post(CODE, {"code": code})["Location"] == SIGN_IN


def test_a_second_code_has_to_wait(client: Client, cast: Cast) -> None:
    ask_for_code(client)
    answer = client.post(SIGN_IN, {"phone": PHONE})
    assert "过于频繁" in answer.content.decode()
    client.post(reverse("member:resend_code"))
    assert len(MemorySmsBackend.outbox) == 1


def test_a_number_gets_only_so_many_codes_a_day(client: Client, cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr("members.services.sign_in.SECONDS_BETWEEN_SENDS", 0)
    for _ in range(SENDS_PER_DAY + 2):
        client.post(SIGN_IN, {"phone": PHONE})
    assert len(MemorySmsBackend.outbox) == SENDS_PER_DAY


def test_one_machine_does_not_text_the_whole_town(client: Client, cast: Cast, settings) -> None:
    settings.MEMBERS_SMS_PER_ADDRESS_AND_HOUR = 3
    for last in range(5):
        client.post(SIGN_IN, {"phone": f"1391234567{last}"})
    assert len(MemorySmsBackend.outbox) == 3


def test_a_bad_number_is_said_to_be_bad(client: Client, cast: Cast) -> None:
    assert "手机号无效" in client.post(SIGN_IN, {"phone": "12"}).content.decode()
    assert MemorySmsBackend.outbox == []


@pytest.mark.parametrize("status", [Member.Status.CLOSED])
def test_a_closed_member_does_not_get_in(client: Client, cast: Cast, status: str) -> None:
    MemberFactory(phone=PHONE, status=status)
    answer = client.post(CODE, {"code": ask_for_code(client)}, follow=True)
    assert "已注销" in answer.content.decode()
    assert client.get(reverse("member:home")).status_code == 302


def test_closing_ends_the_session(client: Client, cast: Cast) -> None:
    member = MemberFactory(phone=PHONE)
    sign_in(client)
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
    assert client.get(reverse("member:home")).status_code == 302


def test_an_operator_is_no_member_and_stays_signed_in_when_the_member_leaves(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    client.force_login(cast.sees_all, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("member:home")).status_code == 302
    sign_in(client)
    client.post(reverse("member:sign_out"))
    assert client.get(reverse("member:home")).status_code == 302
    assert client.session["_auth_user_id"] == str(cast.sees_all.pk)


# --- Joining ----------------------------------------------------------------------------------------------------


def test_an_unknown_number_is_offered_to_join(client: Client, cast: Cast) -> None:
    answer = client.post(CODE, {"code": ask_for_code(client)})
    assert answer["Location"] == JOIN
    client.post(JOIN, {"name": "李雷", "gender": "m", "birthday": "1990-02-28", "agrees": "on"})
    member = Member.objects.get()
    assert (member.name, member.registered_channel.kind) == ("李雷", "member")
    assert Event.objects.get(type="member.enrolled").data["source"] == "member-page"
    agreed = member.consents.get()
    assert (agreed.receiver, agreed.purpose, agreed.version) == (cast.group, "terms", "2026-01")
    assert agreed.evidence == {"page": "join", "address": blind_index("address", "127.0.0.1")}
    assert member.devices.count() == 1
    assert "李雷" in client.get(reverse("member:home")).content.decode()


def test_nobody_joins_without_agreeing_to_the_terms(client: Client, cast: Cast) -> None:
    client.post(CODE, {"code": ask_for_code(client)})
    answer = client.post(JOIN, {"name": "李雷"})
    assert "请阅读并同意" in answer.content.decode()
    assert not Member.objects.exists()


def test_nobody_joins_without_proving_the_number(client: Client, cast: Cast) -> None:
    ask_for_code(client)
    answer = client.post(JOIN, {"name": "李雷", "agrees": "on"})
    assert answer["Location"] == SIGN_IN
    assert not Member.objects.exists()


def test_a_birthday_in_the_future_is_refused_at_its_field(client: Client, cast: Cast) -> None:
    client.post(CODE, {"code": ask_for_code(client)})
    answer = client.post(JOIN, {"name": "李雷", "birthday": "2999-01-01", "agrees": "on"})
    assert list(answer.context["form"].errors) == ["birthday"]
    assert not Member.objects.exists()


# --- The member code --------------------------------------------------------------------------------------------


def test_the_page_shows_a_code_that_the_till_understands(client: Client, cast: Cast) -> None:
    member = MemberFactory(phone=PHONE)
    sign_in(client)
    page = client.get(reverse("member:code"))
    assert resolve_member_code(page.context["digits"], at=timezone.now()) == member
    assert "<svg" in page.content.decode()


def test_htmx_gets_the_code_alone(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    sign_in(client)
    part = client.get(reverse("member:code"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'id="code"' in part


def test_htmx_without_a_session_leaves_the_page(client: Client, cast: Cast) -> None:
    answer = client.get(reverse("member:code"), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == SIGN_IN


@pytest.mark.parametrize(("age", "is_good"), [(0, True), (60, True), (66, False), (3600, False), (-6, False)])
def test_a_screenshot_is_worth_nothing_after_its_minute(cast: Cast, age: int, is_good: bool) -> None:
    member, now = MemberFactory(), timezone.now()
    code = issue_member_code(member, at=now - timedelta(seconds=age))
    if is_good:
        assert resolve_member_code(code, at=now) == member
        return
    with pytest.raises(MemberCodeInvalid):
        resolve_member_code(code, at=now)


def test_a_code_changed_in_any_digit_is_refused(cast: Cast) -> None:
    now = timezone.now()
    code = issue_member_code(MemberFactory(), at=now)
    for place, digit in enumerate(code):
        forged = code[:place] + str((int(digit) + 1) % 10) + code[place + 1 :]
        with pytest.raises(MemberCodeInvalid):
            resolve_member_code(forged, at=now)


@pytest.mark.parametrize("text", ["", "123", "１" * 20, "a" * 20, "0" * 20])
def test_what_is_no_code_is_refused(cast: Cast, text: str) -> None:
    with pytest.raises(MemberCodeInvalid):
        resolve_member_code(text, at=timezone.now())


def test_a_frozen_member_may_look_but_not_show_a_code(client: Client, cast: Cast) -> None:
    member = MemberFactory(phone=PHONE, status=Member.Status.FROZEN)
    sign_in(client)
    assert "冻结" in client.get(reverse("member:home")).content.decode()
    page = client.get(reverse("member:code"))
    assert "<svg" not in re.sub(r'<svg class="icon.*?</svg>', "", page.content.decode())
    with pytest.raises(MemberCodeInvalid):
        resolve_member_code(issue_member_code(member, at=timezone.now()), at=timezone.now())


# --- Home and me ------------------------------------------------------------------------------------------------


def test_home_shows_the_card_and_where_the_member_has_joined(client: Client, cast: Cast) -> None:
    member = MemberFactory(name="王小明", phone=PHONE, businesses=[cast.mall])
    sign_in(client)
    page = client.get(reverse("member:home"))
    assert member.member_no in page.content.decode()
    joined = {business.code: is_joined for business, is_joined in page.context["businesses"]}
    assert joined == {"MALL": True, "HOTEL": False, "CVS": False}


def test_pages_are_for_reading_unless_they_change_something(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    sign_in(client)
    assert client.get(reverse("member:sign_out")).status_code == 405
    assert client.post(reverse("member:home")).status_code == 405


def test_pages_are_never_cached(client: Client, cast: Cast) -> None:
    MemberFactory(phone=PHONE)
    sign_in(client)
    for name in ("home", "code", "me"):
        assert "no-store" in client.get(reverse(f"member:{name}"))["Cache-Control"]
