"""What is wrong with the value of an attribute that operators have defined."""

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class UnknownAttribute(Refused):
    code = "unknown_attribute"
    message = _("没有这个属性，请检查编码；停用的、其他业态的属性不能填写。")


class InvalidAttribute(Refused):
    code = "invalid_attribute"
    message = _("属性的内容不符合它的类型。")

    @classmethod
    def of(cls, name: str, code: str, wanted: str) -> "InvalidAttribute":
        return cls(_("“%(name)s”应填写%(wanted)s。") % {"name": name, "wanted": wanted}, field=code)


class AttributeRequired(Refused):
    code = "attribute_required"

    @classmethod
    def named(cls, name: str, code: str) -> "AttributeRequired":
        return cls(_("“%(name)s”是必填的，不能清空。") % {"name": name}, field=code)
