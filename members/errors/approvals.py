"""Why an approval can't be decided, or not by this person."""

from typing import Self

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class SecondPersonNeeded(Refused):
    code = "second_person_needed"
    message = _("不能审批自己的申请，请由另一位有权限的同事审批。")
    status = 403


class OnlyTheAsker(Refused):
    code = "only_the_asker"
    message = _("只有申请人本人可以撤回申请。")
    status = 403


class ApprovalDecided(Refused):
    code = "approval_decided"
    message = _("该申请已处理，不能重复审批。")
    status = 409


class ApprovalOverdue(Refused):
    code = "approval_overdue"
    message = _("该申请已过有效期，请重新申请。")
    status = 409


class AskerGone(Refused):
    code = "asker_gone"
    message = _("申请人已停用或已不管辖该组织，不能再以其名义执行；请驳回。")
    status = 409


class ChangedMeanwhile(Refused):
    """What was asked for was decided upon another state of the row."""

    code = "changed_meanwhile"
    message = _("申请之后该记录已被修改，与当时所见不同；请驳回后重新申请。")
    status = 409


class NoLongerValid(Refused):
    """What was filled in passes the form no more."""

    code = "no_longer_valid"
    message = _("所填内容已不再有效，请驳回后重新申请。")

    @classmethod
    def because(cls, errors: str) -> Self:
        return cls(_("所填内容已不再有效：%(errors)s") % {"errors": errors})
