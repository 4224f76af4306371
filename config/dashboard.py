"""The first page of the back office: what happened today against yesterday, within the operator's reach."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.interfaces import local_midnight
from loyalty.models import Asset, Entry, Lot, Purchase
from members.admin import todo
from members.interfaces.money import yuan
from members.models import Delivery, Job, Member, Membership, Operator, OrgUnit
from members.scoping import rows_within
from members.services.organisation import group

TREND_DAYS = 30
REMEMBERED = 60  # seconds; these are sums over much
ISSUED = Q(quantity__gt=0, transaction__kind__in=("earn", "activate", "adjust"))
BURNED = Q(quantity__lt=0, transaction__kind__in=("burn", "capture"))


@dataclass(frozen=True)
class Figure:
    """One number: what it says, what it stands for, how it compares, and where it is explained."""

    title: str
    value: str
    help: str
    link: str
    change: str = ""
    is_up: bool = True


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    if request.user.reach is None:
        return context | {"figures": [], "charts": [], "to_do": []}
    key = f"dashboard:{request.user.pk}:{request.LANGUAGE_CODE}"
    shown = cache.get_or_set(key, lambda: _shown(request.user), REMEMBERED)
    return context | shown | {"to_do": list(_to_do(request.user))}


def _shown(actor: Operator) -> dict[str, Any]:
    now = timezone.now()
    return {"figures": _figures(actor, now), "charts": [_trend(actor, now), _overlap(actor)]}


# Numbers ----------------------------------------------------------------------------------------------------------


def _figures(actor: Operator, now: datetime) -> list[Figure]:
    zone = group().zone
    yesterday, today = local_midnight(now, zone, days=-1), local_midnight(now, zone)
    members = Member.objects.visible_to(actor)
    lots = _lots(actor).filter(remaining__gt=0, activated_at__isnull=False)
    in_30_days = lots.filter(expires_at__gt=now, expires_at__lte=now + timedelta(days=30))
    return [
        Figure(
            _("会员总数"),
            f"{members.count():,}",
            _("本组织可见的会员"),
            reverse("admin:members_member_changelist"),
            **_against(
                members.filter(registered_at__gte=today).count(),
                members.filter(registered_at__gte=yesterday, registered_at__lt=today).count(),
                _("今日新增 %d"),
            ),
        ),
        _purchases(actor, yesterday, today),
        *_points(actor, yesterday, today),
        Figure(
            _("30 天内到期"),
            f"{in_30_days.aggregate(n=Sum('remaining', default=0))['n']:,}",
            _("已生效、30 天内失效的积分"),
            reverse("admin:loyalty_lot_changelist"),
        ),
        Figure(
            _("积分负债"),
            yuan(round(lots.aggregate(n=Sum(F("remaining") * F("unit_price"), default=0))["n"])),
            _("已生效未用积分 × 批次单价"),
            reverse("admin:loyalty_lot_changelist"),
        ),
    ]


def _purchases(actor: Operator, yesterday: datetime, today: datetime) -> Figure:
    rows = Purchase.objects.visible_to(actor).filter(at__gte=yesterday)
    sums = rows.aggregate(
        count=Count("pk", filter=Q(at__gte=today)),
        now=Sum("net_amount", filter=Q(at__gte=today), default=0),
        before=Sum("net_amount", filter=Q(at__lt=today), default=0),
    )
    return Figure(
        _("今日消费"),
        yuan(sums["now"]),
        _("%d 笔，按实付") % sums["count"],
        reverse("admin:loyalty_purchase_changelist"),
        _("昨日 %s") % yuan(sums["before"]),
        sums["now"] >= sums["before"],
    )


def _points(actor: Operator, yesterday: datetime, today: datetime) -> Iterator[Figure]:
    sums = _entries(actor, yesterday).aggregate(
        issued=Sum("quantity", filter=ISSUED & Q(transaction__at__gte=today), default=0),
        issued_before=Sum("quantity", filter=ISSUED & Q(transaction__at__lt=today), default=0),
        burned=Sum("quantity", filter=BURNED & Q(transaction__at__gte=today), default=0),
        burned_before=Sum("quantity", filter=BURNED & Q(transaction__at__lt=today), default=0),
    )
    link = reverse("admin:loyalty_transaction_changelist")
    told = _against(sums["issued"], sums["issued_before"], "", before=_("昨日 %s"))
    yield Figure(_("今日发放积分"), f"{sums['issued']:,}", _("生效的积分"), link, **told)
    told = _against(-sums["burned"], -sums["burned_before"], "", before=_("昨日 %s"))
    yield Figure(_("今日消耗积分"), f"{-sums['burned']:,}", _("抵扣与兑换"), link, **told)


def _against(now: int, earlier: int, text: str, *, before: str = "") -> dict[str, Any]:
    told = before % f"{earlier:,}" if before else f"{text % now} · {_('昨日 %s') % earlier}"
    return {"change": told, "is_up": now >= earlier}


def _to_do(actor: Operator) -> Iterator[tuple[str, int, str]]:
    """What waits for somebody: (what, how many, where); one's own work first."""
    yield from ((title, count, link) for title, count, link in todo.counts(actor, timezone.now()) if count)
    waiting = (
        (_("搁置的事件投递"), Delivery.objects.visible_to(actor).filter(state="parked"), "delivery", "state=parked"),
        (_("待确认的导入"), Job.objects.visible_to(actor).filter(state="draft"), "job", "state=draft"),
        (_("失败的任务"), Job.objects.visible_to(actor).filter(state="failed"), "job", "state=failed"),
    )
    for title, rows, model, query in waiting:
        if actor.has_perm(f"members.view_{model}") and (count := rows.count()):
            yield title, count, f"{reverse(f'admin:members_{model}_changelist')}?{query.replace('=', '__exact=')}"


# Pictures ---------------------------------------------------------------------------------------------------------


def _trend(actor: Operator, now: datetime) -> dict[str, Any]:
    zone = group().zone
    first = local_midnight(now, zone, days=1 - TREND_DAYS)
    days = [first.date() + timedelta(days=day) for day in range(TREND_DAYS)]
    by_day = dict.fromkeys(days, (0, 0))
    rows = (
        _entries(actor, first)
        .annotate(day=TruncDate("transaction__at", tzinfo=zone))
        .values("day")
        .annotate(issued=Sum("quantity", filter=ISSUED, default=0), burned=Sum("quantity", filter=BURNED, default=0))
    )
    by_day |= {row["day"]: (row["issued"], -row["burned"]) for row in rows if row["day"] in by_day}
    return _trend_chart(by_day)


def _trend_chart(by_day: dict[date, tuple[int, int]]) -> dict[str, Any]:
    names = (_("发放"), _("消耗"))
    series = [
        {"type": "line", "name": name, "smooth": True, "data": [values[i] for values in by_day.values()]}
        for i, name in enumerate(names)
    ]
    return {
        "id": "points-trend",
        "title": _("积分发放与消耗"),
        "summary": _("近 %d 天") % TREND_DAYS,
        "option": {
            "tooltip": {"trigger": "axis"},
            "legend": {},
            "grid": {"left": 48, "right": 16, "top": 36, "bottom": 28},
            "xAxis": {"type": "category", "data": [f"{day:%m-%d}" for day in by_day]},
            "yAxis": {"type": "value"},
            "series": series,
        },
        "columns": [_("日期"), *names],
        "rows": [[f"{day:%Y-%m-%d}", f"{a:,}", f"{b:,}"] for day, (a, b) in by_day.items()],
    }


def _overlap(actor: Operator) -> dict[str, Any]:
    """How many members two businesses have in common: the group's reason to be."""
    units = list(OrgUnit.objects.businesses())
    shared = _shared_members(actor)
    places = list(enumerate(units))
    pairs = [(i, j, shared.get((a.pk, b.pk), 0)) for i, a in places for j, b in places if i != j]
    names = [unit.name for unit in units]
    return {
        "id": "business-overlap",
        "title": _("业态会员重叠"),
        "summary": _("同时属于两个业态的会员数"),
        "height": 340,
        "option": {
            "tooltip": {},
            "grid": {"left": 88, "right": 16, "top": 16, "bottom": 88},
            "xAxis": {"type": "category", "data": names, "axisLabel": {"rotate": 40}},
            "yAxis": {"type": "category", "data": names},
            "visualMap": {"min": 0, "max": max((n for *_, n in pairs), default=0) or 1, "show": False},
            "series": [{"type": "heatmap", "data": [list(pair) for pair in pairs]}],
        },
        "columns": ["", *names],
        "rows": [[a.name, *(f"{shared.get((a.pk, b.pk), 0):,}" for b in units)] for a in units],
    }


def _shared_members(actor: Operator) -> dict[tuple[int, int], int]:
    rows = (
        Membership.objects.filter(member__in=Member.objects.visible_to(actor))
        .values("business", other=F("member__memberships__business"))
        .annotate(n=Count("pk"))
    )
    return {(row["business"], row["other"]): row["n"] for row in rows}


def _entries(actor: Operator, since: datetime):
    rows = Entry.objects.filter(bucket="active", transaction__account__asset=Asset.POINTS, transaction__at__gte=since)
    return rows_within(rows, actor.reach, business="transaction__business", store="transaction__store")


def _lots(actor: Operator):
    return Lot.objects.visible_to(actor).filter(account__asset=Asset.POINTS)
