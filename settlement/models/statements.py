"""What a period came to, book by book, rounded to fen: written when the period is cut, again until it is locked."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import OrgUnit
from members.scoping import rows_within
from settlement.models.books import Book
from settlement.models.journals import EventType
from settlement.models.periods import Period


class StatementQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "StatementQuerySet":
        return rows_within(self, actor.reach, business="book__org_unit")


class Statement(models.Model):
    """One book's period: opening + Σ lines = closing, in fen; + is to receive, − to pay.

    The points are those it issued (the fund: those it holds the liability for), pending and debt apart, at the end
    worth `points_value` at their lots' prices. `liability` is what the book itself owes for points. Both in exact fen.
    """

    period = models.ForeignKey(Period, models.CASCADE, related_name="statements", verbose_name=_("账期"))
    book = models.ForeignKey(Book, models.PROTECT, related_name="statements", verbose_name=_("账簿"))
    opening = models.BigIntegerField(_("期初（分）"), default=0)
    closing = models.BigIntegerField(_("期末（分）"), default=0)
    points_opening = models.BigIntegerField(_("期初积分"), default=0)
    points_closing = models.BigIntegerField(_("期末积分"), default=0)
    points_value = models.DecimalField(_("期末积分价值（分）"), max_digits=20, decimal_places=6, default=0)
    liability = models.DecimalField(_("积分负债（分）"), max_digits=20, decimal_places=6, default=0)

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("结算单")
        verbose_name_plural = pgettext_lazy("plural", "结算单")
        ordering = ("-period__starts_at", "book")
        constraints = (models.UniqueConstraint(fields=["period", "book"], name="statement_is_one_per_period_and_book"),)

    def __str__(self) -> str:
        return f"{self.period} {self.book}"

    @property
    def net(self) -> int:
        """What the period adds: the settlement amount, in fen; + to receive, − to pay."""
        return self.closing - self.opening


class OfStatementQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "OfStatementQuerySet":
        return rows_within(self, actor.reach, business="statement__book__org_unit")


class CounterpartyBalance(models.Model):
    """How a book stands with another. Rounded once for the pair, mirrored on the other's statement.

    `exact` is the unrounded cumulative balance: the next period's rounding starts from it, so nothing drifts.
    """

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="balances", verbose_name=_("结算单"))
    counterparty = models.ForeignKey(Book, models.PROTECT, related_name="+", verbose_name=_("往来方"))
    opening = models.BigIntegerField(_("期初（分）"), default=0)
    closing = models.BigIntegerField(_("期末（分）"), default=0)
    exact = models.DecimalField(_("期末精确值（分）"), max_digits=20, decimal_places=6)

    objects = OfStatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("往来余额")
        verbose_name_plural = pgettext_lazy("plural", "往来余额")
        constraints = (
            models.UniqueConstraint(
                fields=["statement", "counterparty"], name="counterparty_balance_is_one_per_statement"
            ),
        )

    def __str__(self) -> str:
        return f"{self.statement} ↔ {self.counterparty}"

    @property
    def movement(self) -> int:
        return self.closing - self.opening


class StatementLine(models.Model):
    """What one kind of event moved between two books in a period, in fen: opens to its journals."""

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="lines", verbose_name=_("结算单"))
    counterparty = models.ForeignKey(Book, models.PROTECT, related_name="+", verbose_name=_("往来方"))
    event = models.CharField(_("事件"), max_length=13, choices=EventType)
    is_prior_period = models.BooleanField(_("跨期"), default=False)
    amount = models.BigIntegerField(_("金额（分）"))

    objects = OfStatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("结算单明细")
        verbose_name_plural = pgettext_lazy("plural", "结算单明细")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["statement", "counterparty", "event", "is_prior_period"],
                name="statement_line_is_one_per_counterparty_and_event",
            ),
        )

    def __str__(self) -> str:
        return f"{self.counterparty} {self.get_event_display()} {self.amount}"


class PointsMovement(models.Model):
    """The roll-forward: what one kind of event did to the points of a statement, and to their value in exact fen.

    `is_taken`: by other businesses' clawbacks, which found too little in their own lots.
    """

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="points", verbose_name=_("结算单"))
    event = models.CharField(_("事件"), max_length=13, choices=EventType)
    is_taken = models.BooleanField(_("被他店追回"), default=False)
    quantity = models.BigIntegerField(_("积分"))
    value = models.DecimalField(_("价值（分）"), max_digits=20, decimal_places=6)

    objects = OfStatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("积分变动")
        verbose_name_plural = pgettext_lazy("plural", "积分变动")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["statement", "event", "is_taken"], name="points_movement_is_one_per_statement_and_event"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_event_display()} {self.quantity:+d}"


class NettingPayment(models.Model):
    """Who pays whom so that every business's net of the period is settled, with as few payments as that takes."""

    period = models.ForeignKey(Period, models.CASCADE, related_name="payments", verbose_name=_("账期"))
    payer = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("付款方"))
    payee = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("收款方"))
    amount = models.BigIntegerField(_("金额（分）"))

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "NettingPayment.QuerySet":
            paid = rows_within(self, actor.reach, business="payer")
            return paid | rows_within(self, actor.reach, business="payee")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("轧差付款")
        verbose_name_plural = pgettext_lazy("plural", "轧差付款")
        ordering = ("-amount", "id")
        constraints = (
            models.CheckConstraint(name="netting_payment_is_of_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="netting_payment_is_not_to_oneself", condition=~Q(payer=F("payee"))),
            models.UniqueConstraint(fields=["period", "payer", "payee"], name="netting_payment_is_one_per_pair"),
        )

    def __str__(self) -> str:
        return f"{self.payer} → {self.payee}"
