"""The one door: what operators and channels see of the organisation, of members, and of what was done."""

import pytest
from django.db import IntegrityError, transaction

from members import events
from members.models import Channel, Delivery, Event, Member, Operator, OrgUnit
from members.services.organisation import add_business, add_store, group, own_channel, own_origin
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory


def codes(actor) -> set[str]:
    return set(OrgUnit.objects.visible_to(actor).values_list("code", flat=True))


def test_every_unit_knows_its_business(cast: Cast) -> None:
    assert cast.mall.business == cast.mall_east.business == cast.mall_1.business == cast.mall
    assert cast.group.business is None
    assert [unit.code for unit in OrgUnit.objects.businesses()] == ["MALL", "HOTEL", "CVS"]
    assert group() == cast.group


def test_there_is_one_group(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="org_unit_has_one_group"), transaction.atomic():
        OrgUnit.objects.add_root({"kind": "group", "code": "OTHER", "name": "另一个集团"})


def test_units_added_by_stale_parents_get_places_of_their_own(cast: Cast) -> None:
    stale = OrgUnit.objects.get(pk=cast.cvs.pk)
    first, second = add_store(stale, "CVS-8", "便利八店"), add_store(stale, "CVS-9", "便利九店")
    assert first.path != second.path
    assert {first.pk, second.pk} < set(OrgUnit.objects.within(cast.cvs).values_list("pk", flat=True))


def test_one_sees_the_subtree_on_which_one_stands(cast: Cast) -> None:
    assert codes(cast.sees_mall) == codes(cast.mall_app) == {"MALL", "MALL-EAST", "MALL-1", "MALL-2"}
    assert codes(OperatorFactory(org_unit=cast.mall_1)) == {"MALL-1"}
    assert len(codes(cast.sees_all)) == 11
    assert codes(cast.sees_nothing) == set()


def test_a_path_is_no_prefix_of_its_neighbours(cast: Cast) -> None:
    """Past the ninth and the thirty-fifth child, where careless prefixes would meet."""
    added = [add_business(cast.group, f"B{number}", f"业态{number}") for number in range(40)]
    for business in added:
        assert OrgUnit.objects.within(business).get() == business


def test_a_superuser_sees_the_group_unless_he_stands_somewhere(cast: Cast) -> None:
    assert OperatorFactory(is_superuser=True).reach == cast.group
    assert OperatorFactory(is_superuser=True, org_unit=cast.hotel).reach == cast.hotel


def test_members_are_seen_by_the_businesses_that_know_them(cast: Cast) -> None:
    of_mall, of_both = MemberFactory(businesses=[cast.mall]), MemberFactory(businesses=[cast.mall, cast.hotel])
    of_none = MemberFactory()

    def seen(actor) -> set[Member]:
        return set(Member.objects.visible_to(actor))

    assert seen(cast.sees_mall) == seen(cast.mall_app) == {of_mall, of_both}
    assert seen(OperatorFactory(org_unit=cast.mall_2)) == {of_mall, of_both}
    assert seen(cast.hotel_app) == {of_both}
    assert seen(cast.cvs_app) == seen(cast.sees_nothing) == set()
    assert seen(cast.sees_all) == {of_mall, of_both, of_none}


def test_events_are_seen_where_they_happened(cast: Cast) -> None:
    events.record("a", origin=own_origin("desk", store=cast.mall_1))
    events.record("b", origin=own_origin("admin", business=cast.hotel))
    events.record("c", origin=own_origin("clock"))

    def seen(actor) -> str:
        return "".join(sorted(Event.objects.visible_to(actor).values_list("type", flat=True)))

    assert seen(cast.sees_all) == "abc"
    assert seen(cast.sees_mall) == seen(OperatorFactory(org_unit=cast.mall_1)) == "a"
    assert seen(OperatorFactory(org_unit=cast.mall_2)) == seen(cast.cvs_app) == seen(cast.sees_nothing) == ""
    assert seen(cast.hotel_app) == "b"


def test_people_and_apps_of_others_are_not_seen(cast: Cast) -> None:
    assert set(Operator.objects.visible_to(cast.sees_mall)) == {cast.sees_mall}
    assert set(Channel.objects.visible_to(cast.sees_mall)) == {cast.mall_app}
    assert Channel.objects.visible_to(cast.sees_all).count() == 4 + 5
    assert not Channel.objects.visible_to(cast.sees_nothing).exists()
    assert not Delivery.objects.visible_to(cast.sees_nothing).exists()


def test_our_own_doors_stand_at_the_top(cast: Cast) -> None:
    assert own_channel("desk").reach == cast.group
    assert own_origin("desk", store=cast.mall_1).business == cast.mall
