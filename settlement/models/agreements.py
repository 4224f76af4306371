"""What the businesses agreed: who pays when, and how much of a burn's worth is reimbursed. Dated, no overlaps."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import OrgUnit

ANY = 0  # stands for "any business" where a constraint must compare: null equals nothing


class SettlementModel(models.TextChoices):
    """Who pays when. A lot keeps for its life the model under which it was issued."""

    CENTRAL_FUND = "A", _("A 中央基金：发行时付给基金，使用时由基金付出")
    PAY_AT_BURN = "B", _("B 使用时结算：由该批次的发行方付出")


def during() -> Func:
    """The half-open range from starts_at to ends_at."""
    return Func(F("starts_at"), F("ends_at"), RangeBoundary(), function="TSTZRANGE", output_field=DateTimeRangeField())


class IssueAgreementQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "IssueAgreementQuerySet":
        """Those that a business is party to: its own and the group's defaults."""
        return _party_to(self, actor, "issuer")


class RedemptionAgreementQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "RedemptionAgreementQuerySet":
        """Those that a business is party to, on either side."""
        return _party_to(self, actor, "issuer", "redeemer")


def _party_to(queryset: models.QuerySet, actor, *sides: str) -> models.QuerySet:
    node = actor.reach
    if node is None:
        return queryset.none()
    if node.is_group:
        return queryset
    is_party, is_general = Q(), Q()
    for side in sides:
        is_party |= Q(**{side: node.business_id or node.pk})
        is_general &= Q(**{side: None})
    return queryset.filter(is_party | is_general)


class Agreement(models.Model):
    """Half-open dates by business time."""

    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"), null=True, blank=True, help_text=_("空 = 长期有效；不含该时刻。"))
    note = models.CharField(_("备注"), max_length=200, blank=True)

    class Meta:
        abstract = True


class IssueAgreement(Agreement):
    """The model under which an issuer's points are issued; without an issuer, the group's default."""

    class Breakage(models.TextChoices):
        LIABLE = "liable", _("归负债方（A 为基金，B 为发行方）")

    issuer = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发行方"),
        help_text=_("空 = 集团默认。"),
    )
    model = models.CharField(_("结算模式"), max_length=1, choices=SettlementModel, default=SettlementModel.CENTRAL_FUND)
    breakage = models.CharField(_("过期收益"), max_length=10, choices=Breakage, default=Breakage.LIABLE)

    objects = IssueAgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("发行协议")
        verbose_name_plural = pgettext_lazy("plural", "发行协议")
        ordering = ("issuer", "-starts_at")
        constraints = (
            models.CheckConstraint(
                name="issue_agreement_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at"))
            ),
            ExclusionConstraint(
                name="issue_agreement_is_one_per_issuer_at_a_time",
                expressions=[
                    (Coalesce("issuer", Value(ANY)), RangeOperators.EQUAL),
                    (during(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("同一发行方的发行协议日期不能重叠。"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.issuer or _('集团默认')} {self.model}"


class RedemptionAgreement(Agreement):
    """How much of a burn's worth its redeemer is reimbursed. The most specific pair wins, then the redeemer's."""

    issuer = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("发行方"),
        help_text=_("空 = 任何发行方。"),
    )
    redeemer = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("受理方"),
        help_text=_("空 = 任何受理方。"),
    )
    reimbursement = models.DecimalField(
        _("补偿比例（%）"),
        max_digits=7,
        decimal_places=4,
        default=100,
        help_text=_("按抵扣金额补偿受理方的比例；0 = 由受理方自行承担。"),
    )

    objects = RedemptionAgreementQuerySet.as_manager()

    class Meta:
        verbose_name = _("受理协议")
        verbose_name_plural = pgettext_lazy("plural", "受理协议")
        ordering = ("redeemer", "issuer", "-starts_at")
        constraints = (
            models.CheckConstraint(
                name="redemption_agreement_reimburses_a_percentage",
                condition=Q(reimbursement__gte=0, reimbursement__lte=100),
            ),
            models.CheckConstraint(
                name="redemption_agreement_ends_after_it_starts",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
            ),
            ExclusionConstraint(
                name="redemption_agreement_is_one_per_pair_at_a_time",
                expressions=[
                    (Coalesce("issuer", Value(ANY)), RangeOperators.EQUAL),
                    (Coalesce("redeemer", Value(ANY)), RangeOperators.EQUAL),
                    (during(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("同一发行方与受理方的协议日期不能重叠。"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.issuer or _('任何')} → {self.redeemer or _('任何')} {self.reimbursement}%"
