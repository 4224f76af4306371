"""Every change of master data, permission and configuration is kept by the database, whoever writes it and how."""

import base64
import io
import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from members.models import (
    ApprovalPolicy,
    AuditEntry,
    Channel,
    ChannelKey,
    Identity,
    Operator,
    OrgUnit,
    ReminderSetting,
    Trade,
)
from members.personal_data import EncryptedTextField, blind_index
from members.services import audit, jobs
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory

# Tables whose history stands elsewhere: in their events, in insert-only rows of their own, or in the ledger.
TOLD_ELSEWHERE = {
    "members.membership": "events",
    "members.job": "its row says who, when and what came of it",
    "members.event": "insert-only",
    "members.delivery": "what the clock does",
    "members.followup": "events",
    "members.ticket": "notes and events",
    "members.reminder": "events",
    "members.importantdate": "events",
    "members.card": "CardChange",
    "members.cardbatch": "events",
    "members.approval": "its row says who asked and who decided; events",
    "members.consent": "evidence, and when it was withdrawn",
    "benefits.coupon": "events and charges",
    "benefits.membertier": "its history",
    "loyalty.account": "the ledger",
    "loyalty.hold": "the ledger",
    "marketing.membertag": "events",
    "marketing.campaignmember": "insert-only",
    "settlement.statement": "its states",
    "settlement.period": "its states",
    "settlement.nettingpayment": "its states",
    "settlement.book": "made by the settlement itself",
}


def last(**where: Any) -> AuditEntry:
    return AuditEntry.objects.filter(**where).latest("pk")


def entries() -> int:
    return AuditEntry.objects.count()


# What is covered ---------------------------------------------------------------------------------------------------


@pytest.fixture
def edited(cast: Cast, rf) -> set[str]:
    """Models that some admin, or some inline of one, lets headquarters change."""
    request = rf.get("/")
    request.user = cast.sees_all

    def may_edit(page) -> bool:
        return (
            page.has_add_permission(request)
            or page.has_change_permission(request)
            or page.has_delete_permission(request)
        )

    found = {model for model, page in admin.site._registry.items() if may_edit(page)}
    for page in admin.site._registry.values():
        if page.model in found:
            found |= {inline.model for inline in page.inlines}
    return {model._meta.label_lower for model in found}


def test_whatever_an_admin_edits_is_audited(edited):
    covered = set(audit.audited_models())
    assert edited - covered - set(TOLD_ELSEWHERE) == set()
    assert covered & set(TOLD_ELSEWHERE) == set()


def test_every_relation_of_what_is_audited_is_audited(cast: Cast):
    covered = set(audit.audited())
    relations = {
        (label, field.name)
        for label in audit.audited_models()
        for field in apps.get_model(label)._meta.local_many_to_many
    }
    assert relations - covered == set()


def test_no_secret_is_kept(cast: Cast):
    """Encrypted columns, and what is named like a secret, are left out or masked."""
    words = ("password", "secret", "_index", "hash")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, encode(tgargs, 'escape')"
            " FROM pg_trigger WHERE tgname LIKE '%\\_is\\_audited'"
        )
        hidden = {table: args.split("\\000") for table, args in cursor.fetchall()}
    for model in apps.get_models():
        args = hidden.get(model._meta.db_table)
        if args is None:
            continue
        left_out, told = set(args[6].split(",")), set(args[7].split(","))
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                assert field.column in left_out, field
            elif field.column.endswith(words) or (model is TOTPDevice and field.column == "key"):
                assert field.column in left_out | told, field


# What is kept --------------------------------------------------------------------------------------------------------


def test_an_update_keeps_the_changed_columns_before_and_after(cast: Cast):
    OrgUnit.objects.filter(pk=cast.mall_1.pk).update(name="广场新一店")
    entry = last()
    assert (entry.action, entry.model, entry.row_id, entry.org_unit) == (
        "update",
        "members.orgunit",
        cast.mall_1.pk,
        cast.mall_1,
    )
    assert (entry.before, entry.after) == ({"name": "广场一店"}, {"name": "广场新一店"})
    assert entry.title == "广场新一店"


def test_bare_sql_and_bulk_writes_are_kept_too(cast: Cast):
    before = entries()
    Trade.objects.bulk_create([Trade(code="food", name="餐饮"), Trade(code="wear", name="服饰")])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE members_trade SET name = name || '类'")
    assert entries() == before + 4
    assert last(model="members.trade", title="餐饮类").before == {"name": "餐饮"}


def test_an_update_that_changes_nothing_is_not_kept(cast: Cast):
    before = entries()
    cast.mall_1.save()
    Operator.objects.filter(pk=cast.sees_all.pk).update(last_login="2026-01-01T00:00Z")
    assert entries() == before


def test_a_deletion_keeps_the_whole_row(cast: Cast):
    trade = Trade.objects.create(code="food", name="餐饮")
    trade.delete()
    entry = last()
    assert (entry.action, entry.before["code"], entry.before["name"], entry.after) == ("delete", "food", "餐饮", None)


def test_roles_and_permissions_that_come_and_go(cast: Cast):
    role = Group.objects.create(name="店员")
    permission = Permission.objects.get(codename="view_member")
    role.permissions.add(permission)
    assert last().after == {"group_id": role.pk, "permission_id": permission.pk}
    assert (last().model, last().part, last().title) == ("auth.group", "permissions", "店员")
    cast.sees_mall.groups.add(role)
    entry = last()
    assert (entry.model, entry.row_id, entry.part, entry.title) == (
        "members.operator",
        cast.sees_mall.pk,
        "groups",
        "sees_mall",
    )
    assert entry.org_unit == cast.mall
    assert admin.site._registry[AuditEntry].in_short(entry) == f"店员 (#{role.pk})"
    role.delete()
    assert last(part="groups").action == "delete"


def test_secrets_are_not_in_it(cast: Cast):
    cast.sees_mall.set_password("xk29-lantern")
    cast.sees_mall.save()
    assert last().after == {"password": "***"}
    key = ChannelKey.objects.first()
    assert key.secret_hash not in json.dumps(list(AuditEntry.objects.values("before", "after")))
    device = TOTPDevice.objects.create(user=cast.sees_mall, name="app")
    assert "key" not in last(model="otp_totp.totpdevice").after
    assert device.key not in json.dumps(list(AuditEntry.objects.values("before", "after")))


def test_of_a_person_only_that_something_changed(cast: Cast):
    before = entries()
    member = MemberFactory(name="王五", businesses=[cast.mall])
    assert entries() == before  # enrolling is told by its event
    member.name, member.name_index, member.gender = "王小五", blind_index("name", "王小五"), "m"
    member.save()
    entry = last()
    assert (entry.before, entry.after) == ({"gender": "", "name_index": "***"}, {"gender": "m", "name_index": "***"})
    assert [(c.label, c.before, c.after) for c in audit.changes(entry)] == [
        ("性别", "未知", "男"),
        ("姓名", "（不显示）", "（不显示）"),
    ]
    Identity.objects.filter(member=member).delete()
    assert (last().model, last().action, last().member) == ("members.identity", "delete", member)
    assert last().before["last_four"] == "***"


def test_new_keys_are_no_change_of_a_person(cast: Cast):
    member = MemberFactory(name="王五")
    before = entries()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('members.keys_rotate', 'on', true)")
        cursor.execute("UPDATE members_member SET name = '\\x00', name_index = 'other' WHERE id = %s", [member.pk])
    assert entries() == before


def test_rotating_keys_is_no_change_of_a_person_either(cast: Cast, settings):
    MemberFactory(name="王五")
    before = AuditEntry.objects.filter(member__isnull=False).count()
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    settings.FIELD_ENCRYPTION_KEYS = {"new": key, **settings.FIELD_ENCRYPTION_KEYS}
    settings.BLIND_INDEX_KEYS = {"newer": key, **settings.BLIND_INDEX_KEYS}
    call_command("rotate_keys", stdout=io.StringIO())
    assert AuditEntry.objects.filter(member__isnull=False).count() == before


def test_a_worker_s_change_is_its_job_s_operator_s(cast: Cast):
    job = jobs.add_job("test.rename", "改名", org_unit=cast.group, operator=cast.sees_mall)

    def rename(progress: jobs.Progress) -> dict:
        Trade.objects.create(code="food", name="餐饮")
        return {}

    jobs.run(job.pk, rename)
    assert (last(model="members.trade").operator, last(model="members.trade").page) == (
        cast.sees_mall,
        f"test.rename #{job.pk}",
    )


def test_it_can_not_be_changed(cast: Cast):
    entry = AuditEntry.objects.latest("pk")
    for statement in (
        "UPDATE members_auditentry SET title = ''",
        "DELETE FROM members_auditentry",
        "TRUNCATE members_auditentry",
    ):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AuditEntry.objects.latest("pk") == entry


# Who, from where -----------------------------------------------------------------------------------------------------


def test_the_back_office_says_who_and_on_which_page(cast: Cast, client):
    client.force_login(cast.sees_all)
    page = reverse("admin:members_trade_add")
    client.post(page, {"code": "food", "name": "餐饮"})
    entry = last(model="members.trade")
    assert (entry.operator, entry.page) == (cast.sees_all, f"POST {page}")
    assert entry.channel == Channel.objects.get(code="admin")
    assert entry.context is not None


def test_the_api_says_which_channel_and_is_no_operator(cast: Cast, client):
    member = MemberFactory(businesses=[cast.mall])
    url = f"/api/v1/members/{member.member_no}"
    headers = cast.bearer(cast.mall_app) | {"HTTP_IDEMPOTENCY_KEY": "k1"}
    answer = client.patch(url, {"gender": "f"}, content_type="application/json", **headers)
    assert answer.status_code == 200
    entry = last(model="members.member")
    assert (entry.channel, entry.operator, entry.page) == (cast.mall_app, None, f"PATCH {url}")


def test_changes_of_one_request_belong_together(cast: Cast, client):
    client.force_login(cast.sees_all)
    role = Group.objects.create(name="店员")
    rights = Permission.objects.filter(codename__in=("view_member", "view_card"))
    policy = {f"policy-{name}": value for name, value in _inline().items()}
    page = reverse("admin:auth_group_change", args=[role.pk])
    client.post(page, {"name": "门店店员", "permissions": [right.pk for right in rights], **policy})
    kept = AuditEntry.objects.filter(context=last(model="auth.group").context)
    assert sorted(kept.values_list("model", "part")) == [
        ("auth.group", ""),
        ("auth.group", "permissions"),
        ("auth.group", "permissions"),
        ("members.rolepolicy", ""),
    ]


def _inline() -> dict[str, str]:
    counts = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1"}
    return counts | {"0-requires_totp": "on", "0-export_rows": "500"}


# Who sees it ---------------------------------------------------------------------------------------------------------


def test_one_sees_what_concerns_one_s_own_subtree_and_members(cast: Cast):
    ours, theirs = MemberFactory(businesses=[cast.mall]), MemberFactory(businesses=[cast.hotel])
    for member in (ours, theirs):
        type(member).objects.filter(pk=member.pk).update(gender="f")
    Group.objects.create(name="集团的")
    seen = AuditEntry.objects.visible_to(cast.sees_mall)
    assert set(seen.filter(model="members.member").values_list("row_id", flat=True)) == {ours.pk}
    units = set(seen.filter(model="members.orgunit").values_list("row_id", flat=True))
    assert units == {cast.mall.pk, cast.mall_east.pk, cast.mall_1.pk, cast.mall_2.pk}
    assert not seen.filter(model="auth.group").exists()
    assert AuditEntry.objects.visible_to(cast.sees_all).count() == entries()
    assert not AuditEntry.objects.visible_to(cast.sees_nothing).exists()


@pytest.mark.parametrize("term", ["广场新一店", "sees_all", "orgunit", "广场一店"])
def test_it_is_searched_by_title_operator_page_and_content(cast: Cast, client, term):
    client.force_login(cast.sees_all)
    client.post(reverse("admin:members_orgunit_change", args=[cast.mall_1.pk]), _store("广场新一店"))
    page = client.get(reverse("admin:members_auditentry_changelist"), {"q": term, "action": "update"})
    assert [entry.row_id for entry in page.context["cl"].result_list] == [cast.mall_1.pk]


def _store(name: str) -> dict[str, str]:
    counts = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000"}
    return {"name": name, "is_active": "on", **{f"terminals-{key}": value for key, value in counts.items()}}


def test_an_entry_shows_before_and_after_in_words(cast: Cast, client):
    trade = Trade.objects.create(code="food", name="餐饮")
    OrgUnit.objects.filter(pk=cast.mall_1.pk).update(trade=trade, is_active=False)
    shown = {(c.label, c.before, c.after) for c in audit.changes(last())}
    assert shown == {("业种", "—", f"餐饮 (#{trade.pk})"), ("启用", "是", "否")}
    client.force_login(cast.sees_all)
    page = client.get(reverse("admin:members_auditentry_change", args=[last().pk]))
    assert "餐饮" in page.content.decode()


def test_the_filtered_list_is_exported_with_all_that_changed(cast: Cast, client):
    OrgUnit.objects.filter(pk=cast.mall_1.pk).update(name="新", is_active=False, code="NEW", time_zone="UTC")
    client.force_login(cast.sees_all)
    page = reverse("admin:members_auditentry_export_list")
    answer = client.post(f"{page}?model=members.orgunit&row_id={cast.mall_1.pk}&action=update", {"format": "csv"})
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    for change in ("名称 广场一店 → 新", "启用 是 → 否", "编码 MALL-1 → NEW", "时区 Asia/Shanghai → UTC"):
        assert change in lines[1]


def test_the_history_of_a_row_is_its_audit_trail(cast: Cast, client):
    client.force_login(cast.sees_all)
    answer = client.get(reverse("admin:members_orgunit_history", args=[cast.mall_1.pk]), follow=True)
    assert {entry.row_id for entry in answer.context["cl"].result_list} == {cast.mall_1.pk}
    assert {entry.model for entry in answer.context["cl"].result_list} == {"members.orgunit"}


def test_the_history_of_what_is_another_s_is_not_there(cast: Cast, client):
    client.force_login(cast.sees_mall)
    assert client.get(reverse("admin:members_orgunit_history", args=[cast.hotel_1.pk])).status_code == 404


def test_member_360_tells_what_was_changed_of_the_person(cast: Cast, client):
    member = MemberFactory(businesses=[cast.mall])
    type(member).objects.filter(pk=member.pk).update(gender="f", birthday="1990-01-02")
    client.force_login(cast.sees_mall)
    tab = client.get(reverse("admin:members_member_panel", args=[member.pk, "changes"])).content.decode()
    assert "性别 未知 → 女" in tab
    assert "1990" not in tab


def test_what_is_titled_by_a_code_is_read_by_its_label_and_the_clock_s_look_is_no_change(cast: Cast):
    policy = ApprovalPolicy.objects.create(org_unit=cast.mall, verb="loyalty.adjust")
    setting = ReminderSetting.objects.create(org_unit=cast.mall, kind="points_expiry", days=30)
    ReminderSetting.objects.filter(pk=setting.pk).update(looked_on="2026-01-02")
    ReminderSetting.objects.filter(pk=setting.pk).update(days=14, looked_on="2026-01-03")
    trail = AuditEntry.objects.filter(model="members.remindersetting").order_by("pk")
    assert [(entry.action, entry.after.get("days")) for entry in trail] == [("insert", 30), ("update", 14)]
    assert audit.title_in_words(trail[0]) == "积分到期"
    assert audit.title_in_words(AuditEntry.objects.get(model="members.approvalpolicy", row_id=policy.pk)) == "调整资产"


def test_who_may_not_read_the_trail_is_refused(cast: Cast, client):
    operator = OperatorFactory(org_unit=cast.group)
    client.force_login(operator)
    assert client.get(reverse("admin:members_auditentry_changelist")).status_code == 403
