"""What is wrong with a step on a reminder."""

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class ReminderClosed(Refused):
    code = "reminder_closed"
    message = _("这条提醒已经处理过了。")


class TooManyDates(Refused):
    code = "too_many_dates"
    message = _("每位会员最多 10 个纪念日，请先删除不用的。")


class DateNameTaken(Refused):
    code = "date_name_taken"
    message = _("已有同名的纪念日，请换一个名称，或先删除原来的。")
