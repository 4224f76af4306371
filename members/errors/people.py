"""What is wrong with what was said of a person."""

from typing import Self

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class MemberNotFound(Refused):
    code = "member_not_found"
    message = _("没有找到会员，请检查会员号或手机号。")
    status = 404


class IdentityTaken(Refused):
    """`owners` are the people to whom it belongs: for the edge to note a duplicate, never part of an answer."""

    code = "identity_taken"
    message = _("该号码已属于另一位会员；如确为同一人，请走合并流程。")
    status = 409
    owners: tuple = ()

    @classmethod
    def by(cls, *owners, field: str | None = None) -> Self:
        refusal = cls(field=field)
        refusal.owners = tuple(owner for owner in owners if owner)
        return refusal


class IdentityNotFound(Refused):
    code = "identity_not_found"
    message = _("没有找到该身份标识。")
    status = 404


class LastIdentity(Refused):
    code = "last_identity"
    message = _("这是会员唯一可用的登录方式，不能移除；请先添加另一个。")
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

    @classmethod
    def of_nobody(cls, kind: str) -> Self:
        return cls(_("业态会员号只在一个业态内唯一，请注明业态。"), field=kind)


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


class MemberFrozen(Refused):
    code = "member_frozen"
    message = _("该会员已冻结，不能办理业务；请先解冻。")


class MemberNotFrozen(Refused):
    code = "member_not_frozen"
    message = _("该会员没有被冻结。")
    status = 409
