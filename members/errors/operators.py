"""What operators may not do to each other, and what their second factor refuses."""

from django.utils.translation import gettext_lazy as _

from members.errors.entering import TooManyTries, WrongCode
from members.errors.refusal import NotYours, Refused


class WrongAppCode(WrongCode):
    code = "wrong_app_code"
    message = _("口令不正确：请填写验证器当前显示的 6 位数字，或一个未用过的恢复码。")


class AppCodeTooSoon(TooManyTries):
    code = "app_code_too_soon"
    message = _("刚才输错，请稍候几秒再试；每错一次，等待时间加倍。")


class SecondFactorStands(Refused):
    code = "second_factor_stands"
    message = _("已设置过验证器：请先用它的口令登录；手机丢失请用恢复码，或请上级重置。")
    status = 409


class OperatorBeyondReach(NotYours):
    code = "operator_beyond_reach"
    message = _("只能管理自己管辖范围之内、权限小于自己的操作员。")


class RoleBeyondReach(NotYours):
    code = "role_beyond_reach"
    message = _("只能授予自己具备其全部权限的角色。")
