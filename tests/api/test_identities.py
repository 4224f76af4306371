"""Identities, consents and closing over the API: masked, repeated safely, and withheld where the member says so."""

import pytest

from members.models import Channel, Consent, Device, Duplicate, FormerIdentity, Identity, Member
from members.personal_data import blind_index
from members.services.memory import Memory
from tests.api.client import App
from tests.cast import Cast
from tests.factories import MemberFactory

PHONE = "+8613800138000"


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(name="王小明", phone=PHONE, businesses=[cast.mall, cast.hotel])


@pytest.fixture
def till(app, cast: Cast) -> App:
    return app(cast.mall_app)


def may_read(channel: Channel) -> None:
    """Every scope, and personal data by name."""
    resources = ("members", "consents", "closures")
    scopes = [f"{resource}.{verb}" for resource in resources for verb in ("read", "write")]
    Channel.objects.filter(pk=channel.pk).update(scopes=[*scopes, "personal_data"])
    Memory.forget_all()


def test_an_identity_is_added_and_listed_masked(till: App, cast: Cast, member: Member) -> None:
    path = f"members/{member.member_no}/identities"
    added = till.post(path, {"kind": "channel_user", "value": " u-12345 ", "is_verified": True}).json()
    assert (added["is_new"], added["verified_at"] is not None) == (True, True)
    assert Identity.objects.get(pk=added["id"]).value == "mall-app:u-12345"
    shown = till.get(path).json()["results"]
    assert [(one["kind"], one["value"]) for one in shown] == [
        ("channel_user", "****2345"),
        ("phone", "138****8000"),
    ]
    assert till.get("members?identity=channel_user:u-12345").json()["results"][0]["member_no"] == member.member_no


def test_another_business_does_not_see_whose_user_or_number_he_is(app, till: App, cast: Cast, member: Member) -> None:
    path = f"members/{member.member_no}/identities"
    till.post(path, {"kind": "channel_user", "value": "u-1"})
    foreign = till.post(path, {"kind": "external", "value": "M-7"}).json()["id"]
    hotel = app(cast.hotel_app)
    may_read(cast.hotel_app)
    assert [one["value"] for one in hotel.get(path).json()["results"]] == [PHONE]
    assert [one["value"] for one in hotel.get(f"members/{member.member_no}").json()["identities"]] == [PHONE]
    assert hotel.send("DELETE", f"{path}/{foreign}").json()["code"] == "identity_not_found"
    assert Identity.objects.filter(pk=foreign).exists()


def test_the_same_removal_gets_the_first_answer(till: App, member: Member) -> None:
    path = f"members/{member.member_no}/identities"
    extra = till.post(path, {"kind": "email", "value": "a@example.com"}).json()["id"]
    first = till.send("DELETE", f"{path}/{extra}", key="k-1")
    assert first.json() == {"member_no": member.member_no, "id": extra, "kind": "email"}
    assert till.send("DELETE", f"{path}/{extra}", key="k-1").json() == first.json()
    assert till.send("DELETE", f"{path}/{extra}").json()["code"] == "identity_not_found"
    assert FormerIdentity.objects.get().value_index == blind_index("email", "a@example.com")


def test_the_last_way_in_stays(till: App, member: Member) -> None:
    path = f"members/{member.member_no}/identities"
    till.post(path, {"kind": "card", "value": "6200"})
    refused = till.send("DELETE", f"{path}/{member.identities.get(kind='phone').pk}")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_identity")
    assert member.identities.count() == 2


def test_somebody_else_s_is_refused_and_noted_for_staff(till: App, cast: Cast, member: Member) -> None:
    other = MemberFactory(phone="+8613900139000", businesses=[cast.mall])
    refused = till.post(f"members/{other.member_no}/identities", {"kind": "phone", "value": PHONE})
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_taken")
    assert member.member_no not in refused.content.decode()
    assert other.identities.get().value == "+8613900139000"
    suspicion = Duplicate.objects.get()
    assert (suspicion.first, suspicion.second, suspicion.reasons) == (member, other, ["phone"])


def test_enrolling_with_identities_of_two_people_is_noted_too(till: App, cast: Cast, member: Member) -> None:
    other = MemberFactory(phone="+8613900139000")
    till.post(f"members/{member.member_no}/identities", {"kind": "email", "value": "a@example.com"})
    both = [{"kind": "phone", "value": "+8613900139000"}, {"kind": "email", "value": "a@example.com"}]
    assert till.post("members", {"identities": both}).json()["code"] == "identity_taken"
    assert (Duplicate.objects.get().first, Duplicate.objects.get().second) == (member, other)


def test_consents_and_device_come_with_enrolling(till: App, cast: Cast) -> None:
    body = {
        "identities": [{"kind": "phone", "value": "13700137000"}],
        "device": "ios-1",
        "consents": [
            {"purpose": "terms", "receiver": "GROUP"},
            {
                "purpose": "marketing",
                "medium": "sms",
                "version": "7",
                "evidence": {"page": "till", "address": "1.2.3.4"},
            },
        ],
    }
    member = Member.objects.get(member_no=till.post("members", body).json()["member_no"])
    given = Consent.objects.order_by("pk").values_list("receiver__code", "purpose", "medium", "version", "evidence")
    assert list(given) == [
        ("GROUP", "terms", "any", "2026-01", {}),
        ("MALL", "marketing", "sms", "7", {"page": "till", "address": blind_index("address", "1.2.3.4")}),
    ]
    assert Device.objects.get(member=member).value_index == blind_index("device", "ios-1")


def test_who_takes_sharing_back_is_a_number_to_that_business(app, till: App, cast: Cast, member: Member) -> None:
    may_read(cast.mall_app)
    may_read(cast.hotel_app)
    path = f"members/{member.member_no}"
    assert till.get(path).json()["name"] == "王小明"
    withdrawn = till.post(f"{path}/consents/withdrawals", {"purpose": "sharing"}).json()
    assert (withdrawn["receiver"], withdrawn["medium"], withdrawn["ended"]) == ("MALL", "any", 0)
    hidden = till.get(path).json()
    assert (hidden["name"], hidden["birthday"], hidden["identities"][0]["value"]) == ("王**", None, "138****8000")
    assert till.get(f"{path}/identities").json()["results"][0]["value"] == "138****8000"
    assert till.get("members?phone=13800138000").json()["results"][0]["name"] == "王**"
    assert app(cast.hotel_app).get(path).json()["name"] == "王小明"
    till.post(f"{path}/consents", {"purpose": "sharing"})
    assert till.get(path).json()["name"] == "王小明"


def test_a_business_lists_its_own_consents_and_the_groups(app, till: App, cast: Cast, member: Member) -> None:
    path = f"members/{member.member_no}/consents"
    till.post(path, {"purpose": "marketing"})
    till.post(path, {"purpose": "profiling", "receiver": "GROUP"})
    app(cast.hotel_app).post(path, {"purpose": "marketing"})
    shown = [(one["receiver"], one["purpose"]) for one in till.get(path).json()["results"]]
    assert shown == [("GROUP", "profiling"), ("MALL", "marketing")]
    assert till.post(path, {"purpose": "marketing", "receiver": "HOTEL"}).json()["code"] == "org_unit_not_found"


def test_terms_are_not_taken_back_but_by_leaving(till: App, member: Member) -> None:
    refused = till.post(f"members/{member.member_no}/consents/withdrawals", {"purpose": "terms"})
    assert (refused.status_code, refused.json()["code"]) == (409, "terms_not_withdrawable")
    assert not Consent.objects.exists()


def test_an_account_is_closed_once(till: App, member: Member) -> None:
    path = f"members/{member.member_no}/closures"
    first = till.post(path, {"reason": "搬家"}, key="bye")
    assert (first.status_code, first.json()["deposits_due"]) == (201, {})
    assert till.post(path, {"reason": "搬家"}, key="bye").json() == first.json()
    assert till.post(path).json()["code"] == "member_closed"
    shown = till.get(f"members/{member.member_no}").json()
    assert (shown["name"], shown["status"], shown["identities"]) == ("", "closed", [])
    assert till.get("members?phone=13800138000").json()["results"] == []
