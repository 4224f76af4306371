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
from members.models.people import Identity, Member
from members.personal_data import EncryptedTextField


class ImportRow(models.Model):
    """One row of a file of members. Personal data is sealed before it gets here; `raw` gives a failed row back."""

    class Verdict(models.TextChoices):
        NEW_MEMBER = "new_member", _("新会员")
        NEW_MEMBERSHIP = "new_membership", _("已有会员，新增业态关系")
        UNCHANGED = "unchanged", _("已是本业态会员，不变")
        FAILED = "failed", _("失败")

    job = models.ForeignKey(
        Job, models.CASCADE, db_constraint=False, db_index=False, related_name="import_rows", verbose_name=_("任务")
    )
    number = models.PositiveIntegerField(_("行号"))  # as the spreadsheet program shows it
    raw = EncryptedTextField(editable=False)  # JSON list of the cells as they were read
    name = models.BinaryField(null=True)  # sealed for members_member.name, and opened only there
    name_index = models.CharField(max_length=64, blank=True, editable=False)
    gender = models.CharField(_("性别"), max_length=1, choices=Member.Gender, blank=True)
    birthday = models.DateField(_("生日"), null=True)
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
    problem = models.TextField(_("失败原因"), blank=True)
    verdict = models.CharField(_("结果"), max_length=14, choices=Verdict, blank=True)
    member = models.ForeignKey(
        Member,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("会员"),
    )
    is_done = models.BooleanField(default=False)

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


class ImportIdentity(models.Model):
    """A phone, e-mail address or number in an imported row, ready to become an Identity."""

    job = models.ForeignKey(
        Job, models.CASCADE, db_constraint=False, db_index=False, related_name="+", verbose_name=_("任务")
    )
    number = models.PositiveIntegerField(_("行号"))
    kind = models.CharField(_("类型"), max_length=16, choices=Identity.Kind)
    value = models.BinaryField()  # sealed for members_identity.value
    value_index = models.CharField(max_length=64, editable=False)
    last_four = models.CharField(_("后四位"), max_length=4, blank=True)

    class Meta:
        verbose_name = _("导入身份标识")
        verbose_name_plural = pgettext_lazy("plural", "导入身份标识")
        constraints = (
            models.UniqueConstraint(fields=["job", "number", "kind"], name="import_identity_is_one_per_row_and_kind"),
        )
        indexes = (models.Index(fields=["job", "kind", "value_index"], name="import_identity_by_value"),)

    def __str__(self) -> str:
        return f"{self.job_id}:{self.number} {self.kind}"
