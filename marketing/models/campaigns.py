"""One gift to many members: frozen at launch, then given one by one."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.models import CouponTemplate
from marketing.models.tags import Tag
from members.criteria import RuleField
from members.models import Job, Member, Operator, OrgUnit


class CampaignQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "CampaignQuerySet":
        reach = actor.reach
        return self.filter(owner__path__startswith=reach.path) if reach else self.none()

    def running(self) -> "CampaignQuerySet":
        return self.filter(state=Campaign.State.RUNNING)


class Campaign(models.Model):
    """A coupon or points for the members of a tag or rule whom its owner sees. Launched, it never changes."""

    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        CANCELLED = "cancelled", _("已取消")

    name = models.CharField(_("名称"), max_length=100)
    owner = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        related_name="+",
        verbose_name=_("所属组织"),
        help_text=_("只发给该组织能看到的会员。"),
    )
    tag = models.ForeignKey(
        Tag,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("目标标签"),
        help_text=_("标签与条件二选一。"),
    )
    rule = RuleField(_("目标条件"), null=True, blank=True)
    template = models.ForeignKey(
        CouponTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("赠送券"),
        help_text=_("赠券与赠积分二选一。"),
    )
    points = models.PositiveIntegerField(_("赠送积分"), null=True, blank=True)
    payer = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"kind": OrgUnit.Kind.BUSINESS},
        verbose_name=_("积分承担业态"),
        help_text=_("赠积分时必填：由哪个业态发行并承担。"),
    )
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.DRAFT, editable=False)
    launched_at = models.DateTimeField(_("启动时间"), null=True, editable=False)
    launched_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("启动人")
    )
    job = models.ForeignKey(Job, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("进度"))

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("活动")
        verbose_name_plural = pgettext_lazy("plural", "活动")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="campaign_speaks_to_a_tag_or_a_rule",
                condition=Q(tag__isnull=False, rule__isnull=True) | Q(tag__isnull=True, rule__isnull=False),
                violation_error_message=_("请选择目标标签，或填写目标条件，二者选一。"),
            ),
            models.CheckConstraint(
                name="campaign_gives_a_coupon_or_points_of_a_payer",
                condition=Q(template__isnull=False, points__isnull=True, payer__isnull=True)
                | Q(template__isnull=True, points__gt=0, payer__isnull=False),
                violation_error_message=_("请选择赠送券，或填写赠送积分和承担业态，二者选一。"),
            ),
            models.CheckConstraint(
                name="campaign_is_launched_unless_a_draft",
                condition=Q(state="draft", launched_at__isnull=True)
                | Q(state__in=("running", "done"), launched_at__isnull=False)
                | Q(state="cancelled"),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def reach(self) -> OrgUnit:
        """A campaign is an actor too: it reaches the members that its owner sees."""
        return self.owner

    @property
    def gift(self) -> str:
        """What it gives, for people."""
        return str(self.template) if self.template_id else str(_("%d 积分") % self.points)


class CampaignMemberQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "CampaignMemberQuerySet":
        return self.filter(campaign__in=Campaign.objects.visible_to(actor))

    def waiting(self) -> "CampaignMemberQuerySet":
        return self.filter(state=CampaignMember.State.WAITING)


class CampaignMember(models.Model):
    """One member of a frozen audience; `result` names what was given, or says why nothing was."""

    class State(models.TextChoices):
        WAITING = "waiting", _("待发放")
        GIVEN = "given", _("已发放")
        REFUSED = "refused", _("未发放")

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="audience", verbose_name=_("活动"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="campaigns", verbose_name=_("会员"))
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.WAITING)
    result = models.JSONField(_("结果"), default=dict, blank=True)

    objects = CampaignMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("活动名单")
        verbose_name_plural = pgettext_lazy("plural", "活动名单")
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["campaign", "member"], name="campaign_names_a_member_once"),)
        indexes = (
            models.Index(fields=["campaign", "id"], condition=Q(state="waiting"), name="campaign_member_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.campaign} · {self.member}"
