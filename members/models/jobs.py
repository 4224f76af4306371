from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.operators import Operator
from members.models.organisation import OrgUnit


class JobQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "JobQuerySet":
        reach = actor.reach
        return self.filter(org_unit__path__startswith=reach.path) if reach else self.none()


class Job(models.Model):
    """A piece of long work: the truth about its state and progress, kept after the task's result is gone."""

    class State(models.TextChoices):
        DRAFT = "draft", _("待确认")
        QUEUED = "queued", _("排队中")
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")
        CANCELLED = "cancelled", _("已取消")

    kind = models.CharField(_("类型"), max_length=40)
    title = models.CharField(_("名称"), max_length=200)
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("所属组织"))
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作员")
    )
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.QUEUED)
    total = models.PositiveBigIntegerField(_("总数"), default=0)
    done = models.PositiveBigIntegerField(_("已处理"), default=0)
    failed = models.PositiveBigIntegerField(_("失败数"), default=0)
    message = models.TextField(_("说明"), blank=True)
    summary = models.JSONField(_("结果"), default=dict, blank=True)
    source_file = models.FileField(_("文件"), upload_to="jobs/", blank=True)
    failures_file = models.FileField(_("失败清单"), upload_to="jobs/", blank=True)
    result_file = models.FileField(_("结果文件"), upload_to="jobs/", blank=True)
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("任务")
        verbose_name_plural = pgettext_lazy("plural", "任务")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="job_has_not_done_more_than_there_was", condition=Q(total=0) | Q(done__lte=F("total"))
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 0
