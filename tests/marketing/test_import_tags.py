"""The spreadsheet of tags."""

from datetime import date, datetime

from marketing.models import MemberTag, Tag
from marketing.resources import TAGS
from members.interfaces.imports import Policy
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.sheets import imported, problems, totals


def test_tags_are_set_and_taken_off(cast: Cast) -> None:
    member = MemberFactory(phone="+8613800138000", businesses=[cast.mall])
    vip = Tag.objects.create(code="vip", name="贵宾", scope=cast.mall)
    Tag.objects.create(code="all", name="集团的", scope=cast.group)
    how = {"by": cast.sees_mall, "business": cast.mall}
    last_day = date(datetime.now().year + 1, 12, 31)
    job = imported(
        TAGS,
        ("13800138000", "贵宾", "白金", last_day, ""),
        ("13800138000", "集团的", "", "", ""),
        ("13800138000", "贵宾", "", "2020-01-01", ""),
        ("13900139000", "vip", "", "", ""),
        **how,
    )
    assert totals(job) == {"new": 1, "failed": 3}
    assert [problems(job)[number][:6] for number in (3, 4)] == ["标签：没有这", "有效至：有效"]
    row = MemberTag.objects.get()
    assert (row.member, row.tag, row.value, row.source, row.set_by) == (member, vip, "白金", "manual", cast.sees_mall)
    assert row.until.astimezone(cast.group.zone).isoformat() == f"{last_day.year + 1}-01-01T00:00:00+08:00"
    job = imported(TAGS, ("13800138000", "vip", "黑金", "", ""), **how)
    assert (totals(job), MemberTag.objects.get().value) == ({"unchanged": 1}, "白金")
    job = imported(TAGS, ("13800138000", "vip", "黑金", "", ""), policy=Policy.OVERWRITE, **how)
    assert (totals(job), MemberTag.objects.get().value) == ({"changed": 1}, "黑金")
    job = imported(TAGS, (member.member_no, "vip", "", "", "摘除"), **how)
    assert (totals(job), MemberTag.objects.count()) == ({"changed": 1}, 0)
