"""The spreadsheet of businesses, regions and stores: each under a node that is there, or further up in the file."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.errors import OrgUnitNotFound, Refused
from members.interfaces.import_words import one_of
from members.interfaces.imports import Cells, Change, Import, Line, LineKind, Policy, Unit, Verdict, apply_each
from members.models import OrgUnit, Trade
from members.services.organisation import add_business, add_region, add_store
from members.services.spreadsheets import Column

Kind = OrgUnit.Kind
KINDS = {"业态": Kind.BUSINESS.value, "大区": Kind.REGION.value, "门店": Kind.STORE.value}
PARENTS = {Kind.BUSINESS: (Kind.GROUP,), Kind.REGION: (Kind.BUSINESS,), Kind.STORE: (Kind.BUSINESS, Kind.REGION)}

COLUMNS = (
    Column("code", _("编码"), _("必填。全集团唯一，用于接口和其他表格。"), ("code",), True),
    Column("name", _("名称"), _("必填。"), ("name",), True, width=24),
    Column("kind", _("类型"), _("必填。业态、大区 或 门店。"), ("kind",), True, width=10),
    Column("parent", _("上级编码"), _("必填。上级须已存在，或写在本文件前面的行。"), ("parent",), True),
    Column("trade", _("业种"), _("选填，仅门店。业种的编码或名称。"), ("trade",)),
)


def _read(cells: Cells, about: Import) -> dict[str, Any]:
    return {
        "code": cells.text("code", most=40),
        "name": cells.text("name", most=100),
        "kind": cells.take("kind", one_of(KINDS), ""),
        "parent": cells.text("parent", most=40),
        "trade": cells.take("trade", lambda text: _trade(about, text).code, ""),
    }


def _trade(about: Import, text: str) -> Trade:
    trades = about.once("trades", lambda: {word: t for t in Trade.objects.all() for word in (t.code, t.name)})
    if text not in trades:
        raise Refused(_("没有这个业种"))
    return trades[text]


def _judge(about: Import, lines: Sequence[Line]) -> None:
    codes = {line.data[key] for line in lines for key in ("code", "parent")}
    visible = OrgUnit.objects.visible_to(about.operator)
    known = {unit.code: unit for unit in visible.filter(code__in=codes).select_related("trade")}
    elsewhere = set(OrgUnit.objects.filter(code__in=codes - known.keys()).values_list("code", flat=True))
    made: dict[str, str] = about.once("made", dict)  # code → kind of what rows further up will make
    made_here = {code: unit.kind for code, unit in known.items()} | made
    for line in lines:
        data = line.data
        if data["code"] in elsewhere:
            line.fail(gettext("编码已被其他组织使用"))
        elif data["trade"] and data["kind"] != Kind.STORE:
            line.fail(gettext("只有门店可以填写业种"))
        elif data["code"] in known:
            _judge_known(line, known[data["code"]], about.policy)
        elif data["code"] in made_here:
            line.judge(Verdict.CHANGED)
        elif data["parent"] not in made_here:
            line.fail(gettext("上级“%s”不存在，或不在您的管理范围内") % data["parent"])
        elif made_here[data["parent"]] not in PARENTS[data["kind"]]:
            line.fail(gettext("上级类型不对：业态在集团下，大区在业态下，门店在业态或大区下"))
        else:
            line.judge(Verdict.NEW)
            made[data["code"]] = made_here[data["code"]] = data["kind"]


def _judge_known(line: Line, unit: OrgUnit, policy: Policy) -> None:
    if unit.kind != line.data["kind"]:
        line.fail(gettext("该编码是%s，不能改变类型") % unit.get_kind_display())
    elif policy == Policy.FAIL:
        line.fail(gettext("编码已存在"))
    else:
        changes = _changes(unit, line.data, policy)
        line.judge(Verdict.CHANGED if changes else Verdict.UNCHANGED, changes)


def _changes(unit: OrgUnit, data: dict[str, Any], policy: Policy) -> list[Change]:
    trade = unit.trade.code if unit.trade else ""
    before = {"name": unit.name, "trade": trade}
    return [
        Change(key, old, data[key])
        for key, old in before.items()
        if data[key] and data[key] != old and (policy == Policy.OVERWRITE or (policy == Policy.FILL and not old))
    ]


def _apply(about: Import, batch: Sequence[Unit]) -> None:
    apply_each(batch, lambda unit: _apply_line(about, unit[0]))


def _apply_line(about: Import, line: Line) -> None:
    data = line.data
    visible = OrgUnit.objects.visible_to(about.operator).select_related("business", "trade")
    trade = _trade(about, data["trade"]) if data["trade"] else None
    known = visible.filter(code=data["code"]).first()
    if known:
        _judge_known(line, known, about.policy)
        if line.changes:
            values = {change.column: change.after for change in line.changes}
            known.name = values.get("name", known.name)
            known.trade = trade if "trade" in values else known.trade
            known.save(update_fields=["name", "trade"])
        return
    parent = visible.filter(code=data["parent"]).first()
    if parent is None or parent.kind not in PARENTS[data["kind"]]:
        raise OrgUnitNotFound(field="parent")
    if data["kind"] == Kind.BUSINESS:
        add_business(parent, data["code"], data["name"])
    elif data["kind"] == Kind.REGION:
        add_region(parent, data["code"], data["name"])
    else:
        add_store(parent, data["code"], data["name"], trade=trade)
    line.judge(Verdict.NEW)


ORG_UNITS = LineKind(
    name="org_units.import",
    title=_("组织与门店"),
    permission="members.add_orgunit",
    columns=COLUMNS,
    samples=(("SH", "上海大区", "大区", "MALL", ""), ("SH-01", "徐汇店", "门店", "SH", "服饰")),
    explanation=_("业态、大区和门店；上级写在下级前面。已有的编码可以更新名称和业种，不能改变类型和上级。"),
    policies=(Policy.SKIP, Policy.FILL, Policy.OVERWRITE, Policy.FAIL),
    is_at_reach=True,
    read=_read,
    judge=_judge,
    apply=_apply,
    key=lambda data: data["code"],
)
