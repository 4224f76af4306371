"""What operators want to know of members beyond the built-in fields: definitions, and what is known of whom."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.organisation import OrgUnit
from members.models.people import Member
from members.scoping import of_owners_in_sight


class Attribute(models.Model):
    """A question about members, with a type; of the group, or of one business and seen only there."""

    class Kind(models.TextChoices):
        TEXT = "text", _("文本")
        NUMBER = "number", _("数字")
        DATE = "date", _("日期")
        CHOICE = "choice", _("单选")
        CHOICES = "choices", _("多选")
        BOOLEAN = "boolean", _("是否")

    class Page(models.TextChoices):
        MEMBER_360 = "360", _("会员 360°")
        FORM = "form", _("会员资料表单")
        LIST = "list", _("会员列表")
        ME = "me", _("会员自己的页面")

    code = models.CharField(
        _("编码"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", _("请用小写字母、数字和下划线，以字母开头。"))],
    )
    name = models.CharField(_("名称"), max_length=40)
    kind = models.CharField(_("类型"), max_length=8, choices=Kind)
    options = models.JSONField(
        _("选项"), default=list, blank=True, help_text=_("仅单选、多选：每行一个选项。")
    )  # list of str
    org_unit = models.ForeignKey(
        OrgUnit,
        models.PROTECT,
        related_name="+",
        verbose_name=_("所属组织"),
        help_text=_("集团，或一个业态：只有该业态能看到和填写。"),
    )
    is_required = models.BooleanField(_("必填"), default=False)
    is_searchable = models.BooleanField(_("可搜索"), default=False, help_text=_("会员列表的搜索框按整个内容匹配。"))
    is_sensitive = models.BooleanField(
        _("敏感"), default=False, help_text=_("没有查看个人资料权限的操作员只看到 ***。")
    )
    pages = models.JSONField(_("显示在"), default=list, blank=True)  # list of Page
    help_text = models.CharField(_("填写说明"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("顺序"), default=100)
    is_active = models.BooleanField(_("启用"), default=True)

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("org_unit")

        def active(self) -> "Attribute.QuerySet":
            return self.filter(is_active=True)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("自定义属性")
        verbose_name_plural = pgettext_lazy("plural", "自定义属性")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


class AttributeValue(models.Model):
    """What is known: exactly one of the typed columns is filled, the one of the attribute's kind."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="attribute_values", verbose_name=_("会员"))
    attribute = models.ForeignKey(
        Attribute, models.PROTECT, related_name="values", db_index=False, verbose_name=_("属性")
    )
    text = models.CharField(max_length=400, null=True, blank=True)  # noqa: DJ001 - unlike "", null says that another column is filled
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    words = ArrayField(models.CharField(max_length=100), null=True, blank=True)  # choices
    flag = models.BooleanField(null=True, blank=True)
    updated_at = models.DateTimeField(_("更新时间"), auto_now=True)

    class Meta:
        verbose_name = _("属性值")
        verbose_name_plural = pgettext_lazy("plural", "属性值")
        constraints = (
            models.UniqueConstraint(fields=["member", "attribute"], name="attribute_has_one_value_per_member"),
            models.CheckConstraint(
                name="attribute_value_is_of_one_type",
                condition=Q(text__isnull=False, number=None, day=None, words=None, flag=None)
                | Q(text=None, number__isnull=False, day=None, words=None, flag=None)
                | Q(text=None, number=None, day__isnull=False, words=None, flag=None)
                | Q(text=None, number=None, day=None, words__isnull=False, flag=None)
                | Q(text=None, number=None, day=None, words=None, flag__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=["attribute", "text"], condition=Q(text__isnull=False), name="attribute_text"),
            models.Index(fields=["attribute", "number"], condition=Q(number__isnull=False), name="attribute_number"),
            models.Index(fields=["attribute", "day"], condition=Q(day__isnull=False), name="attribute_day"),
            models.Index(fields=["attribute", "flag"], condition=Q(flag__isnull=False), name="attribute_flag"),
            GinIndex(fields=["words"], name="attribute_words"),
        )

    def __str__(self) -> str:
        return f"{self.member} {self.attribute}"

    @property
    def value(self):
        """The one that is filled."""
        columns = (self.text, self.number, self.day, self.words, self.flag)
        return next((value for value in columns if value is not None), None)
