from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from settlement.models.agreements import during


class PeriodQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "PeriodQuerySet":
        """The calendar is everybody's who stands anywhere; what happened in it is not."""
        return self.all() if actor.reach else self.none()

    def open(self) -> "PeriodQuerySet":
        return self.filter(state=Period.State.OPEN)

    def final(self) -> "PeriodQuerySet":
        return self.filter(state__in=Period.FINAL)


class Period(models.Model):
    """A month of the group's local zone, half-open. A final one takes no more journals (trigger).

    Today a period goes from OPEN to LOCKED; the states between are where businesses confirm and dispute.
    """

    class State(models.TextChoices):
        OPEN = "open", _("进行中")
        CUT_OFF = "cut_off", _("已截止")
        ISSUED = "issued", _("已出单")
        CONFIRMED = "confirmed", _("已确认")
        LOCKED = "locked", _("已锁定")
        PAID = "paid", _("已付款")

    FINAL = (State.LOCKED, State.PAID)

    name = models.CharField(_("账期"), max_length=20, unique=True)
    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"))
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.OPEN)
    cut_at = models.DateTimeField(_("出单时间"), null=True, blank=True)
    locked_at = models.DateTimeField(_("锁定时间"), null=True, blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = _("账期")
        verbose_name_plural = pgettext_lazy("plural", "账期")
        ordering = ("-starts_at",)
        permissions = (("lock_period", _("可以关账与锁定账期")),)
        constraints = (
            models.CheckConstraint(name="period_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="period_is_final_since_it_was_locked",
                condition=Q(state__in=("locked", "paid"), locked_at__isnull=False)
                | ~Q(state__in=("locked", "paid")) & Q(locked_at=None),
            ),
            ExclusionConstraint(name="period_overlaps_no_other", expressions=[(during(), RangeOperators.OVERLAPS)]),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_final(self) -> bool:
        return self.state in self.FINAL

    def covers(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at
