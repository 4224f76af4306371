"""What a member has agreed to, with whom, for what, by which way; each with its evidence, and its end."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.models.people import Member
from members.scoping import of_owners_in_sight, of_visible_members, rows_reaching


class Purpose(models.TextChoices):
    TERMS = "terms", _("会员章程")
    MARKETING = "marketing", _("营销信息")
    SHARING = "sharing", _("向该业态提供个人信息")
    PROFILING = "profiling", _("个性化推荐")


class Medium(models.TextChoices):
    ANY = "any", _("全部方式")
    SMS = "sms", _("短信")
    EMAIL = "email", _("邮件")
    WECHAT = "wechat", _("微信")
    PUSH = "push", _("应用推送")
    PHONE = "phone", _("电话")


class ConsentText(models.Model):
    """What members are asked to agree to: a version of a text, of the group or of one business."""

    receiver = models.ForeignKey(
        OrgUnit, models.PROTECT, related_name="+", verbose_name=_("接收方"), help_text=_("集团，或一个业态。")
    )
    purpose = models.CharField(_("用途"), max_length=10, choices=Purpose)
    version = models.CharField(_("版本"), max_length=20)
    text = models.TextField(_("内容"))
    starts_at = models.DateTimeField(_("生效时间"))

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("receiver")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("同意书")
        verbose_name_plural = pgettext_lazy("plural", "同意书")
        ordering = ("purpose", "-starts_at")
        constraints = (
            models.UniqueConstraint(
                fields=["receiver", "purpose", "version"],
                name="consent_text_version_is_unique_per_receiver_and_purpose",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.version}"


_of_visible_members = of_visible_members()


class ConsentQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "ConsentQuerySet":
        """What members in sight have agreed to with the actor's business, or with the group for all its businesses."""
        return rows_reaching(_of_visible_members(self, actor), actor.reach, owner="receiver")

    def in_force(self) -> "ConsentQuerySet":
        return self.filter(withdrawn_at=None)


class Consent(models.Model):
    """That a member agreed, from `given_at` until `withdrawn_at`; at most one in force per receiver, purpose and way.

    The receiver is a business, or the group for all of them. `evidence` says what was shown and done: version of the
    text, page, address, operator.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="consents", verbose_name=_("会员"))
    receiver = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("接收方"))
    purpose = models.CharField(_("用途"), max_length=10, choices=Purpose)
    medium = models.CharField(_("方式"), max_length=8, choices=Medium, default=Medium.ANY)
    version = models.CharField(_("版本"), max_length=20)
    given_at = models.DateTimeField(_("同意时间"))
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True, blank=True)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("渠道"))
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作员")
    )
    evidence = models.JSONField(_("凭证"), default=dict)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("同意记录")
        verbose_name_plural = pgettext_lazy("plural", "同意记录")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["member", "receiver", "purpose", "medium"],
                condition=Q(withdrawn_at=None),
                name="consent_is_in_force_once",
            ),
            models.CheckConstraint(
                name="consent_is_withdrawn_after_it_was_given",
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__gte=F("given_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.member} {self.get_purpose_display()}"
