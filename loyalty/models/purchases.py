"""What members bought, line by line, how it was paid, what was refunded, and which rule gave what for it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty.models.rules import EarnRule
from members.models import Card, Channel, Member, Operator, OrgUnit, Request, Terminal
from members.scoping import rows_within


class PurchaseQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "PurchaseQuerySet":
        return rows_within(self, actor.reach, business="business", store="store")


class Purchase(models.Model):
    """One receipt. net_amount = Σ lines (amount − tier_discount − coupon_discount) = what all tenders paid, in fen.

    `refunded_amount` is cumulative, of net_amount; `points_amount` is the part of net_amount that points paid.
    """

    request = models.ForeignKey(Request, models.PROTECT, related_name="purchases")
    member = models.ForeignKey(Member, models.PROTECT, related_name="purchases", verbose_name=_("会员"))
    business = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, related_name="purchases", verbose_name=_("门店"))
    terminal = models.ForeignKey(Terminal, models.PROTECT, null=True, related_name="+", verbose_name=_("终端"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("渠道"))
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", verbose_name=_("操作员"))
    card = models.ForeignKey(
        Card, models.PROTECT, null=True, db_index=False, related_name="purchases", verbose_name=_("会员卡")
    )
    external_number = models.CharField(_("外部单号"), max_length=80)
    at = models.DateTimeField(_("消费时间"))
    posted_at = models.DateTimeField(_("入账时间"))
    list_amount = models.BigIntegerField(_("原价（分）"))
    net_amount = models.BigIntegerField(_("实付（分）"))
    points_used = models.BigIntegerField(_("使用积分"), default=0)
    points_amount = models.BigIntegerField(_("积分抵扣（分）"), default=0)
    refunded_amount = models.BigIntegerField(_("已退（分）"), default=0)

    objects = PurchaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("消费")
        verbose_name_plural = pgettext_lazy("plural", "消费")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["store", "external_number"], name="purchase_number_is_unique_in_its_store"),
            models.CheckConstraint(
                name="purchase_amounts_are_in_order",
                condition=Q(net_amount__gte=0, net_amount__lte=F("list_amount")),
            ),
            models.CheckConstraint(
                name="purchase_points_pay_no_more_than_its_net",
                condition=Q(points_amount__gte=0, points_amount__lte=F("net_amount"), points_used__gte=0),
            ),
            models.CheckConstraint(
                name="purchase_refunds_no_more_than_its_net",
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("net_amount")),
            ),
        )
        indexes = (
            models.Index(
                fields=["member", "at"],
                include=["net_amount", "refunded_amount", "business"],
                name="purchase_by_member",
            ),
            models.Index(fields=["business", "-at"], name="purchase_by_business"),
            models.Index(fields=["store", "-at"], name="purchase_by_store"),
            models.Index(fields=["external_number"], name="purchase_by_number"),
            models.Index(fields=["card", "-at"], condition=Q(card__isnull=False), name="purchase_by_card"),
        )

    def __str__(self) -> str:
        return self.external_number

    @property
    def kept_amount(self) -> int:
        """What stands after refunds, in fen."""
        return self.net_amount - self.refunded_amount


class PurchaseLine(models.Model):
    """One line of a receipt, in fen. net = amount − tier_discount − coupon_discount."""

    purchase = models.ForeignKey(Purchase, models.CASCADE, related_name="lines", verbose_name=_("消费"))
    number = models.PositiveSmallIntegerField(_("行号"))
    sku = models.CharField(_("商品编码"), max_length=64, blank=True)
    name = models.CharField(_("商品"), max_length=200, blank=True)
    category = models.CharField(_("品类"), max_length=80, blank=True)
    brand = models.CharField(_("品牌"), max_length=80, blank=True)
    quantity = models.DecimalField(_("数量"), max_digits=14, decimal_places=3, default=1)
    amount = models.BigIntegerField(_("金额（分）"))
    tier_discount = models.BigIntegerField(_("等级优惠（分）"), default=0)
    coupon_discount = models.BigIntegerField(_("券优惠（分）"), default=0)
    points_used = models.BigIntegerField(_("使用积分"), default=0)
    points_amount = models.BigIntegerField(_("积分抵扣（分）"), default=0)
    refunded_amount = models.BigIntegerField(_("已退（分）"), default=0)

    class Meta:
        verbose_name = _("消费明细")
        verbose_name_plural = pgettext_lazy("plural", "消费明细")
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=["purchase", "number"], name="purchase_line_number_is_unique"),
            models.CheckConstraint(
                name="purchase_line_discounts_no_more_than_its_amount",
                condition=Q(
                    tier_discount__gte=0,
                    coupon_discount__gte=0,
                    amount__gte=F("tier_discount") + F("coupon_discount") + F("points_amount"),
                    points_amount__gte=0,
                    points_used__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="purchase_line_refunds_no_more_than_its_net",
                condition=Q(
                    refunded_amount__gte=0,
                    refunded_amount__lte=F("amount") - F("tier_discount") - F("coupon_discount"),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.number}. {self.name or self.sku}"

    @property
    def net_amount(self) -> int:
        return self.amount - self.tier_discount - self.coupon_discount


class Tender(models.Model):
    """How a part of a purchase was paid. The tenders of a purchase sum to its net_amount."""

    class Kind(models.TextChoices):
        CASH = "cash", _("现金")
        BANK_CARD = "bank_card", _("银行卡")
        WECHAT = "wechat", _("微信支付")
        ALIPAY = "alipay", _("支付宝")
        POINTS = "points", _("积分")
        BALANCE = "balance", _("储值本金")
        GIFT = "gift", _("赠送金")
        OTHER = "other", _("其他")

    purchase = models.ForeignKey(Purchase, models.CASCADE, related_name="tenders", verbose_name=_("消费"))
    kind = models.CharField(_("支付方式"), max_length=10, choices=Kind)
    amount = models.BigIntegerField(_("金额（分）"))

    class Meta:
        verbose_name = _("支付")
        verbose_name_plural = pgettext_lazy("plural", "支付")
        constraints = (models.CheckConstraint(name="tender_pays_something", condition=Q(amount__gt=0)),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class Award(models.Model):
    """Which rule gave what: base = ⌊eligible × points ÷ per_amount⌋, given = ⌊base × multiplier⌋, then capped."""

    purchase = models.ForeignKey(Purchase, models.CASCADE, related_name="awards", verbose_name=_("消费"))
    rule = models.ForeignKey(EarnRule, models.PROTECT, related_name="awards", verbose_name=_("规则"))
    eligible_amount = models.BigIntegerField(_("计分金额（分）"))
    base = models.BigIntegerField(_("基础"))
    multiplier = models.DecimalField(_("倍数"), max_digits=9, decimal_places=4)
    given = models.BigIntegerField(_("给予"))
    cap = models.CharField(_("封顶"), max_length=20, blank=True, help_text=_("限制了给予数量的上限。"))
    transaction = models.ForeignKey("Transaction", models.PROTECT, null=True, related_name="awards")

    class Meta:
        verbose_name = _("给予明细")
        verbose_name_plural = pgettext_lazy("plural", "给予明细")
        constraints = (
            models.UniqueConstraint(fields=["purchase", "rule"], name="award_is_one_per_purchase_and_rule"),
            models.CheckConstraint(name="award_gives_nothing_negative", condition=Q(given__gte=0)),
        )

    def __str__(self) -> str:
        return f"{self.rule} +{self.given}"


class Refund(models.Model):
    """Money and value given back for a purchase, in part or whole, and what that undid."""

    request = models.ForeignKey(Request, models.PROTECT, related_name="refunds")
    purchase = models.ForeignKey(Purchase, models.PROTECT, related_name="refunds", verbose_name=_("消费"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("门店"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("渠道"))
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", verbose_name=_("操作员"))
    external_number = models.CharField(_("外部单号"), max_length=80, blank=True)
    at = models.DateTimeField(_("退款时间"))
    posted_at = models.DateTimeField(_("入账时间"))
    amount = models.BigIntegerField(_("退款（分）"), help_text=_("含积分抵扣部分。"))
    points_restored = models.BigIntegerField(_("退回积分"), default=0)
    points_amount = models.BigIntegerField(_("积分部分（分）"), default=0)
    reason = models.CharField(_("原因"), max_length=200, blank=True)

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "Refund.QuerySet":
            return rows_within(self, actor.reach, business="purchase__business", store="purchase__store")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("退款")
        verbose_name_plural = pgettext_lazy("plural", "退款")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(name="refund_is_of_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="refund_points_part_is_within_its_amount",
                condition=Q(points_restored__gte=0, points_amount__gte=0, points_amount__lte=F("amount")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.purchase} #{self.pk}"

    @property
    def money_amount(self) -> int:
        """What goes back by the money tenders, in fen."""
        return self.amount - self.points_amount


class RefundLine(models.Model):
    """How much of one line a refund gave back, in fen of its net amount, and the points among it."""

    refund = models.ForeignKey(Refund, models.CASCADE, related_name="lines", verbose_name=_("退款"))
    line = models.ForeignKey(PurchaseLine, models.PROTECT, related_name="refund_lines", verbose_name=_("明细"))
    amount = models.BigIntegerField(_("退款（分）"))
    points_restored = models.BigIntegerField(_("退回积分"), default=0)

    class Meta:
        verbose_name = _("退款明细")
        verbose_name_plural = pgettext_lazy("plural", "退款明细")
        constraints = (
            models.UniqueConstraint(fields=["refund", "line"], name="refund_names_a_line_once"),
            models.CheckConstraint(name="refund_line_is_of_something", condition=Q(amount__gt=0)),
        )

    def __str__(self) -> str:
        return f"{self.line} −{self.amount}"
