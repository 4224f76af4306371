"""What was changed of master data, permissions and configuration: before and after, written by the database itself.

A trigger on each audited table calls `record_change()`, so that bulk writes and bare SQL are caught as well; who did
it and on which page comes from the context that config/history.py gives each request. Members that come in by COPY
are told by their events, not here: of people only changes and deletions are kept. See docs/decisions/0011.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.models.people import Member


class AuditQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "AuditQuerySet":
        """What concerns nodes in one's subtree, and members in sight; what has no node is the group's."""
        reach = actor.reach
        if reach is None:
            return self.none()
        if reach.is_group:
            return self
        of_nodes = models.Q(member=None, org_unit__path__startswith=reach.path)
        return self.filter(of_nodes | models.Q(member__in=Member.objects.visible_to(actor)))

    def of(self, row: models.Model) -> "AuditQuerySet":
        """What was done to one row, and to its relations."""
        return self.filter(model=row._meta.label_lower, row_id=row.pk)


class AuditEntry(models.Model):
    """One change of one row. Insert-only (trigger), without foreign key constraints: it outlives what it tells of.

    `before` and `after` hold the columns: all of them for a new or deleted row, the changed ones otherwise. Secrets
    are left out, personal data reads `***`. `part` names a relation (groups, permissions) whose row came or went.
    """

    class Action(models.TextChoices):
        INSERT = "insert", _("新增")
        UPDATE = "update", _("修改")
        DELETE = "delete", _("删除")

    at = models.DateTimeField(_("时间"), db_index=True)
    action = models.CharField(_("动作"), max_length=6, choices=Action)
    model = models.CharField(_("对象类型"), max_length=60)  # label_lower
    row_id = models.BigIntegerField(_("对象编号"))
    part = models.CharField(_("关系"), max_length=40, blank=True)
    title = models.CharField(_("对象"), max_length=120, blank=True)  # what it was called then
    before = models.JSONField(_("变更前"), null=True)
    after = models.JSONField(_("变更后"), null=True)
    operator = models.ForeignKey(
        Operator, models.DO_NOTHING, null=True, db_constraint=False, related_name="+", verbose_name=_("操作员")
    )
    channel = models.ForeignKey(
        Channel,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("渠道"),
    )
    page = models.CharField(_("页面或任务"), max_length=200, blank=True)
    context = models.UUIDField(_("同一次操作"), null=True)  # groups what one request has changed
    org_unit = models.ForeignKey(
        OrgUnit, models.DO_NOTHING, null=True, db_constraint=False, related_name="+", verbose_name=_("所属组织")
    )
    member = models.ForeignKey(
        Member, models.DO_NOTHING, null=True, db_constraint=False, related_name="+", verbose_name=_("会员")
    )

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("变更记录")
        verbose_name_plural = pgettext_lazy("plural", "变更记录")
        ordering = ("-id",)
        indexes = (models.Index(fields=["model", "row_id"], name="audit_entry_by_row"),)

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_action_display()} {self.title or self.row_id}"
