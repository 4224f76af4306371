"""A spreadsheet of members: what passes, what fails with which words, and that nothing happens twice."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from threading import Barrier, Thread
from typing import Any
from zipfile import ZipFile

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from members.errors import NotYours, UnreadableFile
from members.interfaces.imports import Policy
from members.models import Event, Identity, ImportChunk, ImportRow, Job, Member, Membership
from members.resources.members import MEMBERS
from members.resources.templates import template
from members.services import import_batches, import_members, imports
from members.services.organisation import own_origin
from members.services.people import enrol, find
from members.services.spreadsheets import read_rows
from members.tasks import resume_imports
from tests.cast import Cast
from tests.factories import MemberFactory, OperatorFactory

HEADER = ("手机号", "姓名", "性别", "生日", "邮箱", "业态会员号", "入会门店", "入会日期", "来源")
Cells = Sequence[Any]


def xlsx(*rows: Cells, header: Cells = HEADER) -> bytes:
    output = io.BytesIO()
    with xlsxwriter.Workbook(output) as book:
        sheet = book.add_worksheet()
        as_date = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate((header, *rows)):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, place, datetime.combine(cell, datetime.min.time()), as_date)
                elif isinstance(cell, str):
                    sheet.write_string(number, place, cell)
                else:
                    sheet.write(number, place, cell)
    return output.getvalue()


def csv(*rows: Cells, header: Cells = HEADER, encoding: str = "utf-8") -> bytes:
    return "".join(",".join(map(str, row)) + "\r\n" for row in (header, *rows)).encode(encoding)


def upload(cast: Cast, content: bytes, name: str = "会员.xlsx", policy: Policy = Policy.SKIP) -> Job:
    file = SimpleUploadedFile(name, content)
    return imports.upload(file, business=cast.mall, operator=cast.sees_mall, policy=policy)


def checked(cast: Cast, content: bytes, name: str = "会员.xlsx", policy: Policy = Policy.SKIP) -> Job:
    job = imports.check(upload(cast, content, name, policy).pk)
    assert job is not None
    return job


def imported(cast: Cast, content: bytes, name: str = "会员.xlsx", policy: Policy = Policy.SKIP) -> Job:
    job = checked(cast, content, name, policy)
    assert (job.state, imports.confirm(job)) == ("draft", True), job.message
    job = imports.run(job.pk)
    assert job is not None
    return job


def totals(job: Job) -> tuple[int, ...]:
    return tuple(job.summary[key] for key in ("new_member", "new_membership", "unchanged", "failed"))


def problems(job: Job) -> dict[int, str]:
    return dict(imports.failed_rows(job))


FULL_ROW = (13800138000, "王小明", "男", date(1990, 2, 28), "W@Example.com", 1001, "MALL-1", "2023年5月1日", "地推")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("会员.xlsx", xlsx(FULL_ROW)),
        ("会员.csv", csv(FULL_ROW)),
        ("会员.csv", csv(FULL_ROW, encoding="utf-8-sig")),
        ("会员.csv", csv(FULL_ROW, encoding="gb18030")),
    ],
    ids=["xlsx", "csv-utf8", "csv-utf8-bom", "csv-gb18030"],
)
def test_a_file_of_any_kind_makes_a_member(cast: Cast, name: str, content: bytes) -> None:
    job = imported(cast, content, name)
    assert (job.state, totals(job), job.done, job.total) == ("done", (1, 0, 0, 0), 1, 1)
    member = Member.objects.get()
    assert (member.name, member.gender, member.birthday) == ("王小明", "m", date(1990, 2, 28))
    assert (member.registered_store, member.source) == (cast.mall_1, "地推")
    assert member.registered_at.astimezone(cast.group.zone).date() == date(2023, 5, 1)
    assert find("phone", "13800138000") == find("email", "w@example.com") == member
    assert find("external", "1001", business=cast.mall) == member
    assert list(Event.objects.values_list("type", "operator").order_by("type")) == [
        ("member.enrolled", cast.sees_mall.pk),
        ("member.joined", cast.sees_mall.pk),
    ]
    assert (ImportRow.objects.count(), ImportChunk.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "written",
    ["13800138000", "１３８００１３８０００", "138 0013 8000", "138-0013-8000", "+86 13800138000", 13800138000.0],
)
def test_phones_are_mended(cast: Cast, written: str | float) -> None:
    imported(cast, xlsx((written,)))
    assert Identity.objects.get().value == "+8613800138000"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        (date(2000, 2, 29), date(2000, 2, 29)),
        ("2000-02-29", date(2000, 2, 29)),
        ("2000/2/29", date(2000, 2, 29)),
        ("2000.2.29", date(2000, 2, 29)),
        ("2000年2月29日", date(2000, 2, 29)),
        ("20000229", date(2000, 2, 29)),
        ("2000-02-29 00:00:00", date(2000, 2, 29)),
        (36585, date(2000, 2, 29)),
        ("36585", date(2000, 2, 29)),
        ("", None),
    ],
)
def test_birthdays_in_any_writing(cast: Cast, written: Any, day: date | None) -> None:
    imported(cast, xlsx(("13800138000", "", "", written)))
    assert Member.objects.get().birthday == day


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("1.38E+10",), "科学计数法"),
        (("12345",), "手机号无效"),
        (("", "无名氏"), "手机号必填"),
        (("13800138001", "", "不详人士"), "性别请填写"),
        (("13800138001", "", "", "2001-02-29"), "“2001-02-29”无法识别"),
        (("13800138001", "", "", "02/28/1990"), "无法识别"),
        (("13800138001", "", "", "1890-01-01"), "1900-01-01"),
        (("13800138001", "", "", "2190-01-01"), "1900-01-01"),
        (("13800138001", "", "", "", "不是邮箱"), "邮箱格式无效"),
        (("13800138001", "", "", "", "", "", "HOTEL-1"), "“HOTEL-1”不存在"),
        (("13800138001", "", "", "", "", "", "", "2999-01-01"), "不能晚于今天"),
        (("13800138001", "长" * 101), "不能超过 100 个字"),
    ],
)
def test_a_bad_row_fails_alone_with_its_row_number_and_reason(cast: Cast, row: Cells, words: str) -> None:
    job = imported(cast, xlsx(("13800138000",), (), row))  # with an empty row, which is none
    assert totals(job) == (1, 0, 0, 1)
    assert list(problems(job)) == [4]
    assert words in problems(job)[4]
    assert Member.objects.count() == 1


def test_all_that_is_wrong_with_a_row_is_said_at_once(cast: Cast) -> None:
    job = checked(cast, xlsx(("12345", "", "？", "昨天")))
    assert problems(job)[2].count("；") == 2


def test_repetitions_in_the_file_fail_and_name_the_first(cast: Cast) -> None:
    known = MemberFactory(phone="+8613700137000")
    enrol(identities={"phone": "13700137000", "external": "7"}, business=cast.mall, origin=own_origin("desk"))
    job = imported(
        cast,
        xlsx(
            ("13800138000", "甲"),
            ("+86 138 0013 8000", "乙"),
            ("13900139000", "丙", "", "", "", "9"),
            ("13900139001", "丁", "", "", "", "9"),
            ("13700137000", "戊"),
            ("13600136000", "己", "", "", "", "7"),
        ),
    )
    assert (totals(job), job.summary["skipped"]) == ((2, 0, 1, 2), 1)
    assert {number: words[:8] for number, words in problems(job).items()} == {
        5: "与第 4 行重复",
        7: "与第 6 行是同",
    }
    assert find("phone", "13800138000").name == "甲"
    assert find("phone", "13700137000") == known


def test_people_we_know_join_and_keep_their_data(cast: Cast) -> None:
    enrol(identities={"phone": "13800138000"}, name="原名", business=cast.hotel, origin=own_origin("desk"))
    member = Member.objects.get()
    job = imported(cast, xlsx(("13800138000", "新名", "女", "1990-01-01", "new@example.com")))
    assert totals(job) == (0, 1, 0, 0)
    member.refresh_from_db()
    assert (member.name, member.gender, member.birthday) == ("原名", "", None)
    assert set(member.memberships.values_list("business__code", flat=True)) == {"HOTEL", "MALL"}
    assert find("email", "new@example.com") == member
    assert Event.objects.filter(type="member.identified", member=member).exists()


def test_identities_of_two_people_and_closed_members_fail(cast: Cast) -> None:
    enrol(identities={"phone": "13800138000"}, business=cast.mall, origin=own_origin("desk"))
    enrol(identities={"email": "b@example.com"}, business=cast.mall, origin=own_origin("desk"))
    closed = MemberFactory(phone="+8613900139000")
    Member.objects.filter(pk=closed.pk).update(status="closed")
    job = imported(cast, xlsx(("13800138000", "", "", "", "b@example.com"), ("13900139000",)))
    assert totals(job) == (0, 0, 0, 2)
    assert "两位会员" in problems(job)[2]
    assert "已注销" in problems(job)[3]


def test_the_same_file_twice_gives_the_same_members(cast: Cast) -> None:
    content = xlsx(*((13800138000 + number, f"会员{number}") for number in range(20)), ("坏行",))
    assert totals(imported(cast, content)) == (20, 0, 0, 1)
    before = [model.objects.count() for model in (Member, Identity, Membership, Event)]
    assert totals(imported(cast, content)) == (0, 0, 20, 1)
    assert [model.objects.count() for model in (Member, Identity, Membership, Event)] == before


def test_a_job_run_twice_or_confirmed_twice_imports_once(cast: Cast) -> None:
    job = checked(cast, xlsx(("13800138000",)))
    assert [imports.confirm(job), imports.confirm(job)] == [True, False]
    assert imports.run(job.pk) is not None
    assert imports.run(job.pk) is None
    assert Member.objects.count() == 1


def test_a_killed_import_goes_on_where_it_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_members, "STAGED_AT_ONCE", 3)
    job = checked(cast, xlsx(*((13800138000 + number,) for number in range(8))))
    imports.confirm(job)
    import_chunk = import_batches.import_chunk
    batches = []

    def die_at_the_second(*args, **kwargs):
        batches.append(args)
        if len(batches) == 2:
            raise SystemExit
        return import_chunk(*args, **kwargs)

    monkeypatch.setattr(import_batches, "import_chunk", die_at_the_second)
    with pytest.raises(SystemExit):
        imports.run(job.pk)
    job.refresh_from_db()
    assert (job.state, Member.objects.count()) == ("running", 3)
    assert imports.unfinished() == ([], [job.pk])
    resume_imports()
    job.refresh_from_db()
    assert (job.state, job.done, totals(job)) == ("done", 8, (8, 0, 0, 0))
    assert Member.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_chunks_are_imported_side_by_side(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two chunks are in the middle of their import at the same time, and each row gets in once."""
    monkeypatch.setattr(import_members, "STAGED_AT_ONCE", 10)
    both = Barrier(2, timeout=20)
    import_chunk = import_batches.import_chunk

    def together(chunk, *args, **how):
        if chunk.first in (2, 12):
            both.wait()
        return import_chunk(chunk, *args, **how)

    monkeypatch.setattr(import_batches, "import_chunk", together)
    job = imported(cast, xlsx(*((13800138000 + number, f"会员{number}") for number in range(35)), ("坏行",)))
    assert (totals(job), job.done, job.failed) == ((35, 0, 0, 1), 36, 1)
    assert (Member.objects.count(), Identity.objects.count(), Membership.objects.count()) == (35, 35, 35)
    assert Event.objects.filter(type="member.enrolled").count() == 35


@pytest.mark.django_db(transaction=True)
def test_an_enrolment_in_the_middle_of_an_import_is_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone is taken between the import's look and its insert: the batch looks again."""
    job = checked(cast, xlsx(("13800138000",), ("13900139000",)))
    imports.confirm(job)
    free_member_nos = import_batches.free_member_nos
    looked, enrolled = Barrier(2), Barrier(2)

    def enrol_meanwhile() -> None:
        looked.wait()
        enrol(identities={"phone": "13900139000"}, business=cast.hotel, origin=own_origin("desk"))
        connection.close()
        enrolled.wait()

    def wait_once(count: int) -> list[str]:
        monkeypatch.setattr(import_batches, "free_member_nos", free_member_nos)
        looked.wait()
        enrolled.wait()
        return free_member_nos(count)

    monkeypatch.setattr(import_batches, "free_member_nos", wait_once)
    rival = Thread(target=enrol_meanwhile)
    rival.start()
    job = imports.run(job.pk)
    rival.join()
    assert totals(job) == (1, 1, 0, 0)
    assert (Member.objects.count(), Identity.objects.count(), Membership.objects.count()) == (2, 2, 3)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("空.xlsx", xlsx(), "没有数据行"),
        ("空.csv", b"", "缺少“手机号”列"),
        ("无列.xlsx", xlsx(("王小明",), header=("姓名",)), "缺少“手机号”列"),
        ("两列.xlsx", xlsx(("1", "2"), header=("手机号", "手机")), "“手机号”列出现了两次"),
        ("旧.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "另存为 .xlsx"),
        ("图.xlsx", b"PK\x03\x04" + bytes(600), "无法读取"),
        ("图.png", b"\x89PNG\r\n\x1a\n" + bytes(600), "无法读取"),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_do(cast: Cast, name: str, content: bytes, words: str) -> None:
    job = checked(cast, content, name)
    assert job.state == "failed"
    assert words in job.message
    assert not job.source_file
    assert (Member.objects.count(), ImportRow.objects.count()) == (0, 0)


def test_extra_columns_other_orders_and_other_names_are_fine(cast: Cast) -> None:
    header = ("备注", "姓名", "手机*", "失败原因")
    job = imported(cast, xlsx(("常客", "王小明", "13800138000", "上次的原因"), header=header))
    assert totals(job) == (1, 0, 0, 0)
    assert Member.objects.get().name == "王小明"


def test_a_file_above_the_limits_is_refused(cast: Cast, settings) -> None:
    settings.MEMBERS_IMPORT_MAX_ROWS = 1
    assert "文件过大" in checked(cast, xlsx(("13800138000",), ("13800138001",))).message
    settings.MEMBERS_IMPORT_MAX_BYTES = 10
    with pytest.raises(UnreadableFile):
        upload(cast, xlsx(("13800138000",)))


def test_nobody_imports_into_a_business_that_is_not_his(cast: Cast) -> None:
    file = SimpleUploadedFile("会员.xlsx", xlsx(("13800138000",)))
    assert list(imports.businesses_of(OperatorFactory(org_unit=cast.mall_1))) == [cast.mall]
    for operator, business in ((cast.sees_mall, cast.hotel), (cast.sees_nothing, cast.mall)):
        with pytest.raises(NotYours):
            imports.upload(file, business=business, operator=operator)
    assert Job.objects.count() == 0


def test_the_failures_file_has_the_same_columns_and_runs_nothing(cast: Cast) -> None:
    job = imported(cast, xlsx(("12345", '=HYPERLINK("x")', "男"), ("+44 20 7946 0958", "", "？"), ("13800138000",)))
    rows = [row for _, row in read_rows(imports.failures(job, origin=own_origin("admin")))]
    assert rows[0][:4] == ["行号", "失败原因", "手机号", "姓名"]
    assert [row[0] for row in rows[1:]] == ["2", "3"]
    assert rows[1][3] == '=HYPERLINK("x")'  # read back as it was; in the file it stands behind an apostrophe
    assert "'=HYPERLINK" in _shared_strings(imports.failures(job, origin=own_origin("admin")))
    mended = [[cell if cell != "？" else "女" for cell in row] for row in rows[2:]]
    assert totals(imported(cast, xlsx(*mended, header=rows[0]))) == (1, 0, 0, 0)
    assert find("phone", "+442079460958").gender == "f"


def _shared_strings(workbook: io.BytesIO) -> str:
    with ZipFile(workbook) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist() if "sheet" in name)


def test_the_template_is_read_as_an_empty_file(cast: Cast) -> None:
    assert "没有数据行" in checked(cast, template(MEMBERS).getvalue()).message


def test_nothing_readable_is_kept_between_check_and_import(cast: Cast) -> None:
    job = checked(cast, xlsx(("13800138000", "王小明", "", "", "w@example.com"), ("12345", "李四")))
    assert not job.source_file
    with connection.cursor() as cursor:
        for table in ("members_importrow", "members_importchunk"):
            cursor.execute(f"SELECT coalesce(string_agg(line::text, ' '), '') FROM {table} AS line")
            text = cursor.fetchone()[0]
            for secret in ("13800138000", "王小明", "example", "李四", "王小明".encode().hex(), b"1380013".hex()):
                assert secret not in text
    imports.cancel(job)
    assert ImportRow.objects.count() == 0
