"""Coupons: the template that an operator writes, and the coupons that carry its terms as they stood when issued."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty.models import Purchase
from members.models import Member, OrgUnit, Request
from members.scoping import lineage, of_owners_in_sight, of_visible_members


class CouponTemplate(models.Model):
    """What a coupon will be. Changing it changes nothing that has been issued: coupons carry a snapshot."""

    class Kind(models.TextChoices):
        CASH_OFF = "cash_off", _("代金券")

    class Validity(models.TextChoices):
        DATES = "dates", _("固定日期")
        DAYS = "days", _("发放后若干天")

    class OnRefund(models.TextChoices):
        RETURN = "return", _("整单退款后退回券")
        KEEP = "keep", _("退款不退券")

    code = models.SlugField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    owner = models.ForeignKey(OrgUnit, models.PROTECT, related_name="coupon_templates", verbose_name=_("发行方"))
    kind = models.CharField(_("类型"), max_length=8, choices=Kind, default=Kind.CASH_OFF)
    amount = models.PositiveBigIntegerField(_("面额（分）"), validators=[MinValueValidator(1)])
    threshold = models.PositiveBigIntegerField(
        _("使用门槛（分）"), default=0, help_text=_("等级价之后的金额满多少可用；0 = 无门槛。")
    )
    validity = models.CharField(_("有效期"), max_length=5, choices=Validity, default=Validity.DAYS)
    valid_from = models.DateTimeField(_("生效时间"), null=True, blank=True, help_text=_("仅固定日期填写。"))
    valid_until = models.DateTimeField(
        _("失效时间"), null=True, blank=True, help_text=_("仅固定日期填写；不含该时刻。")
    )
    from_day = models.PositiveSmallIntegerField(_("第几天起"), default=0, help_text=_("0 = 立即生效；1 = 次日零点。"))
    for_days = models.PositiveSmallIntegerField(_("有效天数"), default=30, help_text=_("含起始当日，至最后一日结束。"))
    businesses = models.ManyToManyField(
        OrgUnit,
        related_name="+",
        blank=True,
        verbose_name=_("适用业态"),
        limit_choices_to={"kind": OrgUnit.Kind.BUSINESS},
        help_text=_("空 = 发行方之下全部门店。"),
    )
    categories = ArrayField(
        models.CharField(max_length=80),
        verbose_name=_("品类"),
        default=list,
        blank=True,
        help_text=_("空 = 全部品类。"),
    )
    total_quantity = models.PositiveIntegerField(_("发行总量"), default=0, help_text=_("0 = 不限。"))
    issued = models.PositiveIntegerField(_("已发行"), default=0, editable=False)
    per_member = models.PositiveSmallIntegerField(_("每人限领"), default=1, help_text=_("0 = 不限。"))
    on_refund = models.CharField(_("退款时"), max_length=6, choices=OnRefund, default=OnRefund.RETURN)
    terms_text = models.TextField(_("使用说明"), blank=True)
    is_welcome_gift = models.BooleanField(_("入会礼"), default=False, help_text=_("新会员入会时自动发放，每人一次。"))
    is_active = models.BooleanField(_("启用"), default=True, help_text=_("停用后不再发放；已发的券不受影响。"))

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("owner")

        def issuable(self) -> "CouponTemplate.QuerySet":
            return self.filter(is_active=True)

        def over(self, node: OrgUnit) -> "CouponTemplate.QuerySet":
            """Those whose owner is `node` or stands above it."""
            return self.filter(owner__path__in=lineage(node))

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("券模板")
        verbose_name_plural = pgettext_lazy("plural", "券模板")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(name="coupon_template_is_worth_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="coupon_template_issues_no_more_than_its_quantity",
                condition=Q(total_quantity=0) | Q(issued__lte=F("total_quantity")),
                violation_error_message=_("发行总量不能小于已发行的数量。"),
            ),
            models.CheckConstraint(
                name="coupon_template_says_when_it_is_valid",
                condition=Q(validity="dates", valid_from__isnull=False, valid_until__gt=F("valid_from"))
                | Q(validity="days", for_days__gt=0),
                violation_error_message=_("固定日期须填写生效与失效时间，且失效晚于生效；否则有效天数须大于 0。"),
            ),
        )

    def __str__(self) -> str:
        return self.name


class CouponShare(models.Model):
    """Who bears how much of a coupon's discount. The shares of a template sum to 100 before it is issued."""

    template = models.ForeignKey(CouponTemplate, models.CASCADE, related_name="shares", verbose_name=_("券模板"))
    payer = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("承担方"),
        limit_choices_to={"kind__in": [OrgUnit.Kind.GROUP, OrgUnit.Kind.BUSINESS]},
        help_text=_("空 = 核销业态自己承担。"),
    )
    percent = models.DecimalField(
        _("比例（%）"), max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        verbose_name = _("承担比例")
        verbose_name_plural = pgettext_lazy("plural", "承担比例")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["template", "payer"], nulls_distinct=False, name="coupon_share_names_a_payer_once"
            ),
            models.CheckConstraint(name="coupon_share_is_a_percentage", condition=Q(percent__gt=0, percent__lte=100)),
        )

    def __str__(self) -> str:
        return f"{self.payer or _('核销业态')} {self.percent}%"


class Coupon(models.Model):
    """One coupon of one member: issued → held → redeemed → (returned), or expired, or revoked.

    Each step is one conditional UPDATE, so two tills can't both win. Reads its own `terms`, never the template's.
    """

    class State(models.TextChoices):
        ISSUED = "issued", _("未使用")
        HELD = "held", _("占用中")
        REDEEMED = "redeemed", _("已使用")
        RETURNED = "returned", _("已退回")  # may be used again
        EXPIRED = "expired", _("已过期")
        REVOKED = "revoked", _("已作废")

    OPEN = (State.ISSUED, State.RETURNED)

    template = models.ForeignKey(CouponTemplate, models.PROTECT, related_name="coupons", verbose_name=_("券模板"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="coupons", verbose_name=_("会员"))
    issuer = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("发行方"))
    request = models.ForeignKey(Request, models.PROTECT, related_name="coupons", verbose_name=_("发放请求"))
    code = models.CharField(_("券码"), max_length=16)
    terms = models.JSONField(_("条款"), encoder=DjangoJSONEncoder, help_text=_("发放时的条款快照。"))
    issued_at = models.DateTimeField(_("发放时间"))
    valid_from = models.DateTimeField(_("生效时间"))
    valid_until = models.DateTimeField(_("失效时间"))
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.ISSUED)
    held_for = models.CharField(_("占用单号"), max_length=80, blank=True)
    held_until = models.DateTimeField(_("占用至"), null=True, blank=True)
    redeemed_at = models.DateTimeField(_("使用时间"), null=True, blank=True)
    purchase = models.ForeignKey(
        Purchase, models.PROTECT, null=True, blank=True, related_name="coupons", verbose_name=_("消费")
    )

    class QuerySet(models.QuerySet):
        visible_to = of_visible_members()

        def open(self) -> "Coupon.QuerySet":
            return self.filter(state__in=Coupon.OPEN)

        def usable(self, at: datetime) -> "Coupon.QuerySet":
            return self.open().filter(valid_from__lte=at, valid_until__gt=at)

        def overdue(self, at: datetime) -> "Coupon.QuerySet":
            """Not used in time."""
            return self.open().filter(valid_until__lte=at)

        def held_too_long(self, at: datetime) -> "Coupon.QuerySet":
            return self.filter(state=Coupon.State.HELD, held_until__lte=at)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("券")
        verbose_name_plural = pgettext_lazy("plural", "券")
        ordering = ("-id",)
        permissions = (("issue_coupon", _("可以发券")), ("revoke_coupon", _("可以作废券")))
        constraints = (
            models.UniqueConstraint(fields=["code"], name="coupon_code_is_unique"),
            models.CheckConstraint(name="coupon_is_valid_for_some_time", condition=Q(valid_until__gt=F("valid_from"))),
            models.CheckConstraint(
                name="coupon_redeemed_at_most_once",
                condition=Q(state="redeemed", redeemed_at__isnull=False)
                | ~Q(state="redeemed") & Q(redeemed_at=None, purchase=None),
            ),
            models.CheckConstraint(
                name="coupon_is_held_for_an_order_until_a_time",
                condition=Q(state="held", held_until__isnull=False) & ~Q(held_for="")
                | ~Q(state="held") & Q(held_until=None, held_for=""),
            ),
        )
        indexes = (
            models.Index(fields=["member", "-id"], name="coupon_by_member"),
            models.Index(
                fields=["valid_until"], condition=Q(state__in=["issued", "returned"]), name="coupon_to_expire"
            ),
            models.Index(fields=["held_until"], condition=Q(state="held"), name="coupon_held"),
        )

    def __str__(self) -> str:
        return self.code

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
