"""Where requests come from: apps of the businesses, and our own desk, admin, imports and clock."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.organisation import OrgUnit
from members.personal_data import EncryptedTextField


class ChannelQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "ChannelQuerySet":
        reach = actor.reach
        return self.filter(org_unit__path__startswith=reach.path) if reach else self.none()


class Channel(models.Model):
    """An app that calls us (or a door of our own). Sees the subtree of its node and nothing else."""

    class Kind(models.TextChoices):
        APP = "app", _("接口应用")
        DESK = "desk", _("收银台")
        ADMIN = "admin", _("管理后台")
        IMPORT = "import", _("表格导入")
        CLOCK = "clock", _("定时任务")
        MEMBER = "member", _("会员页面")

    code = models.SlugField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    kind = models.CharField(_("类型"), max_length=10, choices=Kind, default=Kind.APP)
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="channels", verbose_name=_("所在组织"))
    requires_signature = models.BooleanField(
        _("必须签名"), default=False, help_text=_("打开后只接受 HMAC 签名的请求，不再接受 Bearer 密钥。")
    )
    scopes = models.JSONField(_("权限范围"), default=list, blank=True, help_text=_("空 = 全部接口。"))
    rate = models.CharField(
        _("限流"),
        max_length=20,
        default="6000/min",
        validators=[RegexValidator(r"^[1-9]\d{0,8}/(s|min|h|day)$", _("请填写“次数/单位”，单位为 s、min、h 或 day。"))],
        help_text=_("例如 6000/min：每分钟 6000 次。"),
    )
    is_active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)

    objects = ChannelQuerySet.as_manager()

    # What Django and DRF ask of `request.user`, which a channel is for the API.
    is_authenticated = True
    is_anonymous = False

    class Meta:
        verbose_name = _("渠道")
        verbose_name_plural = pgettext_lazy("plural", "渠道")

    def __str__(self) -> str:
        return self.name

    @property
    def reach(self) -> OrgUnit:
        return self.org_unit


class ChannelKey(models.Model):
    """A key of a channel: the bearer secret as a hash, the signing secret (which both sides must know) encrypted."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="keys", verbose_name=_("渠道"))
    key_id = models.CharField(_("密钥编号"), max_length=24, unique=True)
    secret_hash = models.CharField(max_length=64, editable=False)
    signing_secret = EncryptedTextField(editable=False)
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("吊销时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("渠道密钥")
        verbose_name_plural = pgettext_lazy("plural", "渠道密钥")

    def __str__(self) -> str:
        return self.key_id
