"""The ledger of member assets: lots remember who issued them, at what price, until when; entries say what was taken.

Accounts, lots' `remaining` and `held` are projections of the insert-only transactions and entries (and of open
holds), changed under the account's lock by `loyalty.services` alone; `manage.py verify_ledger` proves it.
"""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty.models.purchases import Purchase, Refund
from members.models import Card, Channel, Member, Operator, OrgUnit, Request
from members.scoping import of_visible_members, rows_within


class Asset(models.TextChoices):
    POINTS = "points", _("积分")
    GROWTH = "growth", _("成长值")
    BALANCE = "balance", _("储值本金")
    GIFT = "gift", _("赠送金")


class Bucket(models.TextChoices):
    PENDING = "pending", _("待生效")
    ACTIVE = "active", _("可用")


class AccountQuerySet(models.QuerySet):
    visible_to = of_visible_members()


class Account(models.Model):
    """A member's holding of one asset. Σ pending entries = pending; Σ active entries = balance + held.

    The balance is negative only where a debt lot stands (a clawback that found too little). A merged one is empty:
    who locks it gets the account of the member into whom its own was merged.
    """

    member = models.ForeignKey(Member, models.PROTECT, related_name="accounts", verbose_name=_("会员"))
    asset = models.CharField(_("资产"), max_length=8, choices=Asset)
    balance = models.BigIntegerField(_("可用"), default=0)
    pending = models.BigIntegerField(_("待生效"), default=0)
    held = models.BigIntegerField(pgettext_lazy("quantity", "冻结"), default=0)
    is_merged = models.BooleanField(_("已并入"), default=False, db_default=False, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("账户")
        verbose_name_plural = pgettext_lazy("plural", "账户")
        permissions = (("adjust_account", _("可以调整会员资产")),)
        constraints = (
            models.UniqueConstraint(fields=["member", "asset"], name="account_is_one_per_member_and_asset"),
            models.CheckConstraint(name="account_pending_is_not_negative", condition=Q(pending__gte=0)),
            models.CheckConstraint(name="account_held_is_not_negative", condition=Q(held__gte=0)),
            models.CheckConstraint(
                name="account_merged_is_empty", condition=Q(is_merged=False) | Q(balance=0, pending=0, held=0)
            ),
        )

    def __str__(self) -> str:
        return f"{self.member} {self.get_asset_display()}"


class LotQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "LotQuerySet":
        """Those that a business within the actor's reach has issued."""
        return rows_within(self, actor.reach, business="issuer")

    def spendable(self, at: datetime) -> "LotQuerySet":
        """Active, unexpired, not wholly held; soonest to expire first (none last), then oldest."""
        return (
            self.filter(activated_at__isnull=False, remaining__gt=F("held"))
            .filter(Q(expires_at=None) | Q(expires_at__gt=at))
            .order_by(F("expires_at").asc(nulls_last=True), "earned_at", "pk")
        )

    def due_for_activation(self, at: datetime) -> "LotQuerySet":
        return self.filter(activated_at=None, available_at__lte=at)

    def due_for_expiry(self, at: datetime) -> "LotQuerySet":
        """Active lots past their expiry with something left that is not held."""
        return self.filter(activated_at__isnull=False, expires_at__lte=at, remaining__gt=F("held"))


class Lot(models.Model):
    """A quantity of an asset with one issuer, one price and one expiry. Σ its entries = remaining.

    A debt lot is the mirror image: quantity ≤ remaining ≤ 0, nothing held. `activated_at` is null while pending.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="lots", verbose_name=_("账户"))
    issuer = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("发行业态"))
    quantity = models.BigIntegerField(_("数量"))
    remaining = models.BigIntegerField(_("剩余"))
    held = models.BigIntegerField(pgettext_lazy("quantity", "冻结"), default=0)
    unit_price = models.DecimalField(_("单价（分）"), max_digits=12, decimal_places=6)
    earned_at = models.DateTimeField(_("获取时间"))
    available_at = models.DateTimeField(_("生效时间"))
    activated_at = models.DateTimeField(_("已生效于"), null=True, blank=True)
    expires_at = models.DateTimeField(_("失效时间"), null=True, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    objects = LotQuerySet.as_manager()

    class Meta:
        verbose_name = _("批次")
        verbose_name_plural = pgettext_lazy("plural", "批次")
        constraints = (
            models.CheckConstraint(
                name="lot_remaining_lies_between_nothing_and_its_quantity",
                condition=Q(quantity__gt=0, remaining__gte=0, remaining__lte=F("quantity"))
                | Q(quantity__lt=0, remaining__lte=0, remaining__gte=F("quantity")),
            ),
            models.CheckConstraint(
                name="lot_holds_no_more_than_remains",
                condition=Q(held=0) | Q(held__gt=0, held__lte=F("remaining"), activated_at__isnull=False),
            ),
            models.CheckConstraint(name="lot_price_is_not_negative", condition=Q(unit_price__gte=0)),
        )
        indexes = (
            models.Index(
                fields=["account", "expires_at", "earned_at"], condition=~Q(remaining=0), name="lot_with_something_left"
            ),
            models.Index(fields=["expires_at"], condition=Q(remaining__gt=0), name="lot_to_expire"),
            models.Index(fields=["available_at"], condition=Q(activated_at=None), name="lot_to_activate"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.issuer} {self.remaining}/{self.quantity}"

    @property
    def unheld(self) -> int:
        return self.remaining - self.held

    @property
    def is_pending(self) -> bool:
        return self.activated_at is None

    def has_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at


class Transaction(models.Model):
    """One change to one account, and everything about where it came from. Insert-only (trigger).

    `amount` (fen) is what a burn was worth; `shortfall` what a clawback could not get back.
    """

    class Kind(models.TextChoices):
        EARN = "earn", _("获取")
        ACTIVATE = "activate", _("生效")
        BURN = "burn", _("消耗")
        CAPTURE = "capture", _("扣除")
        EXPIRE = "expire", _("过期")
        CLAW_BACK = "claw_back", _("追回")
        RESTORE = "restore", _("退回")
        ADJUST = "adjust", _("调整")
        CURE = "cure", _("抵欠")
        MERGE = "merge", _("合并转移")

    request = models.ForeignKey(Request, models.PROTECT, related_name="transactions")
    account = models.ForeignKey(Account, models.PROTECT, related_name="transactions", verbose_name=_("账户"))
    kind = models.CharField(_("类型"), max_length=10, choices=Kind)
    business = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("门店"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("渠道"))
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", verbose_name=_("操作员"))
    card = models.ForeignKey(
        Card, models.PROTECT, null=True, db_index=False, related_name="transactions", verbose_name=_("会员卡")
    )
    at = models.DateTimeField(_("业务时间"))
    posted_at = models.DateTimeField(_("入账时间"))
    purchase = models.ForeignKey(
        Purchase, models.PROTECT, null=True, related_name="transactions", verbose_name=_("消费")
    )
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="transactions", verbose_name=_("退款"))
    hold = models.ForeignKey("Hold", models.PROTECT, null=True, related_name="transactions", verbose_name=_("冻结单"))
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by", verbose_name=_("冲正"))
    quantity = models.BigIntegerField(_("数量"), default=0)
    amount = models.BigIntegerField(_("抵扣金额（分）"), default=0)
    shortfall = models.BigIntegerField(_("未追回"), default=0)
    balance_after = models.BigIntegerField(_("余额"), default=0)
    reason = models.CharField(_("原因"), max_length=200, blank=True)

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "Transaction.QuerySet":
            """Those that happened within the actor's reach."""
            return rows_within(self, actor.reach, business="business", store="store")

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("交易")
        verbose_name_plural = pgettext_lazy("plural", "交易")
        ordering = ("-id",)
        permissions = (("reverse_transaction", _("可以冲正交易")),)
        constraints = (
            models.CheckConstraint(
                name="transaction_adjusts_with_a_reason", condition=~Q(kind="adjust") | ~Q(reason="")
            ),
            models.CheckConstraint(name="transaction_shortfall_is_not_negative", condition=Q(shortfall__gte=0)),
        )
        indexes = (
            models.Index(fields=["account", "-id"], name="transaction_by_account"),
            models.Index(fields=["posted_at"], name="transaction_by_posting"),
            models.Index(fields=["card", "-posted_at"], condition=Q(card__isnull=False), name="transaction_by_card"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()} {self.quantity:+d}"


class Entry(models.Model):
    """A quantity moved into (+) or out of (−) one lot. Insert-only (trigger)."""

    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="entries", verbose_name=_("交易"))
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="entries", verbose_name=_("批次"))
    quantity = models.BigIntegerField(_("数量"))
    bucket = models.CharField(_("科目"), max_length=7, choices=Bucket)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by", verbose_name=_("冲正"))

    class Meta:
        verbose_name = _("分录")
        verbose_name_plural = pgettext_lazy("plural", "分录")
        constraints = (models.CheckConstraint(name="entry_moves_something", condition=~Q(quantity=0)),)

    def __str__(self) -> str:
        return f"#{self.pk} {self.quantity:+d}"


class Hold(models.Model):
    """A quantity set aside until a time: then captured, released, or released by the clock. Writes no entry."""

    class State(models.TextChoices):
        OPEN = "open", _("冻结中")
        CAPTURED = "captured", _("已扣除")
        RELEASED = "released", _("已解冻")
        TIMED_OUT = "timed_out", _("超时解冻")

    request = models.ForeignKey(Request, models.PROTECT, related_name="holds")
    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", verbose_name=_("账户"))
    quantity = models.BigIntegerField(_("数量"))
    amount = models.BigIntegerField(_("抵扣金额（分）"), default=0)
    captured = models.BigIntegerField(_("已扣除"), default=0)
    until = models.DateTimeField(_("保留至"))
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.OPEN)
    business = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("门店"))
    card = models.ForeignKey(
        Card, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("会员卡")
    )
    created_at = models.DateTimeField(_("创建时间"))

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "Hold.QuerySet":
            """Those that were made within the actor's reach."""
            return rows_within(self, actor.reach, business="business", store="store")

        def open(self) -> "Hold.QuerySet":
            return self.filter(state=Hold.State.OPEN)

        def overdue(self, at: datetime) -> "Hold.QuerySet":
            return self.open().filter(until__lte=at)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("冻结单")
        verbose_name_plural = pgettext_lazy("plural", "冻结单")
        constraints = (
            models.CheckConstraint(name="hold_is_of_something", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="hold_captures_no_more_than_it_holds",
                condition=Q(captured__gte=0, captured__lte=F("quantity")) & (Q(captured=0) | Q(state="captured")),
            ),
        )
        indexes = (
            models.Index(fields=["until"], condition=Q(state="open"), name="hold_open"),
            models.Index(fields=["card"], condition=Q(card__isnull=False), name="hold_by_card"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.quantity} {self.get_state_display()}"


class HoldLot(models.Model):
    """How much of which lot a hold took, in order of taking."""

    hold = models.ForeignKey(Hold, models.CASCADE, related_name="parts")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(name="hold_lot_is_of_something", condition=Q(quantity__gt=0)),
            models.UniqueConstraint(fields=["hold", "lot"], name="hold_takes_a_lot_once"),
        )

    def __str__(self) -> str:
        return f"{self.hold_id} ← {self.lot_id}: {self.quantity}"
