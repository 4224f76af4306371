"""Why a request was refused: one family, turned into JSON by the API and into a message by the admin."""

from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """A request that can't be granted, and what to do about it. Raised before anything is written, or rolled back."""

    code = "refused"
    message = _("请求被拒绝。")
    status = 422

    def __init__(self, message=None, *, field: str | None = None, **details) -> None:
        self.message = message or self.message
        self.field = field
        self.details = details
        super().__init__(str(self.message))


class ReferenceReused(Refused):
    code = "reference_reused"
    message = _("这个参考号已用于内容不同的请求，请换一个新的参考号。")


class NotYours(Refused):
    """Yours to see, but not allowed to do."""

    code = "not_allowed"
    message = _("您没有执行此操作的权限。")
    status = 403


class MemberNotFound(Refused):
    code = "member_not_found"
    message = _("没有找到会员，请检查会员号或手机号。")
    status = 404


class IdentityTaken(Refused):
    code = "identity_taken"
    message = _("该号码已属于另一位会员；如确为同一人，请走合并流程。")
    status = 409


class InvalidPhone(Refused):
    code = "invalid_phone"
    message = _("手机号无效，请填写 11 位中国大陆手机号，或带国家码的号码（如 +852…）。")


class MemberClosed(Refused):
    code = "member_closed"
    message = _("该会员已注销，不能再办理业务。")
