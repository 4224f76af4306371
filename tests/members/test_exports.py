"""Exports: what the list shows and nothing else, masked, within the role's limit, recorded, and gone in time."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from members.errors import ExportGone
from members.interfaces.lists import AdminList
from members.models import Approval, Event, Job, Member, Operator, RolePolicy
from members.rules import mask_name
from members.services import consents, exports, jobs
from members.services.organisation import own_origin
from members.services.spreadsheets import harmless, write_csv, write_table
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory
from tests.test_architecture import imports

PAGE = reverse("admin:members_member_export_list")
PHONE = "+8613912345678"


@pytest.fixture(autouse=True)
def files(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What was handed to the worker."""
    handed: list[int] = []
    monkeypatch.setattr("members.interfaces.exports.make_export.delay", handed.append)
    return handed


@pytest.fixture
def members(cast: Cast) -> list[Member]:
    """Two of the mall, one of the hotel."""
    names = (("张三", cast.mall, PHONE), ("李四", cast.mall, "+8613900000002"), ("王五", cast.hotel, "+8613900000003"))
    return [MemberFactory(name=name, businesses=[business], phone=phone) for name, business, phone in names]


def as_(operator: Operator) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def export(operator: Operator, query: str = "", **form) -> list[dict[str, str]]:
    answer = as_(operator).post(f"{PAGE}?{query}", {"format": "csv"} | form)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return rows_of(b"".join(answer))


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


# --- Cells ------------------------------------------------------------------------------------------------------

HARMFUL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", HARMFUL)
def test_no_text_runs_as_a_formula(text: str):
    assert harmless(text) == f"'{text}"
    workbook, table = io.BytesIO(), io.BytesIO()
    write_table(workbook, "表", [text], [[text]])
    write_csv(table, "表", [text], [[text]])
    cells = [cell for row in openpyxl.load_workbook(workbook).active.iter_rows() for cell in row]
    assert [(cell.data_type, cell.value[0]) for cell in cells] == [("s", "'")] * 2
    read = csv.reader(io.StringIO(table.getvalue().decode("utf-8-sig"), newline=""))
    assert [row[0] for row in read] == [f"'{text}"] * 2


def test_whoever_writes_a_spreadsheet_neutralises_formulas():
    """All writing goes through members.services.spreadsheets, or takes its `harmless` along."""
    taken = {(found.module, found.name) for found in imports() if not found.module.startswith("config.")}
    writers = {module for module, name in taken if name.startswith("xlsxwriter")}
    writers |= {module for module, name in taken if name == "csv" and not module.endswith("_reader")}
    careful = {module for module, name in taken if name.endswith("spreadsheets.harmless")}
    assert writers - careful == {"members.services.spreadsheets"}


def test_numbers_stay_numbers_and_dates_dates():
    row = [-5, Decimal("-12.50"), datetime(2026, 2, 3, 4, 5, 6), date(2026, 2, 3), 10**15, "0012", None, ""]
    workbook, table = io.BytesIO(), io.BytesIO()
    assert write_table(workbook, "表", ["列"] * 8, iter([row])) == write_csv(table, "表", ["列"] * 8, iter([row])) == 1
    cells = list(openpyxl.load_workbook(workbook).active[2])
    assert [cell.value for cell in cells[:6]] == [
        -5, -12.5, datetime(2026, 2, 3, 4, 5, 6), datetime(2026, 2, 3), "1000000000000000", "0012",
    ]  # fmt: skip
    assert table.getvalue().decode("utf-8-sig").splitlines()[1] == (
        "-5,-12.50,2026-02-03 04:05:06,2026-02-03,1000000000000000,0012,,"
    )


def test_what_one_sheet_does_not_hold_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("members.services.spreadsheets.SHEET_ROWS", 2)
    workbook = io.BytesIO()
    assert write_table(workbook, "会员[1]/*", ["号"], ([number] for number in range(5))) == 5
    sheets = openpyxl.load_workbook(workbook).worksheets
    assert [(sheet.title, [cell.value for cell in sheet["A"]]) for sheet in sheets] == [
        ("会员1", ["号", 0, 1]),
        ("会员1 2", ["号", 2, 3]),
        ("会员1 3", ["号", 4]),
    ]


# --- What is in a file ------------------------------------------------------------------------------------------


def test_the_file_shows_what_the_list_shows_masked_for_everybody(cast: Cast, members: list[Member]):
    first, second, _third = members
    rows = export(cast.sees_mall, "o=0")
    assert [(row["会员号"], row["姓名"], row["手机号"], row["状态"]) for row in rows] == sorted(
        [(first.member_no, "张*", "139****5678", "正常"), (second.member_no, "李*", "139****0002", "正常")]
    )
    assert {"等级", "积分", "标签"} < set(rows[0])


def test_the_file_keeps_the_filters_the_search_and_the_order(cast: Cast, members: list[Member]):
    first, second, third = members
    Member.objects.filter(pk=second.pk).update(status="frozen")
    numbers = {
        query: [row["会员号"] for row in export(cast.sees_all, query)]
        for query in ("status__exact=frozen", "q=13912345678", "q=王五&p=7", "o=0", "o=-0", "status__exact=closed")
    }
    ordered = sorted(member.member_no for member in members)
    assert numbers == {
        "status__exact=frozen": [second.member_no],
        "q=13912345678": [first.member_no],
        "q=王五&p=7": [third.member_no],
        "o=0": ordered,
        "o=-0": ordered[::-1],
        "status__exact=closed": [],
    }


def test_who_stands_nowhere_exports_nothing(cast: Cast, members: list[Member]):
    assert export(cast.sees_nothing) == []


@pytest.mark.parametrize("without", ["export_members", "view_member"])
def test_exporting_needs_the_right_to_it_and_to_the_list(cast: Cast, members: list[Member], without: str):
    operator = OperatorFactory(org_unit=cast.mall)
    operator.user_permissions.set(Permission.objects.exclude(codename__in=(without, without.replace("view", "change"))))
    assert as_(operator).post(PAGE, {"format": "csv"}).status_code == 403
    assert not Event.objects.filter(type="list.exported").exists()


def test_a_filter_that_the_list_does_not_know_is_refused(cast: Cast, members: list[Member]):
    for query in ("memberships__business__code=HOTEL", "status__nonsense=1", "nothing=1"):
        answer = as_(cast.sees_all).post(f"{PAGE}?{query}", {"format": "csv"})
        assert (answer.status_code, answer.url) == (302, reverse("admin:members_member_changelist"))
    assert not Event.objects.filter(type="list.exported").exists()


def test_every_export_is_recorded_without_what_was_searched_for(cast: Cast, members: list[Member]):
    export(cast.sees_mall, "q=13912345678&status__exact=active&o=0")
    event = Event.objects.get(type="list.exported")
    assert (event.operator, event.business, event.data) == (
        cast.sees_mall,
        cast.mall,
        {
            "model": "members.member",
            "filters": {"q": "***", "status__exact": "active"},
            "rows": 1,
            "format": "csv",
            "is_masked": True,
        },
    )


# --- Limits -----------------------------------------------------------------------------------------------------


def role(operator: Operator, rows: int | None) -> None:
    group = Group.objects.create(name=f"{operator} {rows}")
    if rows is not None:
        RolePolicy.objects.create(group=group, export_rows=rows)
    operator.groups.add(group)


def test_the_limit_is_the_largest_of_ones_roles(cast: Cast):
    limits = [exports.limit_of(cast.sees_all)]
    for rows in (0, 2, 1, None):
        role(cast.sees_all, rows)
        limits.append(exports.limit_of(cast.sees_all))
    cast.sees_all.is_superuser = True
    assert [*limits, exports.limit_of(cast.sees_all)] == [10_000, 0, 2, 2, 10_000, None]


@pytest.mark.parametrize(("rows", "status"), [(0, 302), (2, 302), (3, 200)])
def test_beyond_the_limit_nothing_is_exported_and_the_limit_is_named(
    cast: Cast, members: list[Member], rows: int, status: int
):
    role(cast.sees_all, rows)
    client = as_(cast.sees_all)
    answer = client.post(PAGE, {"format": "csv"})
    assert (answer.status_code, Event.objects.filter(type="list.exported").exists()) == (status, status == 200)
    if status == 302:
        (message,) = client.get(answer.url).context["messages"]
        assert ("不允许导出" if rows == 0 else "2 行") in str(message)


# --- As a job ---------------------------------------------------------------------------------------------------


@pytest.fixture
def many(cast: Cast) -> None:
    """Another one of that name: before the list is ordered, so that it is more than is exported at once."""
    MemberFactory(name="张三", businesses=[cast.mall], phone="+8613900000009")


@pytest.fixture
def job(
    cast: Cast, members: list[Member], many, monkeypatch: pytest.MonkeyPatch, queued, django_capture_on_commit_callbacks
) -> Job:
    """The mall's list, ordered by its operator."""
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_(cast.sees_mall).post(f"{PAGE}?q=张三&o=0", {"format": "xlsx"})
    job = Job.objects.get()
    assert (answer.url, queued) == (reverse("admin:members_job_change", args=[job.pk]), [job.pk])
    return job


def fetched(job: Job, actor: Operator, **said) -> bytes:
    with exports.fetch(job, origin=own_origin("admin", actor=actor, **said)) as file:
        return file.read()


def test_a_large_list_becomes_a_job_for_its_operator_alone(cast: Cast, job: Job, members: list[Member]):
    assert "张三" not in str(job.summary)
    done = exports.make(job.pk, AdminList)
    assert (done.state, done.total, done.done, done.summary["rows"], done.summary["query"]) == ("done", 2, 2, 2, "")
    sheet = openpyxl.load_workbook(io.BytesIO(fetched(done, cast.sees_mall))).active
    assert [cell.value for cell in sheet["B"]] == ["姓名", "张*", "张*"]
    assert Event.objects.get(type="list.exported").data == {
        "model": "members.member",
        "filters": {"q": "***"},
        "rows": 2,
        "format": "xlsx",
        "is_masked": True,
        "job": job.pk,
    }
    page = reverse("admin:members_job_download", args=[job.pk])
    statuses = [as_(operator).get(page).status_code for operator in (cast.sees_mall, cast.sees_all, cast.sees_nothing)]
    assert statuses == [200, 404, 404]
    with pytest.raises(ExportGone):
        fetched(done, cast.sees_all)


def test_the_file_goes_after_its_days_and_the_job_stays(cast: Cast, job: Job, files: Path):
    done = exports.make(job.pk, AdminList)
    last = done.finished_at + timedelta(days=7)
    assert (exports.forget_old(last - timedelta(seconds=1)), len(list(files.rglob("*.xlsx")))) == (0, 1)
    with pytest.raises(ExportGone):
        exports.fetch(done, origin=exports_origin(cast, last))
    assert [exports.forget_old(last) for _ in range(2)] == [1, 0]
    assert (list(files.rglob("*.xlsx")), Job.objects.get().result_file.name) == ([], "")


def exports_origin(cast: Cast, at: datetime):
    origin = own_origin("admin", actor=cast.sees_mall)
    return origin.__class__(**{**vars(origin), "posted_at": at})


def test_who_may_no_longer_see_the_list_gets_no_file(cast: Cast, job: Job):
    cast.sees_mall.user_permissions.clear()
    done = exports.make(job.pk, AdminList)
    assert (done.state, done.result_file.name) == ("failed", "")


def test_a_job_whose_worker_died_begins_anew_and_leaves_one_file(cast: Cast, job: Job, files: Path):
    exports.make(job.pk, AdminList)
    Job.objects.update(state="running", summary=job.summary)
    assert exports.unfinished() == [job.pk]
    assert (exports.make(job.pk, AdminList).state, len(list(files.rglob("*.xlsx")))) == ("done", 1)
    assert exports.unfinished() == []


def test_an_export_is_cancelled_by_whose_it_is(cast: Cast, job: Job, monkeypatch: pytest.MonkeyPatch):
    page = reverse("admin:members_job_cancel", args=[job.pk])
    assert as_(cast.sees_all).post(page).status_code == 403
    monkeypatch.setattr(jobs, "SECONDS_BETWEEN_WRITES", 0)
    monkeypatch.setattr(exports, "CHUNK", 1)

    class Stopped(AdminList):
        def rows(self, chunk: int) -> Iterator:
            for row in super().rows(chunk):
                yield row
                as_(cast.sees_mall).post(page)

    assert exports.make(job.pk, Stopped).state == "cancelled"
    assert (Job.objects.get().result_file.name, Event.objects.filter(type="list.exported").exists()) == ("", False)


# --- Unmasked ---------------------------------------------------------------------------------------------------


@pytest.fixture
def colleague(cast: Cast) -> Operator:
    operator = OperatorFactory(username="colleague", org_unit=cast.mall)
    operator.user_permissions.set(Permission.objects.all())
    return operator


def ask_unmasked(operator: Operator, **said):
    return as_(operator).post(
        f"{PAGE}?o=0&status__exact=active", {"format": "csv", "is_unmasked": "on", "reason": "寄送会员手册"} | said
    )


def test_who_may_not_read_people_any_more_gets_no_file(cast: Cast, members: list[Member], colleague: Operator):
    ask_unmasked(cast.sees_mall)
    decide(colleague)
    cast.sees_mall.user_permissions.remove(Permission.objects.get(codename="view_personal_data"))
    done = exports.make(Job.objects.get().pk, AdminList)
    assert (done.state, done.result_file.name) == ("failed", "")


def decide(operator: Operator, decision: str = "approve"):
    page = reverse("admin:members_approval_change", args=[Approval.objects.get().pk])
    return as_(operator).post(page, {"decision": decision})


def test_names_and_numbers_leave_when_a_second_person_agrees(
    cast: Cast, members: list[Member], colleague: Operator, queued, django_capture_on_commit_callbacks
):
    assert ask_unmasked(cast.sees_mall).status_code == 302
    approval = Approval.objects.get()
    assert (approval.quantity, approval.reason, Job.objects.count()) == (2, "寄送会员手册", 0)
    assert (approval.after["行数"], approval.after["筛选条件"]) == ("2", "状态：正常")
    assert decide(cast.sees_mall).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert decide(colleague).status_code == 302
    assert queued == [Job.objects.get().pk]
    done = exports.make(queued[0], AdminList)
    rows = rows_of(fetched(done, cast.sees_mall))
    assert sorted((row["姓名"], row["手机号"], row["邮箱"]) for row in rows) == [
        ("张三", f"'{PHONE}", ""),
        ("李四", "'+8613900000002", ""),
    ]
    with pytest.raises(ExportGone):
        fetched(done, colleague)
    assert Event.objects.get(type="list.exported").data["is_masked"] is False
    assert [event.data for event in Event.objects.filter(type="list.downloaded")] == [
        {"job": done.pk, "is_masked": False}
    ]
    assert exports.fetchable_until(done) == done.finished_at + timedelta(days=1)


def test_who_does_not_share_with_the_business_stays_masked(cast: Cast, members: list[Member], colleague: Operator):
    consents.withdraw(members[0], receiver=cast.mall, purpose="sharing", origin=own_origin("member"))
    ask_unmasked(cast.sees_mall)
    decide(colleague)
    done = exports.make(Job.objects.get().pk, AdminList)
    rows = rows_of(fetched(done, cast.sees_mall))
    withheld = mask_name(members[0].name)
    assert {row["姓名"]: row["手机号"].startswith("'+86") for row in rows} == {withheld: False, members[1].name: True}


def test_a_rejected_one_makes_nothing(cast: Cast, members: list[Member], colleague: Operator):
    ask_unmasked(cast.sees_mall)
    decide(colleague, "reject")
    assert (Approval.objects.get().state, Job.objects.count()) == ("rejected", 0)


def test_without_a_reason_or_the_right_to_read_nothing_is_asked(cast: Cast, members: list[Member]):
    assert ask_unmasked(cast.sees_mall, reason=" ").status_code == 200
    clerk = OperatorFactory(org_unit=cast.mall)
    clerk.user_permissions.set(Permission.objects.exclude(codename="view_personal_data"))
    answer = ask_unmasked(clerk)  # has no such field: he gets the masked list
    assert {row["姓名"] for row in rows_of(b"".join(answer))} == {"张*", "李*"}
    assert Approval.objects.count() == 0


def test_who_may_not_export_people_agrees_to_nothing(cast: Cast, members: list[Member]):
    ask_unmasked(cast.sees_mall)
    other = OperatorFactory(org_unit=cast.mall)
    other.user_permissions.set(Permission.objects.exclude(codename="export_personal_data"))
    assert decide(other).status_code == 200
    assert (Approval.objects.get().state, Job.objects.count()) == ("pending", 0)
