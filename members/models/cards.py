"""Membership cards: their types, the batches in which they are made, each card, and every step of its life."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from members.models.jobs import Job
from members.models.operators import Operator
from members.models.organisation import OrgUnit
from members.models.people import Member
from members.scoping import of_owners_in_sight


class CardType(models.Model):
    """What a kind of card is: how it is numbered and looks, how long it lasts, and whose assets it spends.

    A number is `prefix` + serial, padded to `length` digits in all, the last one Luhn's check digit where asked for.
    What it may spend, and how much a day, is loyalty's `CardAllowance`.
    """

    class Kind(models.TextChoices):
        PERSONAL = "personal", _("个人卡")
        LINKED = "linked", _("关联卡")
        GROUP = "group", _("团体卡")
        SUPPLEMENTARY = "supplementary", _("附属卡")

    class Look(models.TextChoices):
        GREEN = "green", _("青绿")
        SILVER = "silver", _("银")
        GOLD = "gold", _("金")
        BLACK = "black", _("黑钻")
        RED = "red", _("红")
        BLUE = "blue", _("蓝")

    code = models.SlugField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=40)
    kind = models.CharField(_("类型"), max_length=13, choices=Kind, default=Kind.PERSONAL)
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("所属组织"))
    prefix = models.CharField(
        _("卡号前缀"), max_length=10, blank=True, validators=[RegexValidator(r"^\d*$", _("只能填写数字。"))]
    )
    length = models.PositiveSmallIntegerField(
        _("卡号总位数"), default=16, validators=[MinValueValidator(6), MaxValueValidator(30)]
    )
    has_check_digit = models.BooleanField(_("末位校验码"), default=True, help_text=_("Luhn 算法，与银行卡相同。"))
    next_serial = models.PositiveBigIntegerField(_("下一个流水号"), default=1, editable=False)
    look = models.CharField(_("卡面"), max_length=8, choices=Look, default=Look.GREEN)
    valid_days = models.PositiveIntegerField(_("有效期（天）"), default=0, help_text=_("自激活起；0 = 长期有效。"))
    deposit = models.PositiveBigIntegerField(
        _("押金（分）"), default=0, help_text=_("发卡时收取，退卡时退回；0 = 无。")
    )
    carries_tier = models.SlugField(
        _("附带等级"), max_length=40, blank=True, help_text=_("等级编码：激活时授予持卡会员；空 = 不附带。")
    )
    is_active = models.BooleanField(_("启用"), default=True)

    class QuerySet(models.QuerySet):
        visible_to = of_owners_in_sight("org_unit")

        def active(self) -> "CardType.QuerySet":
            return self.filter(is_active=True)

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("卡类型")
        verbose_name_plural = pgettext_lazy("plural", "卡类型")
        constraints = (
            models.UniqueConstraint(fields=["prefix", "length"], name="card_type_has_its_own_numbers"),
            models.CheckConstraint(name="card_type_length_is_sane", condition=Q(length__gte=6, length__lte=30)),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def spends_for_another(self) -> bool:
        """Whether cards of this type spend from a principal's account."""
        return self.kind != self.Kind.PERSONAL


class CardBatch(models.Model):
    """Cards made together (制卡): numbers from `first` to `last`, handed to the printer as a file."""

    card_type = models.ForeignKey(CardType, models.PROTECT, related_name="batches", verbose_name=_("卡类型"))
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("发往组织"))
    quantity = models.PositiveIntegerField(_("张数"))
    first = models.CharField(_("起始卡号"), max_length=30, blank=True)
    last = models.CharField(_("结束卡号"), max_length=30, blank=True)
    job = models.ForeignKey(Job, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("任务"))
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作员")
    )
    created_at = models.DateTimeField(_("制卡时间"))

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "CardBatch.QuerySet":
            reach = actor.reach
            return self.filter(org_unit__path__startswith=reach.path) if reach else self.none()

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("制卡批次")
        verbose_name_plural = pgettext_lazy("plural", "制卡批次")
        ordering = ("-id",)
        constraints = (models.CheckConstraint(name="card_batch_makes_some_cards", condition=Q(quantity__gt=0)),)

    def __str__(self) -> str:
        return f"#{self.pk} {self.card_type} × {self.quantity}"


class CardQuerySet(models.QuerySet):
    def visible_to(self, actor) -> "CardQuerySet":
        """Those issued within the actor's reach, and those of members in sight."""
        reach = actor.reach
        if reach is None:
            return self.none()
        if reach.is_group:
            return self
        # Asked card by card: the members of a business, listed for one card, would be a million.
        in_sight = Member.objects.visible_to(actor)
        holder, principal = (in_sight.filter(pk=OuterRef(person)) for person in ("member", "principal"))
        return self.filter(Q(org_unit__path__startswith=reach.path) | Exists(holder) | Exists(principal))

    def spending_for(self, member: Member) -> "CardQuerySet":
        """Cards that spend this member's assets: his own, and those of others of whom he is the principal."""
        return self.filter(Q(principal=member) | Q(principal=None, member=member))

    def overdue(self, at) -> "CardQuerySet":
        """Past their validity and not yet marked so."""
        return self.filter(state__in=(Card.State.ACTIVE, Card.State.FROZEN, Card.State.LOST), expires_at__lte=at)


class Card(models.Model):
    """One number of one type. `member` holds it; it spends the assets of `principal`, or of the holder without one.

    Only an active card spends. A replaced one points to nothing: its successor points back (`replaces`).
    """

    class State(models.TextChoices):
        ISSUED = "issued", _("未激活")
        ACTIVE = "active", _("正常")
        LOST = "lost", _("已挂失")
        FROZEN = "frozen", pgettext_lazy("card", "已冻结")
        EXPIRED = "expired", _("已过期")
        REPLACED = "replaced", _("已换卡")
        CLOSED = "closed", pgettext_lazy("card", "已注销")

    number = models.CharField(_("卡号"), max_length=30, unique=True)
    card_type = models.ForeignKey(CardType, models.PROTECT, related_name="cards", verbose_name=_("卡类型"))
    state = models.CharField(_("状态"), max_length=8, choices=State, default=State.ISSUED)
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="cards", verbose_name=_("持卡会员")
    )
    principal = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="cards_granted", verbose_name=_("主卡会员")
    )
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("发卡组织"))
    batch = models.ForeignKey(
        CardBatch, models.PROTECT, null=True, blank=True, related_name="cards", verbose_name=_("制卡批次")
    )
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("补换自")
    )
    deposit = models.PositiveBigIntegerField(_("已收押金（分）"), default=0)
    issued_at = models.DateTimeField(_("发卡时间"))
    activated_at = models.DateTimeField(_("激活时间"), null=True, blank=True)
    expires_at = models.DateTimeField(_("到期时间"), null=True, blank=True)

    objects = CardQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员卡")
        verbose_name_plural = pgettext_lazy("plural", "会员卡")
        ordering = ("-id",)
        permissions = (
            ("issue_card", _("可以制卡、发卡")),
            ("block_card", _("可以挂失、冻结卡")),
            ("unblock_card", _("可以解挂、解冻卡")),
            ("replace_card", _("可以补换卡、退卡")),
        )
        constraints = (
            models.CheckConstraint(
                name="card_in_use_has_a_holder",
                condition=Q(state__in=("issued", "expired", "closed"))
                | Q(member__isnull=False, activated_at__isnull=False),
            ),
            models.CheckConstraint(
                name="card_spends_for_another_or_for_its_holder",
                condition=Q(principal=None) | Q(member=None) | ~Q(principal=F("member")),
            ),
        )
        indexes = (
            models.Index(
                fields=["expires_at"], condition=Q(state__in=("active", "frozen", "lost")), name="card_to_expire"
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def spender(self) -> Member | None:
        """Whose assets it spends."""
        return self.principal or self.member


class CardChange(models.Model):
    """One step in a card's life: what, from which state to which, why, by whom. Insert-only (trigger)."""

    class Verb(models.TextChoices):
        ISSUE = "issue", _("发卡")
        ACTIVATE = "activate", _("激活")
        REPORT_LOST = "report_lost", _("挂失")
        RECOVER = "recover", _("解挂")
        FREEZE = "freeze", pgettext_lazy("card", "冻结")
        UNFREEZE = "unfreeze", pgettext_lazy("card", "解冻")
        REPLACE = "replace", _("补换卡")
        RENEW = "renew", _("续期")
        EXPIRE = "expire", pgettext_lazy("card", "到期")
        CLOSE = "close", _("退卡")
        MERGE = "merge", _("随会员合并")

    card = models.ForeignKey(Card, models.PROTECT, related_name="changes", verbose_name=_("会员卡"))
    verb = models.CharField(_("动作"), max_length=12, choices=Verb)
    from_state = models.CharField(_("原状态"), max_length=8, choices=Card.State, blank=True)
    to_state = models.CharField(_("新状态"), max_length=8, choices=Card.State)
    reason = models.CharField(_("原因"), max_length=200, blank=True)
    at = models.DateTimeField(_("时间"))
    business = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("业态"))
    store = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("门店"))
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("渠道"))
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", verbose_name=_("操作员"))

    class QuerySet(models.QuerySet):
        def visible_to(self, actor) -> "CardChange.QuerySet":
            return self.filter(card__in=Card.objects.visible_to(actor))

    objects = QuerySet.as_manager()

    class Meta:
        verbose_name = _("卡状态记录")
        verbose_name_plural = pgettext_lazy("plural", "卡状态记录")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.card} {self.get_verb_display()}"
