"""Personal data is masked for everybody; in clear it is shown when it is asked for, and each look is recorded."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from members.models import Attribute, Event, Identity, Member, Operator
from members.services import attributes
from members.services.organisation import own_origin
from tests.cast import Cast
from tests.factories import IdentityFactory, MemberFactory, OperatorFactory

PHONE, EMAIL = "13812345678", "zhang@example.com"


@pytest.fixture
def member(cast: Cast) -> Member:
    member = MemberFactory(name="张三丰", phone=f"+86{PHONE}", birthday="1988-02-29", businesses=[cast.mall])
    IdentityFactory(member=member, kind=Identity.Kind.EMAIL, value=EMAIL)
    hobby = Attribute.objects.create(
        code="hobby", name="爱好", kind="text", org_unit=cast.group, is_sensitive=True, pages=["360", "form"]
    )
    attributes.set_values(
        member, {"hobby": "围棋"}, attributes=Attribute.objects.filter(pk=hobby.pk), origin=own_origin("admin")
    )
    return member


def operator(cast: Cast, *codenames: str) -> Operator:
    """A clerk of the mall, who may see members and these things besides."""
    operator = OperatorFactory(org_unit=cast.mall_1)
    operator.user_permissions.set(Permission.objects.filter(codename__in=("view_member", *codenames)))
    return operator


def of(page: str, member: Member) -> str:
    return reverse(f"admin:members_member_{page}", args=[member.pk])


def looks(member: Member) -> list[Event]:
    return list(Event.objects.filter(type="member.unmasked", member=member))


SECRETS = ("张三丰", PHONE, EMAIL, "1988", "围棋")


def test_member_360_is_masked_for_everybody(cast: Cast, member: Member, client: Client):
    for user in (operator(cast), operator(cast, "view_personal_data"), cast.sees_all):
        client.force_login(user)
        page = client.get(of("360", member)).content.decode()
        assert [secret for secret in SECRETS if secret in page] == []
        assert ("张**" in page, "138****5678" in page, "****-02-29" in page) == (True, True, True)
        tab = client.get(reverse("admin:members_member_panel", args=[member.pk, "attributes"])).content.decode()
        assert ("***" in tab, "围棋" in tab) == (True, False)
    assert looks(member) == []


def test_who_may_is_shown_all_of_it_once_and_that_is_recorded(cast: Cast, member: Member, client: Client):
    reader = operator(cast, "view_personal_data")
    client.force_login(reader)
    answer = client.post(of("unmask", member)).content.decode()
    assert [secret for secret in SECRETS if secret not in answer] == []
    [look] = looks(member)
    assert (look.operator, look.business, look.channel.code) == (reader, cast.mall, "admin")
    assert look.data == {"page": "360", "what": ["name", "birthday", "phone", "email", "hobby"]}
    assert "张三丰" not in client.get(of("360", member)).content.decode()  # the next page is masked again
    client.post(of("unmask", member))
    assert len(looks(member)) == 2


def test_who_may_not_is_refused_and_offered_nothing(cast: Cast, member: Member, client: Client):
    client.force_login(operator(cast))
    assert of("unmask", member) not in client.get(of("360", member)).content.decode()
    answer = client.post(of("unmask", member))
    assert answer.status_code == 403
    assert "张三丰" not in answer.content.decode()
    assert looks(member) == []


def test_a_look_is_no_link(cast: Cast, member: Member, client: Client):
    client.force_login(cast.sees_all)
    assert client.get(of("unmask", member)).status_code == 405
    assert looks(member) == []


def test_what_is_another_s_is_not_there(cast: Cast, member: Member, client: Client):
    stranger = OperatorFactory(org_unit=cast.hotel)
    stranger.user_permissions.set(Permission.objects.all())
    for user in (stranger, cast.sees_nothing):
        client.force_login(user)
        assert client.post(of("unmask", member)).status_code == 404
    assert looks(member) == []


def test_opening_the_form_is_a_look_and_saving_it_is_none(cast: Cast, member: Member, client: Client):
    client.force_login(operator(cast, "view_personal_data", "change_member"))
    assert "张三丰" in client.get(of("change", member)).content.decode()
    client.post(of("change", member), {"name": "张三", "gender": "", "birthday": ""})
    assert [look.data["page"] for look in looks(member)] == ["form"]
    client.force_login(operator(cast, "change_member"))
    assert client.get(of("change", member)).status_code in (302, 403)
    assert len(looks(member)) == 1


def test_sensitive_attributes_in_their_form_are_a_look(cast: Cast, member: Member, client: Client):
    client.force_login(cast.sees_all)
    page = reverse("admin:members_member_attributes", args=[member.pk])
    assert "围棋" in client.get(page).content.decode()
    assert [look.data for look in looks(member)] == [{"page": "attributes", "what": ["hobby"]}]
