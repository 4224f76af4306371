"""What the clock reminds staff and members of: days that matter, and what each business wants done about them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import ExtractDay, ExtractMonth
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.models.people import Member
from members.scoping import of_owners_in_sight, rows_within


class ReminderKind(models.TextChoices):
    BIRTHDAY = "birthday", _("生日")
    ANNIVERSARY = "anniversary", _("纪念日")
    AFTER_PURCHASE = "after_purchase", _("消费后关怀")
    USUAL_OVERDUE = "usual_overdue", _("惯常消费逾期")
    SILENCE = "silence", _("久未消费")
    CARD_EXPIRY = "card_expiry", _("卡到期")
    POINTS_EXPIRY = "points_expiry", _("积分到期")


class ImportantDate(models.Model):
    """A day of a member's own that comes every year: a wedding, a child's birthday."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="important_dates", verbose_name=_("会员"))
    name = models.CharField(_("名称"), max_length=40)
    day = models.DateField(_("日期"), help_text=_("每年同月同日提醒；2 月 29 日在平年提前到 28 日。"))
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)

    class Meta:
        verbose_name = _("纪念日")
        verbose_name_plural = pgettext_lazy("plural", "纪念日")
        constraints = (
            models.UniqueConstraint(fields=["member", "name"], name="important_date_has_one_name_per_member"),
        )
        indexes = (models.Index(ExtractMonth("day"), ExtractDay("day"), name="important_date_by_day"),)

    def __str__(self) -> str:
        return f"{self.name} {self.day:%m-%d}"


class ReminderSetting(models.Model):
    """What a business does about one kind of day: how many days before or after, for staff or also to the member."""

    org_unit = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        related_name="+",
        verbose_name=_("业态"),
        limit_choices_to={"kind": OrgUnit.Kind.BUSINESS},
    )
    kind = models.CharField(_("类型"), max_length=14, choices=ReminderKind)
    days = models.PositiveSmallIntegerField(
        _("天数"),
        default=7,
        help_text=_(
            "生日、纪念日、到期：提前几天；消费后：几天之后；久未消费：多少天没有消费；惯常消费：超过平时间隔几天。"
        ),
    )
    sends_message = models.BooleanField(_("发送给会员"), default=False, help_text=_("仅发给同意接收营销信息的会员。"))
    message = models.CharField(
        _("短信内容"),
        max_length=200,
        blank=True,
        help_text=_("可用 {name}（姓名）、{business}（业态）、{date}（日期）、{text}（说明）。"),
    )
    is_active = models.BooleanField(_("启用"), default=True)
    looked_on = models.DateField(_("最近检查"), null=True, blank=True, editable=False)

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("org_unit")

        def active(self) -> "ReminderSetting.QuerySet":
            return self.filter(is_active=True)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("提醒设置")
        verbose_name_plural = pgettext_lazy("plural", "提醒设置")
        constraints = (
            models.UniqueConstraint(fields=["org_unit", "kind"], name="reminder_setting_is_one_per_business_and_kind"),
            models.CheckConstraint(
                name="reminder_that_is_sent_has_a_text", condition=Q(sends_message=False) | ~Q(message="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.org_unit} {self.get_kind_display()}"


class Reminder(models.Model):
    """That a day has come for a member at a business. Made once for its occasion (`key`), however often the clock runs.

    `sent` says what became of the message, empty where none is due; one that stays at sending was lost with its server.
    """

    class State(models.TextChoices):
        OPEN = "open", _("待处理")
        DONE = "done", _("已处理")
        DISMISSED = "dismissed", _("已忽略")

    class Sent(models.TextChoices):
        SENDING = "sending", _("发送中")
        SENT = "sent", _("已发送")
        NO_CONSENT = "no_consent", _("会员未同意")
        NO_ADDRESS = "no_address", _("没有手机号")
        FAILED = "failed", _("发送失败")

    member = models.ForeignKey(Member, models.PROTECT, related_name="reminders", verbose_name=_("会员"))
    business = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("业态"))
    kind = models.CharField(_("类型"), max_length=14, choices=ReminderKind)
    key = models.CharField(max_length=60)  # the occasion: 2026, a purchase's number, an expiry date
    due_on = models.DateField(_("日期"))
    text = models.CharField(_("说明"), max_length=200, blank=True)
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(_("创建时间"))
    sent = models.CharField(_("发送"), max_length=20, choices=Sent, blank=True)
    sent_at = models.DateTimeField(_("发送时间"), null=True, blank=True)
    done_at = models.DateTimeField(_("处理时间"), null=True, blank=True)
    done_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("处理人")
    )

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "Reminder.QuerySet":
            return rows_within(self, actor.reach, business="business")

        def open(self) -> "Reminder.QuerySet":
            return self.filter(state=Reminder.State.OPEN)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("提醒")
        verbose_name_plural = pgettext_lazy("plural", "提醒")
        ordering = ("due_on", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["member", "business", "kind", "key"], name="reminder_is_made_once_for_its_occasion"
            ),
        )
        indexes = (
            models.Index(fields=["business", "due_on"], condition=Q(state="open"), name="reminder_open"),
            models.Index(fields=["business", "kind", "created_at"], condition=Q(sent=""), name="reminder_not_sent"),
        )

    def __str__(self) -> str:
        return f"{self.member} {self.get_kind_display()} {self.due_on}"
