"""What cards may spend: by type, and less than that for one card."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import Card, CardType
from members.scoping import of_owners_in_sight


class SpendLimit(models.Model):
    """Most that is spent in one use and in one local day, in points or fen; net of what was given back."""

    asset = models.CharField(_("资产"), max_length=8, choices=[("points", _("积分")), ("balance", _("储值"))])
    per_use = models.PositiveBigIntegerField(_("单次上限"), default=0, help_text=_("积分，或分；0 = 不限。"))
    per_day = models.PositiveBigIntegerField(_("每日上限"), default=0, help_text=_("积分，或分；0 = 不限。"))

    class Meta:
        abstract = True


class CardAllowance(SpendLimit):
    """An asset that cards of a type may spend; what has no row is not spent with them."""

    card_type = models.ForeignKey(CardType, models.CASCADE, related_name="allowances", verbose_name=_("卡类型"))

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("card_type__org_unit")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("卡可用资产")
        verbose_name_plural = pgettext_lazy("plural", "卡可用资产")
        constraints = (
            models.UniqueConstraint(fields=["card_type", "asset"], name="card_allowance_is_one_per_type_and_asset"),
        )

    def __str__(self) -> str:
        return f"{self.card_type} {self.get_asset_display()}"


class CardLimit(SpendLimit):
    """A limit of one card of its own, under its type's: the principal's word on a supplementary or group card."""

    card = models.ForeignKey(Card, models.PROTECT, related_name="limits", verbose_name=_("会员卡"))

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "CardLimit.QuerySet":
            return self.filter(card__in=Card.objects.visible_to(actor))

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("卡限额")
        verbose_name_plural = pgettext_lazy("plural", "卡限额")
        constraints = (models.UniqueConstraint(fields=["card", "asset"], name="card_limit_is_one_per_card_and_asset"),)

    def __str__(self) -> str:
        return f"{self.card} {self.get_asset_display()}"
