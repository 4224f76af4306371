"""Caring for members: what was promised and said (follow-ups), who called, and what they asked for (tickets)."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.models.people import Member
from members.personal_data import EncryptedTextField
from members.scoping import of_owners_in_sight, rows_within


class QuerySetOfABusiness(models.QuerySet):
    """Rows that a business keeps about members; a store sees its own."""

    def visible_to(self, actor) -> "QuerySetOfABusiness":
        return rows_within(self, actor.reach, business="business", store="store")


class FollowUp(models.Model):
    """A contact with a member that is planned, and then what came of it; the next one is a row of its own."""

    class Medium(models.TextChoices):
        PHONE = "phone", _("电话")
        SMS = "sms", _("短信")
        WECHAT = "wechat", _("微信")
        VISIT = "visit", _("面访")
        EMAIL = "email", _("邮件")

    class State(models.TextChoices):
        OPEN = "open", _("待回访")
        DONE = "done", _("已回访")
        CANCELLED = "cancelled", _("已取消")

    class Outcome(models.TextChoices):
        REACHED = "reached", _("已联系")
        NOT_REACHED = "not_reached", _("未接通")
        WILL_COME = "will_come", _("有意到店")
        DECLINED = "declined", _("婉拒")
        COMPLAINT = "complaint", _("投诉")

    member = models.ForeignKey(Member, models.PROTECT, related_name="follow_ups", verbose_name=_("会员"))
    business = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("门店"))
    plan = models.CharField(_("回访计划"), max_length=400)
    medium = models.CharField(_("方式"), max_length=6, choices=Medium, default=Medium.PHONE)
    due_on = models.DateField(_("计划日期"))
    assigned_to = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="follow_ups", verbose_name=_("负责人")
    )
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.OPEN)
    outcome = models.CharField(_("结果"), max_length=12, choices=Outcome, blank=True)
    note = models.TextField(_("回访记录"), blank=True)
    done_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    done_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("回访人")
    )
    after = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="next", verbose_name=_("上次回访")
    )
    created_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("创建人")
    )
    created_at = models.DateTimeField(_("创建时间"))

    class QuerySet(QuerySetOfABusiness):
        def open(self) -> "FollowUp.QuerySet":
            return self.filter(state=FollowUp.State.OPEN)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("回访")
        verbose_name_plural = pgettext_lazy("plural", "回访")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="follow_up_done_has_an_outcome",
                condition=~Q(state="done") | ~Q(outcome="") & Q(done_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=["assigned_to", "due_on"], condition=Q(state="open"), name="follow_up_to_do"),
            models.Index(fields=["business", "due_on"], condition=Q(state="open"), name="follow_up_open"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.member} {self.due_on}"


class TicketType(models.Model):
    """What a ticket may be about, and how soon it is due by priority; decided by the group or a business."""

    code = models.SlugField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=40)
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("所属组织"))
    hours = models.PositiveSmallIntegerField(
        _("处理时限（小时）"), default=48, help_text=_("普通优先级；紧急为四分之一，高为一半，低为两倍。")
    )
    is_for_members = models.BooleanField(_("会员可选"), default=True, help_text=_("会员在自己的页面上可以选择。"))
    is_active = models.BooleanField(_("启用"), default=True)

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("org_unit")

        def active(self) -> "TicketType.QuerySet":
            return self.filter(is_active=True)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("工单类型")
        verbose_name_plural = pgettext_lazy("plural", "工单类型")

    def __str__(self) -> str:
        return self.name


class Ticket(models.Model):
    """Something that a member asked for or complained about, until it is closed and he has said how it went."""

    class Priority(models.IntegerChoices):
        URGENT = 1, _("紧急")
        HIGH = 2, _("高")
        NORMAL = 3, _("普通")
        LOW = 4, _("低")

    class State(models.TextChoices):
        NEW = "new", _("新建")
        IN_PROGRESS = "in_progress", _("处理中")
        WAITING = "waiting", _("等待会员回复")
        RESOLVED = "resolved", _("已解决")
        CLOSED = "closed", _("已关闭")

    number = models.CharField(_("工单号"), max_length=20, unique=True)
    member = models.ForeignKey(Member, models.PROTECT, related_name="tickets", verbose_name=_("会员"))
    business = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("门店"))
    type = models.ForeignKey(TicketType, models.PROTECT, related_name="tickets", verbose_name=_("类型"))
    priority = models.PositiveSmallIntegerField(_("优先级"), choices=Priority, default=Priority.NORMAL)
    title = models.CharField(_("标题"), max_length=100)
    description = models.TextField(_("内容"))
    state = models.CharField(_("状态"), max_length=11, choices=State, default=State.NEW)
    assigned_to = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("负责人")
    )
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("来源渠道"))
    created_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("创建人")
    )
    created_at = models.DateTimeField(_("创建时间"))
    due_at = models.DateTimeField(_("处理期限"))
    resolved_at = models.DateTimeField(_("解决时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("关闭时间"), null=True, blank=True)
    satisfaction = models.PositiveSmallIntegerField(
        _("满意度"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    satisfaction_note = models.CharField(_("评价"), max_length=400, blank=True)

    class QuerySet(QuerySetOfABusiness):
        def open(self) -> "Ticket.QuerySet":
            return self.exclude(state__in=(Ticket.State.RESOLVED, Ticket.State.CLOSED))

        def overdue(self, at) -> "Ticket.QuerySet":
            return self.open().filter(due_at__lte=at)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("客服工单")
        verbose_name_plural = pgettext_lazy("plural", "客服工单")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="ticket_satisfaction_is_one_to_five",
                condition=Q(satisfaction=None) | Q(satisfaction__gte=1, satisfaction__lte=5),
            ),
            models.CheckConstraint(
                name="ticket_is_rated_at_its_end", condition=Q(satisfaction=None) | Q(state__in=("resolved", "closed"))
            ),
        )
        indexes = (
            models.Index(
                fields=["business", "due_at"],
                condition=~Q(state__in=("resolved", "closed")),
                name="ticket_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class TicketNote(models.Model):
    """What was said or done about a ticket; internal notes are never shown to the member. Insert-only (trigger)."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="notes", verbose_name=_("工单"))
    text = models.TextField(_("内容"))
    is_internal = models.BooleanField(_("仅内部可见"))
    is_by_member = models.BooleanField(_("会员所写"), default=False)
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作员")
    )
    from_state = models.CharField(_("原状态"), max_length=11, choices=Ticket.State, blank=True)
    to_state = models.CharField(_("新状态"), max_length=11, choices=Ticket.State, blank=True)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("工单记录")
        verbose_name_plural = pgettext_lazy("plural", "工单记录")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                name="ticket_note_of_a_member_is_public", condition=Q(is_by_member=False) | Q(is_internal=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.at:%Y-%m-%d}"


class Call(models.Model):
    """Somebody called or came to the desk: who, why, and who served him. The number is kept sealed."""

    member = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="calls", verbose_name=_("会员")
    )
    phone = EncryptedTextField(_("来电号码"), blank=True, null=True)
    phone_index = models.CharField(max_length=64, blank=True, editable=False)
    last_four = models.CharField(_("后四位"), max_length=4, blank=True)
    reason = models.CharField(_("来电原因"), max_length=200)
    business = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("门店"))
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+", verbose_name=_("接待人"))
    at = models.DateTimeField(_("时间"))

    objects = QuerySetOfABusiness.as_manager()

    class Meta:
        verbose_name = _("来访来电")
        verbose_name_plural = pgettext_lazy("plural", "来访来电")
        ordering = ("-id",)
        permissions = (("take_call", _("可以在服务台接待会员")),)
        indexes = (models.Index(fields=["phone_index"], condition=~Q(phone_index=""), name="call_by_phone"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.reason}"
