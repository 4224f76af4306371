"""The spreadsheet of purchases: one row a line; rows of one receipt and store are one purchase."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from benefits.interfaces import Checkout, DraftLine, PurchaseDraft
from benefits.services import checkout
from loyalty.models import Purchase
from members.interfaces import Origin
from members.interfaces.import_words import judged_by, members_of, read_decimal, read_moment
from members.interfaces.imports import Cells, Import, Line, LineKind, Policy, Unit, Verdict
from members.models import Member, OrgUnit
from members.services.requests import hash_input
from members.services.spreadsheets import Column

COLUMNS = (
    Column("receipt", _("单号"), _("必填。门店内唯一；同一单号的多行是一笔消费的明细。"), ("小票号", "receipt"), True),
    Column("store", _("门店"), _("必填。门店编码，须属于所选业态。"), ("门店编码", "store"), True),
    Column("member", _("会员"), _("必填。会员号或手机号。"), ("会员号", "手机号", "member"), True),
    Column("at", _("消费时间"), _("必填。如 2026-05-01 18:30。"), ("时间", "日期", "at"), True, width=20),
    Column("amount", _("金额（元）"), _("必填。该行折扣前的金额，最多两位小数。"), ("金额", "amount"), True, width=12),
    Column("name", _("商品"), _("选填。"), ("商品名称", "name")),
    Column("sku", _("货号"), _("选填。"), ("sku",)),
    Column("category", _("品类"), _("选填。积分规则可按品类计算。"), ("category",)),
    Column("brand", _("品牌"), _("选填。"), ("brand",)),
    Column("quantity", _("数量"), _("选填。留空为 1。"), ("quantity",), width=10),
)


def _read(cells: Cells, about: Import) -> dict[str, Any]:
    data: dict[str, Any] = {
        "receipt": cells.text("receipt", most=80),
        "store": cells.text("store", most=40),
        "member": cells.text("member", most=40),
        "at": cells.take("at", lambda text: read_moment(text, about.zone), ""),
        "amount": cells.take("amount", read_decimal(places=2), "0"),
        "quantity": cells.take("quantity", read_decimal(places=3, least=Decimal("0.001")), "1"),
        "name": cells.text("name"),
        "sku": cells.text("sku", most=64),
        "category": cells.text("category", most=80),
        "brand": cells.text("brand", most=80),
    }
    if data["store"] and data["store"] not in _stores(about):
        cells.problem("store", gettext("门店不存在、已停用，或不属于所选业态"))
    if data["at"] and datetime.fromisoformat(data["at"]) > about.now:
        cells.problem("at", gettext("不能晚于现在"))
    return data


def _stores(about: Import) -> dict[str, OrgUnit]:
    stores = OrgUnit.objects.visible_to(about.operator).stores().filter(business=about.org_unit.business)
    active = stores.filter(is_active=True).select_related("business")
    return about.once("stores", lambda: {store.code: store for store in active})


def _judge(about: Import, lines: Sequence[Line]) -> None:
    members_of(about, lines, "member")
    known = _known(about, judged_by(lines))
    for line in judged_by(lines):
        if _key(line.data) not in known:
            line.judge(Verdict.NEW)
        elif about.policy == Policy.FAIL:
            line.fail(gettext("该单号在门店中已存在"))
        else:
            line.judge(Verdict.UNCHANGED)


def _known(about: Import, lines: Sequence[Line]) -> set[str]:
    """Keys of the receipts that have been recorded already, from wherever."""
    said = Q(pk__in=())
    by_store: dict[str, set[str]] = {}
    for line in lines:
        by_store.setdefault(line.data["store"], set()).add(line.data["receipt"])
    for store, receipts in by_store.items():
        said |= Q(store=_stores(about)[store], external_number__in=receipts)
    found = Purchase.objects.filter(said).values_list("store__code", "external_number")
    return {_key({"store": store, "receipt": receipt}) for store, receipt in found}


def _key(data: dict[str, Any]) -> str:
    return f"{data['store']} {data['receipt']}"


def _apply(about: Import, batch: Sequence[Unit]) -> None:
    people = members_of(about, [line for unit in batch for line in unit], "member")
    known = _known(about, [unit[0] for unit in batch])
    wanted = []
    for unit in batch:
        if _key(unit[0].data) in known:
            _judge(about, unit)
        elif _is_one_purchase(unit):
            wanted.append(unit)
    answers = checkout.record_batch([_checkout(about, unit, people) for unit in wanted])
    for unit, answer in zip(wanted, answers, strict=True):
        for line in unit:
            if "error" in answer:
                line.fail(answer["error"]["detail"])
            else:
                line.judge(Verdict.NEW)


def _is_one_purchase(unit: Unit) -> bool:
    """One member and one time on all lines; otherwise all of them fail."""
    heads = {(line.data["member"], line.data["at"]) for line in unit}
    if len(heads) > 1:
        for line in unit:
            line.fail(gettext("同一单号的各行，会员和消费时间须相同"))
    for line in unit:
        if line.problem:
            for other in judged_by(unit):
                other.fail(gettext("同一单的第 %s 行有误，整单未导入") % line.number)
    return not any(line.problem for line in unit)


def _checkout(about: Import, unit: Unit, people: dict[str, Member]) -> tuple[Checkout, Origin]:
    first = unit[0].data
    store = _stores(about)[first["store"]]
    draft = PurchaseDraft(
        member=people[first["member"]],
        store=store,
        at=datetime.fromisoformat(first["at"]),
        lines=tuple(_line(line.data) for line in unit),
        external_number=first["receipt"],
    )
    origin = about.origin_of(
        unit[0],
        at=draft.at,
        store=store,
        business=store.business,
        input_hash=hash_input([line.data for line in unit]),
    )
    return Checkout(draft), origin


def _line(data: dict[str, Any]) -> DraftLine:
    return DraftLine(
        amount=int(Decimal(data["amount"]) * 100),
        sku=data["sku"],
        name=data["name"],
        category=data["category"],
        brand=data["brand"],
        quantity=Decimal(data["quantity"]),
    )


PURCHASES = LineKind(
    name="purchases.import",
    title=_("消费"),
    permission="loyalty.add_purchase",
    columns=COLUMNS,
    samples=(
        ("A20260501001", "MALL-1", "13800138000", "2026-05-01 18:30", "199.00", "衬衫", "", "服饰", "", "1"),
        ("A20260501001", "MALL-1", "13800138000", "2026-05-01 18:30", "59.90", "袜子", "", "服饰", "", "2"),
    ),
    explanation=_("按消费时的规则计算等级折扣、积分和成长值，与收银台录入相同。同一单号的行须会员和时间相同。"),
    read=_read,
    judge=_judge,
    apply=_apply,
    key=_key,
    groups=True,
)
