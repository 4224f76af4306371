"""Reminders: found once a local day for each business by its settings, sent by day, worked off by staff."""

import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from members import events
from members.errors import ReminderClosed
from members.interfaces import Answer, Origin
from members.interfaces.reminders import Occasion, reminder_sources
from members.models import Purpose, Reminder, ReminderSetting
from members.notifications import notify
from members.services.requests import idempotent

logger = logging.getLogger(__name__)

AT_ONCE = 5_000
# Promotional messages are held back at night, by the business's own clock.
SENDS_FROM, SENDS_UNTIL = time(9), time(20, 30)
# What could not be sent on its day (a night, a stopped server) is sent within so many days, or not at all.
SENT_WITHIN = timedelta(days=3)


# --- Finding ----------------------------------------------------------------------------------------------------


def raise_due(now: datetime) -> int:
    """Make the reminders of each business's local day, once a day for each of its settings. Returns how many.

    A setting that fails is logged and looked at again on the next turn; the others go on.
    """
    made = 0
    for setting in _in_force():
        try:
            with transaction.atomic():
                made += _raise(setting, timezone.localdate(now, setting.org_unit.zone), now)
        except Exception:  # whatever a source of any floor raises must not silence the other businesses
            logger.exception("Reminders of setting %s could not be found", setting.pk)
    return made


def _in_force() -> QuerySet[ReminderSetting]:
    return ReminderSetting.objects.active().filter(org_unit__is_active=True).select_related("org_unit")


def _raise(setting: ReminderSetting, today: date, now: datetime) -> int:
    if setting.looked_on == today or setting.kind not in reminder_sources:
        return 0
    occasions = reminder_sources[setting.kind].find(setting, today)
    made = sum(_make(setting, chunk, now) for chunk in _chunks(occasions))
    ReminderSetting.objects.filter(pk=setting.pk).update(looked_on=today)
    return made


def _make(setting: ReminderSetting, occasions: list[Occasion], now: datetime) -> int:
    """Those whose occasion has no reminder yet."""
    keys = {(one.member_id, one.key) for one in occasions}
    known = Reminder.objects.filter(
        business=setting.org_unit, kind=setting.kind, member__in={member for member, _ in keys}
    )
    keys -= set(known.values_list("member_id", "key"))
    rows = [
        Reminder(
            member_id=one.member_id,
            business=setting.org_unit,
            kind=setting.kind,
            key=one.key,
            due_on=one.due_on,
            text=one.text,
            created_at=now,
        )
        for one in occasions
        if (one.member_id, one.key) in keys
    ]
    return len(Reminder.objects.bulk_create(rows, ignore_conflicts=True))


def _chunks(occasions: Iterable[Occasion]) -> Iterator[list[Occasion]]:
    remaining = iter(occasions)
    while chunk := list(islice(remaining, AT_ONCE)):
        yield chunk


# --- Sending ----------------------------------------------------------------------------------------------------


def send_due(now: datetime, *, limit: int = AT_ONCE) -> int:
    """Send what is to be sent to members, by day, each at most once. Returns how many were handed to the carrier.

    A message is claimed and committed before it leaves: a server that dies in between loses one, and sends none twice.
    """
    sent = 0
    for setting in _in_force().filter(sends_message=True):
        if not SENDS_FROM <= timezone.localtime(now, setting.org_unit.zone).time() < SENDS_UNTIL:
            continue
        for reminder in _claimed(setting, now, limit):
            sent += _send(reminder, setting, now) == Reminder.Sent.SENT
    return sent


def _claimed(setting: ReminderSetting, now: datetime, limit: int) -> Iterator[Reminder]:
    waiting = Reminder.objects.filter(
        business=setting.org_unit, kind=setting.kind, sent="", created_at__gt=now - SENT_WITHIN
    ).exclude(state=Reminder.State.DISMISSED)
    for pk in waiting.order_by("pk").values_list("pk", flat=True)[:limit]:
        if Reminder.objects.filter(pk=pk, sent="").update(sent=Reminder.Sent.SENDING):
            yield Reminder.objects.select_related("member", "business").get(pk=pk)


def _send(reminder: Reminder, setting: ReminderSetting, now: datetime) -> str:
    result = notify(
        reminder.member, business=reminder.business, purpose=Purpose.MARKETING, text=worded(setting, reminder)
    )
    Reminder.objects.filter(pk=reminder.pk).update(sent=result, sent_at=now if result == Reminder.Sent.SENT else None)
    return result


def worded(setting: ReminderSetting, reminder: Reminder) -> str:
    """The message with its blanks filled in; words in braces that we do not know stay as they are."""
    filled = {
        "{name}": reminder.member.name or "",
        "{business}": reminder.business.name,
        "{date}": reminder.due_on.isoformat(),
        "{text}": reminder.text,
    }
    text = setting.message
    for blank, value in filled.items():
        text = text.replace(blank, value)
    return text


# --- Working off ------------------------------------------------------------------------------------------------


@idempotent("reminders.close")
def close(reminder: Reminder, *, state: Reminder.State, origin: Origin) -> Answer:
    """Mark a reminder done or dismissed. Raises ReminderClosed."""
    closed = Reminder.objects.filter(pk=reminder.pk, state=Reminder.State.OPEN).update(
        state=state, done_at=origin.at, done_by=origin.actor
    )
    if not closed:
        raise ReminderClosed
    data = {"reminder": reminder.pk, "kind": reminder.kind, "state": state}
    events.record("reminder.closed", origin=origin, member=reminder.member, data=data)
    return data
