"""Why two members can't become one, or not any more be two."""

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class MergeOfOne(Refused):
    code = "merge_of_one"
    message = _("这两个会员号是同一位会员，无需合并。")
    status = 409


class NotMergeable(Refused):
    code = "not_mergeable"
    message = _("已注销或已并入他人的会员不能合并。")
    status = 409


class MergeReasonMissing(Refused):
    code = "merge_reason_missing"
    message = _("请填写合并原因。")


class MergeNotFound(Refused):
    code = "merge_not_found"
    message = _("没有找到这次合并。")
    status = 404


class MergeUndone(Refused):
    code = "merge_undone"
    message = _("这次合并已经撤销。")
    status = 409


class MergeNotUndoable(Refused):
    code = "merge_not_undoable"
    message = _("保留会员此后已注销或又并入他人，不能撤销；如又并入他人，请先撤销后一次合并。")
    status = 409


class MergeUndoTooLate(Refused):
    code = "merge_undo_too_late"
    message = _("已超过可直接撤销的期限，需要第二人审批。")
    status = 409


class DuplicateDecided(Refused):
    code = "duplicate_decided"
    message = _("该条目已处理。")
    status = 409
