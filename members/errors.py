"""Why a request was refused: one family, turned into JSON by the API and into a message by the admin."""

from typing import Self

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


class ChannelNotRecognised(Refused):
    code = "not_authenticated"
    message = _("渠道密钥或签名无效。")
    status = 401

    @classmethod
    def must_sign(cls) -> Self:
        return cls(_("该渠道必须使用 HMAC 签名，不接受 Bearer 密钥。"))

    @classmethod
    def late(cls) -> Self:
        return cls(_("签名的时间戳与服务器相差超过 300 秒，请校准时钟。"))

    @classmethod
    def repeated(cls) -> Self:
        return cls(_("该签名已使用过，每次请求请换一个新的 nonce。"))


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

    @classmethod
    def lost_digits(cls, written: str) -> Self:
        return cls(
            _("手机号 %(written)s 已被表格软件改成科学计数法，数字已丢失；请把该列设为“文本”后重新填写。")
            % {"written": written},
            field="phone",
        )


class InvalidEmail(Refused):
    code = "invalid_email"
    message = _("邮箱格式无效，请填写如 name@example.com 的地址。")


class InvalidIdentity(Refused):
    code = "invalid_identity"
    message = _("身份标识不能为空，且不能超过 120 个字符。")


class InvalidBirthday(Refused):
    code = "invalid_birthday"
    message = _("生日应在 1900-01-01 与今天之间，请检查年份。")


class InvalidDate(Refused):
    code = "invalid_date"
    message = _("日期无法识别，请写成 2024-02-29 的形式。")

    @classmethod
    def written(cls, text: str) -> Self:
        return cls(_("日期“%(text)s”无法识别，请写成 2024-02-29 的形式。") % {"text": text[:20]})


class InvalidGender(Refused):
    code = "invalid_gender"
    message = _("性别请填写“男”或“女”，不知道请留空。")


class NotChangeable(Refused):
    code = "not_changeable"
    message = _("该字段不能在这里修改。")


class MemberClosed(Refused):
    code = "member_closed"
    message = _("该会员已注销，不能再办理业务。")


class TooManyCodes(Refused):
    code = "too_many_codes"
    message = _("验证码发送过于频繁，请稍后再试。")
    status = 429


class TooManyTries(Refused):
    code = "too_many_tries"
    message = _("输错次数过多，请重新获取验证码。")
    status = 429


class WrongCode(Refused):
    code = "wrong_code"
    message = _("验证码不正确，请核对短信后重新输入。")


class CodeExpired(Refused):
    code = "code_expired"
    message = _("验证码已失效，请重新获取。")


class UnreadableFile(Refused):
    code = "unreadable_file"
    message = _("无法读取该文件。请上传 .xlsx，或以 UTF-8、GB18030 编码保存的 .csv。")

    @classmethod
    def old_excel(cls) -> Self:
        return cls(_("这是旧版 .xls 或带密码的工作簿。请在 Excel 中取消密码，另存为 .xlsx 后再上传。"))

    @classmethod
    def too_large(cls) -> Self:
        return cls(_("文件过大，请拆分成几个文件分别上传。"))

    @classmethod
    def empty(cls) -> Self:
        return cls(_("文件中没有数据行，请在表头下填写后再上传。"))

    @classmethod
    def column_missing(cls, title: str) -> Self:
        return cls(_("缺少“%(title)s”列，请使用模板，第一行保留表头。") % {"title": title})

    @classmethod
    def column_twice(cls, title: str) -> Self:
        return cls(_("“%(title)s”列出现了两次，请删除其中一列。") % {"title": title})


class UploadLost(Refused):
    code = "upload_lost"
    message = _("服务器重启，暂存的数据已清空。请重新上传文件；已导入的会员不会重复。")


# --- At the edge of the API -------------------------------------------------------------------------------------


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


class MemberCodeInvalid(Refused):
    code = "member_code_invalid"
    message = _("会员码无效或已过期，请会员刷新后重新出示。")
