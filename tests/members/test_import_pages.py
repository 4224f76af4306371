"""The import as an operator sees it: upload, preview, confirm, failures; and what others don't see."""

from io import BytesIO

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from members.models import Event, Job, Member, Operator
from members.services.spreadsheets import read_rows
from tests.cast import Cast
from tests.factories import OperatorFactory
from tests.members.test_imports import xlsx


@pytest.fixture
def client_of(client: Client):
    def sign_in(operator: Operator) -> Client:
        client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def uploaded(cast: Cast, client_of, django_capture_on_commit_callbacks) -> Job:
    """A checked file of two good rows and a bad one."""
    file = SimpleUploadedFile("名单.xlsx", xlsx(("13800138000", "甲"), ("13900139000", "乙"), ("12345", "丙")))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client_of(cast.sees_mall).post(
            reverse("admin:members_import"), {"business": cast.mall.pk, "file": file}
        )
    job = Job.objects.get()
    assert answer.url == reverse("admin:members_import_job", args=[job.pk])
    return job


def test_from_upload_to_members(cast: Cast, uploaded: Job, client_of, django_capture_on_commit_callbacks) -> None:
    client = client_of(cast.sees_mall)
    page = client.get(reverse("admin:members_import_job", args=[uploaded.pk])).content.decode()
    assert "预检完成，共 3 行" in page
    assert "手机号无效" in page
    assert Member.objects.count() == 0
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:members_import_confirm", args=[uploaded.pk]))
    assert Member.objects.visible_to(cast.sees_mall).count() == 2
    part = client.get(reverse("admin:members_import_job", args=[uploaded.pk]), headers={"HX-Request": "true"})
    assert "导入完成" in part.content.decode()
    assert "<html" not in part.content.decode()


def test_the_failures_come_as_a_file_and_it_is_recorded(cast: Cast, uploaded: Job, client_of) -> None:
    answer = client_of(cast.sees_mall).get(reverse("admin:members_import_failures", args=[uploaded.pk]))
    rows = [row for _, row in read_rows(BytesIO(answer.getvalue()))]
    assert [row[0] for row in rows] == ["行号", "4"]
    assert Event.objects.get(type="member.import_failures_taken").operator == cast.sees_mall


def test_a_draft_can_be_dropped(cast: Cast, uploaded: Job, client_of) -> None:
    client_of(cast.sees_mall).post(reverse("admin:members_import_cancel", args=[uploaded.pk]))
    uploaded.refresh_from_db()
    assert uploaded.state == "cancelled"
    client_of(cast.sees_mall).post(reverse("admin:members_import_confirm", args=[uploaded.pk]))
    assert Member.objects.count() == 0


def test_a_page_while_it_is_busy_asks_again(cast: Cast, uploaded: Job, client_of) -> None:
    Job.objects.filter(pk=uploaded.pk).update(state="running", done=1)
    page = client_of(cast.sees_mall).get(reverse("admin:members_import_job", args=[uploaded.pk])).content.decode()
    assert "hx-get" in page
    assert "1 / 3 行" in page


def test_the_upload_page_offers_the_businesses_within_reach_and_the_template(cast: Cast, client_of) -> None:
    client = client_of(cast.sees_mall)
    page = client.get(reverse("admin:members_import")).content.decode()
    assert "梧桐广场" in page
    assert "梧桐酒店" not in page
    template = client.get(reverse("admin:members_import_template"))
    assert next(iter(read_rows(BytesIO(template.getvalue()))))[1][0] == "手机号*"


def test_a_file_too_large_is_told_beside_the_field(cast: Cast, client_of, settings) -> None:
    settings.MEMBERS_IMPORT_MAX_BYTES = 10
    file = SimpleUploadedFile("名单.xlsx", xlsx(("13800138000",)))
    page = client_of(cast.sees_mall).post(reverse("admin:members_import"), {"business": cast.mall.pk, "file": file})
    assert "文件过大" in page.content.decode()
    assert Job.objects.count() == 0


@pytest.mark.parametrize("name", ["job", "failures"])
def test_imports_of_others_are_not_found(cast: Cast, uploaded: Job, client_of, name: str) -> None:
    for operator in (cast.sees_nothing, OperatorFactory(org_unit=cast.hotel, is_superuser=True)):
        answer = client_of(operator).get(reverse(f"admin:members_import_{name}", args=[uploaded.pk]))
        assert answer.status_code == 404


def test_without_the_permission_there_is_no_import(cast: Cast, client_of) -> None:
    assert client_of(OperatorFactory(org_unit=cast.mall)).get(reverse("admin:members_import")).status_code == 403


def test_the_member_list_leads_to_the_import(cast: Cast, client_of) -> None:
    page = client_of(cast.sees_mall).get(reverse("admin:members_member_changelist"))
    assert reverse("admin:members_member_open_imports") in page.content.decode()
    follow = client_of(cast.sees_mall).get(reverse("admin:members_member_open_imports"))
    assert follow.url == reverse("admin:members_import")


def test_each_kind_asks_for_its_own_permission(cast: Cast, client_of, uploaded: Job) -> None:
    issuer = OperatorFactory(org_unit=cast.mall)
    issuer.user_permissions.set(Permission.objects.filter(codename="issue_card"))
    client = client_of(issuer)
    page = client.get(reverse("admin:members_import")).content.decode()
    assert "?kind=cards.import" in page
    assert "?kind=members.import" not in page
    for name in ("members_import", "members_import_template"):
        assert client.get(reverse(f"admin:{name}"), {"kind": "members.import"}).status_code == 404
    assert client.get(reverse("admin:members_import_job", args=[uploaded.pk])).status_code == 404
    file = SimpleUploadedFile("名单.xlsx", xlsx(("13800138000",)))
    answer = client.post(reverse("admin:members_import") + "?kind=members.import", {"file": file})
    assert (answer.status_code, Job.objects.count()) == (404, 1)


def test_a_kind_is_chosen_with_its_template_and_its_policies(
    cast: Cast, client_of, django_capture_on_commit_callbacks
) -> None:
    client = client_of(cast.sees_mall)
    url = reverse("admin:members_import") + "?kind=org_units.import"
    page = client.get(url).content.decode()
    assert "上级编码" in page
    assert 'name="business"' not in page  # rows name their node themselves
    template = client.get(reverse("admin:members_import_template"), {"kind": "org_units.import"})
    assert next(iter(read_rows(BytesIO(template.getvalue()))))[1] == ["编码*", "名称*", "类型*", "上级编码*", "业种"]
    rows = (("MALL-1", "新名", "门店", "MALL-EAST", ""),)
    file = SimpleUploadedFile("组织.xlsx", xlsx(*rows, header=("编码", "名称", "类型", "上级编码", "业种")))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url, {"policy": "overwrite", "file": file})
    page = client.get(answer.url).content.decode()
    assert all(text in page for text in ("将更新的内容", "广场一店", "新名", "覆盖："))
