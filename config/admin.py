"""The back office as a whole: the menu by work, and other people's admins in our looks."""

import axes.admin  # noqa: F401 - registers what is registered again below
import django_celery_beat.admin  # noqa: F401
import django_celery_results.admin  # noqa: F401
import django_otp.plugins.otp_totp.admin  # noqa: F401
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin

# What is shown of other people's models; the rest has no page of its own.
REPLACED = (
    AccessAttempt,
    AccessFailureLog,
    AccessLog,
    ClockedSchedule,
    CrontabSchedule,
    Group,
    GroupResult,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
    TaskResult,
    TOTPDevice,
)

# The menu: title, then (icon, model) or (icon, model, own title) in the order of work.
MENU = (
    (
        pgettext_lazy("plural", "会员"),
        ("group", "members.Member"),
        ("upload_file", "members.Job"),
        ("badge", "members.Membership"),
        ("tune", "members.Attribute"),
    ),
    (
        pgettext_lazy("plural", "资产"),
        ("shopping_bag", "loyalty.Purchase"),
        ("undo", "loyalty.Refund"),
        ("account_balance_wallet", "loyalty.Account"),
        ("receipt_long", "loyalty.Transaction"),
        ("inventory_2", "loyalty.Lot"),
        ("lock_clock", "loyalty.Hold"),
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
        ("person", "members.Operator"),
        ("admin_panel_settings", "auth.Group"),
        ("hub", "members.Channel"),
        ("bolt", "members.Event"),
        ("local_shipping", "members.Delivery"),
        ("schedule", "django_celery_beat.PeriodicTask"),
        ("task", "django_celery_results.TaskResult"),
    ),
)

for _model in REPLACED:
    admin.site.unregister(_model)


VERBS = {"add": _("添加"), "change": _("修改"), "delete": _("删除"), "view": _("查看")}


def in_words(permission: Permission) -> str:
    """Django wrote its own names into the table, in English; ours are words of the catalogue."""
    verb = VERBS.get(permission.codename.removesuffix(f"_{permission.content_type.model}"))
    return f"{permission.content_type.app_labeled_name} | {verb or gettext(permission.name)}"


@admin.register(Group)
class RoleAdmin(GroupAdmin, ModelAdmin):
    """Roles: named sets of permissions that operators carry."""

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs):
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "permissions":
            field.label_from_instance = in_words
        return field


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ModelAdmin):
    """The clock's entries: the schedule itself stands in config/celery.py, here one may pause an entry."""

    list_display = ("name", "task", "enabled", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    fields = ("name", "task", "enabled", "last_run_at", "total_run_count")
    readonly_fields = ("name", "task", "last_run_at", "total_run_count")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(TaskResult)
class TaskResultAdmin(ModelAdmin):
    list_display = ("task_name", "status", "worker", "date_created", "date_done")
    list_filter = ("status", "task_name")
    search_fields = ("task_id", "task_name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(TOTPDevice)
class TOTPDeviceAdmin(ModelAdmin):
    list_display = ("user", "name", "confirmed")
    raw_id_fields = ("user",)
    exclude = ("key",)


def navigation(request: HttpRequest) -> list[dict]:
    """The side menu: what the operator may see, in the order of work."""
    top = {"items": [{"title": _("总览"), "icon": "dashboard", "link": reverse("admin:index")}]}
    groups = ({"title": title, "separator": True, "items": _items(request, items)} for title, *items in MENU)
    return [top, *(group for group in groups if group["items"])]


def _items(request: HttpRequest, items: list[tuple[str, str]]) -> list[dict]:
    shown = []
    for icon, label in items:
        model = apps.get_model(label)
        if model in admin.site._registry and admin.site._registry[model].has_view_permission(request):
            page = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
            shown.append({"title": capfirst(model._meta.verbose_name_plural), "icon": icon, "link": reverse(page)})
    return shown
