"""Why a list is not exported."""

from typing import Self

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class ExportTooLarge(Refused):
    code = "export_too_large"
    message = _("导出行数超过您的角色上限。")

    @classmethod
    def beyond(cls, limit: int) -> Self:
        if not limit:
            return cls(_("您的角色不允许导出。"), limit=limit)
        said = _("列表超过您的角色一次最多可导出的 %(limit)s 行，请先缩小筛选范围。")
        return cls(said % {"limit": f"{limit:,}"}, limit=limit)


class ListUnreadable(Refused):
    code = "list_unreadable"
    message = _("筛选条件无效，请回到列表重新筛选后再导出。")


class ExportGone(Refused):
    code = "export_gone"
    message = _("文件不存在、已过期，或不是您导出的。")
    status = 404
