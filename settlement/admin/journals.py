"""Journals and postings to look at: event, order, lot, price and agreement behind every amount."""

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.views import ChangeList

from loyalty.models import Entry
from members.interfaces.admin import ReadOnlyAdmin
from members.interfaces.money import exact_yuan
from settlement.admin.drill_down import LOOKUPS, InSightFilter, link_to
from settlement.models import Journal, Posting

# All that an amount's explanation takes, from a posting's journal on.
SOURCES = (
    "store",
    "entry__lot",
    "entry__transaction__purchase",
    "entry__transaction__refund__purchase",
    "charge__purchase",
    "charge__refund__purchase",
)


class PostingInline(TabularInline):
    """Only those in one's own books: what another business posted is its own affair."""

    model = Posting
    fields = ("book", "account", "counterparty", "shown_amount")
    readonly_fields = fields
    extra = 0
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        in_sight = super().get_queryset(request).visible_to(request.user)
        return in_sight.select_related("book__org_unit", "counterparty__org_unit").order_by("book", "pk")

    def has_add_permission(self, request: HttpRequest, obj: Journal | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Journal | None = None) -> bool:
        return False

    @display(description=_("金额（借正贷负）"))
    def shown_amount(self, posting: Posting) -> str:
        return exact_yuan(posting.amount)


@admin.register(Journal)
class JournalAdmin(ReadOnlyAdmin):
    list_display = ("id", "event", "at", "store", "order", "lot", "model", "period", "is_prior_period")
    list_filter = ("event", ("period", InSightFilter), "is_prior_period", "at")
    list_select_related = ("period", *SOURCES)
    search_fields = ("entry__transaction__purchase__external_number__exact",)
    search_help_text = _("完整的外部单号")
    inlines = (PostingInline,)

    def get_fieldsets(self, request: HttpRequest, obj: Journal) -> list[tuple]:
        """What it is of, and no more: points or a coupon's charge, and what it undoes if it does."""
        agreed = ("shown_issue_agreement", "shown_redemption_agreement")
        points = (("lot", "unit_price", "quantity"), "transaction", "model", agreed)
        shown = [
            (None, {"fields": (("event", "period"), ("at", "posted_at"), ("store", "order"), "is_prior_period")}),
            (_("积分"), {"fields": points}) if obj.entry_id else (_("券费用"), {"fields": ("shown_charge",)}),
        ]
        return [*shown, (_("冲正"), {"fields": ("shown_undoes",)})] if obj.undoes_id else shown

    @display(description=_("单号"))
    def order(self, journal: Journal) -> str:
        return shown_order(journal)

    @display(description=_("批次"))
    def lot(self, journal: Journal) -> str:
        return shown_lot(journal)

    @display(description=_("单价"))
    def unit_price(self, journal: Journal) -> str:
        return _price(journal.entry) if journal.entry else "—"

    @display(description=_("数量"))
    def quantity(self, journal: Journal) -> str:
        return f"{journal.entry.quantity:+,}" if journal.entry else "—"

    @display(description=_("交易"))
    def transaction(self, journal: Journal) -> str:
        return _link("loyalty_transaction", journal.entry and journal.entry.transaction)

    @display(description=_("券费用"))
    def shown_charge(self, journal: Journal) -> str:
        return _link("benefits_charge", journal.charge)

    @display(description=_("发行协议"))
    def shown_issue_agreement(self, journal: Journal) -> str:
        return _link("settlement_issueagreement", journal.issue_agreement)

    @display(description=_("受理协议"))
    def shown_redemption_agreement(self, journal: Journal) -> str:
        return _link("settlement_redemptionagreement", journal.redemption_agreement)

    @display(description=_("冲正"))
    def shown_undoes(self, journal: Journal) -> str:
        return _link("settlement_journal", journal.undoes)


class PostingChangeList(ChangeList):
    """Where the list is narrowed, its sum stands above it: that is the number which led here."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        total = self.queryset.order_by().aggregate(n=Sum("amount"))["n"] if self.params else None
        self.total = total if total is None else exact_yuan(total)


@admin.register(Posting)
class PostingAdmin(ReadOnlyAdmin):
    list_display = (
        "shown_journal",
        "at",
        "event",
        "store",
        "order",
        "lot",
        "moved",
        "book",
        "account",
        "counterparty",
        "shown_amount",
    )
    list_display_links = None
    list_filter = (
        ("journal__period", InSightFilter),
        "journal__event",
        ("book", InSightFilter),
        "counterparty",
        "account",
    )
    list_select_related = (
        "book__org_unit",
        "counterparty__org_unit",
        *(f"journal__{source}" for source in SOURCES),
    )
    list_before_template = "admin/settlement/total.html"
    ordering = ("-journal", "pk")
    fields = ("shown_journal", ("book", "account", "counterparty"), "shown_amount")

    def get_changelist(self, request: HttpRequest, **kwargs) -> type[ChangeList]:
        return PostingChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in LOOKUPS or super().lookup_allowed(lookup, value, request)

    @display(description=_("凭证"), ordering="journal")
    def shown_journal(self, posting: Posting) -> str:
        return _link("settlement_journal", posting.journal, f"#{posting.journal_id}")

    @display(description=_("业务时间"), ordering="journal__at")
    def at(self, posting: Posting) -> str:
        return f"{timezone.localtime(posting.journal.at):%Y-%m-%d %H:%M}"

    @display(description=_("事件"))
    def event(self, posting: Posting) -> str:
        prior = _("（跨期）") if posting.journal.is_prior_period else ""
        return f"{posting.journal.get_event_display()}{prior}"

    @display(description=_("门店"))
    def store(self, posting: Posting) -> str:
        return str(posting.journal.store or "—")

    @display(description=_("单号"))
    def order(self, posting: Posting) -> str:
        return shown_order(posting.journal)

    @display(description=_("批次"))
    def lot(self, posting: Posting) -> str:
        return shown_lot(posting.journal)

    @display(description=_("积分 × 单价"))
    def moved(self, posting: Posting) -> str:
        entry = posting.journal.entry
        return f"{entry.quantity:+,} × {_price(entry)}" if entry else "—"

    @display(description=_("金额（借正贷负）"), ordering="amount")
    def shown_amount(self, posting: Posting) -> str:
        return exact_yuan(posting.amount)


def shown_order(journal: Journal) -> str:
    purchase = journal.purchase
    return _link("loyalty_purchase", purchase, purchase and purchase.external_number)


def shown_lot(journal: Journal) -> str:
    lot = journal.entry and journal.entry.lot
    return _link("loyalty_lot", lot, lot and f"#{lot.pk}")


def _price(entry: Entry) -> str:
    """Of a point of its lot."""
    return gettext("%s 分") % f"{entry.lot.unit_price.normalize():f}"


def _link(page: str, row, text: object = None) -> str:
    return link_to(reverse(f"admin:{page}_change", args=[row.pk]), text or row) if row else "—"
