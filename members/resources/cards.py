"""The spreadsheet of cards: numbers from an older system, their types, holders and states."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.errors import Refused
from members.interfaces.import_words import judged_by, members_of, one_of
from members.interfaces.imports import Cells, Import, Line, LineKind, Policy, Unit, Verdict, apply_each
from members.models import Card, CardType
from members.rules import canonical_card_number
from members.services import cards
from members.services.card_serials import numbering_of
from members.services.spreadsheets import Column

STATES = {"未激活": Card.State.ISSUED.value, "正常": Card.State.ACTIVE.value, "已挂失": Card.State.LOST.value}

COLUMNS = (
    Column("number", _("卡号"), _("必填。须符合卡类型的编号规则。"), ("number",), True, width=24),
    Column("card_type", _("卡类型"), _("必填。卡类型的编码或名称。"), ("card_type", "类型"), True),
    Column("member", _("持卡会员"), _("会员号或手机号；未激活的卡可以留空。"), ("member", "会员号", "手机号")),
    Column("principal", _("主卡会员"), _("附属卡、关联卡、团体卡必填：会员号或手机号。"), ("principal",)),
    Column("state", _("状态"), _("选填。未激活、正常 或 已挂失；留空：有持卡会员即为正常。"), ("state",), width=10),
)


def _read(cells: Cells, about: Import) -> dict[str, Any]:
    data = {
        "number": cells.take("number", canonical_card_number, ""),
        "card_type": cells.text("card_type", most=40),
        "member": cells.text("member", most=40),
        "principal": cells.text("principal", most=40),
        "state": cells.take("state", one_of(STATES), ""),
    }
    data["state"] = data["state"] or (Card.State.ACTIVE.value if data["member"] else Card.State.ISSUED.value)
    if data["state"] != Card.State.ISSUED and not data["member"]:
        cells.problem("member", gettext("只有未激活的卡可以没有持卡会员"))
    card_type = _types(about).get(data["card_type"])
    if data["card_type"] and card_type is None:
        cells.problem("card_type", gettext("没有这个卡类型，或已停用"))
    elif card_type and data["number"] and numbering_of(card_type).serial_of(data["number"]) is None:
        cells.problem("number", gettext("不符合“%s”的编号规则（前缀、位数、校验码）") % card_type)
    return data


def _types(about: Import) -> dict[str, CardType]:
    """By code and by name."""
    types = CardType.objects.visible_to(about.operator).active().select_related("org_unit")
    return about.once("types", lambda: {word: found for found in types for word in (found.name, found.code)})


def _judge(about: Import, lines: Sequence[Line]) -> None:
    members_of(about, lines, "member", "principal")
    known = _known(lines)
    for line in judged_by(lines):
        if line.data["number"] not in known:
            line.judge(Verdict.NEW)
        elif about.policy == Policy.FAIL:
            line.fail(gettext("该卡号已存在"))
        else:
            line.judge(Verdict.UNCHANGED)


def _known(lines: Sequence[Line]) -> set[str]:
    there = Card.objects.filter(number__in=[line.data["number"] for line in lines])
    return set(there.values_list("number", flat=True))


def _apply(about: Import, batch: Sequence[Unit]) -> None:
    lines = [line for unit in batch for line in unit]
    people = members_of(about, lines, "member", "principal")
    known = _known(lines)

    def apply(unit: Unit) -> None:
        for line in judged_by(unit):
            if line.data["number"] in known:
                _judge(about, [line])
                continue
            _issue(about, line, people)
            line.judge(Verdict.NEW)

    apply_each(batch, apply)


def _issue(about: Import, line: Line, people: dict[str, Any]) -> None:
    data = line.data
    card_type = _types(about).get(data["card_type"])
    if card_type is None:
        raise Refused(_("没有这个卡类型，或已停用"))
    holder, principal = people.get(data["member"]), people.get(data["principal"])
    origin = about.origin_of(line)
    asked = {"org_unit": about.org_unit, "principal": principal, "number": data["number"], "origin": origin}
    if data["state"] == Card.State.ISSUED:
        cards.issue(card_type, member=holder, **asked)
        return
    cards.issue_to(holder, card_type, **asked)
    if data["state"] == Card.State.LOST:
        card = Card.objects.get(number=data["number"])
        lost = about.origin_of(line, reference=f"{origin.reference}-lost")
        cards.report_lost(card, reason=gettext("导入时已挂失"), origin=lost)


CARDS = LineKind(
    name="cards.import",
    title=_("会员卡"),
    permission="members.issue_card",
    columns=COLUMNS,
    samples=(
        ("6200000000000018", "GOLD", "13800138000", "", "正常"),
        ("6200000000000026", "GOLD", "", "", "未激活"),
    ),
    explanation=_("从其他系统带来的卡号，及其类型、持卡人和状态。已有的卡号不会改变，请在会员卡页面办理。"),
    read=_read,
    judge=_judge,
    apply=_apply,
    key=lambda data: data["number"],
)
