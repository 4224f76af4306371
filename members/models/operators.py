from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.organisation import OrgUnit


class OperatorQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "OperatorQuerySet":
        reach = actor.reach
        return self.filter(org_unit__path__startswith=reach.path) if reach else self.none()


class OperatorManager(UserManager.from_queryset(OperatorQuerySet)):
    pass


class Operator(AbstractUser):
    """A person who works here. Stands on a node and sees that subtree; without a node sees nothing."""

    org_unit = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, blank=True, related_name="operators", verbose_name=_("所在组织")
    )

    objects = OperatorManager()

    class Meta:
        verbose_name = _("操作员")
        verbose_name_plural = pgettext_lazy("plural", "操作员")

    @property
    def reach(self) -> OrgUnit | None:
        """The top of what this operator sees; a superuser without a node sees the whole group."""
        if self.org_unit_id or not self.is_superuser:
            return self.org_unit
        return OrgUnit.objects.filter(depth=1).first()
