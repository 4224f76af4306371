"""What operators decide: what earns, what points are worth, what they cost, and how long they last. All dated."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.criteria import RuleField
from members.models import OrgUnit
from members.scoping import of_owners_in_sight


class RuleQuerySet(models.QuerySet):
    visible_to = of_owners_in_sight("org_unit")


class DatedRule(models.Model):
    """What every rule has: a name, the node it holds for (and is owned by), and half-open dates."""

    name = models.CharField(_("名称"), max_length=100)
    org_unit = models.ForeignKey(
        OrgUnit, models.PROTECT, related_name="+", verbose_name=_("适用组织"), help_text=_("对该组织及其下级生效。")
    )
    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"), null=True, blank=True, help_text=_("空 = 长期有效；不含该时刻。"))
    is_active = models.BooleanField(_("启用"), default=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class EarnRule(DatedRule):
    """`points` for every full `per_amount` of what is eligible: floored per purchase, multiplied, floored again."""

    class Base(models.TextChoices):
        PAID = "paid", _("实付金额（不含积分、赠送金）")
        NET = "net", _("折后金额（含积分抵扣）")
        LIST = "list", _("原价金额")

    class Asset(models.TextChoices):
        POINTS = "points", _("积分")
        GROWTH = "growth", _("成长值")

    asset = models.CharField(_("资产"), max_length=8, choices=Asset, default=Asset.POINTS)
    points = models.PositiveIntegerField(_("每档数量"), default=1, help_text=_("每满一档给多少。"))
    per_amount = models.PositiveIntegerField(
        _("每档金额（分）"), default=100, help_text=_("单位：分。100 = 每满 1 元。")
    )
    multiplier = models.DecimalField(_("倍数"), max_digits=6, decimal_places=3, default=1)
    base = models.CharField(_("计分金额"), max_length=4, choices=Base, default=Base.PAID)
    categories = ArrayField(
        models.CharField(max_length=80),
        verbose_name=_("品类"),
        default=list,
        blank=True,
        help_text=_("空 = 全部品类。"),
    )
    brands = ArrayField(
        models.CharField(max_length=80),
        verbose_name=_("品牌"),
        default=list,
        blank=True,
        help_text=_("空 = 全部品牌。"),
    )
    trades = ArrayField(
        models.CharField(max_length=40),  # codes
        verbose_name=_("业种"),
        default=list,
        blank=True,
        help_text=_("只对这些业种的门店生效；空 = 全部。"),
    )
    audience = RuleField(_("适用人群"), null=True, blank=True, help_text=_("空 = 全部会员。"))
    cap_per_purchase = models.PositiveIntegerField(_("单笔上限"), default=0, help_text=_("0 = 不限。"))
    cap_per_day = models.PositiveIntegerField(_("每人每日上限"), default=0, help_text=_("0 = 不限。"))
    priority = models.IntegerField(_("优先级"), default=100, help_text=_("小者先行。"))
    is_exclusive = models.BooleanField(
        _("独占"), default=False, help_text=_("命中后，排在其后的同类资产规则不再执行。")
    )
    pending_days = models.PositiveSmallIntegerField(
        _("待生效天数"), default=0, help_text=_("0 = 立即生效；N = 第 N 天后的零点生效。")
    )
    boosted_by_tier = models.BooleanField(_("享受等级倍数"), default=True)

    class Meta:
        verbose_name = _("获取规则")
        verbose_name_plural = pgettext_lazy("plural", "获取规则")
        ordering = ("priority", "id")
        constraints = (
            models.CheckConstraint(name="earn_rule_is_per_some_amount", condition=Q(per_amount__gt=0)),
            models.CheckConstraint(name="earn_rule_multiplier_is_not_negative", condition=Q(multiplier__gte=0)),
            models.CheckConstraint(
                name="earn_rule_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at"))
            ),
        )


class BurnRule(DatedRule):
    """What points are worth at a business: `points` points pay `amount` fen."""

    points = models.PositiveIntegerField(_("积分"), default=100, help_text=_("多少积分……"))
    amount = models.PositiveIntegerField(_("抵扣（分）"), default=100, help_text=_("……抵多少分钱。"))
    minimum = models.PositiveIntegerField(_("起用积分"), default=0, help_text=_("0 = 不限。"))
    step = models.PositiveIntegerField(_("积分步长"), default=1, help_text=_("每次使用须为它的整数倍。"))
    share_cap = models.DecimalField(
        _("最高抵扣比例（%）"), max_digits=5, decimal_places=2, default=100, help_text=_("占可抵扣金额的比例。")
    )
    categories = ArrayField(
        models.CharField(max_length=80),
        verbose_name=_("品类"),
        default=list,
        blank=True,
        help_text=_("空 = 全部品类。"),
    )
    trades = ArrayField(
        models.CharField(max_length=40),  # codes
        verbose_name=_("业种"),
        default=list,
        blank=True,
        help_text=_("只对这些业种的门店生效；空 = 全部。"),
    )
    priority = models.IntegerField(_("优先级"), default=100, help_text=_("小者先行。"))

    class Meta:
        verbose_name = _("抵扣规则")
        verbose_name_plural = pgettext_lazy("plural", "抵扣规则")
        ordering = ("priority", "id")
        constraints = (
            models.CheckConstraint(
                name="burn_rule_gives_something_for_something", condition=Q(points__gt=0, amount__gt=0, step__gt=0)
            ),
            models.CheckConstraint(
                name="burn_rule_share_is_a_percentage", condition=Q(share_cap__gt=0, share_cap__lte=100)
            ),
            models.CheckConstraint(
                name="burn_rule_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at"))
            ),
        )


class PointsPrice(models.Model):
    """What one point of an issuer costs from a date on, in fen; copied onto each lot. The group's is the default."""

    issuer = models.ForeignKey(OrgUnit, models.PROTECT, related_name="points_prices", verbose_name=_("发行方"))
    price = models.DecimalField(_("单价（分/分值）"), max_digits=12, decimal_places=6)
    starts_at = models.DateTimeField(_("开始"))

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("issuer")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("积分单价")
        verbose_name_plural = pgettext_lazy("plural", "积分单价")
        ordering = ("issuer", "-starts_at")
        constraints = (
            models.UniqueConstraint(fields=["issuer", "starts_at"], name="points_price_starts_once"),
            models.CheckConstraint(name="points_price_is_not_negative", condition=Q(price__gte=0)),
        )

    def __str__(self) -> str:
        return f"{self.issuer} {self.price}"


class AssetPolicy(DatedRule):
    """How long an issuer's lots last, and what undoing does where too little is left. Most specific node wins."""

    class Asset(models.TextChoices):
        POINTS = "points", _("积分")
        GROWTH = "growth", _("成长值")

    class Unit(models.TextChoices):
        NEVER = "never", _("永久有效")
        DAYS = "days", _("天")
        MONTHS = "months", _("个月")

    class Align(models.TextChoices):
        DAY = "day", _("当日结束")
        MONTH = "month", _("当月末")
        YEAR = "year", _("当年末")

    class Shortfall(models.TextChoices):
        DEBT = "debt", _("记为欠分，下次获取时先抵")
        WITHIN_BALANCE = "within_balance", _("扣到零为止，差额记漏损")
        ONLY_PENDING = "only_pending", _("只追回未生效的")

    asset = models.CharField(_("资产"), max_length=8, choices=Asset, default=Asset.POINTS)
    lasts = models.PositiveSmallIntegerField(_("有效期"), default=12)
    unit = models.CharField(_("单位"), max_length=6, choices=Unit, default=Unit.MONTHS)
    align = models.CharField(_("到期对齐"), max_length=5, choices=Align, default=Align.MONTH)
    late_grace_days = models.PositiveSmallIntegerField(
        _("迟到宽限天数"), default=30, help_text=_("补传的消费若按规则已过期，仍给这么多天。")
    )
    restore_days = models.PositiveSmallIntegerField(
        _("退回有效天数"), default=30, help_text=_("退回到已过期批次的积分有效天数；0 = 立即过期。")
    )
    shortfall = models.CharField(_("追回不足时"), max_length=14, choices=Shortfall, default=Shortfall.DEBT)

    class Meta:
        verbose_name = _("有效期与追回政策")
        verbose_name_plural = pgettext_lazy("plural", "有效期与追回政策")
        ordering = ("-starts_at", "id")
        constraints = (
            models.CheckConstraint(
                name="asset_policy_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at"))
            ),
        )
