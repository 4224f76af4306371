"""Other people's models in our looks: roles, the clock, its results, second factors, and who logged in.

None of them knows our tree: what belongs to an operator is seen where he is, the rest at headquarters alone.
"""

import axes.admin  # noqa: F401 - registers what is registered again below
import django_celery_beat.admin  # noqa: F401
import django_celery_results.admin  # noqa: F401
import django_otp.plugins.otp_static.admin
import django_otp.plugins.otp_totp.admin  # noqa: F401
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, ManyToManyField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import StackedInline
from unfold.decorators import display

from members.interfaces.admin import AuditedAdmin, is_headquarters
from members.models import Operator, RolePolicy
from members.services import operators
from members.services.audit import permission_in_words

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
    StaticDevice,
    TaskResult,
    TOTPDevice,
)

for _model in REPLACED:
    admin.site.unregister(_model)


class HeadquartersAdmin(AuditedAdmin):
    """What belongs to no node: seen from the top, and from nowhere else."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows if is_headquarters(request) else rows.none()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and is_headquarters(request)


class KeptAdmin(AuditedAdmin):
    """What machines write is only looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


class PolicyInline(StackedInline):
    """What the role demands and allows beyond its permissions."""

    model = RolePolicy
    can_delete = False
    extra = 1
    max_num = 1


@admin.register(Group)
class RoleAdmin(GroupAdmin, HeadquartersAdmin):
    """Roles: named sets of permissions that operators carry. Nobody puts in more than he has himself."""

    list_display = ("name", "carried", "permissions_in_all", "requires_totp", "export_rows")
    list_select_related = ("policy",)
    inlines = (PolicyInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        roles = super().get_queryset(request)
        return roles.annotate(carriers=Count("user", distinct=True), rights=Count("permissions", distinct=True))

    def formfield_for_manytomany(self, db_field: ManyToManyField, request: HttpRequest, **kwargs):
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "permissions":
            own = operators.permissions_of(request.user).values("pk")
            field.queryset = field.queryset.filter(pk__in=own)
            field.label_from_instance = permission_in_words
        return field

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or operators.may_edit_role(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """A role that somebody carries stays."""
        allowed = super().has_delete_permission(request, obj)
        free = obj is None or (operators.may_edit_role(request.user, obj) and not obj.user_set.exists())
        return allowed and free

    @display(description=_("操作员数"), ordering="carriers")
    def carried(self, role: Group) -> int:
        return role.carriers

    @display(description=_("权限数"), ordering="rights")
    def permissions_in_all(self, role: Group) -> int:
        return role.rights

    @display(description=_("必须动态口令"), boolean=True)
    def requires_totp(self, role: Group) -> bool:
        policy = policy_of(role)
        return policy is not None and policy.requires_totp

    @display(description=_("导出行数上限"))
    def export_rows(self, role: Group) -> str:
        policy = policy_of(role)
        return f"{policy.export_rows:,}" if policy else "—"


def policy_of(role: Group) -> RolePolicy | None:
    return getattr(role, "policy", None)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(HeadquartersAdmin):
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
class TaskResultAdmin(KeptAdmin, HeadquartersAdmin):
    list_display = ("task_name", "status", "worker", "date_created", "date_done")
    list_filter = ("status", "task_name")
    search_fields = ("task_id", "task_name")


@admin.register(TOTPDevice)
class TOTPDeviceAdmin(KeptAdmin):
    """Which operators in reach have an authenticator; it is reset on the operator's page."""

    list_display = ("user", "confirmed", "created_at", "last_used_at")
    list_filter = ("confirmed",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name")
    fields = ("user", "confirmed", "created_at", "last_used_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TOTPDevice]:
        return super().get_queryset(request).filter(user__in=Operator.objects.visible_to(request.user))


class LoginAdmin(KeptAdmin):
    """Logins are noted under the name that was typed: one sees those of operators in reach, headquarters all."""

    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        if is_headquarters(request):
            return rows
        return rows.filter(username__in=Operator.objects.visible_to(request.user).values("username"))


@admin.register(AccessLog)
class AccessLogAdmin(LoginAdmin):
    list_display = ("username", "attempt_time", "logout_time", "ip_address", "user_agent")
    fields = ("username", "attempt_time", "logout_time", "ip_address", "path_info", "user_agent")


@admin.register(AccessFailureLog)
class AccessFailureLogAdmin(LoginAdmin):
    list_display = ("username", "attempt_time", "locked_out", "ip_address", "user_agent")
    list_filter = ("locked_out",)
    fields = ("username", "attempt_time", "locked_out", "ip_address", "path_info", "user_agent")
