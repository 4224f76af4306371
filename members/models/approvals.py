"""Maker–checker: what one person asked for and another has to agree to, and when that is needed."""

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.scoping import of_owners_in_sight


class ApprovalPolicy(models.Model):
    """From which size on a verb needs a second person at a node and below it; the nearest one above the place holds."""

    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("适用组织"))
    verb = models.CharField(_("事项"), max_length=60)
    threshold = models.PositiveBigIntegerField(
        _("起批数量"),
        default=0,
        help_text=_("达到或超过该数量需要第二人审批；0 = 一律审批。单位随事项：积分、行数、分。"),
    )
    hours = models.PositiveSmallIntegerField(_("有效期（小时）"), default=72, help_text=_("逾期未批自动失效。"))
    is_active = models.BooleanField(_("启用"), default=True)

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("org_unit")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("审批设置")
        verbose_name_plural = pgettext_lazy("plural", "审批设置")
        constraints = (
            models.UniqueConstraint(fields=["org_unit", "verb"], name="approval_policy_is_one_per_node_and_verb"),
        )

    def __str__(self) -> str:
        return f"{self.org_unit} {self.verb}"


class Approval(models.Model):
    """A change that waits for a second person. `before` and `after` are what he is shown: label → text.

    `arguments` is what the verb (of the table that config installs) needs to do it; `answer` what it answered.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("待审批")
        APPROVED = "approved", _("已批准")
        REJECTED = "rejected", _("已驳回")
        WITHDRAWN = "withdrawn", _("已撤回")
        EXPIRED = "expired", _("已失效")

    verb = models.CharField(_("事项"), max_length=60)
    title = models.CharField(_("标题"), max_length=200)
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("所属组织"))
    quantity = models.BigIntegerField(_("数量"), default=0)
    arguments = models.JSONField(default=dict)
    before = models.JSONField(_("变更前"), default=dict)
    after = models.JSONField(_("变更后"), default=dict)
    reason = models.CharField(_("申请理由"), max_length=200, blank=True)
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.PENDING)
    asked_by = models.ForeignKey(Operator, models.PROTECT, related_name="+", verbose_name=_("申请人"))
    asked_at = models.DateTimeField(_("申请时间"))
    expires_at = models.DateTimeField(_("失效时间"))
    decided_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("审批人")
    )
    decided_at = models.DateTimeField(_("审批时间"), null=True, blank=True)
    note = models.CharField(_("审批意见"), max_length=200, blank=True)
    answer = models.JSONField(_("结果"), null=True, blank=True)

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "Approval.QuerySet":
            reach = actor.reach
            return self.filter(org_unit__path__startswith=reach.path) if reach else self.none()

        def pending(self) -> "Approval.QuerySet":
            return self.filter(state=Approval.State.PENDING)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("审批")
        verbose_name_plural = pgettext_lazy("plural", "审批")
        ordering = ("-id",)
        permissions = (("decide_approval", _("可以审批")),)
        constraints = (
            models.CheckConstraint(
                name="approval_is_decided_by_a_second_person",
                condition=~Q(state__in=("approved", "rejected"))
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("asked_by")),
            ),
        )
        indexes = (models.Index(fields=["expires_at"], condition=Q(state="pending"), name="approval_pending"),)

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"


class RolePolicy(models.Model):
    """What a role (a group of permissions) demands and allows beyond its permissions."""

    group = models.OneToOneField(Group, models.CASCADE, related_name="policy", verbose_name=_("角色"))
    requires_totp = models.BooleanField(_("必须动态口令"), default=False)
    export_rows = models.PositiveIntegerField(
        _("导出行数上限"), default=10_000, help_text=_("一次导出最多多少行；0 = 不许导出。一人有几个角色时取最大。")
    )

    class Meta:
        verbose_name = _("角色设置")
        verbose_name_plural = pgettext_lazy("plural", "角色设置")

    def __str__(self) -> str:
        return str(self.group)
