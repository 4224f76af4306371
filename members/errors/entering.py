"""Who may not come in: channels without a key, members without a code."""

from typing import Self

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


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


class MemberCodeInvalid(Refused):
    code = "member_code_invalid"
    message = _("会员码无效或已过期，请会员刷新后重新出示。")
