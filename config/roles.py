"""The roles that a group starts with. They are rows, edited in the back office: what is edited there stays.

A role's permissions are patterns over `app.codename`. A manager's role holds all of the roles that he hands out.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from members.models import RolePolicy

OUR_APPS = ("members", "loyalty", "benefits", "settlement", "marketing")
UNMASKED = ("members.view_personal_data", "members.export_personal_data")
OFFICE = (  # what a shop does not need to see
    "members.view_approvalpolicy",
    "members.view_auditentry",
    "members.view_channel*",
    "members.view_delivery",
    "members.view_duplicate",
    "members.view_job",
    "members.view_merge",
    "members.view_operator",
    "members.view_rolepolicy",
)


@dataclass(frozen=True)
class Role:
    """What operators of a kind may do; `export_rows` is the most that one export holds, 0 = none."""

    name: str
    may: tuple[str, ...]
    but_not: tuple[str, ...] = ()
    includes: tuple["Role", ...] = ()
    requires_totp: bool = False
    export_rows: int = 0

    def holds(self, permission: str) -> bool:
        own = _matches(permission, self.may) and not _matches(permission, self.but_not)
        return own or any(role.holds(permission) for role in self.includes)


def views(*apps: str) -> tuple[str, ...]:
    return tuple(f"{app}.view_*" for app in apps)


CLERK = Role(
    "店员",
    may=(
        *views("members", "loyalty", "benefits"),
        "marketing.view_tag",
        "marketing.view_membertag",
        "members.add_member",
        "members.change_member",
        "members.*_importantdate",
        "members.add_followup",
        "members.change_followup",
        "members.change_reminder",
        "members.add_ticket",
        "members.change_ticket",
        "members.add_ticketnote",
        "members.take_call",
        "members.issue_card",
        "members.block_card",
        "members.replace_card",
    ),
    but_not=(*UNMASKED, *OFFICE),
)
CALL_CENTRE = Role(
    "客服",
    may=(
        "members.take_call",
        "members.view_personal_data",
        "members.unblock_card",
        "members.freeze_member",
        "marketing.add_membertag",
        "benefits.issue_coupon",
    ),
    includes=(CLERK,),
)
MARKETING = Role(
    "市场",
    may=(
        *views("members", "loyalty", "benefits", "marketing"),
        "marketing.*",
        "benefits.*_coupontemplate",
        "benefits.*_couponshare",
        "benefits.issue_coupon",
        "benefits.revoke_coupon",
        "members.export_members",
        "members.*_remindersetting",
    ),
    but_not=(*UNMASKED, *OFFICE),
    export_rows=50_000,
)
STORE_MANAGER = Role(
    "店长",
    may=(
        "members.view_personal_data",
        "members.view_auditentry",
        "members.view_job",
        "members.view_duplicate",
        "members.view_merge",
        "members.view_operator",
        "members.add_operator",
        "members.change_operator",
        "members.freeze_member",
        "members.unblock_card",
        "members.export_members",
        "members.import_members",
        "members.decide_approval",
        "loyalty.adjust_account",
        "loyalty.change_cardlimit",
        "benefits.issue_coupon",
        "marketing.add_membertag",
        "marketing.delete_membertag",
    ),
    includes=(CLERK,),
    export_rows=10_000,
)
REGION = Role(
    "大区经理",
    may=(
        "members.*_orgunit",
        "members.*_terminal",
        "members.*_tickettype",
        "members.merge_members",
        "members.close_member",
        "members.view_approvalpolicy",
        "loyalty.reverse_transaction",
        "loyalty.*_earnrule",
        "loyalty.*_burnrule",
        "benefits.revoke_coupon",
        "otp_totp.view_totpdevice",
        "axes.view_accesslog",
        "axes.view_accessfailurelog",
    ),
    includes=(STORE_MANAGER, CALL_CENTRE, MARKETING),
    export_rows=50_000,
)
BUSINESS = Role(
    "业态运营",
    may=("members.*", "loyalty.*", "benefits.*", "marketing.*", *views("settlement")),
    but_not=(
        "members.*_channel",
        "members.*_channelkey",
        "members.*_rolepolicy",
        "members.*_trade",
        "members.change_delivery",
        "members.export_personal_data",
        "members.undo_merge",
    ),
    includes=(REGION,),
    export_rows=200_000,
)
FINANCE = Role(
    "财务",
    may=(
        "settlement.*",
        *views("loyalty", "benefits"),
        "members.view_member",  # masked: whose points and coupons these are
        "members.view_orgunit",
        "members.view_approval",
        "members.view_auditentry",
        "members.view_job",
        "members.export_members",
        "members.decide_approval",
    ),
    requires_totp=True,
    export_rows=200_000,
)
AUDITOR = Role(
    "审计",
    may=(
        *views(*OUR_APPS),
        "members.export_members",
        "auth.view_group",
        "axes.view_access*",
        "otp_totp.view_totpdevice",
        "django_celery_beat.view_periodictask",
        "django_celery_results.view_taskresult",
    ),
    but_not=UNMASKED,
    export_rows=50_000,
)
HEADQUARTERS = Role(
    "总部运营",
    may=(
        *(f"{app}.*" for app in OUR_APPS),
        "auth.*_group",
        "django_celery_beat.change_periodictask",
    ),
    includes=(AUDITOR,),
    requires_totp=True,
    export_rows=1_000_000,
)
ROLES = (HEADQUARTERS, BUSINESS, REGION, STORE_MANAGER, CLERK, CALL_CENTRE, FINANCE, AUDITOR, MARKETING)


@transaction.atomic
def set_up(*, demand_totp: bool, reset: bool = False) -> list[str]:
    """Make the roles that are missing; with `reset`, those that stand become as they are here. Returns their names."""
    made = []
    for role in ROLES:
        group, is_new = Group.objects.get_or_create(name=role.name)
        if not (is_new or reset):
            continue
        group.permissions.set(permissions_of(role))
        policy = {"requires_totp": demand_totp and role.requires_totp, "export_rows": role.export_rows}
        RolePolicy.objects.update_or_create(group=group, defaults=policy)
        made.append(role.name)
    return made


def permissions_of(role: Role) -> list[Permission]:
    known = Permission.objects.select_related("content_type")
    return [found for found in known if role.holds(f"{found.content_type.app_label}.{found.codename}")]


def _matches(permission: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in patterns)
