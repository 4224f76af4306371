"""Spreadsheets that can be imported: the table of kinds that config installs, and what a kind has to say for itself.

A kind reads one row, says what each would do (`judge`) and does it (`apply`); staging, preview, confirmation, resuming
and failures are members.services.imports'. Rows are applied in batches, each one transaction together with the mark
that it is done: a killed worker leaves no row half applied, and none is applied twice. Members, by the hundred
thousand, go by members.services.import_members.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.errors import Refused
from members.interfaces import Origin
from members.interfaces.tables import Table
from members.models import ImportLine
from members.rules.cells import read_date
from members.services.spreadsheets import Column, Row, as_written, is_blank
from members.services.xlsx_reader import Uncalculated

if TYPE_CHECKING:
    from members.models import Job, Operator, OrgUnit

Verdict = ImportLine.Verdict


class Policy(models.TextChoices):
    """What to do with a row about something that is there already, in the database or further up in the file."""

    SKIP = "skip", _("跳过：保留原有数据")
    FILL = "fill", _("补空：只填写原来为空的内容")
    OVERWRITE = "overwrite", _("覆盖：以文件中填写的内容为准")
    FAIL = "fail", _("报错：列入失败清单")


class Change(NamedTuple):
    """What a row does to one value, as people read it."""

    column: str  # key of the column
    before: str
    after: str


@dataclass
class Line:
    """One row of the file: what it says (JSON-native), what it will do, and why it can't."""

    number: int
    data: dict[str, Any]
    verdict: str = ""
    problem: str = ""
    changes: list[Change] = field(default_factory=list)

    def fail(self, problem: Any) -> None:
        self.verdict, self.problem = Verdict.FAILED.value, str(problem).rstrip("。")

    def judge(self, verdict: Verdict, changes: Sequence[Change] = ()) -> None:
        self.verdict, self.changes = verdict.value, list(changes)


Unit = list[Line]  # rows that are applied together, or not at all; of one row, where a kind doesn't group


@dataclass
class Import:
    """One file on its way: where it goes, who sent it, what he chose, and what its kind wants to remember meanwhile."""

    job: "Job"
    org_unit: "OrgUnit"  # the business, or the node on which the operator stands
    operator: "Operator"
    policy: Policy
    zone: ZoneInfo
    now: datetime
    origin: Origin
    has_1904_dates: bool = False
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def once(self, name: str, load: Callable[[], Any]) -> Any:
        if name not in self.memory:
            self.memory[name] = load()
        return self.memory[name]

    def origin_of(self, line: Line, **changes: Any) -> Origin:
        """An origin of its own for each row, under the same reference each time the row is applied."""
        return replace(self.origin, **{"reference": f"import-{self.job.pk}-{line.number}", **changes})


class Cells:
    """The cells of one row by the keys of its columns. What is wrong with one is kept, and the others still read."""

    def __init__(self, cells: Row, positions: Mapping[str, int], columns: Mapping[str, Column]) -> None:
        self._cells = cells
        self._positions = positions
        self._columns = columns
        self.problems: list[str] = []

    def cell(self, key: str) -> Any:
        place = self._positions.get(key)
        cell = self._cells[place] if place is not None and place < len(self._cells) else None
        if isinstance(cell, Uncalculated):
            self.problem(key, _without_value(cell))
            return ""
        return "" if is_blank(cell) else cell

    def text(self, key: str, *, most: int = 200) -> str:
        """The cell as typed; required columns must not be empty."""
        text = as_written(self.cell(key)).strip()
        if not text and self._columns[key].is_required:
            self.problem(key, gettext("必填"))
        if len(text) > most:
            self.problem(key, gettext("不能超过 %d 个字") % most)
        return text[:most]

    def take(self, key: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        """Read a cell that says something; what `read` refuses becomes a problem of the row."""
        text = self.text(key)
        if not text:
            return default
        try:
            return read(text)
        except Refused as reason:
            self.problem(key, str(reason.message).rstrip("。"))
            return default

    def day(self, key: str, *, has_1904_dates: bool = False) -> str:
        """A day in ISO form, or nothing."""
        cell = self.cell(key)
        try:
            day = read_date(cell, has_1904_dates=has_1904_dates)
        except Refused as reason:
            self.problem(key, str(reason.message).rstrip("。"))
            return ""
        if day is None and self._columns[key].is_required:
            self.problem(key, gettext("必填"))
        return day.isoformat() if day else ""

    def problem(self, key: str, what: Any) -> None:
        self.problems.append(f"{self._columns[key].title}：{what}")


def _without_value(cell: Uncalculated) -> str:
    if cell:
        return gettext("公式出错（%s）") % cell
    return gettext("是公式，但文件里没有计算结果；请用 Excel 打开并保存后再上传")


def apply_each(batch: Sequence[Unit], apply: Callable[[Unit], None]) -> None:
    """Apply units one by one, each in a savepoint: one that is refused fails alone."""
    for unit in batch:
        try:
            with transaction.atomic():
                apply(unit)
        except Refused as reason:
            for line in unit:
                line.fail(reason.message)


@dataclass(frozen=True)
class ImportKind:
    """A spreadsheet that can be imported: who may, what its columns are, and which policies he can choose from.

    `more_columns` are those that depend on the node (attributes); `masks` hide a preview from who may not read it.
    `is_at_reach`: rows name their node themselves, anywhere where the operator stands or below.
    """

    name: str
    title: Any
    permission: str
    columns: tuple[Column, ...]
    samples: tuple[tuple[str, ...], ...]
    policies: tuple[Policy, ...] = (Policy.SKIP, Policy.FAIL)
    explanation: Any = ""
    is_at_reach: bool = False
    more_columns: Callable[["OrgUnit"], Sequence[Column]] = lambda node: ()
    masks: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    def columns_at(self, node: "OrgUnit | None") -> tuple[Column, ...]:
        return (*self.columns, *(self.more_columns(node) if node else ()))


@dataclass(frozen=True, kw_only=True)
class LineKind(ImportKind):
    """A kind whose rows are read, judged and applied here and there by its own functions, a batch at a time.

    `judge` and `apply` set each line's verdict, or fail it. `key` names what a row is about: rows of one key are
    repetitions or, where the kind `groups`, parts of one thing that stand or fall together.
    """

    read: Callable[[Cells, Import], dict[str, Any]]
    judge: Callable[[Import, Sequence[Line]], None]
    apply: Callable[[Import, Sequence[Unit]], None]
    key: Callable[[dict[str, Any]], str] = lambda data: ""
    groups: bool = False


import_kinds: Table[ImportKind] = Table()
