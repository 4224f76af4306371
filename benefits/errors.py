"""Why a benefit is refused."""

from django.utils.translation import gettext_lazy as _

from members.errors import ReasonMissing as ReasonMissing  # every floor refuses with it
from members.errors import Refused


class CouponNotFound(Refused):
    code = "coupon_not_found"
    message = _("没有找到这张券，请核对券码，并确认它属于该会员。")
    status = 404


class CouponNotOpen(Refused):
    code = "coupon_not_open"
    message = _("这张券已使用、已过期或已作废。")
    status = 409


class CouponHeld(Refused):
    code = "coupon_held"
    message = _("这张券正被另一笔订单占用。")
    status = 409


class CouponNotRedeemed(Refused):
    code = "coupon_not_redeemed"
    message = _("这张券没有使用过，不能退回。")
    status = 409


class CouponOfAPurchase(Refused):
    code = "coupon_of_a_purchase"
    message = _("这张券用于一笔消费，请通过该消费的退款退回。")
    status = 409


class CouponNotYetValid(Refused):
    code = "coupon_not_yet_valid"
    message = _("这张券还没有到可用时间。")


class CouponExpired(Refused):
    code = "coupon_expired"
    message = _("这张券已经过期。")


class CouponNotForThisStore(Refused):
    code = "coupon_not_for_this_store"
    message = _("这张券不能在本门店使用。")


class CouponBelowThreshold(Refused):
    code = "coupon_below_threshold"
    message = _("可用券的金额没有达到使用门槛。")


class TooManyCoupons(Refused):
    code = "too_many_coupons"
    message = _("一笔消费只能使用一张券。")


class CouponTemplateStopped(Refused):
    code = "coupon_template_stopped"
    message = _("这种券已经停发。")


class CouponTemplateOver(Refused):
    code = "coupon_template_over"
    message = _("这种券的有效期已经结束，不能再发放。")


class CouponsSoldOut(Refused):
    code = "coupons_sold_out"
    message = _("这种券已经发完。")


class CouponLimitReached(Refused):
    code = "coupon_limit_reached"
    message = _("该会员已达到这种券的限领数量。")


class SharesNotWhole(Refused):
    code = "shares_not_whole"
    message = _("券的承担比例之和必须是 100%，请先维护承担方。")


class QuoteChanged(Refused):
    code = "quote_changed"
    message = _("价格与报价时不同，请重新报价后再提交。")
    status = 409


class NotAStore(Refused):
    code = "not_a_store"
    message = _("消费必须发生在一家启用的门店。")


class LinesInvalid(Refused):
    code = "lines_invalid"
    message = _("请至少填写一行明细，且每行金额不能为负。")


class AmountInvalid(Refused):
    code = "amount_invalid"
    message = _("金额必须是正整数，单位为分。")


class PointsInvalid(Refused):
    code = "points_invalid"
    message = _("积分不能为负。")


class TendersInvalid(Refused):
    code = "tenders_invalid"
    message = _("支付方式无效，或金额不是正数；积分抵扣请填写在积分一栏。")


class ExternalNumberMissing(Refused):
    code = "external_number_missing"
    message = _("请填写门店的单号。")


class InTheFuture(Refused):
    code = "in_the_future"
    message = _("业务时间晚于当前时间，请检查终端的时钟。")


class RefundBeforePurchase(Refused):
    code = "refund_before_purchase"
    message = _("退款时间早于消费时间。")


class BatchTooLarge(Refused):
    code = "batch_too_large"
    message = _("一批最多 500 笔，请分批提交。")
