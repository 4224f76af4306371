"""Two rows that are one person: the suspicion, the merge, and what is needed to undo it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.operators import Operator
from members.models.people import Identity, Member
from members.models.requests import Request
from members.scoping import of_visible_members


class FormerIdentity(models.Model):
    """A digest of something by which a member was once recognised: no value, so that it names nobody.

    Who comes back with it is welcome, but not to a second welcome gift.
    """

    class Reason(models.TextChoices):
        CLOSED = "closed", _("注销")
        CHANGED = "changed", _("更换")

    member = models.ForeignKey(Member, models.PROTECT, related_name="former_identities")
    kind = models.CharField(max_length=16, choices=Identity.Kind)
    value_index = models.CharField(max_length=64)
    reason = models.CharField(max_length=8, choices=Reason)
    left_at = models.DateTimeField()

    class Meta:
        verbose_name = _("曾用标识")
        verbose_name_plural = pgettext_lazy("plural", "曾用标识")
        indexes = (models.Index(fields=["kind", "value_index"], name="former_identity_by_value"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.get_reason_display()}"


class Device(models.Model):
    """A digest of a device on which a member was seen; many may share one, so it proves nothing by itself."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="devices")
    value_index = models.CharField(max_length=64, db_index=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("设备")
        verbose_name_plural = pgettext_lazy("plural", "设备")
        constraints = (models.UniqueConstraint(fields=["member", "value_index"], name="device_is_known_once"),)

    def __str__(self) -> str:
        return f"{self.member} …{self.value_index[-4:]}"


class Duplicate(models.Model):
    """Two members who look like one person, why, and what somebody decided. `first` is the older row."""

    class State(models.TextChoices):
        OPEN = "open", _("待处理")
        DISMISSED = "dismissed", _("不是同一人")
        MERGED = "merged", _("已合并")

    class Reason(models.TextChoices):
        NAME_BIRTHDAY = "name_birthday", _("姓名与生日相同")
        EXTERNAL = "external", _("业态会员号相同")
        DEVICE = "device", _("设备相同")
        EMAIL = "email", _("邮箱相同")
        PHONE = "phone", _("登记了对方的手机号")

    first = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("会员一"))
    second = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("会员二"))
    reasons = ArrayField(models.CharField(max_length=16, choices=Reason), verbose_name=_("理由"))
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.OPEN)
    found_at = models.DateTimeField(_("发现时间"))
    decided_at = models.DateTimeField(_("处理时间"), null=True, blank=True)
    decided_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("处理人")
    )

    class QuerySet(models.QuerySet):
        visible_to = of_visible_members("first")  # merging asks for both

        def open(self) -> "Duplicate.QuerySet":
            return self.filter(state=Duplicate.State.OPEN)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("疑似重复会员")
        verbose_name_plural = pgettext_lazy("plural", "疑似重复会员")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_is_suspected_once"),
            models.CheckConstraint(name="duplicate_is_of_two", condition=Q(first__lt=F("second"))),
        )
        indexes = (models.Index(fields=["-id"], condition=Q(state="open"), name="duplicate_open"),)

    def __str__(self) -> str:
        return f"{self.first} ≈ {self.second}"


class Merge(models.Model):
    """That `loser` became part of `winner`; `moved` is what each floor's step needs to take it back."""

    winner = models.ForeignKey(Member, models.PROTECT, related_name="merges_won", verbose_name=_("保留会员"))
    loser = models.ForeignKey(Member, models.PROTECT, related_name="merges_lost", verbose_name=_("并入会员"))
    request = models.ForeignKey(Request, models.PROTECT, related_name="+")
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作员")
    )
    reason = models.CharField(_("原因"), max_length=200)
    merged_at = models.DateTimeField(_("合并时间"))
    undo_until = models.DateTimeField(_("可撤销至"), help_text=_("此后撤销需要第二人审批。"))
    undone_at = models.DateTimeField(_("撤销时间"), null=True, blank=True)
    undone_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("撤销人")
    )
    moved = models.JSONField(_("转移内容"), default=dict)  # step name → what it returned

    class QuerySet(models.QuerySet):
        visible_to = of_visible_members("winner")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("会员合并")
        verbose_name_plural = pgettext_lazy("plural", "会员合并")
        ordering = ("-id",)
        permissions = (("undo_merge", _("可以撤销会员合并")),)
        constraints = (
            models.UniqueConstraint(fields=["loser"], condition=Q(undone_at=None), name="member_is_merged_once"),
            models.CheckConstraint(name="merge_is_of_two", condition=~Q(winner=F("loser"))),
        )

    def __str__(self) -> str:
        return f"{self.loser} → {self.winner}"
