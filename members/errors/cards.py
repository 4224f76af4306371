"""Why a card can't be given out, or can't go from where it is."""

from typing import Self

from django.utils.translation import gettext_lazy as _

from members.errors.refusal import Refused


class CardNotFound(Refused):
    code = "card_not_found"
    message = _("没有找到这张卡，请检查卡号。")
    status = 404


class CardTypeNotFound(Refused):
    code = "card_type_not_found"
    message = _("没有找到这种卡，请检查卡类型编码。")
    status = 404


class CardStateForbids(Refused):
    """The step is not one from where the card is; the message says where it is, and what can be done there."""

    code = "card_state_forbids"
    message = _("卡的当前状态不允许此操作。")
    status = 409


class CardExpired(Refused):
    code = "card_expired"
    message = _("这张卡已过有效期，请先续期。")


class CardTypeStopped(Refused):
    code = "card_type_stopped"
    message = _("这种卡已停用，不再发放。")


class CardTypeNotHere(Refused):
    code = "card_type_not_here"
    message = _("这种卡不在该组织发放；请选择本组织或其上级的卡类型。")


class InvalidCardNumber(Refused):
    code = "invalid_card_number"
    message = _("卡号不符合该卡类型的编号规则（前缀、位数、校验码），请重新扫描或核对。")


class CardNumberTaken(Refused):
    code = "card_number_taken"
    message = _("这个卡号已经存在。")
    status = 409


class CardNumbersExhausted(Refused):
    code = "card_numbers_exhausted"
    message = _("该卡类型的卡号不够用了，请新建前缀或位数不同的卡类型。")

    @classmethod
    def only(cls, left: int) -> Self:
        return cls(_("该卡类型只剩 %(left)d 个卡号，请减少张数，或新建卡类型。") % {"left": left}, left=left)


class CardHolderMissing(Refused):
    code = "card_holder_missing"
    message = _("激活前请指定持卡会员。")


class CardOfAnother(Refused):
    code = "card_of_another"
    message = _("这张卡是发给另一位会员的，请核对卡号。")
    status = 409


class CardNotBound(Refused):
    code = "card_not_bound"
    message = _("这是我们发行的会员卡的卡号，登记为身份标识无效；请先办理绑卡。")
    status = 409


class CardPrincipalMissing(Refused):
    code = "card_principal_missing"
    message = _("附属卡、关联卡、团体卡须指定主卡会员：卡上的消费使用他的资产。")


class CardPrincipalNotAllowed(Refused):
    code = "card_principal_not_allowed"
    message = _("个人卡使用持卡人自己的资产，不能指定主卡会员；附属卡的持卡人也不能是主卡会员本人。")


class CardReplacementUnfit(Refused):
    code = "card_replacement_unfit"
    message = _("新卡须是同一卡类型、尚未激活且未发给他人的卡。")


class CardBatchTooLarge(Refused):
    code = "card_batch_too_large"
    message = _("一次最多制 500,000 张卡，请分批。")
