"""Rows of an uploaded spreadsheet between its check and its import.

Filled by COPY, read by set-based SQL, and unlogged (migration 0003): after a crash of the database server the file
has to be uploaded again, which does no harm. For the same reason they have neither foreign keys nor their indexes:
what points nowhere is found when the row is imported, and COPY and the updates are twice as fast.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.jobs import Job
from members.models.organisation import OrgUnit
from members.models.people import Member
from members.personal_data import EncryptedTextField


class ImportChunk(models.Model):
    """Some thousand rows of a file of members: read, sealed, imported and marked done together.

    `raw` (JSON: row number → cells) gives failed rows back; it is sealed in one piece, which costs a tenth of sealing
    rows. The rows of later rounds repeat a person of the file: each round has no person twice.
    """

    job = models.ForeignKey(
        Job, models.CASCADE, db_constraint=False, db_index=False, related_name="import_chunks", verbose_name=_("任务")
    )
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    round = models.PositiveSmallIntegerField(default=0)
    raw = EncryptedTextField(editable=False, null=True)
    counts = models.JSONField(default=dict)  # verdict → rows, when it is done
    is_done = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("导入分块")
        verbose_name_plural = pgettext_lazy("plural", "导入分块")
        constraints = (
            models.UniqueConstraint(fields=["job", "round", "first"], name="import_chunk_begins_at_a_row_of_its_own"),
        )

    def __str__(self) -> str:
        return f"{self.job_id}:{self.first}–{self.last}"


class ImportRow(models.Model):
    """One row of a file of members, in the columns where it will end up. Personal data is sealed before it gets here.

    A verdict stands here only where the row is not to be imported; what the others do is found when they are.
    """

    class Verdict(models.TextChoices):
        NEW_MEMBER = "new_member", _("新会员")
        NEW_MEMBERSHIP = "new_membership", _("已有会员，新增业态关系")
        CHANGED = "changed", _("已是本业态会员，更新资料")
        UNCHANGED = "unchanged", _("已是本业态会员，不变")
        SKIPPED = "skipped", _("文件内重复，跳过")
        FAILED = "failed", _("失败")

    job = models.ForeignKey(
        Job, models.CASCADE, db_constraint=False, db_index=False, related_name="import_rows", verbose_name=_("任务")
    )
    number = models.PositiveIntegerField(_("行号"))  # as the spreadsheet program shows it
    round = models.PositiveSmallIntegerField(default=0)
    name = models.BinaryField(null=True)  # sealed for members_member.name, and opened only there
    name_index = models.CharField(max_length=64, blank=True, editable=False)
    gender = models.CharField(_("性别"), max_length=1, choices=Member.Gender, blank=True)
    birthday = models.DateField(_("生日"), null=True)
    phone = models.BinaryField(null=True)  # the three are sealed for members_identity.value
    phone_index = models.CharField(max_length=64, blank=True, editable=False)
    phone_last_four = models.CharField(max_length=4, blank=True)
    email = models.BinaryField(null=True)
    email_index = models.CharField(max_length=64, blank=True, editable=False)
    email_last_four = models.CharField(max_length=4, blank=True)
    external = models.BinaryField(null=True)
    external_index = models.CharField(max_length=64, blank=True, editable=False)
    external_last_four = models.CharField(max_length=4, blank=True)
    store = models.ForeignKey(
        OrgUnit,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("入会门店"),
    )
    joined_at = models.DateTimeField(_("入会时间"), null=True)
    source = models.CharField(_("来源"), max_length=40, blank=True)
    attributes = models.JSONField(null=True)  # attribute key → {typed column of AttributeValue: value}
    problem = models.TextField(_("失败原因"), blank=True)
    verdict = models.CharField(_("结果"), max_length=14, choices=Verdict, blank=True)

    class Meta:
        verbose_name = _("导入行")
        verbose_name_plural = pgettext_lazy("plural", "导入行")
        constraints = (
            models.UniqueConstraint(fields=["job", "number"], name="import_row_is_one_per_row_of_the_file"),
            models.CheckConstraint(
                name="import_row_with_a_problem_has_failed", condition=Q(problem="") | Q(verdict="failed")
            ),
        )

    def __str__(self) -> str:
        return f"{self.job_id}:{self.number}"


class ImportLine(models.Model):
    """One row of a file of any kind but members: what it says, sealed, and what importing it will do.

    `head` is the number of the first row of its unit (a receipt has several lines); its own, where it stands alone.
    """

    class Verdict(models.TextChoices):
        NEW = "new", _("新增")
        CHANGED = "changed", _("更新")
        UNCHANGED = "unchanged", _("不变")
        SKIPPED = "skipped", _("跳过")
        FAILED = "failed", _("失败")

    job = models.ForeignKey(
        Job, models.CASCADE, db_constraint=False, db_index=False, related_name="import_lines", verbose_name=_("任务")
    )
    number = models.PositiveIntegerField(_("行号"))
    head = models.PositiveIntegerField()
    key_index = models.CharField(max_length=64, blank=True, editable=False)
    raw = EncryptedTextField(editable=False)  # JSON list of the cells as they were read
    data = EncryptedTextField(editable=False)  # JSON: what the kind has read
    changes = EncryptedTextField(editable=False, null=True)  # JSON list of (column, before, after)
    verdict = models.CharField(_("结果"), max_length=9, choices=Verdict, blank=True)
    problem = models.TextField(_("失败原因"), blank=True)
    is_done = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("导入明细")
        verbose_name_plural = pgettext_lazy("plural", "导入明细")
        constraints = (
            models.UniqueConstraint(fields=["job", "number"], name="import_line_is_one_per_row_of_the_file"),
            models.CheckConstraint(
                name="import_line_with_a_problem_has_failed", condition=Q(problem="") | Q(verdict="failed")
            ),
        )
        indexes = (models.Index(fields=["job", "head"], name="import_line_by_unit"),)

    def __str__(self) -> str:
        return f"{self.job_id}:{self.number}"
