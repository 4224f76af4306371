"""What is wrong with a request before it gets to a service."""

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class IdempotencyKeyMissing(Refused):
    code = "idempotency_key_missing"
    message = _("请在 Idempotency-Key 请求头中填写 1 到 120 个可见 ASCII 字符的参考号；重试同一笔业务时使用同一个。")
    status = 400


class OrgUnitNotFound(Refused):
    code = "org_unit_not_found"
    message = _("没有找到该组织，请检查编码；渠道只能使用自己所在组织及其下级。")
    status = 404


class StoreNotFound(OrgUnitNotFound):
    code = "store_not_found"
    message = _("没有找到该门店，请检查编码；渠道只能使用自己所在组织下的门店。")


class StoreMissing(Refused):
    code = "store_missing"
    message = _("请填写门店编码；只有设在门店的渠道可以省略。")


class TerminalNotFound(Refused):
    code = "terminal_not_found"
    message = _("该门店没有此终端，请检查终端号。")
    status = 404
