"""The spreadsheet of tags: who carries which, said by hand."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketing.models import MemberTag, Tag
from marketing.services import tags
from members.interfaces.import_words import judged_by, members_of, one_of
from members.interfaces.imports import Cells, Change, Import, Line, LineKind, Policy, Unit, Verdict, apply_each
from members.models import Member
from members.services.spreadsheets import Column

SET, REMOVE = "set", "remove"
ACTIONS = {"打标": SET, "摘除": REMOVE}

COLUMNS = (
    Column("member", _("会员"), _("必填。会员号或手机号。"), ("会员号", "手机号", "member"), True),
    Column("tag", _("标签"), _("必填。标签的编码或名称。"), ("标签编码", "tag"), True),
    Column("value", _("取值"), _("选填。"), ("value",)),
    Column("until", _("有效至"), _("选填。该日结束前有效，如 2026-12-31；留空为长期。"), ("until",)),
    Column("action", _("动作"), _("选填。打标 或 摘除；留空为打标。"), ("action",), width=10),
)


def _read(cells: Cells, about: Import) -> dict[str, Any]:
    data = {
        "member": cells.text("member", most=40),
        "tag": cells.text("tag", most=60),
        "value": cells.text("value", most=60),
        "until": cells.day("until", has_1904_dates=about.has_1904_dates),
        "action": cells.take("action", one_of(ACTIONS), SET),
    }
    tag = _tags(about).get(data["tag"])
    if data["tag"] and tag is None:
        cells.problem("tag", gettext("没有这个标签，已停用，或不归您管理"))
    if data["until"] and data["until"] < about.today.isoformat():
        cells.problem("until", gettext("有效期已过"))
    return data


def _tags(about: Import) -> dict[str, Tag]:
    """By name and by code."""
    kept = Tag.objects.kept_by(about.operator).filter(is_active=True).select_related("scope")
    return about.once("tags", lambda: {word: tag for tag in kept for word in (tag.name, tag.code)})


def _judge(about: Import, lines: Sequence[Line]) -> None:
    people = members_of(about, lines, "member")
    known = _known(about, people.values())
    for line in judged_by(lines):
        _judge_line(about, line, known.get((people[line.data["member"]].pk, _tags(about)[line.data["tag"]].pk)))


def _known(about: Import, people: Any) -> dict[tuple[int, int], MemberTag]:
    """(member, tag) → what he carries now."""
    tag_ids = {tag.pk for tag in _tags(about).values()}
    rows = MemberTag.objects.in_force(about.now).filter(member__in=people, tag__in=tag_ids)
    return {(row.member_id, row.tag_id): row for row in rows}


def _judge_line(about: Import, line: Line, known: MemberTag | None) -> None:
    data = line.data
    if data["action"] == REMOVE:
        line.judge(Verdict.CHANGED if known else Verdict.UNCHANGED)
    elif known is None:
        line.judge(Verdict.NEW)
    elif about.policy == Policy.FAIL:
        line.fail(gettext("会员已有该标签"))
    elif about.policy == Policy.OVERWRITE and known.value != data["value"]:
        line.judge(Verdict.CHANGED, [Change("value", known.value, data["value"])])
    else:
        line.judge(Verdict.UNCHANGED)


def _apply(about: Import, batch: Sequence[Unit]) -> None:
    people = members_of(about, [line for unit in batch for line in unit], "member")
    known = _known(about, people.values())

    def apply(unit: Unit) -> None:
        for line in judged_by(unit):
            member, tag = people[line.data["member"]], _tags(about)[line.data["tag"]]
            _judge_line(about, line, known.get((member.pk, tag.pk)))
            if line.verdict in (Verdict.NEW, Verdict.CHANGED):
                _set(about, line, member, tag)

    apply_each(batch, apply)


def _set(about: Import, line: Line, member: Member, tag: Tag) -> None:
    data, origin, why = line.data, about.origin_of(line), gettext("表格导入 #%d") % about.job.pk
    if data["action"] == REMOVE:
        tags.untag_member(member, tag, why=why, origin=origin)
        return
    until = None
    if data["until"]:
        day = datetime.fromisoformat(data["until"]).date()
        until = datetime.combine(day + timedelta(days=1), time.min, tzinfo=about.zone)
    tags.tag_member(member, tag, why=why, origin=origin, value=data["value"], until=until)


TAGS = LineKind(
    name="tags.import",
    title=_("会员标签"),
    permission="marketing.change_tag",
    columns=COLUMNS,
    samples=(("13800138000", "高净值", "", "2026-12-31", ""), ("100000000008", "VIP", "", "", "摘除")),
    explanation=_("给会员打上或摘除标签；手工设置优先于标签规则，直到有效期结束。"),
    policies=(Policy.SKIP, Policy.OVERWRITE, Policy.FAIL),
    read=_read,
    judge=_judge,
    apply=_apply,
    key=lambda data: f"{data['member']} {data['tag']}",
)
