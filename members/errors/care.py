"""What is wrong with a follow-up, a ticket or a call."""

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class FollowUpNotOpen(Refused):
    code = "follow_up_not_open"
    message = _("这次回访已经完成或取消。")
    status = 409


class FollowUpInThePast(Refused):
    code = "follow_up_in_the_past"
    message = _("回访日期不能早于今天。")


class OutcomeMissing(Refused):
    code = "outcome_missing"
    message = _("请选择回访结果。")


class OperatorOutOfReach(Refused):
    """Work that somebody can't see would be done by nobody."""

    code = "operator_out_of_reach"
    message = _("该操作员看不到这个门店或业态的事项，不能指派给他。")


class TextMissing(Refused):
    code = "text_missing"
    message = _("请填写内容。")


class TicketNotFound(Refused):
    code = "ticket_not_found"
    message = _("没有找到该工单，请检查工单号。")
    status = 404


class TicketTypeNotFound(Refused):
    code = "ticket_type_not_found"
    message = _("没有这种工单类型，或该业态不使用它。")


class TicketNotMovable(Refused):
    code = "ticket_not_movable"
    message = _("工单当前的状态不能这样处理。")
    status = 409


class TicketAlreadyRated(Refused):
    code = "ticket_already_rated"
    message = _("这张工单已经评价过了。")
    status = 409


class InvalidScore(Refused):
    code = "invalid_score"
    message = _("满意度为 1 到 5 分。")


class TooManyTickets(Refused):
    code = "too_many_tickets"
    message = _("还有多张工单正在处理，请先等待回复。")
    status = 429


class ReasonOfCallMissing(Refused):
    code = "call_reason_missing"
    message = _("请选择或填写来电原因。")
