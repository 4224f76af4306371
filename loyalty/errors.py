"""Why the ledger refuses."""

from collections.abc import Sequence
from typing import Self

from django.utils.translation import gettext_lazy as _

from members.errors import ReasonMissing as ReasonMissing  # every floor refuses with it
from members.errors import Refused


class NotEnoughPoints(Refused):
    code = "not_enough_points"
    message = _("可用积分不足。")


class InvalidQuantity(Refused):
    code = "invalid_quantity"
    message = _("数量必须是正整数。")


class HoldNotOpen(Refused):
    code = "hold_not_open"
    message = _("该冻结单已扣除或已解冻，不能再次处理。")
    status = 409


class HoldsOpen(Refused):
    code = "holds_open"
    message = _("该会员有未处理的冻结单，请先扣除或解冻。")
    status = 409

    @classmethod
    def of(cls, member_no: str, holds: Sequence[int]) -> Self:
        numbers = "、".join(f"#{hold}" for hold in holds)
        message = _("会员 %(member_no)s 有未处理的冻结单 %(holds)s，请先扣除或解冻，再合并。")
        return cls(message % {"member_no": member_no, "holds": numbers}, holds=list(holds))


class HoldTimedOut(Refused):
    code = "hold_timed_out"
    message = _("该冻结单已超过保留时间，请重新冻结。")
    status = 409


class HoldTooSmall(Refused):
    code = "hold_too_small"
    message = _("扣除数量超过了冻结数量。")


class NotReversible(Refused):
    code = "not_reversible"
    message = _("该交易不能冲正；消费产生的交易请通过退款撤销。")
    status = 409


class LotHasLess(Refused):
    code = "lot_has_less"
    message = _("该批次可处理的数量不足。")


class NoPointsPrice(Refused):
    code = "no_points_price"
    message = _("发行方在该时刻没有积分单价，请先维护积分单价。")


class PointsNotUsable(Refused):
    code = "points_not_usable"
    message = _("这笔消费不能使用这么多积分。")


class PurchaseExists(Refused):
    code = "purchase_exists"
    message = _("该门店已有相同单号的消费。")
    status = 409


class TendersDoNotAddUp(Refused):
    code = "tenders_do_not_add_up"
    message = _("各支付方式之和与应付金额不符。")


class RefundTooMuch(Refused):
    code = "refund_too_much"
    message = _("退款金额超过了可退金额。")


class RefundNothing(Refused):
    code = "refund_nothing"
    message = _("请说明退哪一行、退多少，或退款金额。")


class CardNotUsable(Refused):
    """`state` is where the card is; lost, frozen, expired, replaced and closed ones spend nothing."""

    code = "card_not_usable"
    message = _("该卡当前不能使用。")
    status = 409


class CardAssetNotAllowed(Refused):
    code = "card_asset_not_allowed"
    message = _("这种卡不能使用该资产。")


class CardLimitExceeded(Refused):
    """`left` is what the card may still spend now, in points or fen."""

    code = "card_limit_exceeded"
    message = _("超出该卡的单次或当日限额。")


class CardLimitTooHigh(Refused):
    """`most` is what cards of this type may spend."""

    code = "card_limit_too_high"
    message = _("限额不能高于该卡类型的限额。")


class MoneyLeft(Refused):
    """`balance` is what has to be paid out first, in fen."""

    code = "money_left"
    message = _("会员的储值本金还没有退还，请先退款，再注销。")
    status = 409


class AssetsLeft(Refused):
    code = "assets_left"
    message = _("会员还有积分，请先用完，再注销。")
    status = 409
