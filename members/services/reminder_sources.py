"""The days of this floor that reminders come from: birthdays, members' own dates, and cards that end."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from members.interfaces.reminders import Occasion
from members.models import Card, ImportantDate, Member, ReminderSetting
from members.rules import mask_card_number, yearly_day_within


def birthdays(setting: ReminderSetting, today: date) -> Iterator[Occasion]:
    members = Member.objects.active().filter(
        _yearly("birthday", today, setting.days), memberships__business=setting.org_unit
    )
    for pk, birthday in members.values_list("pk", "birthday").iterator():
        if day := yearly_day_within(birthday, today, setting.days):
            yield Occasion(pk, str(day.year), day)


def anniversaries(setting: ReminderSetting, today: date) -> Iterator[Occasion]:
    dates = ImportantDate.objects.filter(
        _yearly("day", today, setting.days),
        member__status=Member.Status.ACTIVE,
        member__memberships__business=setting.org_unit,
    )
    for pk, member_id, name, first in dates.values_list("pk", "member_id", "name", "day").iterator():
        if day := yearly_day_within(first, today, setting.days):
            yield Occasion(member_id, f"{pk}:{day.year}", day, name)


def ending_cards(setting: ReminderSetting, today: date) -> Iterator[Occasion]:
    """Cards of the business, and the group's that its members hold."""
    business = setting.org_unit
    issued_here = Q(org_unit__path__startswith=business.path) | Q(org_unit__depth=1)
    cards = Card.objects.filter(
        issued_here,
        state__in=(Card.State.ACTIVE, Card.State.FROZEN, Card.State.LOST),
        expires_at__gt=datetime.combine(today, time.min, business.zone),
        expires_at__lte=datetime.combine(today + timedelta(days=setting.days + 1), time.min, business.zone),
        member__status=Member.Status.ACTIVE,
        member__memberships__business=business,
    )
    for card in cards.iterator():
        day = card.expires_at.astimezone(business.zone).date()
        yield Occasion(card.member_id, f"{card.pk}:{day}", day, _("卡 %s") % mask_card_number(card.number))


def _yearly(field: str, today: date, days: int) -> Q:
    """Rows whose yearly day may come within so many days, by month and day, as the index has them."""
    coming = [today + timedelta(days=ahead) for ahead in range(min(days, 366) + 1)]
    wanted = Q()
    for month in sorted({day.month for day in coming}):
        numbers = {day.day for day in coming if day.month == month}
        if month == 2 and 28 in numbers:
            numbers.add(29)
        wanted |= Q(**{f"{field}__month": month, f"{field}__day__in": sorted(numbers)})
    return wanted
