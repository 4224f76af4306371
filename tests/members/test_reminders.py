"""Reminders: each kind of day found exactly once, on the business's own day; sent only where the member agreed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from loyalty.models import Lot, Purchase
from members.errors import InvalidBirthday, MemberClosed, MemberFrozen, ReminderClosed, TooManyDates
from members.interfaces import Origin
from members.interfaces.reminders import Occasion, ReminderSource, reminder_sources
from members.models import Card, CardType, ImportantDate, Member, Reminder, ReminderKind, ReminderSetting
from members.notifications import MemorySmsBackend
from members.rules import yearly_day_within
from members.services import consents, important_dates, reminders
from members.services.organisation import own_origin
from tests.benefits.shop import Shop
from tests.cast import Cast
from tests.factories import MemberFactory
from tests.member_session import enter

TODAY = date(2026, 3, 2)
MORNING = datetime(2026, 3, 2, 2, tzinfo=UTC)  # ten in Shanghai
NIGHT = datetime(2026, 3, 2, 15, tzinfo=UTC)  # eleven at night there


@pytest.fixture
def member(cast: Cast) -> Member:
    return MemberFactory(businesses=[cast.mall], phone="+8613800138000")


@pytest.fixture
def remind(cast: Cast):
    def remind(kind: ReminderKind, *, days: int = 7, **more) -> ReminderSetting:
        return ReminderSetting.objects.create(org_unit=cast.mall, kind=kind, days=days, **more)

    return remind


def found(kind: ReminderKind) -> list[tuple[int, str, date]]:
    return list(Reminder.objects.filter(kind=kind).values_list("member", "key", "due_on"))


@pytest.mark.parametrize(
    ("day", "today", "days", "comes"),
    [
        (date(1990, 3, 5), TODAY, 7, date(2026, 3, 5)),
        (date(1990, 3, 2), TODAY, 0, TODAY),
        (date(1990, 3, 1), TODAY, 7, None),
        (date(1990, 1, 3), date(2026, 12, 30), 7, date(2027, 1, 3)),
        (date(1992, 2, 29), date(2026, 2, 25), 7, date(2026, 2, 28)),
        (date(1992, 2, 29), date(2028, 2, 25), 7, date(2028, 2, 29)),
    ],
)
def test_a_yearly_day_comes_once_a_year_also_in_common_years(day, today, days, comes):
    assert yearly_day_within(day, today, days) == comes


def test_birthdays_within_a_week_are_found_once(cast, member, remind):
    born = {member: date(1990, 3, 9), MemberFactory(businesses=[cast.mall]): date(1990, 3, 10)}
    born[MemberFactory(businesses=[cast.hotel])] = date(1990, 3, 5)
    for person, birthday in born.items():
        Member.objects.filter(pk=person.pk).update(birthday=birthday)
    remind(ReminderKind.BIRTHDAY)
    assert reminders.raise_due(MORNING) == 1
    assert reminders.raise_due(MORNING) == 0
    assert found(ReminderKind.BIRTHDAY) == [(member.pk, "2026", date(2026, 3, 9))]
    assert reminders.raise_due(MORNING + timedelta(days=1)) == 1  # the one on the tenth; the ninth is known
    assert Reminder.objects.count() == 2


def test_a_frozen_member_is_left_alone(member, remind):
    Member.objects.filter(pk=member.pk).update(birthday=TODAY, status=Member.Status.FROZEN)
    remind(ReminderKind.BIRTHDAY)
    assert reminders.raise_due(MORNING) == 0


def test_own_dates_come_every_year(member, remind):
    ImportantDate.objects.create(member=member, name="结婚", day=date(2015, 3, 4))
    remind(ReminderKind.ANNIVERSARY)
    reminders.raise_due(MORNING)
    reminders.raise_due(MORNING + timedelta(days=365))
    assert [day for _, _, day in found(ReminderKind.ANNIVERSARY)] == [date(2026, 3, 4), date(2027, 3, 4)]


def test_a_card_of_the_group_that_ends_is_told_where_its_holder_is_known(cast, member, remind):
    kind = CardType.objects.create(code="gold", name="金卡", org_unit=cast.group)
    card = Card.objects.create(
        number="6000", card_type=kind, state=Card.State.ACTIVE, member=member, org_unit=cast.group,
        issued_at=MORNING, activated_at=MORNING, expires_at=MORNING + timedelta(days=3),
    )  # fmt: skip
    remind(ReminderKind.CARD_EXPIRY)
    reminders.raise_due(MORNING)
    assert found(ReminderKind.CARD_EXPIRY) == [(member.pk, f"{card.pk}:2026-03-05", date(2026, 3, 5))]


# --- Purchases ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(cast: Cast, member: Member) -> Shop:
    shop = Shop(cast)
    shop.member = member
    return shop


def buy(shop: Shop, *days_ago: int) -> list[int]:
    bought = []
    for days in days_ago:
        shop.at = MORNING - timedelta(days=days)
        bought.append(shop.buy(10_000)["id"])
    return bought


def test_after_a_purchase(shop, member, remind):
    remind(ReminderKind.AFTER_PURCHASE, days=3)
    three, _two = buy(shop, 3, 2)
    reminders.raise_due(MORNING)
    assert found(ReminderKind.AFTER_PURCHASE) == [(member.pk, str(three), TODAY)]


def test_what_was_given_back_is_not_asked_about(shop, remind):
    remind(ReminderKind.AFTER_PURCHASE, days=3)
    [three] = buy(shop, 3)
    Purchase.objects.filter(pk=three).update(refunded_amount=10_000)
    assert reminders.raise_due(MORNING) == 0


def test_silence_begins_after_the_last_purchase(shop, member, remind):
    remind(ReminderKind.SILENCE, days=30)
    buy(shop, 60, 30)
    reminders.raise_due(MORNING)
    assert found(ReminderKind.SILENCE) == [(member.pk, "2026-01-31", TODAY)]


def test_who_came_again_is_not_silent(shop, remind):
    remind(ReminderKind.SILENCE, days=30)
    buy(shop, 30, 5)
    assert reminders.raise_due(MORNING) == 0


def test_a_habit_that_is_late(shop, member, remind):
    """Every ten days, the last time 13 days ago: three days later than usual."""
    remind(ReminderKind.USUAL_OVERDUE, days=3)
    buy(shop, 33, 23, 13)
    reminders.raise_due(MORNING)
    assert found(ReminderKind.USUAL_OVERDUE) == [(member.pk, "2026-02-17", TODAY)]


def test_twice_is_no_habit(shop, remind):
    remind(ReminderKind.USUAL_OVERDUE, days=3)
    buy(shop, 23, 13)
    assert reminders.raise_due(MORNING) == 0


def test_points_that_lapse(shop, member, remind):
    buy(shop, 1)
    Lot.objects.filter(account__asset="points").update(expires_at=datetime(2026, 3, 5, 16, tzinfo=UTC))
    remind(ReminderKind.POINTS_EXPIRY)
    reminders.raise_due(MORNING)
    assert found(ReminderKind.POINTS_EXPIRY) == [(member.pk, "2026-03-05", date(2026, 3, 5))]


# --- One business and the others -----------------------------------------------------------------------------------


def test_a_setting_that_fails_stops_no_other_and_is_tried_again(cast, member, remind, monkeypatch):
    Member.objects.filter(pk=member.pk).update(birthday=TODAY)
    broken, _birthdays = remind(ReminderKind.SILENCE), remind(ReminderKind.BIRTHDAY)
    sources = {source.name: source for source in reminder_sources}

    def fails(setting, today):
        yield Occasion(member.pk, "half-done", today)
        raise ConnectionError("the source is away")

    monkeypatch.setitem(reminder_sources._rows, ReminderKind.SILENCE, ReminderSource(ReminderKind.SILENCE, fails))
    assert reminders.raise_due(MORNING) == 1
    assert [kind for kind in Reminder.objects.values_list("kind", flat=True)] == [ReminderKind.BIRTHDAY]
    broken.refresh_from_db()
    assert broken.looked_on is None
    monkeypatch.setitem(reminder_sources._rows, ReminderKind.SILENCE, sources[ReminderKind.SILENCE])
    reminders.raise_due(MORNING)
    broken.refresh_from_db()
    assert broken.looked_on == TODAY


def test_a_business_that_is_switched_off_sends_nothing(cast, birthday, outbox):
    agree(birthday, cast)
    reminders.raise_due(MORNING)
    cast.mall.is_active = False
    cast.mall.save(update_fields=["is_active"])
    assert reminders.send_due(MORNING) == 0
    assert outbox == []


# --- Sending ------------------------------------------------------------------------------------------------------


@pytest.fixture
def outbox(settings):
    settings.MEMBERS_SMS_BACKEND = "members.notifications.MemorySmsBackend"
    MemorySmsBackend.outbox.clear()
    return MemorySmsBackend.outbox


@pytest.fixture
def birthday(member, remind) -> Member:
    Member.objects.filter(pk=member.pk).update(birthday=date(1990, 3, 4))
    remind(ReminderKind.BIRTHDAY, sends_message=True, message="{name}，{business}祝您 {date} 生日快乐")
    return member


def agree(member: Member, cast: Cast) -> None:
    consents.give(
        member, receiver=cast.mall, purpose="marketing", medium="any", version="1", evidence={"page": "test"},
        origin=own_origin("admin"),
    )  # fmt: skip


def test_a_message_goes_to_whom_agreed_by_day_and_once(cast, birthday, outbox):
    agree(birthday, cast)
    reminders.raise_due(NIGHT)
    assert reminders.send_due(NIGHT) == 0
    assert reminders.send_due(MORNING + timedelta(days=1)) == 1
    assert reminders.send_due(MORNING + timedelta(days=1)) == 0
    assert outbox == [("+8613800138000", "张三，梧桐广场祝您 2026-03-04 生日快乐")]
    assert Reminder.objects.get().sent == Reminder.Sent.SENT


def test_without_consent_nothing_is_sent_and_it_is_said(birthday, outbox):
    reminders.raise_due(MORNING)
    assert reminders.send_due(MORNING) == 0
    assert outbox == []
    assert Reminder.objects.get().sent == Reminder.Sent.NO_CONSENT


def test_who_takes_it_back_hears_nothing_more(cast, birthday, outbox):
    agree(birthday, cast)
    reminders.raise_due(MORNING)
    consents.withdraw(birthday, receiver=cast.mall, purpose="marketing", medium="any", origin=own_origin("admin"))
    assert reminders.send_due(MORNING) == 0
    assert outbox == []


class Refusing:
    """A carrier that refuses one number, and quotes it."""

    def send(self, phone: str, text: str) -> None:
        if phone == "+8613800138000":
            raise ConnectionError(f"{phone} is not served: {text}")
        MemorySmsBackend.outbox.append((phone, text))


def test_a_carrier_that_refuses_one_stops_no_other_and_its_words_are_not_logged(
    cast, birthday, outbox, settings, caplog
):
    settings.MEMBERS_SMS_BACKEND = f"{__name__}.Refusing"
    other = MemberFactory(businesses=[cast.mall], phone="+8613900139000", birthday=date(1990, 3, 4))
    for member in (birthday, other):
        agree(member, cast)
    reminders.raise_due(MORNING)
    assert reminders.send_due(MORNING) == 1
    assert [phone for phone, _ in outbox] == ["+8613900139000"]
    assert dict(Reminder.objects.values_list("member", "sent")) == {birthday.pk: "failed", other.pk: "sent"}
    assert (str(birthday.pk) in caplog.text, "ConnectionError" in caplog.text) == (True, True)
    assert ("13800138000" in caplog.text, "张三" in caplog.text) == (False, False)


# --- People -------------------------------------------------------------------------------------------------------


def test_staff_work_them_off_within_their_reach(cast, birthday, client):
    reminders.raise_due(MORNING)
    page = reverse("admin:members_reminder_changelist")
    chosen = {"action": "mark_done", "_selected_action": [Reminder.objects.get().pk]}
    client.force_login(cast.sees_nothing)
    client.post(page, chosen)
    assert Reminder.objects.get().state == Reminder.State.OPEN
    client.force_login(cast.sees_mall)
    client.post(page, chosen)
    done = Reminder.objects.get()
    assert (done.state, done.done_by) == (Reminder.State.DONE, cast.sees_mall)
    with pytest.raises(ReminderClosed):
        reminders.close(done, state=Reminder.State.DISMISSED, origin=own_origin("admin"))


def test_members_keep_their_own_days(member, client):
    enter(client, member)
    page = reverse("member:dates")
    assert client.post(page, {"name": "结婚", "day": "2015-03-04"}).status_code == 302
    again = client.post(page, {"name": "结婚", "day": "2016-03-04"})
    assert "同名" in again.content.decode()
    other = ImportantDate.objects.create(member=MemberFactory(), name="他人的", day=TODAY)
    assert client.post(reverse("member:remove_date", args=[other.pk])).status_code == 404
    client.post(reverse("member:remove_date", args=[member.important_dates.get().pk]))
    assert list(ImportantDate.objects.all()) == [other]


def test_who_is_frozen_or_gone_keeps_no_more_days(member):
    nobody = {"name": None, "name_index": "", "birthday": None, "closed_at": MORNING}
    for facts, reason in (({"status": "frozen"}, MemberFrozen), (nobody | {"status": "closed"}, MemberClosed)):
        Member.objects.filter(pk=member.pk).update(**facts)
        with pytest.raises(reason):  # the row that was read before says he is active
            important_dates.add(member, name="结婚", day=TODAY, origin=own_origin("member"))
    assert (member.is_active, member.important_dates.count()) == (True, 0)


def test_a_day_is_today_s_by_the_group_s_clock(member):
    def after_midnight() -> Origin:
        return replace(own_origin("member"), posted_at=datetime(2026, 3, 1, 17, tzinfo=UTC))

    important_dates.add(member, name="孩子生日", day=TODAY, origin=after_midnight())
    with pytest.raises(InvalidBirthday):
        important_dates.add(member, name="明天", day=TODAY + timedelta(days=1), origin=after_midnight())


def test_ten_days_are_enough(member):
    for number in range(10):
        important_dates.add(member, name=f"第{number}", day=TODAY, origin=own_origin("admin"))
    with pytest.raises(TooManyDates):
        important_dates.add(member, name="第十一", day=TODAY, origin=own_origin("admin"))
    assert member.important_dates.count() == 10
