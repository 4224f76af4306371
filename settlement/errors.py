"""Why settlement refuses."""

from django.utils.translation import gettext_lazy as _

from members.errors import Refused


class PeriodNotOpen(Refused):
    code = "period_not_open"
    message = _("该账期已经截止，不能再变更。")
    status = 409


class PeriodNotOver(Refused):
    code = "period_not_over"
    message = _("账期尚未结束，结束之后才能锁定。")


class EarlierPeriodOpen(Refused):
    code = "earlier_period_open"
    message = _("请先锁定更早的账期。")
    status = 409
