"""What a member does about himself on his pages: only on himself, and what matters only with a code."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from members.models import Consent, Duplicate, Event, Member
from members.notifications import MemorySmsBackend
from tests.cast import Cast
from tests.factories import IdentityFactory, MemberFactory
from tests.member_session import enter

FIRST, SECOND = "+8613912345678", "+8613800138000"


@pytest.fixture
def member(cast: Cast, client: Client) -> Member:
    MemorySmsBackend.outbox.clear()
    member = MemberFactory(name="李雷", phone=FIRST, businesses=[cast.mall, cast.hotel])
    enter(client, member)
    return member


def code_for(to: str) -> str:
    sent_to, text = MemorySmsBackend.outbox[-1]
    assert sent_to == to
    return re.search(r"\d{6}", text)[0]


def page(name: str, *args) -> str:
    return reverse(f"member:{name}", args=args)


def phones(member: Member) -> list[str]:
    return [identity.value for identity in member.identities.filter(kind="phone").order_by("pk")]


def test_he_corrects_his_name_and_birthday(client: Client, member: Member) -> None:
    assert 'value="李雷"' in client.get(page("profile")).content.decode()
    client.post(page("profile"), {"name": "李雷雷", "gender": "m", "birthday": "1990-02-28"})
    member.refresh_from_db()
    assert (member.name, member.gender, str(member.birthday)) == ("李雷雷", "m", "1990-02-28")
    refused = client.post(page("profile"), {"name": "李雷雷", "gender": "m", "birthday": "2999-01-01"})
    assert list(refused.context["form"].errors) == ["birthday"]


def test_a_new_phone_is_his_once_he_has_proven_it(client: Client, member: Member) -> None:
    old = member.identities.get()
    asked = client.post(f"{page('change_contact', 'phone')}?replaces={old.pk}", {"phone": "138 0013 8000"})
    assert asked["Location"] == page("prove_contact")
    assert phones(member) == [FIRST]
    code = code_for(SECOND)
    wrong = client.post(page("prove_contact"), {"code": f"{(int(code) + 1) % 10**6:06d}"})
    assert "验证码不正确" in wrong.content.decode()
    assert phones(member) == [FIRST]
    client.post(page("prove_contact"), {"code": code})
    assert (phones(member), member.identities.get().verified_at is not None) == ([SECOND], True)


def test_somebody_else_s_number_leads_to_staff_not_to_a_change(client: Client, member: Member) -> None:
    other = MemberFactory(phone=SECOND)
    client.post(page("change_contact", "phone"), {"phone": SECOND})
    refused = client.post(page("prove_contact"), {"code": code_for(SECOND)})
    assert "联系门店合并" in refused.content.decode()
    assert (phones(member), phones(other)) == ([FIRST], [SECOND])
    suspicion = Duplicate.objects.get()
    assert (suspicion.first, suspicion.second, suspicion.reasons) == (member, other, ["phone"])


def test_an_email_gets_its_code_by_mail(client: Client, member: Member) -> None:
    client.post(page("change_contact", "email"), {"email": "Li@Example.com"})
    assert mail.outbox[-1].to == ["li@example.com"]
    client.post(page("prove_contact"), {"code": re.search(r"\d{6}", mail.outbox[-1].body)[0]})
    email = member.identities.get(kind="email")
    assert (email.value, email.verified_at is not None) == ("li@example.com", True)


def test_of_two_phones_he_verifies_one_and_removes_the_other(client: Client, member: Member) -> None:
    second = IdentityFactory(member=member, value=SECOND)
    assert "138****8000" in client.get(page("contacts")).content.decode()
    client.post(page("verify_contact", second.pk))
    client.post(page("prove_contact"), {"code": code_for(SECOND)})
    second.refresh_from_db()
    assert second.verified_at is not None
    client.post(page("remove_contact", member.identities.get(value_index=second.value_index).pk))
    assert phones(member) == [FIRST]
    client.post(page("remove_contact", member.identities.get().pk))
    assert phones(member) == [FIRST]  # the last way in


def test_another_s_identity_is_not_there(client: Client, member: Member) -> None:
    theirs = MemberFactory(phone=SECOND).identities.get()
    for path in (page("remove_contact", theirs.pk), page("verify_contact", theirs.pk)):
        assert client.post(path).status_code == 404
    assert client.get(f"{page('change_contact', 'phone')}?replaces={theirs.pk}").status_code == 404
    assert client.get(page("change_contact", "card")).status_code == 404


def test_a_switch_works_at_once_and_keeps_its_evidence(client: Client, cast: Cast, member: Member) -> None:
    def shown() -> dict[str, bool]:
        standing = client.get(page("consents")).context["standing"]
        return {f"{switch.business.code} {switch.purpose}": switch.is_on for row in standing.values() for switch in row}

    before = shown()
    assert (before["MALL marketing"], before["MALL sharing"], before["HOTEL sharing"]) == (False, True, True)
    client.post(page("consents"), {"business": "MALL", "purpose": "marketing", "on": "on"})
    client.post(page("consents"), {"business": "MALL", "purpose": "sharing"})
    after = shown()
    assert (after["MALL marketing"], after["MALL sharing"], after["HOTEL sharing"]) == (True, False, True)
    given = Consent.objects.get(purpose="marketing")
    assert (given.evidence["page"], len(given.evidence["address"]), given.channel.kind) == ("me/consents", 64, "member")
    assert client.post(page("consents"), {"business": "CVS", "purpose": "sharing"}).status_code == 404
    assert client.post(page("consents"), {"business": "MALL", "purpose": "terms"}).status_code == 404


def test_he_takes_all_that_is_held_on_him(client: Client, member: Member) -> None:
    other = MemberFactory(name="韩梅梅", phone=SECOND)
    text = client.get(page("my_data")).content.decode()
    assert FIRST in text
    assert other.name not in text
    held = client.post(page("download_my_data"))
    assert held["Content-Disposition"] == f'attachment; filename="member-{member.member_no}.json"'
    assert held.json()["sections"][0]["rows"][0]["姓名"] == "李雷"
    assert Event.objects.get(type="member.exported").member == member


def test_he_leaves_with_a_code_and_is_signed_out(client: Client, member: Member) -> None:
    assert "个人资料" in client.get(page("leave")).content.decode()
    assert client.post(page("leave"))["Location"] == page("leave_code")
    code = code_for(FIRST)
    client.post(page("leave_code"), {"code": "000000" if code != "000000" else "111111"})
    member.refresh_from_db()
    assert member.status == "active"
    gone = client.post(page("leave_code"), {"code": code}, follow=True)
    assert "已注销" in gone.content.decode()
    member.refresh_from_db()
    assert (member.status, member.name, member.identities.count()) == ("closed", "", 0)
    assert client.get(page("me")).status_code == 302


@pytest.mark.parametrize("name", ["profile", "contacts", "consents", "my_data", "leave", "leave_code", "prove_contact"])
def test_only_members_come_in(client: Client, cast: Cast, name: str) -> None:
    assert client.get(page(name))["Location"].startswith(reverse("member:sign_in"))
