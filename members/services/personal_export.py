"""All that is held on a member, for himself: every floor adds its sections (config/steps.py)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from members import events
from members.interfaces import Origin
from members.interfaces.steps import export_steps
from members.models import Card, Consent, Device, Event, Identity, Member, Membership, Reminder, Ticket
from members.services.successors import selves

Record = dict[str, Any]
# A title, and the way from a row to what stands under it: attributes and methods, with dots.
Columns = Sequence[tuple[str, str]]


def collect(member: Member) -> dict[str, Any]:
    """{"member_no", "collected_at", "sections": [{"name", "title", "rows"}]}, JSON-native, in the reader's language.

    With what still stands under those who were merged into him: their history, and what both had.
    """
    merged = Member.objects.filter(pk__in=selves(member)).exclude(pk=member.pk)
    people = [member, *merged.order_by("pk")]
    sections = [
        {"name": step.name, "title": str(step.title), "rows": [row for one in people for row in step.rows(one)]}
        for step in export_steps
    ]
    return {"member_no": member.member_no, "collected_at": timezone.now().isoformat(), "sections": sections}


@transaction.atomic
def hand_over(member: Member, *, origin: Origin) -> dict[str, Any]:
    """The same, on record: who took it, and when. What was taken is not kept a second time."""
    events.record("member.exported", origin=origin, member=member)
    return collect(member)


def records(rows: Iterable[Model], columns: Columns) -> list[Record]:
    """Rows as flat records, by title."""
    return [{str(title): plain(_at(row, way)) for title, way in columns} for row in rows]


def plain(value: Any) -> Any:
    """What JSON has a word for; the rest as people write it."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or isinstance(value, str | int | float | bool | dict):
        return value
    return str(value)


def _at(row: Any, way: str) -> Any:
    return reduce(_step, way.split("."), row)


def _step(value: Any, name: str) -> Any:
    if value is None:
        return None
    found = getattr(value, name)
    return found() if callable(found) else found


# --- This floor's own sections ----------------------------------------------------------------------------------


def person(member: Member) -> list[Record]:
    columns = (
        (_("会员号"), "member_no"),
        (_("姓名"), "name"),
        (_("性别"), "get_gender_display"),
        (_("生日"), "birthday"),
        (_("状态"), "get_status_display"),
        (_("来源"), "source"),
        (_("注册时间"), "registered_at"),
        (_("注册渠道"), "registered_channel.name"),
        (_("注册业态"), "registered_business.name"),
        (_("注册门店"), "registered_store.name"),
    )
    return records([member], columns)


def identities(member: Member) -> list[Record]:
    columns = (
        (_("类型"), "get_kind_display"),
        (_("内容"), "value"),
        (_("验证时间"), "verified_at"),
        (_("来源渠道"), "channel.name"),
        (_("创建时间"), "created_at"),
    )
    return records(Identity.objects.filter(member=member).select_related("channel").order_by("pk"), columns)


def memberships(member: Member) -> list[Record]:
    columns = (
        (_("业态"), "business.name"),
        (_("门店"), "store.name"),
        (_("渠道"), "channel.name"),
        (_("入会时间"), "joined_at"),
    )
    rows = Membership.objects.filter(member=member).select_related("business", "store", "channel")
    return records(rows.order_by("pk"), columns)


def consents(member: Member) -> list[Record]:
    columns = (
        (_("接收方"), "receiver.name"),
        (_("用途"), "get_purpose_display"),
        (_("方式"), "get_medium_display"),
        (_("版本"), "version"),
        (_("同意时间"), "given_at"),
        (_("撤回时间"), "withdrawn_at"),
        (_("渠道"), "channel.name"),
    )
    return records(Consent.objects.filter(member=member).select_related("receiver", "channel"), columns)


def attributes(member: Member) -> list[Record]:
    values = member.attribute_values.select_related("attribute").order_by("attribute__position", "pk")
    return records(values, ((_("属性"), "attribute.name"), (_("内容"), "value"), (_("更新时间"), "updated_at")))


def important_dates(member: Member) -> list[Record]:
    return records(member.important_dates.order_by("day"), ((_("纪念日"), "name"), (_("日期"), "day")))


def devices(member: Member) -> list[Record]:
    return records(Device.objects.filter(member=member), ((_("设备摘要"), "value_index"), (_("最近出现"), "seen_at")))


def cards(member: Member) -> list[Record]:
    """His own, and those of others that spend for him."""
    columns = (
        (_("卡号"), "number"),
        (_("卡类型"), "card_type.name"),
        (_("状态"), "get_state_display"),
        (_("发卡时间"), "issued_at"),
        (_("激活时间"), "activated_at"),
        (_("到期时间"), "expires_at"),
        (_("押金（分）"), "deposit"),
    )
    held = Card.objects.filter(member=member) | Card.objects.filter(principal=member)
    return records(held.select_related("card_type").order_by("pk"), columns)


def follow_ups(member: Member) -> list[Record]:
    columns = (
        (_("业态"), "business.name"),
        (_("计划"), "plan"),
        (_("方式"), "get_medium_display"),
        (_("计划日期"), "due_on"),
        (_("状态"), "get_state_display"),
        (_("结果"), "get_outcome_display"),
        (_("记录"), "note"),
        (_("完成时间"), "done_at"),
    )
    return records(member.follow_ups.select_related("business"), columns)


def tickets(member: Member) -> list[Record]:
    """Each with what was said openly about it; internal notes are the staff's own."""
    columns = (
        (_("工单号"), "number"),
        (_("类型"), "type.name"),
        (_("业态"), "business.name"),
        (_("标题"), "title"),
        (_("内容"), "description"),
        (_("状态"), "get_state_display"),
        (_("创建时间"), "created_at"),
        (_("解决时间"), "resolved_at"),
        (_("满意度"), "satisfaction"),
        (_("评价"), "satisfaction_note"),
    )
    rows = list(Ticket.objects.filter(member=member).select_related("type", "business").prefetch_related("notes"))
    said = ([note for note in row.notes.all() if not note.is_internal] for row in rows)
    notes = ((_("时间"), "at"), (_("会员所写"), "is_by_member"), (_("内容"), "text"))
    return [
        record | {_("往来"): records(public, notes)}
        for record, public in zip(records(rows, columns), said, strict=True)
    ]


def calls(member: Member) -> list[Record]:
    columns = (
        (_("时间"), "at"),
        (_("来电号码"), "phone"),
        (_("来电原因"), "reason"),
        (_("业态"), "business.name"),
        (_("门店"), "store.name"),
    )
    return records(member.calls.select_related("business", "store"), columns)


def reminders(member: Member) -> list[Record]:
    columns = (
        (_("业态"), "business.name"),
        (_("类型"), "get_kind_display"),
        (_("日期"), "due_on"),
        (_("说明"), "text"),
        (_("状态"), "get_state_display"),
        (_("发送"), "sent"),
        (_("发送时间"), "sent_at"),
    )
    return records(Reminder.objects.filter(member=member).select_related("business"), columns)


def history(member: Member) -> list[Record]:
    columns = (
        (_("时间"), "at"),
        (_("类型"), "type"),
        (_("业态"), "business.name"),
        (_("门店"), "store.name"),
        (_("渠道"), "channel.name"),
        (_("内容"), "data"),
    )
    rows = Event.objects.filter(member=member).select_related("business", "store", "channel")
    return records(rows.order_by("pk"), columns)
