"""Tags by hand and by rule: by difference, by hand before rule, within the scope, and with a record of each run."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketing import tasks
from marketing.errors import NotARuleTag, OutOfTheTagsScope, TagEndsBeforeItBegins, TagsAskForEachOther
from marketing.models import MemberTag, Tag, TagRun
from marketing.services import tags
from marketing.services.preview import Preview, preview
from members import criteria
from members.models import Event, Member
from members.services.organisation import own_origin
from tests.factories import MemberFactory, MembershipFactory

TODAY = timezone.localdate()


def carriers(tag: Tag) -> set[Member]:
    return {row.member for row in MemberTag.objects.in_force(timezone.now()).filter(tag=tag)}


def recompute(tag: Tag, origin) -> TagRun:
    return tags.recompute(tag, as_of=TODAY, origin=origin)


def numbers(run: TagRun) -> tuple[int, int, int]:
    return run.rows, run.added, run.removed


def test_a_rule_is_followed_by_difference(cast, origin, regulars):
    first, second = MemberFactory(businesses=[cast.mall]), MemberFactory(businesses=[cast.mall, cast.hotel])
    stranger = MemberFactory(businesses=[cast.hotel])
    assert numbers(recompute(regulars, origin)) == (2, 2, 0)
    assert carriers(regulars) == {first, second}

    MembershipFactory(member=stranger, business=cast.mall)
    first.memberships.all().delete()
    untouched = MemberTag.objects.get(member=second).pk
    assert numbers(recompute(regulars, origin)) == (2, 1, 1)
    assert carriers(regulars) == {second, stranger}
    assert MemberTag.objects.get(member=second).pk == untouched
    assert numbers(recompute(regulars, origin)) == (2, 0, 0)


def test_it_takes_the_same_few_statements_for_any_number_of_members(cast, origin, regulars):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            recompute(regulars, origin)
        return len(captured)

    recompute(regulars, origin)  # what the process remembers is read now
    MemberFactory(businesses=[cast.mall])
    few = statements()
    MemberFactory.create_batch(20, businesses=[cast.mall])
    assert statements() == few


def test_one_event_tells_how_many_entered_and_left(cast, origin, regulars):
    MemberFactory.create_batch(3, businesses=[cast.mall])
    recompute(regulars, origin)
    recompute(regulars, origin)  # nobody moves: nothing to tell
    assert [event.data for event in Event.objects.filter(type="tag.recomputed")] == [
        {"tag": "regulars", "added": 3, "removed": 0}
    ]


def test_what_a_person_set_stays_whatever_the_rule_says(cast, origin, regulars):
    friend = MemberFactory(businesses=[cast.hotel])
    tags.tag_member(friend, regulars, why="老朋友", origin=origin)
    assert numbers(recompute(regulars, origin)) == (1, 0, 0)
    row = MemberTag.objects.get(member=friend)
    assert (row.source, row.set_by, row.why) == (MemberTag.Source.MANUAL, cast.sees_all, "老朋友")


def test_what_a_person_took_off_stays_off_until_a_person_sets_it_again(cast, origin, regulars):
    member = MemberFactory(businesses=[cast.mall])
    recompute(regulars, origin)
    tags.untag_member(member, regulars, why="本人要求", origin=origin)
    assert numbers(recompute(regulars, origin)) == (0, 0, 0)
    assert carriers(regulars) == set()
    tags.tag_member(member, regulars, why="本人同意", origin=origin)
    assert carriers(regulars) == {member}


def test_a_hand_s_word_ends_and_the_rule_s_holds_again(cast, origin, regulars):
    ours, stranger = MemberFactory(businesses=[cast.mall]), MemberFactory(businesses=[cast.hotel])
    yesterday = own_origin("admin", at=origin.at - timedelta(days=1))
    for member in (ours, stranger):
        tags.tag_member(member, regulars, why="试用", until=origin.at - timedelta(hours=1), origin=yesterday)
    assert carriers(regulars) == set()
    assert numbers(recompute(regulars, origin)) == (1, 1, 2)
    assert MemberTag.objects.get().source == MemberTag.Source.RULE
    assert carriers(regulars) == {ours}


def test_a_manual_tag_is_taken_off_without_trace_but_the_event(cast, origin, vip):
    member = MemberFactory(businesses=[cast.mall])
    tags.tag_member(member, vip, why="董事", origin=origin)
    tags.untag_member(member, vip, why="退休", origin=origin)
    assert not MemberTag.objects.exists()
    assert list(Event.objects.filter(member=member).values_list("type", flat=True)) == ["tag.removed", "tag.set"]


def test_a_tag_of_a_business_reaches_its_members_only(cast, origin):
    ours, stranger = MemberFactory(businesses=[cast.mall]), MemberFactory(businesses=[cast.hotel])
    everybody = {"attr": "registered_days", "cmp": "gte", "value": -1}
    tag = Tag.objects.create(code="mall-all", name="商场全部", scope=cast.mall, kind=Tag.Kind.RULE, rule=everybody)
    assert numbers(recompute(tag, origin)) == (1, 1, 0)
    assert carriers(tag) == {ours}
    with pytest.raises(OutOfTheTagsScope):
        tags.tag_member(stranger, tag, why="", origin=origin)
    assert carriers(tag) == {ours}


def test_a_tag_ends_after_it_begins(cast, origin, vip):
    with pytest.raises(TagEndsBeforeItBegins):
        tags.tag_member(MemberFactory(), vip, why="", until=origin.at, origin=origin)
    assert not MemberTag.objects.exists()


def test_frozen_closed_and_merged_members_carry_no_rule_tag(cast, origin, regulars):
    member = MemberFactory(businesses=[cast.mall])
    recompute(regulars, origin)
    Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
    assert numbers(recompute(regulars, origin)) == (0, 0, 1)


def test_a_statement_that_fails_is_kept_in_the_run_and_changes_nothing(cast, origin, regulars, monkeypatch):
    MemberFactory(businesses=[cast.mall])
    recompute(regulars, origin)
    monkeypatch.setattr(tags, "LONGEST_SECONDS", "0.001")
    monkeypatch.setattr(tags, "matching", lambda tag, as_of: Member.objects.extra(where=["pg_sleep(1) IS NULL"]))
    run = recompute(regulars, origin)
    assert "timeout" in run.error
    assert numbers(run) == (0, 0, 0)
    assert MemberTag.objects.count() == 1


def test_only_rule_tags_are_computed(origin, vip):
    with pytest.raises(NotARuleTag):
        recompute(vip, origin)
    assert not TagRun.objects.exists()


def test_rules_speak_of_tags_as_they_stand(cast, origin, vip, regulars):
    both, one = MemberFactory(businesses=[cast.mall]), MemberFactory(businesses=[cast.mall])
    tags.tag_member(both, vip, why="", value="金", origin=origin)
    recompute(regulars, origin)
    rule = {"op": "and", "children": [{"tag": "vip"}, {"tag": "regulars"}]}
    criteria.validate(rule)
    assert criteria.matches(rule, both, as_of=TODAY + timedelta(days=1))
    assert not criteria.matches(rule, one, as_of=TODAY + timedelta(days=1))
    assert criteria.matches({"tag": "vip", "value": "金"}, both, as_of=TODAY)
    assert not criteria.matches({"tag": "vip", "value": "银"}, both, as_of=TODAY)
    assert criteria.matches({"tag": "vip", "not": True}, one, as_of=TODAY)
    assert criteria.describe(rule) == "标签 贵宾 且 标签 常客"


def test_an_unknown_tag_is_refused(cast):
    with pytest.raises(criteria.InvalidRule, match="没有“nobody”"):
        criteria.validate({"tag": "nobody"})


def test_all_rule_tags_are_computed_in_order_of_dependency(cast, origin, regulars):
    member = MemberFactory(businesses=[cast.mall])
    Tag.objects.create(code="a-first", name="先", scope=cast.group, kind=Tag.Kind.RULE, rule={"tag": "regulars"})
    tasks.recompute_tags()
    assert [run.tag.code for run in TagRun.objects.order_by("pk")] == ["regulars", "a-first"]
    assert set(MemberTag.objects.values_list("member", "tag__code")) == {
        (member.pk, "regulars"),
        (member.pk, "a-first"),
    }


def test_tags_that_ask_for_each_other_are_refused(cast, origin, regulars):
    other = Tag(code="other", name="另", scope=cast.group, kind=Tag.Kind.RULE, rule={"tag": "regulars"})
    tags.save(other, origin=origin)
    regulars.rule = {"op": "or", "children": [{"tag": "other"}, {"tag": "regulars"}]}
    with pytest.raises(TagsAskForEachOther):
        tags.save(regulars, origin=origin)
    regulars.refresh_from_db()
    assert (regulars.version, regulars.rule["attr"]) == (1, "business")


def test_another_rule_is_another_version(origin, regulars):
    regulars.name = "老常客"
    tags.save(regulars, origin=origin)
    assert regulars.version == 1
    regulars.rule = {"attr": "business", "cmp": "eq", "value": "HOTEL"}
    tags.save(regulars, origin=origin)
    assert Tag.objects.get().version == 2
    assert recompute(regulars, origin).version == 2


def test_a_preview_counts_within_the_scope(cast):
    MemberFactory.create_batch(3, businesses=[cast.mall])
    MemberFactory(businesses=[cast.hotel])
    rule = {"attr": "registered_days", "cmp": "gte", "value": -1}
    assert preview(rule, cast.group, as_of=TODAY) == Preview(4)
    assert str(preview(rule, cast.mall, as_of=TODAY)) == "命中 3 位会员"


def test_a_preview_that_takes_too_long_becomes_an_estimate(cast, monkeypatch):
    MemberFactory(businesses=[cast.mall])
    monkeypatch.setattr("marketing.services.preview.PATIENCE", "0.001")
    slow = {"attr": "registered_days", "cmp": "gte", "value": -1}
    monkeypatch.setattr(
        "marketing.services.preview.matching",
        lambda tag, as_of: (
            Member.objects.all() if "op" in tag.rule else Member.objects.extra(where=["pg_sleep(1) IS NULL"])
        ),
    )
    assert str(preview(slow, cast.group, as_of=TODAY)) == "命中约 100 位会员（±392）"
