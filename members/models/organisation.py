"""Where things happen: one tree of group, businesses, regions and stores, and the terminals in the stores."""

from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from treebeard.mp_tree import MP_Node, MP_NodeManager, MP_NodeQuerySet


class OrgUnitQuerySet(MP_NodeQuerySet):
    def visible_to(self, actor) -> "OrgUnitQuerySet":
        return self.within(actor.reach)

    def within(self, node: "OrgUnit | None") -> "OrgUnitQuerySet":
        return self.filter(path__startswith=node.path) if node else self.none()

    def businesses(self) -> "OrgUnitQuerySet":
        return self.filter(kind=OrgUnit.Kind.BUSINESS)

    def stores(self) -> "OrgUnitQuerySet":
        return self.filter(kind=OrgUnit.Kind.STORE)


class OrgUnitManager(MP_NodeManager.from_queryset(OrgUnitQuerySet)):
    def get_queryset(self) -> OrgUnitQuerySet:
        return OrgUnitQuerySet(self.model).order_by("path")


class Trade(models.Model):
    """What a store trades in (服饰, 餐饮 …), so that rules can name it."""

    code = models.SlugField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=40)

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "Trade.QuerySet":
            """The group's list: everybody's who stands anywhere."""
            return self if actor.reach else self.none()

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("业种")
        verbose_name_plural = pgettext_lazy("plural", "业种")
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class OrgUnit(MP_Node):
    """A node of the organisation. Every store knows its business; a business's `business` is itself."""

    class Kind(models.TextChoices):
        GROUP = "group", _("集团")
        BUSINESS = "business", _("业态")
        REGION = "region", _("大区")
        STORE = "store", _("门店")

    kind = models.CharField(_("类型"), max_length=10, choices=Kind)
    code = models.CharField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    business = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="units", verbose_name=_("所属业态")
    )
    trade = models.ForeignKey(
        Trade, models.PROTECT, null=True, blank=True, related_name="stores", verbose_name=_("业种")
    )
    time_zone = models.CharField(_("时区"), max_length=40, default="Asia/Shanghai")
    is_active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("创建时间"), auto_now_add=True)

    objects = OrgUnitManager()

    class Meta:
        verbose_name = _("组织")
        verbose_name_plural = pgettext_lazy("plural", "组织")
        constraints = (
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="group"), name="org_unit_has_one_group"),
            models.CheckConstraint(
                name="org_unit_below_the_group_knows_its_business",
                condition=Q(kind="group", business=None)
                | ~Q(kind="group") & Q(business__isnull=False)
                | Q(kind="business"),
            ),
            models.CheckConstraint(name="org_unit_with_a_trade_is_a_store", condition=Q(trade=None) | Q(kind="store")),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def is_group(self) -> bool:
        return self.kind == self.Kind.GROUP


class Terminal(models.Model):
    """A till or device in a store."""

    store = models.ForeignKey(OrgUnit, models.PROTECT, related_name="terminals", verbose_name=_("门店"))
    code = models.CharField(_("终端号"), max_length=40)
    name = models.CharField(_("名称"), max_length=100, blank=True)
    is_active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = _("终端")
        verbose_name_plural = pgettext_lazy("plural", "终端")
        constraints = (models.UniqueConstraint(fields=["store", "code"], name="terminal_code_is_unique_in_its_store"),)

    def __str__(self) -> str:
        return f"{self.store} {self.code}"
