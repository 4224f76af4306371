"""What is said about members: tags set by hand, and tags that follow a rule."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.criteria import RuleField
from members.models import Member, Operator, OrgUnit
from members.scoping import of_owners_in_sight, of_visible_members


class TagQuerySet(models.QuerySet):
    visible_to = of_owners_in_sight("scope")

    def kept_by(self, actor) -> "TagQuerySet":
        """Tags that the actor may change: those of its own subtree."""
        reach = actor.reach
        return self.filter(scope__path__startswith=reach.path) if reach else self.none()

    def by_rule(self) -> "TagQuerySet":
        return self.filter(kind=Tag.Kind.RULE, is_active=True)


class Tag(models.Model):
    """A word said of members below one node. Its rule's version grows with each change of the rule."""

    class Kind(models.TextChoices):
        MANUAL = "manual", _("手工")
        RULE = "rule", _("规则")

    class Colour(models.TextChoices):
        GREY = "grey", _("灰")
        GREEN = "green", _("绿")
        BLUE = "blue", _("蓝")
        ORANGE = "orange", _("橙")
        RED = "red", _("红")
        PURPLE = "purple", _("紫")

    code = models.SlugField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=60)
    colour = models.CharField(_("颜色"), max_length=8, choices=Colour, default=Colour.GREY)
    scope = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        related_name="+",
        verbose_name=_("适用组织"),
        help_text=_("只标记该组织能看到的会员。"),
    )
    kind = models.CharField(_("类型"), max_length=8, choices=Kind, default=Kind.MANUAL)
    rule = RuleField(_("规则"), null=True, blank=True, help_text=_("仅规则标签填写。"))
    version = models.PositiveIntegerField(_("规则版本"), default=1, editable=False)
    is_active = models.BooleanField(_("启用"), default=True)

    objects = TagQuerySet.as_manager()

    class Meta:
        verbose_name = _("标签")
        verbose_name_plural = pgettext_lazy("plural", "标签")
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                name="tag_has_a_rule_exactly_if_it_follows_one",
                condition=Q(kind="rule", rule__isnull=False) | Q(kind="manual", rule__isnull=True),
                violation_error_message=_("规则标签必须填写规则，手工标签不能填写规则。"),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def reach(self) -> OrgUnit:
        """A tag is an actor too: it reaches the members that its node sees."""
        return self.scope


class MemberTagQuerySet(models.QuerySet):
    visible_to = of_visible_members()

    def in_force(self, at: datetime) -> "MemberTagQuerySet":
        """Tags that members carry at a time: neither held off by hand, nor past their end."""
        return self.filter(Q(until=None) | Q(until__gt=at), is_held_off=False)


class MemberTag(models.Model):
    """That a member carries a tag. What a person set (or held off) beats the rule, until its end."""

    class Source(models.TextChoices):
        MANUAL = "manual", _("手工")
        RULE = "rule", _("规则")

    member = models.ForeignKey(Member, models.CASCADE, related_name="tags", verbose_name=_("会员"))
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="members", verbose_name=_("标签"))
    value = models.CharField(_("取值"), max_length=60, blank=True)
    source = models.CharField(_("来源"), max_length=8, choices=Source)
    is_held_off = models.BooleanField(_("手工摘除"), default=False, help_text=_("由操作员摘除：规则命中也不再打上。"))
    set_by = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作员")
    )
    why = models.CharField(_("原因"), max_length=200, blank=True)
    since = models.DateTimeField(_("开始时间"))
    until = models.DateTimeField(_("结束时间"), null=True, blank=True)

    objects = MemberTagQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员标签")
        verbose_name_plural = pgettext_lazy("plural", "会员标签")
        constraints = (
            models.UniqueConstraint(fields=["member", "tag"], name="member_carries_a_tag_once"),
            models.CheckConstraint(
                name="member_tag_is_held_off_by_a_person_only",
                condition=Q(is_held_off=False) | Q(source="manual"),
            ),
            models.CheckConstraint(
                name="member_tag_ends_after_its_start", condition=Q(until=None) | Q(until__gt=F("since"))
            ),
        )
        indexes = (models.Index(fields=["tag", "member"], name="member_tag_by_tag"),)

    def __str__(self) -> str:
        return f"{self.member} · {self.tag}"


class TagRunQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "TagRunQuerySet":
        return self.filter(tag__in=Tag.objects.visible_to(actor))


class TagRun(models.Model):
    """One computation of a rule tag: with which rule, as of when, and what it changed. Insert-only."""

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="runs", verbose_name=_("标签"))
    version = models.PositiveIntegerField(_("规则版本"))
    as_of = models.DateField(_("计算日期"), help_text=_("当地日期零点之前发生的事计算在内。"))
    rows = models.PositiveBigIntegerField(_("命中会员"), default=0)
    added = models.PositiveBigIntegerField(_("新增"), default=0)
    removed = models.PositiveBigIntegerField(_("移除"), default=0)
    milliseconds = models.PositiveIntegerField(_("耗时（毫秒）"))
    error = models.TextField(_("错误"), blank=True)
    at = models.DateTimeField(_("时间"))

    objects = TagRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("标签计算记录")
        verbose_name_plural = pgettext_lazy("plural", "标签计算记录")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.tag} {self.as_of}"
