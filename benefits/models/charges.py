"""What benefits cost, and who bears it: the rows that settlement reads beside the ledger's entries."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.models.coupons import Coupon
from loyalty.models import Purchase, Refund
from members.models import Channel, Member, Operator, OrgUnit, Request
from members.scoping import rows_within


class Charge(models.Model):
    """A discount that a business gave, and its split among those who bear it. Insert-only (trigger).

    `shares` is [{"payer": org unit id, "amount": fen}, …] and sums to `amount`. One that undoes another is negative,
    in the original's ratio; all that undo one sum to no more than it.
    """

    class Kind(models.TextChoices):
        COUPON = "coupon", _("券")

    kind = models.CharField(_("类型"), max_length=8, choices=Kind)
    at = models.DateTimeField(_("业务时间"))
    posted_at = models.DateTimeField(_("入账时间"))
    request = models.ForeignKey(Request, models.PROTECT, related_name="charges", verbose_name=_("请求"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("渠道"))
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", verbose_name=_("操作员"))
    business = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("核销业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("门店"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="charges", verbose_name=_("会员"))
    coupon = models.ForeignKey(Coupon, models.PROTECT, null=True, related_name="charges", verbose_name=_("券"))
    purchase = models.ForeignKey(Purchase, models.PROTECT, null=True, related_name="charges", verbose_name=_("消费"))
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="charges", verbose_name=_("退款"))
    amount = models.BigIntegerField(_("金额（分）"))
    shares = models.JSONField(_("承担明细"))
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by", verbose_name=_("冲正"))

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "Charge.QuerySet":
            return rows_within(self, actor.reach, business="business", store="store")

        def original(self) -> "Charge.QuerySet":
            return self.filter(undoes=None)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("权益费用")
        verbose_name_plural = pgettext_lazy("plural", "权益费用")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="charge_is_negative_exactly_if_it_undoes",
                condition=Q(undoes=None, amount__gt=0) | Q(undoes__isnull=False, amount__lt=0),
            ),
            models.CheckConstraint(name="charge_does_not_undo_itself", condition=~Q(undoes=F("id"))),
            models.CheckConstraint(
                name="charge_of_a_coupon_names_it", condition=~Q(kind="coupon") | Q(coupon__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["purchase", "coupon"], condition=Q(undoes=None), name="purchase_redeems_a_coupon_once"
            ),
        )
        indexes = (models.Index(fields=["business", "-at"], name="charge_by_business"),)

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"
