"""Several identities per member: added, proven, changed and removed; never another's, never the last way in."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from members.errors import IdentityTaken, InvalidIdentity, LastIdentity, MemberClosed, MemberFrozen, ReasonMissing
from members.models import Event, FormerIdentity, Identity, Member, Request
from members.personal_data import blind_index
from members.services import identities
from members.services.organisation import own_origin
from members.services.people import change_email, change_phone, enrol, find
from tests.cast import Cast
from tests.factories import IdentityFactory, MemberFactory

FIRST, SECOND, THIRD = "+8613800138000", "+8613900139000", "+8613700137000"


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(phone=FIRST, businesses=[cast.mall])


def phones(member: Member) -> list[str]:
    return [identity.value for identity in member.identities.filter(kind="phone").order_by("pk")]


def written() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Identity, FormerIdentity, Event, Request))


def test_one_may_carry_several_of_a_kind_and_the_proven_one_is_used_first(cast: Cast, member: Member) -> None:
    added = identities.add(member, "phone", "139 0013 9000", is_verified=True, origin=own_origin("admin"))
    assert (added["is_new"], added["verified_at"] is not None) == (True, True)
    assert [identity.value for identity in member.identities.preferred()] == [SECOND, FIRST]
    again = identities.add(member, "phone", SECOND, is_verified=True, origin=own_origin("admin"))
    assert (again["is_new"], again["id"]) == (False, added["id"])
    assert Event.objects.filter(type="member.identified").count() == 1


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("external", "H-7", "MALL:H-7"),
        ("channel_user", "u-7", "admin:u-7"),
        ("wechat_unionid", "o6_bm", "o6_bm"),
        ("email", " A@Example.COM ", "a@example.com"),
    ],
)
def test_each_kind_has_one_form(cast: Cast, member: Member, kind: str, value: str, stored: str) -> None:
    origin = own_origin("admin", business=cast.mall)
    identities.add(member, kind, value, is_verified=False, origin=origin)
    assert member.identities.get(kind=kind).value == stored
    assert find(kind, value, business=cast.mall, channel=origin.channel) == member


def test_a_business_s_number_needs_its_business(cast: Cast, member: Member) -> None:
    before = written()
    with pytest.raises(InvalidIdentity):
        identities.add(member, "external", "7", is_verified=False, origin=own_origin("admin"))
    assert written() == before


def test_a_member_proves_his_new_phone(cast: Cast, member: Member) -> None:
    change_phone(member, SECOND, is_proven=True, origin=own_origin("member"))
    assert phones(member) == [SECOND]
    assert member.identities.get().verified_at is not None
    left = FormerIdentity.objects.get()
    assert (left.member, left.kind, left.reason) == (member, "phone", "changed")
    assert left.value_index == blind_index("phone", FIRST)
    event = Event.objects.get(type="member.phone_changed")
    assert event.data == {"is_proven": True, "reason": ""}


def test_an_operator_s_word_needs_a_reason_and_proves_nothing(cast: Cast, member: Member) -> None:
    before = written()
    with pytest.raises(ReasonMissing):
        change_phone(member, SECOND, is_proven=False, reason=" ", origin=own_origin("admin"))
    assert written() == before
    change_phone(member, SECOND, is_proven=False, reason="来店换号", origin=own_origin("admin"))
    assert (phones(member), member.identities.get().verified_at) == ([SECOND], None)


def test_after_a_merge_one_of_two_phones_changes(cast: Cast, member: Member) -> None:
    other = IdentityFactory(member=member, value=SECOND)
    change_phone(member, THIRD, is_proven=True, replaces=other, origin=own_origin("member"))
    assert phones(member) == [FIRST, THIRD]
    change_phone(member, FIRST, is_proven=True, origin=own_origin("member"))
    assert phones(member) == [FIRST]


def test_the_same_number_again_is_only_proven(cast: Cast, member: Member) -> None:
    change_phone(member, FIRST, is_proven=True, origin=own_origin("member"))
    assert (phones(member), FormerIdentity.objects.exists()) == ([FIRST], False)
    assert member.identities.get().verified_at is not None


def test_another_s_number_is_refused_and_nobody_s_is_blanked(cast: Cast, member: Member) -> None:
    other = MemberFactory(phone=SECOND)
    before = written()
    with pytest.raises(IdentityTaken) as refusal:
        change_phone(member, SECOND, is_proven=True, origin=own_origin("member"))
    assert refusal.value.owners == (other,)
    assert (phones(member), phones(other), written()) == ([FIRST], [SECOND], before)


def test_an_email_is_given_and_changed(cast: Cast, member: Member) -> None:
    change_email(member, "a@example.com", is_proven=True, origin=own_origin("member"))
    change_email(member, "b@example.com", is_proven=True, origin=own_origin("member"))
    assert member.identities.get(kind="email").value == "b@example.com"
    assert FormerIdentity.objects.get().kind == "email"


def test_the_last_way_in_is_not_removed(cast: Cast, member: Member) -> None:
    card = IdentityFactory(member=member, kind="card", value="6200")
    before = written()
    with pytest.raises(LastIdentity):
        identities.remove(member.identities.get(kind="phone"), origin=own_origin("admin"))
    assert written() == before
    identities.remove(card, origin=own_origin("admin"))
    assert list(member.identities.values_list("kind", flat=True)) == ["phone"]


def test_a_closed_member_gets_no_identity(cast: Cast, member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
    with pytest.raises(MemberClosed):
        identities.add(member, "email", "a@example.com", is_verified=True, origin=own_origin("admin"))
    assert member.identities.count() == 1


def test_staff_alone_change_the_numbers_of_a_frozen_member(cast: Cast, member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(status=Member.Status.FROZEN)
    before = written()
    with pytest.raises(MemberFrozen):
        change_phone(member, SECOND, is_proven=True, origin=own_origin("member"))
    with pytest.raises(MemberFrozen):
        identities.add(member, "email", "a@example.com", is_verified=True, origin=own_origin("member"))
    assert (phones(member), written()) == ([FIRST], before)
    change_phone(member, SECOND, is_proven=False, reason="核实", origin=own_origin("admin", actor=cast.sees_all))
    assert phones(member) == [SECOND]


def test_enrolling_again_with_what_is_known_stays_one_person(cast: Cast, member: Member) -> None:
    answer = enrol(identities={"phone": FIRST, "channel_user": "u-1"}, business=cast.hotel, origin=own_origin("desk"))
    assert answer["member_no"] == member.member_no
    assert find("channel_user", "u-1", channel=own_origin("desk").channel) == member


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_a_number_one_gets_it(cast: Cast) -> None:
    crowd = [MemberFactory() for _ in range(8)]
    start = Barrier(len(crowd))

    def claim(member: Member) -> str:
        start.wait()
        try:
            change_phone(member, SECOND, is_proven=True, origin=own_origin("member"))
        except IdentityTaken:
            return "taken"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(crowd)) as pool:
        outcomes = sorted(pool.map(claim, crowd))
    assert outcomes == ["done"] + ["taken"] * 7
    assert Identity.objects.filter(value_index=blind_index("phone", SECOND)).count() == 1
    assert Identity.objects.filter(kind="phone").count() == 8
