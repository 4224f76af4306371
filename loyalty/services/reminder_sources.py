"""The days of this floor that reminders come from: purchases, their absence, and points that lapse.

Each looks at one business through its purchases by time, never at all members one by one.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Exists, F, Max, Min, OuterRef, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from loyalty.models import Asset, Lot, Purchase
from members.interfaces.money import yuan
from members.interfaces.reminders import Occasion
from members.models import Member, OrgUnit, ReminderSetting

MISSED_DAYS = 3  # a server that stood still makes up for so many days
USUAL_DAYS = 365  # the year in which a habit shows
USUAL_PURCHASE_DAYS = 3  # days with a purchase that make a habit


def after_purchases(setting: ReminderSetting, today: date) -> Iterator[Occasion]:
    """What was bought so many days ago and has not been given back whole."""
    last = today - timedelta(days=setting.days)
    bought = _purchases(setting.org_unit, last - timedelta(days=MISSED_DAYS), last)
    for pk, member_id, at, kept in bought.values_list("pk", "member_id", "at", _kept()).iterator():
        day = at.astimezone(setting.org_unit.zone).date()
        yield Occasion(member_id, str(pk), day + timedelta(days=setting.days), _("%s 的消费") % yuan(kept))


def silence(setting: ReminderSetting, today: date) -> Iterator[Occasion]:
    """Members whose last purchase here is so many days ago."""
    last = today - timedelta(days=setting.days)
    later = Purchase.objects.filter(
        member=OuterRef("member"), business=setting.org_unit, at__gte=_midnight(last + timedelta(days=1), setting)
    )
    bought = _purchases(setting.org_unit, last - timedelta(days=MISSED_DAYS), last).filter(~Exists(later))
    latest = bought.order_by().values("member").annotate(last_at=Max("at"))
    for row in latest.iterator():
        day = row["last_at"].astimezone(setting.org_unit.zone).date()
        yield Occasion(row["member"], day.isoformat(), today, _("上次消费 %s") % day)


def usual_overdue(setting: ReminderSetting, today: date) -> Iterator[Occasion]:
    """Members who come every so often, and are so many days later than usual."""
    zone = setting.org_unit.zone
    bought = _purchases(setting.org_unit, today - timedelta(days=USUAL_DAYS), today)
    habits = (
        bought.order_by()
        .values("member")
        .annotate(
            days=Count(TruncDate("at", tzinfo=zone), distinct=True),
            first=Min(TruncDate("at", tzinfo=zone)),
            last=Max(TruncDate("at", tzinfo=zone)),
        )
        .filter(days__gte=USUAL_PURCHASE_DAYS)
        .values_list("member", "days", "first", "last")
    )
    # Not by a cursor: planned for its first rows, it would read every member's purchases to find this business's.
    for member_id, days, first, last in habits:
        usual = -(-(last - first).days // (days - 1))  # rounded up: to the member's benefit
        due = last + timedelta(days=usual + setting.days)
        if due <= today <= due + timedelta(days=MISSED_DAYS):
            yield Occasion(member_id, last.isoformat(), today, _("平时每 %d 天一次") % usual)


def lapsing_points(setting: ReminderSetting, today: date) -> Iterator[Occasion]:
    """Points that this business has given and that lapse within so many days; one occasion a day of lapsing."""
    business = setting.org_unit
    lots = Lot.objects.filter(
        issuer=business,
        account__asset=Asset.POINTS,
        account__member__status=Member.Status.ACTIVE,
        activated_at__isnull=False,
        remaining__gt=0,
        expires_at__gt=_midnight(today, setting),
        expires_at__lte=_midnight(today + timedelta(days=setting.days + 1), setting),
    )
    sums = lots.order_by().values("account__member", "expires_at").annotate(points=Sum(F("remaining")))
    for row in sums.order_by("account__member", "expires_at").iterator():
        # A lot lapses at the midnight that ends its last day.
        last_day = (row["expires_at"] - timedelta(microseconds=1)).astimezone(business.zone).date()
        text = _("%d 积分") % row["points"]
        yield Occasion(row["account__member"], last_day.isoformat(), last_day, text)


def _purchases(business: OrgUnit, first: date, last: date) -> QuerySet[Purchase]:
    """Purchases of active members here from the first local day to the last, of which something stands."""
    begins = datetime.combine(first, time.min, business.zone)
    ends = datetime.combine(last + timedelta(days=1), time.min, business.zone)
    bought = Purchase.objects.filter(business=business, at__gte=begins, at__lt=ends)
    return bought.filter(refunded_amount__lt=F("net_amount"), member__status=Member.Status.ACTIVE)


def _kept():
    return F("net_amount") - F("refunded_amount")


def _midnight(day: date, setting: ReminderSetting) -> datetime:
    return datetime.combine(day, time.min, setting.org_unit.zone)
