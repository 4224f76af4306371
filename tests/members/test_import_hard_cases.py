"""Files as people have them: odd encodings, formulas, merged cells, wrong endings, bombs, and a great many rows."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date
from threading import Barrier, Thread
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from members.errors import InvalidPhone, UnreadableFile
from members.models import Job, Member
from members.rules import canonical_phone
from members.services import imports, rotation, xlsx_reader
from members.services.spreadsheets import read_rows
from members.services.xlsx_reader import Uncalculated, Workbook
from tests.cast import Cast
from tests.sheets import totals, xlsx

HEADER = ("手机号", "姓名", "性别", "生日")


@pytest.fixture
def check(cast: Cast) -> Callable[..., Job]:
    def check(content: bytes, name: str = "会员.xlsx") -> Job:
        file = SimpleUploadedFile(name, content)
        return imports.check(imports.upload(file, business=cast.mall, operator=cast.sees_mall).pk)

    return check


def workbook(fill: Callable[[Any], None]) -> bytes:
    """A file written as Excel writes it, by openpyxl: formulas have no values."""
    book = openpyxl.Workbook()
    book.active.append(list(HEADER))
    fill(book.active)
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def problems(job: Job) -> dict[int, str]:
    return dict(imports.failed_rows(job))


# --- Text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_in_the_encodings_of_excel(check, encoding: str, delimiter: str) -> None:
    rows = (HEADER, ("13800138000", "王小明𠮷", "男", "1990-02-28"))
    content = "".join(delimiter.join(row) + "\r\n" for row in rows).encode(encoding)
    job = check(content, "会员.txt")
    assert totals(job) == {"new_member": 1}, job.message
    assert imports.confirm(job)
    imports.run(job.pk)
    assert Member.objects.get().name == "王小明𠮷"


def test_quoted_cells_may_have_line_breaks_and_rows_keep_their_numbers(check) -> None:
    content = '手机号,姓名\r\n\r\n13800138000,"王\n小明"\r\n,\r\n坏,"x"\r\n'
    job = check(content.encode(), "会员.csv")
    assert (totals(job), list(problems(job))) == ({"new_member": 1, "failed": 1}, [5])


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("1.3800138001E+10", "+8613800138001"),
        ("1.3800138000E10", "+8613800138000"),
        ("1.38001380E+10", None),
        ("1.38E+10", None),
        ("１３８００１３８０００", "+8613800138000"),
        ("13800138000.0", "+8613800138000"),
    ],
)
def test_phones_in_scientific_notation_are_mended_where_no_digit_is_lost(written: str, phone: str | None) -> None:
    if phone is None:
        with pytest.raises(InvalidPhone, match="科学计数法"):
            canonical_phone(written)
    else:
        assert canonical_phone(written) == phone


# --- Workbooks --------------------------------------------------------------------------------------------------


def test_a_formula_gives_its_value_and_without_one_the_row_fails(check) -> None:
    with_values = xlsx(("13800138000", "王小明"), header=HEADER)
    assert totals(check(with_values)) == {"new_member": 1}
    job = check(workbook(lambda sheet: [sheet.append(["13800138001", "=A1"]), sheet.append(["13800138002", "李四"])]))
    assert totals(job) == {"new_member": 1, "failed": 1}
    assert problems(job)[2].startswith("姓名：是公式，但文件里没有计算结果")


def test_rows_hidden_under_merged_cells_fail(check) -> None:
    def fill(sheet: Any) -> None:
        for number in range(4):
            sheet.append([f"1380013800{number}", "王", "男"])
        sheet.merge_cells("C3:C4")

    job = check(workbook(fill))
    assert (totals(job), list(problems(job))) == ({"new_member": 3, "failed": 1}, [4])
    assert "合并单元格" in problems(job)[4]


def test_a_title_above_the_header_is_passed_over(check) -> None:
    rows = (HEADER, ("13800138000", "王小明"), ("坏",))
    job = check(xlsx(*rows, header=("2026 年会员名单",)))
    assert (totals(job), list(problems(job))) == ({"new_member": 1, "failed": 1}, [4])


def test_two_hundred_columns(check) -> None:
    more = tuple(f"列{number}" for number in range(200))
    job = check(xlsx(("13800138000", "王小明", "男", "", *more), header=(*HEADER, *more)))
    assert totals(job) == {"new_member": 1}


@pytest.mark.parametrize("mac", [False, True])
def test_days_of_both_calendars(cast: Cast, check, mac: bool) -> None:
    serial = (date(2000, 2, 29) - (date(1904, 1, 1) if mac else date(1899, 12, 30))).days
    rows = (("13800138000", "", "", date(2000, 2, 29)), ("13800138001", "", "", serial))
    job = check(xlsx(*rows, header=HEADER, options={"date_1904": mac}))
    assert imports.confirm(job)
    imports.run(job.pk)
    assert set(Member.objects.values_list("birthday", flat=True)) == {date(2000, 2, 29)}


def test_both_readers_give_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        ("文本", 1, 1.5, True, date(2024, 2, 29), "", None, "尾"),
        (),
        ("", "", "3", -0.25, 1e10, " 空格 "),
        ("x" * 5000, "&<>\"'", "换\n行", "𠮷"),
    )
    content = xlsx(*rows, header=("表头", "二"))

    def read() -> list[tuple[int, list]]:
        return [(number, _trimmed(cells)) for number, cells in read_rows(io.BytesIO(content))]

    fast = read()
    monkeypatch.setattr(xlsx_reader, "CALAMINE_INFLATED", 0)
    assert read() == fast
    assert [number for number, _ in fast] == [1, 2, 4, 5]


def _trimmed(cells: list) -> list:
    """Without the empty cells at the end, and days as moments: nothing that a kind could tell apart."""
    plain = [None if cell == "" else str(cell).removesuffix(" 00:00:00").removesuffix(".0") for cell in cells]
    plain = [None if cell == "None" else cell for cell in plain]
    while plain and plain[-1] is None:
        plain.pop()
    return plain


def test_an_error_value_is_no_value() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["13800138000", "#N/A"])
        sheet["B2"].data_type = "e"

    rows = dict(read_rows(io.BytesIO(workbook(fill))))
    assert rows[2][1] == "#N/A"
    assert isinstance(rows[2][1], Uncalculated)


# --- What is no spreadsheet -------------------------------------------------------------------------------------


def a_document() -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return output.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("旧.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), "另存为 .xlsx"),
        ("网页.xls", "<html><table><tr><td>手机号</td></tr></table></html>".encode(), "网页文件"),
        ("网页.xlsx", b"\xef\xbb\xbf <?xml version='1.0'?><Workbook/>", "网页文件"),
        ("图.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(600), "无法读取"),
        ("文档.xlsx", a_document(), "无法读取"),
        ("半个.xlsx", xlsx(("1",), header=HEADER)[:900], "无法读取"),
    ],
    ids=["xls", "html", "xml", "png", "docx", "truncated"],
)
def test_a_wrong_file_under_a_right_name(check, name: str, content: bytes, words: str) -> None:
    job = check(content, name)
    assert (job.state, words in job.message) == ("failed", True), job.message


@pytest.mark.parametrize(("name", "is_csv"), [("会员.xlsx", True), ("会员.csv", False)])
def test_what_a_file_is_counts_and_not_its_name(check, name: str, is_csv: bool) -> None:
    rows = ("13800138000", "王小明")
    content = "手机号,姓名\n13800138000,王小明\n".encode() if is_csv else xlsx(rows, header=HEADER)
    assert totals(check(content, name)) == {"new_member": 1}


def test_a_bomb_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sheet.xml", "w") as part:
        for _ in range(40):
            part.write(bytes(1024 * 1024))

    def never(*_: Any) -> None:
        raise AssertionError("was read")

    monkeypatch.setattr(xlsx_reader, "_parts", never)
    with pytest.raises(UnreadableFile, match="文件过大"):
        list(read_rows(io.BytesIO(output.getvalue())))


def test_entities_that_multiply_are_refused() -> None:
    source = xlsx(("1",), header=HEADER)
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><workbook>&b;</workbook>'
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(output, "w") as new:
        for part in old.infolist():
            new.writestr(part.filename, bomb if part.filename == "xl/workbook.xml" else old.read(part.filename))
    with pytest.raises(UnreadableFile):
        list(read_rows(output))


@pytest.mark.parametrize("is_xlsx", [True, False])
def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch, is_xlsx: bool) -> None:
    """Read as a stream: three times the rows take hardly more memory. The benchmark does it with a million."""
    monkeypatch.setattr(xlsx_reader, "CALAMINE_INFLATED", 0)
    monkeypatch.setattr(xlsx_reader, "STRINGS_IN_MEMORY", 1024)
    peaks = []
    for count in (4_000, 12_000):
        rows = [(f"138{number:08d}", f"会员{number}", "男", "备注" * 20) for number in range(count)]
        text = "".join(",".join(row) + "\n" for row in (HEADER, *rows))
        content = io.BytesIO(xlsx(*rows, header=HEADER) if is_xlsx else text.encode())
        tracemalloc.start()
        assert sum(1 for _ in read_rows(content, Workbook())) == count + 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000  # holding the 8,000 rows more would take five times that


# --- At the same time -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_who_upload_one_file_at_once_the_second_is_told_of_the_first(cast: Cast) -> None:
    content = xlsx(("13800138000",), header=HEADER)
    both = Barrier(2, timeout=20)
    refused: list[str] = []

    def upload() -> None:
        try:
            both.wait()
            imports.upload(SimpleUploadedFile("会员.xlsx", content), business=cast.mall, operator=cast.sees_mall)
        except UnreadableFile as reason:
            refused.append(str(reason.message))
        finally:
            connection.close()

    threads = [Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    job = Job.objects.get()
    assert refused == [f"同一个文件已经上传：见导入任务 #{job.pk}。请在那里确认或取消。"]


@pytest.mark.parametrize("case", ["under way", "done"])
def test_rows_staged_under_other_keys_are_not_imported(check, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """While digests are rotated nobody would be found by them, and everybody would be new."""
    job = check(xlsx(("13800138000",), header=HEADER))
    assert imports.confirm(job)
    if case == "under way":
        monkeypatch.setattr(rotation, "is_under_way", lambda: True)
    else:
        monkeypatch.setattr(imports, "current_index_key", lambda: "next")
    done = imports.run(job.pk)
    assert (done.state, "重新上传" in done.message, Member.objects.count()) == ("failed", True, 0)
