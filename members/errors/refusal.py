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


class ReasonMissing(Refused):
    code = "reason_missing"
    message = _("请填写原因。")


class NotYours(Refused):
    """Yours to see, but not allowed to do."""

    code = "not_allowed"
    message = _("您没有执行此操作的权限。")
    status = 403
