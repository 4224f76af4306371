"""What was done by whom: audit trail, webhook feed and outbox in one."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.models.people import Member
from members.scoping import rows_within


class EventQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "EventQuerySet":
        return rows_within(self, actor.reach, business="business", store="store")


class Event(models.Model):
    """One change, written in the change's own transaction. Insert-only (trigger). No personal data in `data`."""

    type = models.CharField(_("类型"), max_length=60)
    at = models.DateTimeField(_("业务时间"))
    posted_at = models.DateTimeField(_("记录时间"), default=timezone.now)
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, db_index=False, related_name="events", verbose_name=_("会员")
    )
    business = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("业态")
    )
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("门店"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("渠道"))
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("操作员")
    )
    reference = models.CharField(_("参考号"), max_length=120, blank=True)
    data = models.JSONField(_("内容"), default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("事件")
        verbose_name_plural = pgettext_lazy("plural", "事件")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["member", "-id"], name="event_by_member"),
            models.Index(fields=["type", "-id"], name="event_by_type"),
            models.Index(fields=["business", "-id"], name="event_by_business"),
        )

    def __str__(self) -> str:
        return f"{self.type} #{self.pk}"


class DeliveryQuerySet(models.QuerySet):
    def due(self, now) -> "DeliveryQuerySet":
        return self.filter(state=Delivery.State.WAITING, next_at__lte=now)

    def visible_to(self, actor) -> "DeliveryQuerySet":
        return self.filter(event__in=Event.objects.visible_to(actor))


class Delivery(models.Model):
    """One reaction to one event, still to be made. Tried with back-off; parked, and visible, after the last try."""

    class State(models.TextChoices):
        WAITING = "waiting", _("待处理")
        DONE = "done", _("已完成")
        PARKED = "parked", _("已搁置")

    event = models.ForeignKey(Event, models.PROTECT, related_name="deliveries", verbose_name=_("事件"))
    reaction = models.CharField(_("反应"), max_length=80)
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(_("次数"), default=0)
    next_at = models.DateTimeField(_("下次时间"), default=timezone.now)
    error = models.TextField(_("错误"), blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("事件投递")
        verbose_name_plural = pgettext_lazy("plural", "事件投递")
        constraints = (
            models.UniqueConstraint(fields=["event", "reaction"], name="delivery_is_one_per_event_and_reaction"),
        )
        indexes = (
            models.Index(fields=["next_at"], condition=Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["event"], condition=Q(state="parked"), name="delivery_parked"),
        )

    def __str__(self) -> str:
        return f"{self.reaction} ← #{self.event_id}"
