"""The spreadsheet of members: its columns, its template, and what a row means."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.errors import Refused
from members.rules import canonical_identity, check_birthday, read_date, read_gender
from members.services.spreadsheets import Column, Row, Sheet, as_written, is_blank, write_workbook

NAME_LENGTH = 100
SOURCE_LENGTH = 40

MEMBER_COLUMNS = (
    Column(
        "phone",
        _("手机号"),
        _("必填。11 位手机号，境外号码带国家码，如 +85291234567。"),
        ("手机", "电话", "phone"),
        True,
    ),
    Column("name", _("姓名"), _("选填。"), ("名字", "会员姓名", "name")),
    Column("gender", _("性别"), _("选填。男 或 女；不知道请留空。"), ("gender",), width=10),
    Column("birthday", _("生日"), _("选填。如 1990-02-28。"), ("出生日期", "birthday")),
    Column("email", _("邮箱"), _("选填。"), ("电子邮箱", "email"), width=26),
    Column("external", _("业态会员号"), _("选填。本业态原有系统中的会员编号。"), ("原会员号", "external"), width=20),
    Column("store", _("入会门店"), _("选填。门店编码，须属于所选业态。"), ("门店", "门店编码", "store")),
    Column("joined_on", _("入会日期"), _("选填。如 2023-05-01；留空则为导入当天。"), ("注册日期", "joined_on")),
    Column("source", _("来源"), _("选填。如 老系统迁移、地推。"), ("source",)),
)
SAMPLES = (
    ("13800138000", "王小明", "男", "1990-02-28", "wang@example.com", "A0001", "", "2023-05-01", "老系统迁移"),
    ("+85291234567", "陈美玲", "女", "1988/12/01", "", "", "", "", "地推"),
)
IDENTITY_KINDS = ("phone", "email", "external")


@dataclass
class MemberRow:
    """What a row of the spreadsheet says, in canonical form, and what is wrong with it."""

    identities: dict[str, str] = field(default_factory=dict)
    name: str = ""
    gender: str = ""
    birthday: date | None = None
    store_id: int | None = None
    joined_at: datetime | None = None
    source: str = ""
    problems: list[str] = field(default_factory=list)


class MemberRowReader:
    """Turns rows of one file into MemberRow: knows its header, its business, that business's stores, and today."""

    def __init__(
        self,
        positions: Mapping[str, int],
        *,
        business_code: str,
        stores: Mapping[str, int],
        zone: ZoneInfo,
        today: date,
    ) -> None:
        self.positions = positions
        self.business_code = business_code
        self.stores = stores
        self.zone = zone
        self.today = today

    def read(self, cells: Row) -> MemberRow:
        row = MemberRow()
        for kind in IDENTITY_KINDS:
            self._identity(row, kind, self._text(cells, kind))
        row.name = self._limited(row, self._text(cells, "name"), _("姓名"), NAME_LENGTH)
        row.source = self._limited(row, self._text(cells, "source"), _("来源"), SOURCE_LENGTH)
        row.gender = _try(row, read_gender, self._text(cells, "gender")) or ""
        row.birthday = _try(row, self._birthday, self._cell(cells, "birthday"))
        row.joined_at = _try(row, self._joined_at, self._cell(cells, "joined_on"))
        row.store_id = _try(row, self._store, self._text(cells, "store"))
        return row

    def _cell(self, cells: Row, key: str) -> Any:
        place = self.positions.get(key)
        return cells[place] if place is not None and place < len(cells) and not is_blank(cells[place]) else ""

    def _text(self, cells: Row, key: str) -> str:
        return as_written(self._cell(cells, key)).strip()

    def _identity(self, row: MemberRow, kind: str, text: str) -> None:
        if text:
            value = _try(row, lambda written: canonical_identity(kind, written, business_code=self.business_code), text)
            if value:
                row.identities[kind] = value
        elif kind == "phone":
            row.problems.append(gettext("手机号必填"))

    def _limited(self, row: MemberRow, text: str, title: Any, length: int) -> str:
        if len(text) > length:
            row.problems.append(gettext("%(title)s不能超过 %(length)d 个字") % {"title": title, "length": length})
        return text[:length]

    def _birthday(self, cell: Any) -> date | None:
        birthday = read_date(cell)
        check_birthday(birthday, today=self.today)
        return birthday

    def _joined_at(self, cell: Any) -> datetime | None:
        """The beginning of the local day."""
        day = read_date(cell)
        if day and day > self.today:
            raise Refused(_("入会日期不能晚于今天。"))
        return datetime.combine(day, time.min, tzinfo=self.zone) if day else None

    def _store(self, code: str) -> int | None:
        if code and code not in self.stores:
            raise Refused(_("门店编码“%(code)s”不存在，或不属于所选业态。") % {"code": code[:40]})
        return self.stores.get(code)


def _try(row: MemberRow, read: Callable[[Any], Any], cell: Any) -> Any:
    """Read a cell; what is wrong with it becomes a problem of the row, and the other cells are still read."""
    try:
        return read(cell)
    except Refused as reason:
        row.problems.append(str(reason.message).rstrip("。"))
        return None


def template() -> io.BytesIO:
    """The workbook to fill in. Samples stand on a second sheet, which is not read: nobody imports them by mistake."""
    titles = [str(column.title) for column in MEMBER_COLUMNS]
    required = ["*" if column.is_required else "" for column in MEMBER_COLUMNS]
    explanations = [str(column.explanation) for column in MEMBER_COLUMNS]
    return write_workbook(
        Sheet(
            title=gettext("会员"),
            header=[title + star for title, star in zip(titles, required, strict=True)],
            rows=(),
            widths=[column.width for column in MEMBER_COLUMNS],
        ),
        Sheet(
            title=gettext("填写说明"),
            header=[gettext("列"), gettext("说明"), gettext("示例一"), gettext("示例二")],
            rows=zip(titles, explanations, *SAMPLES, strict=True),
            widths=[16, 56, 20, 20],
        ),
    )
