"""The spreadsheet of attributes: one column for each that operators have defined, one row for each member."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.interfaces.import_words import judged_by, members_of
from members.interfaces.imports import Cells, Change, Import, Line, LineKind, Policy, Unit, Verdict, apply_each
from members.models import Attribute, AttributeValue, Member
from members.resources.members import ATTRIBUTE, attribute_columns
from members.services import attributes
from members.services.spreadsheets import Column

COLUMNS = (Column("member", _("会员"), _("必填。会员号或手机号。"), ("会员号", "手机号", "member"), True),)


def _asked(about: Import) -> dict[str, Attribute]:
    return about.once("asked", lambda: {a.code: a for a in attributes.asked_by(about.org_unit)})


def _read(cells: Cells, about: Import) -> dict[str, Any]:
    values = {}
    for code, attribute in _asked(about).items():
        value = cells.take(f"{ATTRIBUTE}{code}", lambda text, asked=attribute: attributes.read(asked, text))
        if value is not None:
            values[code] = attributes.in_words(value)
    return {"member": cells.text("member", most=40), "values": values}


def _judge(about: Import, lines: Sequence[Line]) -> None:
    people = members_of(about, lines, "member")
    known = _known(about, people.values())
    for line in judged_by(lines):
        if not line.data["values"]:
            line.fail(gettext("没有填写任何属性"))
            continue
        changes = _changes(about, line, known.get(people[line.data["member"]].pk, {}))
        line.judge(Verdict.CHANGED if changes else Verdict.UNCHANGED, changes)


def _known(about: Import, people: Any) -> dict[int, dict[str, Any]]:
    """Member → code → value, in words."""
    known: dict[int, dict[str, Any]] = {}
    rows = AttributeValue.objects.filter(member__in=people, attribute__code__in=_asked(about))
    for row in rows.select_related("attribute"):
        known.setdefault(row.member_id, {})[row.attribute.code] = attributes.in_words(row.value)
    return known


def _changes(about: Import, line: Line, known: dict[str, Any]) -> list[Change]:
    return [
        Change(f"{ATTRIBUTE}{code}", _shown(known.get(code)), _shown(value))
        for code, value in line.data["values"].items()
        if known.get(code) != value and (about.policy == Policy.OVERWRITE or code not in known)
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    return "" if value is None else str(value)


def _apply(about: Import, batch: Sequence[Unit]) -> None:
    people = members_of(about, [line for unit in batch for line in unit], "member")
    asked = attributes.asked_by(about.org_unit)

    def apply(unit: Unit) -> None:
        for line in judged_by(unit):
            member = people[line.data["member"]]
            line.judge(*_set(about, line, member, asked))

    apply_each(batch, apply)


def _set(about: Import, line: Line, member: Member, asked: Any) -> tuple[Verdict, list[Change]]:
    changes = _changes(about, line, _known(about, [member]).get(member.pk, {}))
    codes = [change.column.removeprefix(ATTRIBUTE) for change in changes]
    if codes:
        values = {code: line.data["values"][code] for code in codes}
        attributes.set_values(member, values, attributes=asked, origin=about.origin_of(line))
    return (Verdict.CHANGED if codes else Verdict.UNCHANGED), changes


ATTRIBUTES = LineKind(
    name="attributes.import",
    title=_("自定义属性"),
    permission="members.change_member",
    columns=COLUMNS,
    samples=(("13800138000",), ("100000000008",)),
    explanation=_("每个属性一列，列名为属性名称；空格不改变原值。导入会员时也可以直接带上属性列。"),
    policies=(Policy.FILL, Policy.OVERWRITE),
    more_columns=attribute_columns,
    read=_read,
    judge=_judge,
    apply=_apply,
)
