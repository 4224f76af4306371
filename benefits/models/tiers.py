"""Tiers: what a member's spend makes of him, what that is worth, and who stood where when."""

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import Member, OrgUnit
from members.scoping import of_owners_in_sight, of_visible_members


class TierProgramme(models.Model):
    """One ladder of tiers, climbed by what is spent in a rolling window. One is active per node."""

    class Metric(models.TextChoices):
        SPEND = "spend", _("净消费额")

    code = models.SlugField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    org_unit = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        related_name="tier_programmes",
        verbose_name=_("适用组织"),
        help_text=_("集团等级体系填写集团。"),
    )
    metric = models.CharField(_("评级依据"), max_length=8, choices=Metric, default=Metric.SPEND)
    window_days = models.PositiveSmallIntegerField(
        _("滚动窗口（天）"),
        default=365,
        validators=[MinValueValidator(1)],
        help_text=_("统计最近多少个当地自然日的净消费，含当日。"),
    )
    starts_at = models.DateTimeField(_("开始评级"), help_text=_("此前不评级；窗口内此前的消费照常计入。"))
    benefits_from = models.DateTimeField(_("权益起始"), help_text=_("积分倍数与等级价从此时起生效。"))
    is_active = models.BooleanField(_("启用"), default=True)

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("org_unit")

        def active(self) -> "TierProgramme.QuerySet":
            return self.filter(is_active=True)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("等级体系")
        verbose_name_plural = pgettext_lazy("plural", "等级体系")
        constraints = (
            models.UniqueConstraint(
                fields=["org_unit"], condition=Q(is_active=True), name="tier_programme_is_one_per_node"
            ),
            models.CheckConstraint(name="tier_programme_looks_back_some_days", condition=Q(window_days__gt=0)),
            models.CheckConstraint(
                name="tier_programme_benefits_begin_no_sooner_than_it", condition=Q(benefits_from__gte=F("starts_at"))
            ),
        )

    def __str__(self) -> str:
        return self.name


class Tier(models.Model):
    """One rung: reached with `threshold` spent in the window. The lowest is everybody's, whatever its threshold.

    Ranks leave room between them, so that a tier can be put between two.
    """

    class Look(models.TextChoices):
        GREEN = "green", _("青绿")
        BRONZE = "bronze", _("青铜")
        SILVER = "silver", _("银")
        GOLD = "gold", _("金")
        PLATINUM = "platinum", _("铂金")
        BLACK = "black", _("黑钻")

    programme = models.ForeignKey(TierProgramme, models.PROTECT, related_name="tiers", verbose_name=_("等级体系"))
    code = models.SlugField(_("编码"), max_length=40)
    name = models.CharField(_("名称"), max_length=40)
    rank = models.PositiveSmallIntegerField(_("顺序"), help_text=_("从低到高；建议每级隔 10，便于以后插入。"))
    threshold = models.PositiveBigIntegerField(
        _("门槛（分）"), default=0, help_text=_("窗口内净消费达到多少即升级；单位：分。0 = 无门槛。")
    )
    points_multiplier = models.DecimalField(
        _("积分倍数"), max_digits=5, decimal_places=3, default=1, help_text=_("1 = 不加倍；1.5 = 一倍半。")
    )
    look = models.CharField(_("卡面"), max_length=8, choices=Look, default=Look.GREEN)

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("programme__org_unit")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("等级")
        verbose_name_plural = pgettext_lazy("plural", "等级")
        ordering = ("programme", "rank")
        constraints = (
            models.UniqueConstraint(fields=["programme", "code"], name="tier_code_is_unique_in_its_programme"),
            models.UniqueConstraint(fields=["programme", "rank"], name="tier_rank_is_unique_in_its_programme"),
            models.UniqueConstraint(
                fields=["programme", "threshold"], name="tier_threshold_is_unique_in_its_programme"
            ),
            models.CheckConstraint(name="tier_takes_no_points_away", condition=Q(points_multiplier__gte=1)),
        )

    def __str__(self) -> str:
        return self.name


class TierPrice(models.Model):
    """What a tier pays at a business, in percent of the price: 95.00 reads 9.5折."""

    tier = models.ForeignKey(Tier, models.CASCADE, related_name="prices", verbose_name=_("等级"))
    business = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        related_name="+",
        verbose_name=_("业态"),
        limit_choices_to={"kind": OrgUnit.Kind.BUSINESS},
    )
    percent = models.DecimalField(
        _("等级价（%）"),
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("按原价的百分之多少计价：95 = 9.5折。"),
    )

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("tier__programme__org_unit")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("等级价")
        verbose_name_plural = pgettext_lazy("plural", "等级价")
        constraints = (
            models.UniqueConstraint(fields=["tier", "business"], name="tier_price_is_one_per_tier_and_business"),
            models.CheckConstraint(
                name="tier_price_is_a_share_of_the_price", condition=Q(percent__gte=0, percent__lte=100)
            ),
        )

    def __str__(self) -> str:
        return f"{self.tier} · {self.business} {self.label}"

    @property
    def label(self) -> str:
        """9.5折, as price tags say it."""
        return _("%s折") % f"{(self.percent / 10).normalize():f}"


class MemberTier(models.Model):
    """Where a member stood from `since` until before `until`, and the spend that put him there.

    The whole history, without overlaps (exclusion constraint); the open row is where he stands now. A row of no length
    is one that was left in the same instant. Who has no row yet stands on the lowest tier.
    """

    class Reason(models.TextChoices):
        START = "start", _("初始")
        UPGRADE = "upgrade", _("升级")
        DOWNGRADE = "downgrade", _("降级")
        MANUAL = "manual", _("人工调整")

    member = models.ForeignKey(Member, models.PROTECT, related_name="tier_history", verbose_name=_("会员"))
    programme = models.ForeignKey(TierProgramme, models.PROTECT, related_name="+", verbose_name=_("等级体系"))
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="holders", verbose_name=_("等级"))
    since = models.DateTimeField(_("开始"))
    until = models.DateTimeField(_("结束"), null=True, blank=True, help_text=_("空 = 当前等级；不含该时刻。"))
    reason = models.CharField(_("原因"), max_length=9, choices=Reason)
    spend = models.BigIntegerField(_("依据消费（分）"), help_text=_("评级时窗口内的净消费。"))

    class QuerySet(models.QuerySet):
        visible_to = of_visible_members()

        def open(self) -> "MemberTier.QuerySet":
            return self.filter(until=None)

        def at(self, moment: datetime) -> "MemberTier.QuerySet":
            return self.filter(since__lte=moment).filter(Q(until=None) | Q(until__gt=moment))

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("等级记录")
        verbose_name_plural = pgettext_lazy("plural", "等级记录")
        ordering = ("member", "-since", "-id")
        constraints = (
            ExclusionConstraint(
                name="member_tier_periods_do_not_overlap",
                expressions=[
                    ("member", RangeOperators.EQUAL),
                    ("programme", RangeOperators.EQUAL),
                    (
                        Func("since", "until", function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            models.UniqueConstraint(
                fields=["member", "programme"], condition=Q(until=None), name="member_stands_on_one_tier_at_a_time"
            ),
            models.CheckConstraint(
                name="member_tier_ends_no_sooner_than_it_begins", condition=Q(until=None) | Q(until__gte=F("since"))
            ),
        )
        indexes = (models.Index(fields=["tier"], condition=Q(until=None), name="member_tier_held_now"),)

    def __str__(self) -> str:
        return f"{self.member} {self.tier}"
