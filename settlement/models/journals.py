"""What an event did to the books: a journal for each fact, and its postings. Both insert-only (trigger)."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.models import Charge
from loyalty.models import Entry, Purchase
from members.models import OrgUnit
from members.scoping import rows_within
from settlement.models.agreements import IssueAgreement, RedemptionAgreement, SettlementModel
from settlement.models.books import Book
from settlement.models.periods import Period


class EventType(models.TextChoices):
    """What happened, in the order in which statements list it."""

    ISSUE = "issue", _("积分发行")
    BURN = "burn", _("积分使用")
    EXPIRE = "expire", _("积分过期")
    CLAW_BACK = "claw_back", _("积分追回")
    RESTORE = "restore", _("积分退回")
    ADJUST = "adjust", _("积分调整")
    CURE = "cure", _("欠分抵还")
    COUPON = "coupon", _("券核销")
    COUPON_RETURN = "coupon_return", _("券退回")


class AccountCode(models.TextChoices):
    """The chart of accounts."""

    POINTS_COST = "points_cost", _("积分成本")
    POINTS_LIABILITY = "points_liability", _("积分负债")
    INTER_COMPANY = "inter_company", _("内部往来")
    POINTS_TENDER = "points_tender", _("积分抵扣款")
    COUPON_TENDER = "coupon_tender", _("券抵扣款")
    PROMOTION_COST = "promotion_cost", _("促销费用")
    MARGIN = "margin", _("结算差额")
    BREAKAGE = "breakage", _("过期收益")
    MEMBER_RECEIVABLE = "member_receivable", _("应收会员欠分")


class JournalQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "JournalQuerySet":
        """Those that touched one's own books; the group also sees those that touched none."""
        if actor.reach and actor.reach.is_group:
            return self
        return self.filter(Exists(Posting.objects.visible_to(actor).filter(journal=OuterRef("pk"))))


class Journal(models.Model):
    """The accounting of one fact: an active entry of loyalty, or a charge of benefits. Never both, never twice.

    `model` is that of the entry's lot, pinned by the lot's first journal. `is_prior_period`: the event's own month
    was closed already when it was collected. Some journals (nothing owed by anybody) have no postings.
    """

    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="journal", verbose_name=_("积分分录"))
    charge = models.OneToOneField(Charge, models.PROTECT, null=True, related_name="journal", verbose_name=_("券费用"))
    event = models.CharField(_("事件"), max_length=13, choices=EventType)
    period = models.ForeignKey(Period, models.PROTECT, db_index=False, related_name="journals", verbose_name=_("账期"))
    is_prior_period = models.BooleanField(_("跨期"), default=False)
    model = models.CharField(_("结算模式"), max_length=1, choices=SettlementModel, blank=True)
    issue_agreement = models.ForeignKey(
        IssueAgreement, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("发行协议")
    )
    redemption_agreement = models.ForeignKey(
        RedemptionAgreement, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("受理协议")
    )
    undoes = models.ForeignKey(
        "self", models.PROTECT, null=True, db_index=False, related_name="undone_by", verbose_name=_("冲正")
    )
    store = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("门店")
    )
    at = models.DateTimeField(_("业务时间"))
    posted_at = models.DateTimeField(_("入账时间"))

    objects = JournalQuerySet.as_manager()

    class Meta:
        verbose_name = _("凭证")
        verbose_name_plural = pgettext_lazy("plural", "凭证")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="journal_has_exactly_one_source",
                condition=Q(entry__isnull=False, charge=None) | Q(entry=None, charge__isnull=False),
            ),
            models.CheckConstraint(name="journal_of_an_entry_knows_its_model", condition=Q(entry=None) | ~Q(model="")),
        )
        indexes = (
            models.Index(fields=["period", "event"], name="journal_by_period_and_event"),
            models.Index(fields=["undoes"], condition=Q(undoes__isnull=False), name="journal_that_undoes"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_event_display()}"

    @property
    def purchase(self) -> Purchase | None:
        """The purchase from which it came, also by way of a refund; None where points moved by themselves."""
        source = self.entry.transaction if self.entry else self.charge
        return source.purchase or (source.refund and source.refund.purchase)


class PostingQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "PostingQuerySet":
        return rows_within(self, actor.reach, business="book__org_unit")

    def inter_company(self) -> "PostingQuerySet":
        return self.filter(account=AccountCode.INTER_COMPANY)


class Posting(models.Model):
    """One amount on one account of one book, in fen, debit +. A journal's sum to zero in every book (trigger)."""

    journal = models.ForeignKey(Journal, models.PROTECT, related_name="postings", verbose_name=_("凭证"))
    book = models.ForeignKey(Book, models.PROTECT, db_index=False, related_name="postings", verbose_name=_("账簿"))
    account = models.CharField(_("科目"), max_length=17, choices=AccountCode)
    counterparty = models.ForeignKey(
        Book, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("往来方")
    )
    amount = models.DecimalField(_("金额（分）"), max_digits=20, decimal_places=6)

    objects = PostingQuerySet.as_manager()

    class Meta:
        verbose_name = _("分录行")
        verbose_name_plural = pgettext_lazy("plural", "分录行")
        constraints = (
            models.CheckConstraint(name="posting_is_of_something", condition=~Q(amount=0)),
            models.CheckConstraint(
                name="posting_names_a_counterparty_exactly_when_inter_company",
                condition=Q(account="inter_company", counterparty__isnull=False)
                | ~Q(account="inter_company") & Q(counterparty=None),
            ),
            models.CheckConstraint(
                name="posting_is_not_with_oneself", condition=Q(counterparty=None) | ~Q(counterparty=F("book"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.book} {self.get_account_display()} {self.amount}"
