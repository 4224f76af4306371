from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import OrgUnit
from members.scoping import rows_within


class BookQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "BookQuerySet":
        return rows_within(self, actor.reach, business="org_unit")


class Book(models.Model):
    """One set of accounts: a business's own, or a role (the points fund) that one of them keeps for all."""

    class Role(models.TextChoices):
        OPERATING = "operating", _("经营")
        FUND = "fund", _("积分基金")
        CARD_ISSUER = "card_issuer", _("发卡企业")

    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="books", verbose_name=_("记账主体"))
    role = models.CharField(_("角色"), max_length=11, choices=Role, default=Role.OPERATING)

    objects = BookQuerySet.as_manager()

    class Meta:
        verbose_name = _("账簿")
        verbose_name_plural = pgettext_lazy("plural", "账簿")
        ordering = ("org_unit__path", "role")
        constraints = (
            models.UniqueConstraint(fields=["org_unit", "role"], name="book_is_one_per_org_unit_and_role"),
            models.UniqueConstraint(fields=["role"], condition=Q(role="fund"), name="book_of_the_fund_is_one"),
        )

    def __str__(self) -> str:
        name = self.org_unit.name
        return name if self.role == self.Role.OPERATING else f"{name}·{self.get_role_display()}"
