"""Two members become one, and two again; who looks like one person, and who was said not to be."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.errors import HoldsOpen
from loyalty.models import PointsPrice
from loyalty.services import points
from members.errors import (
    DuplicateDecided,
    MemberNotFound,
    MergeNotUndoable,
    MergeOfOne,
    MergeReasonMissing,
    MergeUndone,
    MergeUndoTooLate,
    NotMergeable,
)
from members.interfaces import Origin
from members.models import (
    Attribute,
    AttributeValue,
    Card,
    CardChange,
    CardType,
    Consent,
    Device,
    Duplicate,
    Event,
    FollowUp,
    Identity,
    ImportantDate,
    Member,
    Membership,
    Merge,
    Purpose,
)
from members.personal_data import blind_index
from members.services import consents, duplicates, merging, people
from members.services.member_code import issue_member_code, resolve_member_code
from members.services.organisation import own_channel, own_origin
from members.services.successors import successors
from tests.cast import Cast
from tests.factories import IdentityFactory, MemberFactory
from tests.member_session import enter

NOW = timezone.now()


def origin(cast: Cast, **facts) -> Origin:
    return own_origin("admin", actor=cast.sees_all, **facts)


def merge(cast: Cast, loser: Member, winner: Member) -> Merge:
    answer = merging.merge(loser, winner, reason="同一人", origin=origin(cast))
    loser.refresh_from_db()
    winner.refresh_from_db()
    return Merge.objects.get(pk=answer["id"])


def undo(cast: Cast, done: Merge, *members: Member) -> None:
    merging.undo(done, origin=origin(cast))
    for member in members:
        member.refresh_from_db()


@pytest.fixture
def pair(cast: Cast) -> tuple[Member, Member]:
    """(loser, winner), both of the mall; the loser of the hotel as well."""
    loser = MemberFactory(businesses=[cast.mall, cast.hotel], phone="+8613900000001", birthday=date(1990, 5, 6))
    winner = MemberFactory(businesses=[cast.mall], phone="+8613900000002", name="", name_index="")
    return loser, winner


def test_the_preview_shows_people_masked(cast: Cast):
    loser, winner = (
        MemberFactory(name=name, birthday=born) for name, born in (("李四四", date(1990, 5, 6)), ("王五", None))
    )
    [lines] = [lines for step, lines in merging.preview(loser, winner, actor=cast.sees_all) if step.name == "members"]
    shown = {line.label: (line.loser, line.winner, line.result) for line in lines}
    assert (shown["姓名"], shown["生日"]) == (("李**", "王*", "王*"), ("****-05-06", "—", "****-05-06"))


# --- What moves -------------------------------------------------------------------------------------------------


def test_who_he_is_known_by_moves_and_his_number_leads_to_the_winner(cast: Cast, pair):
    loser, winner = pair
    done = merge(cast, loser, winner)
    assert (loser.status, loser.merged_into) == ("merged", winner)
    assert set(winner.identities.values_list("last_four", flat=True)) == {"0001", "0002"}
    for written in (loser.member_no, winner.member_no, "13900000001", "13900000002"):
        assert people.resolve(written, actor=cast.mall_app) == winner
    assert people.resolve(loser.member_no, actor=cast.hotel_app) == winner
    assert sorted(winner.memberships.values_list("business__code", flat=True)) == ["HOTEL", "MALL"]
    assert (winner.name, winner.birthday) == ("张三", date(1990, 5, 6))
    assert winner.name_index == blind_index("name", "张三")
    assert done.undo_until == done.merged_at + timedelta(days=7)
    facts = {"merge": done.pk, "loser": loser.member_no, "winner": winner.member_no}
    assert Event.objects.get(type="member.merged").data == facts


def test_undoing_takes_back_what_moved_and_is_still_there(cast: Cast, pair):
    loser, winner = pair
    other = IdentityFactory(member=loser, kind="email", value="a@example.com")
    done = merge(cast, loser, winner)
    other.refresh_from_db()
    other.delete()  # gone meanwhile
    undo(cast, done, loser, winner)
    assert (loser.status, loser.merged_into) == ("active", None)
    assert list(loser.identities.values_list("last_four", flat=True)) == ["0001"]
    assert list(winner.identities.values_list("last_four", flat=True)) == ["0002"]
    assert (winner.name, winner.birthday, winner.name_index) == ("", None, "")
    assert sorted(Membership.objects.values_list("member", "business__code")) == sorted(
        [(loser.pk, "HOTEL"), (loser.pk, "MALL"), (winner.pk, "MALL")]
    )
    assert people.resolve(loser.member_no, actor=cast.mall_app) == loser
    done.refresh_from_db()
    assert (done.undone_by, done.undone_at is not None) == (cast.sees_all, True)
    assert Event.objects.filter(type="member.merge_undone").count() == 2
    with pytest.raises(MergeUndone):
        merging.undo(done, origin=origin(cast))


def test_what_the_winner_was_told_meanwhile_stays(cast: Cast, pair):
    loser, winner = pair
    done = merge(cast, loser, winner)
    people.update_member(winner, {"name": "李四"}, origin=origin(cast))
    undo(cast, done, loser, winner)
    assert (winner.name, winner.birthday) == ("李四", None)
    assert loser.name == "张三"


def test_where_both_have_one_the_winner_s_stays(cast: Cast, pair):
    loser, winner = pair
    size = Attribute.objects.create(code="size", name="尺码", kind="text", org_unit=cast.group)
    shoe = Attribute.objects.create(code="shoe", name="鞋码", kind="text", org_unit=cast.group)
    for member, attribute, text in ((loser, size, "L"), (winner, size, "M"), (loser, shoe, "42")):
        AttributeValue.objects.create(member=member, attribute=attribute, text=text)
    for member, name in ((loser, "结婚"), (winner, "结婚"), (loser, "孩子")):
        ImportantDate.objects.create(member=member, name=name, day=date(2015, 1, member.pk % 28 + 1))
    for member, device in ((loser, "d1"), (winner, "d1"), (loser, "d2")):
        Device.objects.create(member=member, value_index=device, seen_at=NOW)
    FollowUp.objects.create(member=loser, business=cast.mall, plan="问候", due_on=NOW.date(), created_at=NOW)
    done = merge(cast, loser, winner)
    assert dict(winner.attribute_values.values_list("attribute__code", "text")) == {"size": "M", "shoe": "42"}
    assert set(winner.important_dates.values_list("name", flat=True)) == {"结婚", "孩子"}
    assert set(winner.devices.values_list("value_index", flat=True)) == {"d1", "d2"}
    assert winner.follow_ups.count() == 1
    undo(cast, done, loser, winner)
    assert dict(loser.attribute_values.values_list("attribute__code", "text")) == {"size": "L", "shoe": "42"}
    assert dict(winner.attribute_values.values_list("attribute__code", "text")) == {"size": "M"}
    assert loser.important_dates.count() == 2
    assert loser.devices.count() == 2
    assert loser.follow_ups.count() == 1


@pytest.mark.parametrize("refuser", ["loser", "winner"])
def test_a_no_to_marketing_of_either_is_the_no_of_both(cast: Cast, pair, refuser: str):
    loser, winner = pair
    no, yes = (loser, winner) if refuser == "loser" else (winner, loser)
    asked = {"receiver": cast.mall, "purpose": Purpose.MARKETING}
    consents.give(no, **asked, origin=origin(cast))
    consents.withdraw(no, **asked, origin=origin(cast))
    consents.give(yes, **asked, origin=origin(cast))
    consents.give(yes, receiver=cast.mall, purpose=Purpose.PROFILING, origin=origin(cast))
    done = merge(cast, loser, winner)
    may = {"business": cast.mall, "medium": "sms"}
    assert not consents.allows(winner, purpose=Purpose.MARKETING, **may)
    assert consents.allows(winner, purpose=Purpose.PROFILING, **may)
    undo(cast, done, loser, winner)
    assert consents.allows(yes, purpose=Purpose.MARKETING, **may)
    assert not consents.allows(no, purpose=Purpose.MARKETING, **may)


def test_of_two_consents_in_force_the_winner_s_counts(cast: Cast, pair):
    loser, winner = pair
    for member in pair:
        consents.give(member, receiver=cast.mall, purpose=Purpose.MARKETING, origin=origin(cast))
    before = dict(Consent.objects.values_list("pk", "member"))
    done = merge(cast, loser, winner)
    assert winner.consents.in_force().count() == 1
    undo(cast, done, loser, winner)
    assert dict(Consent.objects.values_list("pk", "member")) == before


def test_cards_follow_held_and_granted(cast: Cast, pair):
    loser, winner = pair
    child = MemberFactory()
    kinds = {
        kind: CardType.objects.create(code=kind, name=kind, kind=kind, org_unit=cast.group, prefix=prefix)
        for kind, prefix in (("personal", "1"), ("supplementary", "2"))
    }

    def card(number: str, kind: str, member: Member, principal: Member | None = None) -> Card:
        return Card.objects.create(
            number=number, card_type=kinds[kind], member=member, principal=principal, state="active",
            org_unit=cast.group, issued_at=NOW, activated_at=NOW,
        )  # fmt: skip

    own = card("1000001", "personal", loser)
    granted = card("2000001", "supplementary", child, loser)
    between = card("2000002", "supplementary", loser, winner)
    done = merge(cast, loser, winner)
    assert list(Card.objects.order_by("number").values_list("member", "principal")) == [
        (winner.pk, None), (child.pk, winner.pk), (winner.pk, None),
    ]  # fmt: skip
    assert CardChange.objects.filter(verb="merge", card__in=(own, granted, between)).count() == 3
    undo(cast, done, loser, winner)
    assert list(Card.objects.order_by("number").values_list("member", "principal")) == [
        (loser.pk, None), (child.pk, loser.pk), (loser.pk, winner.pk),
    ]  # fmt: skip


def test_a_freeze_of_either_holds(cast: Cast, pair):
    loser, winner = pair
    Member.objects.filter(pk=loser.pk).update(status="frozen")
    done = merge(cast, loser, winner)
    assert winner.status == "frozen"
    undo(cast, done, loser, winner)
    assert (loser.status, winner.status) == ("frozen", "active")


def test_the_code_on_the_loser_s_phone_and_a_chain_of_losers(cast: Cast, pair):
    loser, winner = pair
    last = MemberFactory(businesses=[cast.mall])
    code = issue_member_code(loser, at=NOW)
    merge(cast, loser, winner)
    assert resolve_member_code(code, at=NOW) == winner
    first = Merge.objects.get()
    merge(cast, winner, last)
    assert resolve_member_code(code, at=NOW) == last
    assert people.resolve(loser.member_no, actor=cast.mall_app) == last
    assert successors([loser.pk, winner.pk]) == [last.pk]
    with pytest.raises(MergeNotUndoable):
        merging.undo(first, origin=origin(cast))
    Member.objects.filter(pk=last.pk).update(status="frozen")
    assert people.resolve(loser.member_no, actor=cast.mall_app) == last


def test_a_phone_that_is_signed_in_as_the_loser_shows_the_winner(cast: Cast, pair):
    loser, winner = pair
    client = Client()
    enter(client, loser)
    merge(cast, loser, winner)
    assert client.get(reverse("member:home")).wsgi_request.member == winner
    Member.objects.filter(pk=winner.pk).update(status="closed")
    assert client.get(reverse("member:home")).status_code == 302


# --- What refuses -----------------------------------------------------------------------------------------------


def test_refusals_change_nothing(cast: Cast, pair):
    loser, winner = pair
    stranger = MemberFactory(businesses=[cast.hotel])
    closed = MemberFactory(businesses=[cast.mall], status="closed")
    in_the_mall = own_origin("admin", actor=cast.sees_mall)
    attempts = (
        (MergeOfOne, winner, winner, "同一人", origin(cast)),
        (NotMergeable, closed, winner, "同一人", origin(cast)),
        (NotMergeable, loser, closed, "同一人", origin(cast)),
        (MergeReasonMissing, loser, winner, "  ", origin(cast)),
        (MemberNotFound, stranger, winner, "同一人", in_the_mall),
        (MemberNotFound, loser, stranger, "同一人", in_the_mall),
    )
    for error, one, other, reason, asker in attempts:
        with pytest.raises(error):
            merging.merge(one, other, reason=reason, origin=asker)
    assert not Merge.objects.exists()
    assert not Event.objects.filter(type="member.merged").exists()
    assert Identity.objects.get(last_four="0001").member == loser


def test_an_open_hold_rolls_back_the_whole(cast: Cast, pair):
    loser, winner = pair
    PointsPrice.objects.create(issuer=cast.group, price=5, starts_at=NOW - timedelta(days=1))
    points.earn(loser, 100, issuer=cast.mall, origin=origin(cast))
    points.hold(loser, 10, until=timezone.now() + timedelta(hours=1), origin=origin(cast))
    with pytest.raises(HoldsOpen):
        merging.merge(loser, winner, reason="同一人", origin=origin(cast))
    loser.refresh_from_db()
    assert (loser.status, loser.identities.count()) == ("active", 1)


def test_after_its_days_undoing_needs_a_second_person(cast: Cast, pair):
    done = merge(cast, *pair)
    late = done.undo_until
    asked = Origin(channel=own_channel("admin"), reference="late", at=late, posted_at=late, actor=cast.sees_all)
    with pytest.raises(MergeUndoTooLate):
        merging.undo(done, origin=asked)
    done.refresh_from_db()
    assert done.undone_at is None
    answer = merging.run_undo({"merge": done.pk}, asked)
    assert answer["undone_at"] == late.isoformat()


def test_the_same_reference_merges_once(cast: Cast, pair):
    loser, winner = pair
    asked = origin(cast, reference="once")
    first = merging.merge(loser, winner, reason="同一人", origin=asked)
    assert merging.merge(loser, winner, reason="同一人", origin=asked) == first
    assert Merge.objects.count() == 1


# --- Who looks like one person ----------------------------------------------------------------------------------


def test_the_clock_finds_the_same_name_and_birthday_and_the_same_device(cast: Cast):
    born = {"birthday": date(1990, 5, 6)}
    one, two, three = (MemberFactory(name="王五", **born) for _ in range(3))
    MemberFactory(name="王五", birthday=date(1990, 5, 7))
    MemberFactory(name="王五", status="closed", **born)
    for member in (one, two):
        Device.objects.create(member=member, value_index="tablet", seen_at=NOW)
    assert duplicates.find(NOW) == 4  # three pairs, and a second reason for one of them
    assert list(Duplicate.objects.order_by("first", "second").values_list("first", "second", "reasons")) == [
        (one.pk, two.pk, ["name_birthday", "device"]),
        (one.pk, three.pk, ["name_birthday"]),
        (two.pk, three.pk, ["name_birthday"]),
    ]
    assert duplicates.find(NOW) == 0


def test_a_tablet_that_everybody_uses_proves_nothing(cast: Cast):
    crowd = [MemberFactory() for _ in range(21)]
    Device.objects.bulk_create(Device(member=member, value_index="tablet", seen_at=NOW) for member in crowd)
    assert duplicates.find(NOW) == 0
    Device.objects.filter(member=crowd[-1]).delete()
    assert duplicates.find(NOW) == 190


def test_a_dismissed_pair_stays_dismissed_until_there_is_a_new_reason(cast: Cast):
    one, two = (MemberFactory(name="王五", birthday=date(1990, 5, 6)) for _ in range(2))
    pair = duplicates.note(two, one, Duplicate.Reason.NAME_BIRTHDAY, NOW)
    assert (pair.first, pair.second) == (one, two)
    duplicates.dismiss(pair, origin=origin(cast))
    with pytest.raises(DuplicateDecided):
        duplicates.dismiss(pair, origin=origin(cast))
    assert duplicates.find(NOW) == 0
    assert duplicates.note(one, two, Duplicate.Reason.NAME_BIRTHDAY, NOW).state == "dismissed"
    noted = duplicates.note(one, two, Duplicate.Reason.PHONE, NOW)
    assert (noted.state, noted.reasons, noted.decided_by) == ("open", ["name_birthday", "phone"], None)
    assert Duplicate.objects.count() == 1


def test_suspicions_of_the_loser_become_the_winner_s(cast: Cast, pair):
    loser, winner = pair
    other = MemberFactory()
    decided = duplicates.note(loser, winner, Duplicate.Reason.PHONE, NOW)
    moved = duplicates.note(loser, other, Duplicate.Reason.EMAIL, NOW)
    done = merge(cast, loser, winner)
    for row in (decided, moved):
        row.refresh_from_db()
    assert (decided.state, moved.state) == ("merged", "merged")
    assert Duplicate.objects.open().get().reasons == ["email"]
    undo(cast, done, loser, winner)
    for row in (decided, moved):
        row.refresh_from_db()
    assert (decided.state, moved.state) == ("dismissed", "open")
    assert Duplicate.objects.count() == 2
