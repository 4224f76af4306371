"""The back office as a whole: the menu by work."""

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

import config.borrowed  # noqa: F401 - other people's admins in our looks, which the menu names
from members.services import imports

# The menu: title, then (icon, model) or (icon, model, own title) in the order of work.
MENU = (
    (
        pgettext_lazy("plural", "会员"),
        ("group", "members.Member"),
        ("upload_file", "members.Job"),
        ("join_inner", "members.Duplicate"),
        ("merge", "members.Merge"),
        ("badge", "members.Membership"),
        ("credit_card", "members.Card"),
        ("style", "members.CardType"),
        ("print", "members.CardBatch"),
        ("notifications", "members.Reminder"),
        ("notification_settings", "members.ReminderSetting"),
        ("tune", "members.Attribute"),
        ("verified_user", "members.Consent"),
        ("contract", "members.ConsentText"),
    ),
    (
        _("服务"),
        ("event_repeat", "members.FollowUp"),
        ("support_agent", "members.Ticket"),
        ("call", "members.Call"),
        ("category", "members.TicketType"),
    ),
    (
        pgettext_lazy("plural", "资产"),
        ("shopping_bag", "loyalty.Purchase"),
        ("undo", "loyalty.Refund"),
        ("account_balance_wallet", "loyalty.Account"),
        ("receipt_long", "loyalty.Transaction"),
        ("inventory_2", "loyalty.Lot"),
        ("lock_clock", "loyalty.Hold"),
        ("speed", "loyalty.CardLimit"),
        ("add_circle", "loyalty.EarnRule"),
        ("remove_circle", "loyalty.BurnRule"),
        ("sell", "loyalty.PointsPrice"),
        ("event_busy", "loyalty.AssetPolicy"),
    ),
    (
        _("权益"),
        ("military_tech", "benefits.TierProgramme"),
        ("stairs", "benefits.MemberTier"),
        ("local_activity", "benefits.CouponTemplate"),
        ("confirmation_number", "benefits.Coupon"),
        ("request_quote", "benefits.Charge"),
    ),
    (
        _("结算"),
        ("summarize", "settlement.Statement"),
        ("calendar_month", "settlement.Period"),
        ("handshake", "settlement.IssueAgreement"),
        ("swap_horiz", "settlement.RedemptionAgreement"),
        ("menu_book", "settlement.Journal"),
        ("payments", "settlement.NettingPayment"),
    ),
    (
        _("营销"),
        ("label", "marketing.Tag"),
        ("loyalty", "marketing.MemberTag"),
        ("campaign", "marketing.Campaign"),
        ("history", "marketing.TagRun"),
    ),
    (
        _("系统"),
        ("fact_check", "members.Approval"),
        ("rule", "members.ApprovalPolicy"),
        ("account_tree", "members.OrgUnit"),
        ("storefront", "members.Trade"),
        ("person", "members.Operator"),
        ("admin_panel_settings", "auth.Group"),
        ("hub", "members.Channel"),
        ("manage_history", "members.AuditEntry"),
        ("login", "axes.AccessLog"),
        ("gpp_bad", "axes.AccessFailureLog"),
        ("phonelink_lock", "otp_totp.TOTPDevice", _("动态口令")),
        ("bolt", "members.Event"),
        ("local_shipping", "members.Delivery"),
        ("schedule", "django_celery_beat.PeriodicTask"),
        ("task", "django_celery_results.TaskResult"),
    ),
)


def navigation(request: HttpRequest) -> list[dict]:
    """The side menu: what the operator may see, in the order of work."""
    top = {"items": [page for page in _first(request) if page.pop("is_shown")]}
    groups = ({"title": title, "separator": True, "items": _items(request, items)} for title, *items in MENU)
    return [top, *(group for group in groups if group["items"])]


def _first(request: HttpRequest) -> list[dict]:
    """What the day begins with: pages of their own, above the lists."""
    may, stands = request.user.has_perm, request.user.reach is not None
    return [
        {"title": _("总览"), "icon": "dashboard", "link": reverse("admin:index"), "is_shown": True},
        {"title": _("我的待办"), "icon": "checklist", "link": reverse("admin:members_todo"), "is_shown": stands},
        {
            "title": _("服务台"),
            "icon": "headset_mic",
            "link": reverse("admin:members_desk"),
            "is_shown": stands and may("members.take_call"),
        },
        {
            "title": _("导入表格"),
            "icon": "upload_file",
            "link": reverse("admin:members_import"),
            "is_shown": stands and bool(imports.kinds_for(request.user)),
        },
    ]


def _is_here(request: HttpRequest, link: str) -> bool:
    """A page of its own is not its list's, although its address lies below it."""
    pages = (reverse("admin:members_todo"), reverse("admin:members_desk"))
    return request.path.startswith(link) and not request.path.startswith(pages)


def _items(request: HttpRequest, items: list[tuple]) -> list[dict]:
    shown = []
    for icon, label, *own in items:
        model = apps.get_model(label)
        if model in admin.site._registry and admin.site._registry[model].has_view_permission(request):
            link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            title = own[0] if own else capfirst(model._meta.verbose_name_plural)
            shown.append({"title": title, "icon": icon, "link": link, "active": _is_here(request, link)})
    return shown
