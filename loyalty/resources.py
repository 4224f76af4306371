"""The spreadsheets of opening balances: points with their lots, and growth."""

from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.errors import NoPointsPrice
from loyalty.models import Asset
from loyalty.services.opening import Opening, open_lots
from loyalty.services.terms import expiry_of, price_of
from members.interfaces.import_words import judged_by, members_of, read_decimal
from members.interfaces.imports import Cells, Import, Line, LineKind, Policy, Unit, Verdict
from members.models import Member, OrgUnit, Request
from members.services.requests import hash_input
from members.services.spreadsheets import Column

MOST = Decimal(10**9)

MEMBER = Column("member", _("会员"), _("必填。会员号或手机号。"), ("会员号", "手机号", "member"), True)
EARNED = Column("earned_on", _("获取日期"), _("选填。留空为导入当天。"), ("earned_on",))
VOUCHER = Column(
    "voucher", _("凭证号"), _("选填。同一会员有两批完全相同的数量时，用它区分；相同的行只生效一次。"), ("voucher",)
)
POINTS_COLUMNS = (
    MEMBER,
    Column("quantity", _("积分"), _("必填。正整数。"), ("数量", "quantity"), True, width=12),
    Column("issuer", _("发行业态"), _("选填。承担成本的业态编码；留空为所选业态。"), ("issuer",)),
    EARNED,
    Column("expires_on", _("失效日期"), _("选填。该日零点失效；留空按发行业态的有效期规则。"), ("expires_on",)),
    Column("price", _("单价（分）"), _("选填。每积分的成本；留空按发行业态当前单价。"), ("price",), width=12),
    VOUCHER,
)
GROWTH_COLUMNS = (
    MEMBER,
    Column("quantity", _("成长值"), _("必填。正整数。"), ("数量", "quantity"), True, width=12),
    EARNED,
    VOUCHER,
)


def _read(cells: Cells, about: Import, *, asset: Asset) -> dict[str, Any]:
    is_points = asset == Asset.POINTS
    data = {
        "member": cells.text("member", most=40),
        "quantity": cells.take("quantity", read_decimal(places=0, least=Decimal(1), most=MOST), "0"),
        "issuer": cells.text("issuer", most=40) if is_points else "",
        "earned_on": cells.day("earned_on", has_1904_dates=about.has_1904_dates),
        "expires_on": cells.day("expires_on", has_1904_dates=about.has_1904_dates) if is_points else "",
        "price": cells.take("price", read_decimal(places=6, most=MOST), "") if is_points else "",
        "voucher": cells.text("voucher", most=80),
    }
    if data["issuer"] and data["issuer"] not in _issuers(about):
        cells.problem("issuer", gettext("没有这个业态，或不在您的管理范围内"))
    if data["earned_on"] > about.today.isoformat():
        cells.problem("earned_on", gettext("不能晚于今天"))
    if data["expires_on"] and data["expires_on"] <= about.today.isoformat():
        cells.problem("expires_on", gettext("已经失效的积分不能导入"))
    return data


def _issuers(about: Import) -> dict[str, OrgUnit]:
    """Businesses in sight, by code: nobody opens lots at another's cost."""
    businesses = OrgUnit.objects.visible_to(about.operator).businesses()
    own = about.org_unit.business
    return about.once("issuers", lambda: {unit.code: unit for unit in (*businesses, own)})


def _judge(about: Import, lines: Sequence[Line], *, asset: Asset) -> None:
    people = members_of(about, lines, "member")
    _openings(about, judged_by(lines), people, asset)
    waiting = judged_by(lines)
    references = {_reference(line.data, people[line.data["member"]], about, asset): line for line in waiting}
    known = set(
        Request.objects.filter(channel=about.origin.channel, reference__in=references).values_list(
            "reference", flat=True
        )
    )
    for reference, line in references.items():
        if reference not in known:
            line.judge(Verdict.NEW)
        elif about.policy == Policy.FAIL:
            line.fail(gettext("相同的期初余额已导入过"))
        else:
            line.judge(Verdict.UNCHANGED)
    for line in waiting:  # two writings of one member: the second says the same again
        if not line.verdict:
            line.judge(Verdict.UNCHANGED)


def _reference(data: dict[str, Any], member: Member, about: Import, asset: Asset) -> str:
    """What makes a lot the same lot, in whichever file it stands."""
    issuer = data["issuer"] or about.org_unit.business.code
    said = [member.pk, issuer, *(data[key] for key in ("quantity", "earned_on", "expires_on", "price", "voucher"))]
    return f"open-{asset}-{hash_input(said)[:48]}"


def _openings(about: Import, lines: Sequence[Line], people: dict[str, Member], asset: Asset) -> dict[int, Opening]:
    """Row → the lot that it opens; a line whose terms can't be found fails."""
    openings = {}
    for line in lines:
        data, member = line.data, people[line.data["member"]]
        issuer = _issuers(about)[data["issuer"] or about.org_unit.business.code]
        earned_at = _midnight(about, data["earned_on"]) if data["earned_on"] else about.now
        try:
            price = Decimal(data["price"]) if data["price"] else price_of(issuer, asset, about.now)
        except NoPointsPrice as reason:
            line.fail(reason.message)
            continue
        expires_at = (
            _midnight(about, data["expires_on"])
            if data["expires_on"]
            else expiry_of(issuer, asset, earned_at, about.now)
        )
        reference = _reference(data, member, about, asset)
        openings[line.number] = Opening(
            reference, member, issuer, int(data["quantity"]), price, min(earned_at, about.now), expires_at
        )
    return openings


def _midnight(about: Import, day: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(day).date(), time.min, tzinfo=about.zone)


def _apply(about: Import, batch: Sequence[Unit], *, asset: Asset) -> None:
    lines = [line for unit in batch for line in unit]
    people = members_of(about, lines, "member")
    openings = _openings(about, judged_by(lines), people, asset)
    once = {opening.reference: opening for opening in openings.values()}
    opened = open_lots(
        list(once.values()), asset, reason=gettext("期初余额导入 #%d") % about.job.pk, origin=about.origin
    )
    for line in judged_by(lines):
        reference = openings[line.number].reference
        line.judge(Verdict.NEW if reference in opened else Verdict.UNCHANGED)
        opened.discard(reference)


def _key(data: dict[str, Any]) -> str:
    return " ".join(str(data[key]) for key in sorted(data))


def _kind(asset: Asset, **said: Any) -> LineKind:
    return LineKind(
        permission="loyalty.adjust_account",
        read=partial(_read, asset=asset),
        judge=partial(_judge, asset=asset),
        apply=partial(_apply, asset=asset),
        key=_key,
        **said,
    )


OPENING_POINTS = _kind(
    Asset.POINTS,
    name="opening_points.import",
    title=_("期初积分"),
    columns=POINTS_COLUMNS,
    samples=(
        ("13800138000", "1200", "MALL", "2025-06-30", "2026-12-31", "", ""),
        ("100000000008", "500", "", "", "", "1.0", "OLD-0001"),
    ),
    explanation=_("从其他系统带来的积分，每行一个批次，记入账本并由发行业态承担。相同的行只生效一次。"),
)
OPENING_GROWTH = _kind(
    Asset.GROWTH,
    name="opening_growth.import",
    title=_("成长值"),
    columns=GROWTH_COLUMNS,
    samples=(("13800138000", "3600", "2025-12-31", ""), ("100000000008", "800", "", "")),
    explanation=_("从其他系统带来的成长值，记入账本。相同的行只生效一次。"),
)
