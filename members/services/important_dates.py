"""Members' own days: weddings, children's birthdays; a few for each member."""

from datetime import date

from django.db import IntegrityError, transaction

from members import events
from members.errors import DateNameTaken, TooManyDates
from members.interfaces import Answer, Origin
from members.models import ImportantDate, Member
from members.rules import check_birthday
from members.services.locking import locked, refuse_inactive
from members.services.organisation import today_at
from members.services.requests import idempotent

MOST = 10


@idempotent("members.add_date")
def add(member: Member, *, name: str, day: date, origin: Origin) -> Answer:
    """Remember a day.

    Raises TooManyDates, DateNameTaken, InvalidBirthday (a year that can't be), MemberFrozen, MemberClosed.
    """
    member = locked(member)  # so that he neither leaves meanwhile nor keeps more than he may
    refuse_inactive(member)
    check_birthday(day, today=today_at(None, origin.posted_at))
    if member.important_dates.count() >= MOST:
        raise TooManyDates
    try:
        with transaction.atomic():
            added = ImportantDate.objects.create(member=member, name=name.strip(), day=day)
    except IntegrityError as error:
        raise DateNameTaken(field="name") from error
    events.record("member.date_added", origin=origin, member=member, data={"date": added.pk})
    return {"id": added.pk}


@idempotent("members.remove_date")
def remove(important: ImportantDate, *, origin: Origin) -> Answer:
    """Forget it."""
    member, key = important.member, important.pk
    important.delete()
    events.record("member.date_removed", origin=origin, member=member, data={"date": key})
    return {"id": key}
