"""Who: one person is one member, with unique identities, and a membership for each business that knows him."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import ExtractDay, ExtractMonth
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.personal_data import EncryptedTextField, blind_indexes
from members.scoping import rows_within


class MemberQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "MemberQuerySet":
        """All for the group; elsewhere those with a membership of the node's business."""
        reach = actor.reach
        if reach is None:
            return self.none()
        if reach.is_group:
            return self
        return self.filter(Exists(Membership.objects.filter(member=OuterRef("pk"), business=reach.business_id)))

    def active(self) -> "MemberQuerySet":
        return self.filter(status=Member.Status.ACTIVE)

    def known_as(self, kind: str, value: str) -> "MemberQuerySet":
        """Those (one at most) who carry this identity; `value` in its canonical form."""
        return self.filter(identities__kind=kind, identities__value_index__in=blind_indexes(kind, value))


class Member(models.Model):
    """One person in the group. Personal data is encrypted; a closed or merged member keeps its row for the ledger."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("正常")
        FROZEN = "frozen", _("冻结")
        CLOSED = "closed", _("已注销")
        MERGED = "merged", _("已合并")

    class Gender(models.TextChoices):
        UNKNOWN = "", _("未知")
        MALE = "m", _("男")
        FEMALE = "f", _("女")

    member_no = models.CharField(_("会员号"), max_length=20, unique=True)
    name = EncryptedTextField(_("姓名"), blank=True, null=True)
    name_index = models.CharField(max_length=64, blank=True, editable=False)
    gender = models.CharField(_("性别"), max_length=1, choices=Gender, blank=True, default=Gender.UNKNOWN)
    birthday = models.DateField(_("生日"), null=True, blank=True)
    status = models.CharField(_("状态"), max_length=8, choices=Status, default=Status.ACTIVE)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+", editable=False)
    registered_at = models.DateTimeField(_("注册时间"))
    registered_channel = models.ForeignKey(
        Channel, models.PROTECT, db_index=False, related_name="+", verbose_name=_("注册渠道")
    )
    registered_business = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("注册业态")
    )
    registered_store = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("注册门店")
    )
    closed_at = models.DateTimeField(_("注销时间"), null=True, blank=True, editable=False)
    source = models.CharField(_("来源"), max_length=40, blank=True, help_text=_("推荐、扫码、活动等，由渠道填写。"))

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员")
        verbose_name_plural = pgettext_lazy("plural", "会员")
        ordering = ("-id",)
        permissions = (
            ("import_members", _("可以导入会员")),
            ("view_personal_data", _("可以查看未脱敏的会员资料")),
            ("freeze_member", _("可以冻结、解冻会员")),
            ("close_member", _("可以注销会员")),
            ("merge_members", _("可以合并会员")),
            ("export_members", _("可以导出列表")),
            ("export_personal_data", _("可以导出未脱敏的资料")),
        )
        constraints = (
            models.CheckConstraint(
                name="member_is_merged_into_another_or_not_at_all",
                condition=Q(status="merged", merged_into__isnull=False) | ~Q(status="merged") & Q(merged_into=None),
            ),
            models.CheckConstraint(
                name="member_closed_has_no_name",
                condition=Q(closed_at=None) | Q(status="closed", name=None, name_index="", birthday=None),
            ),
        )
        indexes = (
            models.Index(fields=["name_index"], name="member_by_name"),
            models.Index(fields=["registered_at"], name="member_by_registration"),
            models.Index(fields=["status", "-id"], condition=~Q(status="active"), name="member_not_active"),
            models.Index(
                ExtractMonth("birthday"),
                ExtractDay("birthday"),
                condition=Q(birthday__isnull=False),
                name="member_by_birthday",
            ),
        )

    def __str__(self) -> str:
        return self.member_no

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE


class IdentityQuerySet(models.QuerySet):
    def preferred(self) -> "IdentityQuerySet":
        """Which to use first, where a member has several: verified ones, the latest first; then as they came."""
        return self.order_by(F("verified_at").desc(nulls_last=True), "pk")


class Identity(models.Model):
    """Something by which a member is recognised. Belongs to one member at most, in the whole group."""

    class Kind(models.TextChoices):
        PHONE = "phone", _("手机号")
        EMAIL = "email", _("邮箱")
        WECHAT_OPENID = "wechat_openid", _("微信 OpenID")
        WECHAT_UNIONID = "wechat_unionid", _("微信 UnionID")
        CARD = "card", _("卡号")
        EXTERNAL = "external", _("业态会员号")
        CHANNEL_USER = "channel_user", _("渠道用户号")

    member = models.ForeignKey(Member, models.PROTECT, related_name="identities", verbose_name=_("会员"))
    kind = models.CharField(_("类型"), max_length=16, choices=Kind)
    value = EncryptedTextField(_("内容"))
    value_index = models.CharField(max_length=64, editable=False)
    last_four = models.CharField(_("后四位"), max_length=4, blank=True)
    verified_at = models.DateTimeField(_("验证时间"), null=True, blank=True)
    channel = models.ForeignKey(Channel, models.PROTECT, db_index=False, related_name="+", verbose_name=_("来源渠道"))
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        verbose_name = _("身份标识")
        verbose_name_plural = pgettext_lazy("plural", "身份标识")
        constraints = (models.UniqueConstraint(fields=["kind", "value_index"], name="identity_belongs_to_one_member"),)
        indexes = (models.Index(fields=["last_four"], name="identity_by_last_four"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} …{self.last_four}"


class MembershipQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "MembershipQuerySet":
        return rows_within(self, actor.reach, business="business")


class Membership(models.Model):
    """That a business knows a member: who, where from, since when."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="memberships", verbose_name=_("会员"))
    business = models.ForeignKey(
        OrgUnit, models.PROTECT, db_index=False, related_name="memberships", verbose_name=_("业态")
    )
    store = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("入会门店")
    )
    channel = models.ForeignKey(Channel, models.PROTECT, db_index=False, related_name="+", verbose_name=_("来源渠道"))
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, db_index=False, related_name="+", verbose_name=_("操作员")
    )
    joined_at = models.DateTimeField(_("入会时间"))

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("业态会员关系")
        verbose_name_plural = pgettext_lazy("plural", "业态会员关系")
        constraints = (
            models.UniqueConstraint(fields=["business", "member"], name="membership_is_one_per_business_and_member"),
        )

    def __str__(self) -> str:
        return f"{self.business} · {self.member}"
