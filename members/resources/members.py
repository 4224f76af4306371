"""The spreadsheet of members: its columns, and what a row means. Read by the hundred thousand: hence its own reader."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.errors import Refused
from members.interfaces.imports import ImportKind, Policy
from members.models import Attribute, OrgUnit
from members.rules import canonical_identity, check_birthday, mask_email, mask_name, read_date, read_gender
from members.services.attributes import COLUMNS, asked_by, in_words, read
from members.services.spreadsheets import Column, Row, as_written
from members.services.xlsx_reader import Uncalculated

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
PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}")  # what nearly every row says, and nothing to mend
ATTRIBUTE = "attribute:"  # before the code of an attribute, in the key of its column


def attribute_columns(node: OrgUnit) -> list[Column]:
    """What operators have defined and the node may fill in: each by its name, or its code. None is required here:
    nobody's import fails for what the old system never asked."""
    return [
        Column(
            f"{ATTRIBUTE}{attribute.code}",
            attribute.name,
            _explained(attribute),
            (attribute.code,),
        )
        for attribute in asked_by(node)
    ]


def _explained(attribute: Attribute) -> str:
    options = "、".join(map(str, attribute.options))
    return " ".join(filter(None, [str(_("选填。")), attribute.get_kind_display(), options, attribute.help_text]))


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
    attributes: dict[int, dict[str, Any]] = field(default_factory=dict)  # attribute key → {typed column: value}
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
        attributes: Sequence[Attribute] = (),
        has_1904_dates: bool = False,
    ) -> None:
        nowhere = 1_000_000
        self.places = [(positions.get(column.key, nowhere), column.title) for column in MEMBER_COLUMNS]
        self.business_code = business_code
        self.stores = stores
        self.zone = zone
        self.today = today
        places = {attribute: positions.get(f"{ATTRIBUTE}{attribute.code}") for attribute in attributes}
        self.attributes = [(attribute, place) for attribute, place in places.items() if place is not None]
        self._day = lru_cache(maxsize=50_000)(lambda text: read_date(text, has_1904_dates=has_1904_dates))
        self._birthday = lru_cache(maxsize=50_000)(self._checked_birthday)
        self._joined_at = lru_cache(maxsize=10_000)(self._beginning_of)
        self._gender = lru_cache(maxsize=100)(read_gender)

    def read(self, cells: Row) -> MemberRow:
        row = MemberRow()
        phone, name, gender, birthday, email, external, store, joined_on, source = self._texts(row, cells)
        if PLAIN_MOBILE.fullmatch(phone):
            row.identities["phone"] = f"+86{phone}"
        else:
            self._identity(row, "phone", phone)
        if email:
            self._identity(row, "email", email)
        if external:
            self._identity(row, "external", external)
        row.name = self._limited(row, name, _("姓名"), NAME_LENGTH) if name else ""
        row.source = self._limited(row, source, _("来源"), SOURCE_LENGTH) if source else ""
        if gender:
            row.gender = _try(row, self._gender, gender) or ""
        if birthday:
            row.birthday = _try(row, self._birthday, birthday)
        if joined_on:
            row.joined_at = _try(row, self._joined_at, joined_on)
        if store:
            row.store_id = _try(row, self._store, store)
        for attribute, place in self.attributes:
            if text := self._text(row, cells, place, attribute.name):
                self._attribute(row, attribute, text)
        return row

    def _texts(self, row: MemberRow, cells: Row) -> list[str]:
        """What the built-in columns say, in their order; nearly every cell of nearly every file is text."""
        texts = []
        width = len(cells)
        for place, title in self.places:
            cell = cells[place] if place < width else ""
            texts.append(cell.strip() if type(cell) is str else self._text(row, cells, place, title))
        return texts

    def _text(self, row: MemberRow, cells: Row, place: int, title: Any) -> str:
        cell = cells[place] if place < len(cells) else ""
        if isinstance(cell, Uncalculated):
            row.problems.append(_without_value(title, cell))
            return ""
        return as_written(cell).strip()

    def _identity(self, row: MemberRow, kind: str, text: str) -> None:
        if not text:
            if not row.problems:
                row.problems.append(gettext("手机号必填"))
            return
        value = _try(row, lambda written: canonical_identity(kind, written, business_code=self.business_code), text)
        if value:
            row.identities[kind] = value

    def _limited(self, row: MemberRow, text: str, title: Any, length: int) -> str:
        if len(text) > length:
            row.problems.append(gettext("%(title)s不能超过 %(length)d 个字") % {"title": title, "length": length})
        return text[:length]

    def _checked_birthday(self, text: str) -> date | None:
        birthday = self._day(text)
        check_birthday(birthday, today=self.today)
        return birthday

    def _beginning_of(self, text: str) -> datetime | None:
        """The beginning of the local day."""
        day = self._day(text)
        if day and day > self.today:
            raise Refused(_("入会日期不能晚于今天。"))
        return datetime.combine(day, time.min, tzinfo=self.zone) if day else None

    def _store(self, code: str) -> int | None:
        if code not in self.stores:
            raise Refused(_("门店编码“%(code)s”不存在，或不属于所选业态。") % {"code": code[:40]})
        return self.stores[code]

    def _attribute(self, row: MemberRow, attribute: Attribute, text: str) -> None:
        value = _try(row, lambda written: read(attribute, written), text)
        if value is not None:
            row.attributes[attribute.pk] = {COLUMNS[Attribute.Kind(attribute.kind)]: in_words(value)}


def _try(row: MemberRow, read: Callable[[Any], Any], cell: Any) -> Any:
    """Read a cell; what is wrong with it becomes a problem of the row, and the other cells are still read."""
    try:
        return read(cell)
    except Refused as reason:
        row.problems.append(str(reason.message).rstrip("。"))
        return None


def _without_value(title: Any, cell: Uncalculated) -> str:
    if cell:
        return gettext("%(title)s：公式出错（%(error)s）") % {"title": title, "error": cell}
    return gettext("%(title)s：是公式，但文件里没有计算结果；请用 Excel 打开并保存后再上传") % {"title": title}


MEMBERS = ImportKind(
    name="members.import",
    title=_("会员"),
    permission="members.import_members",
    columns=MEMBER_COLUMNS,
    samples=SAMPLES,
    explanation=_("按手机号、邮箱、业态会员号识别同一人；其他业态已有的会员只新增业态关系，资料不变。"),
    policies=(Policy.SKIP, Policy.FILL, Policy.OVERWRITE, Policy.FAIL),
    more_columns=attribute_columns,
    masks={"name": mask_name, "email": mask_email, "birthday": lambda day: "****-**-**" if day else ""},
)
