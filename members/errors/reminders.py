"""What is wrong with a step on a reminder."""

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class ReminderClosed(Refused):
    code = "reminder_closed"
    message = _("这条提醒已经处理过了。")
