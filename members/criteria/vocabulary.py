"""What rules may speak of. Each app describes its part; config/vocabulary.py lists and installs the whole."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from django.db import models
from django.db.models import Exists, Expression, F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from members.criteria.moment import Moment

Node = dict[str, Any]
Condition: TypeAlias = Combinable | Q
Choices = Callable[[], Mapping[str, str]]

EQUALITY = ("eq", "ne", "in")
ORDER = (*EQUALITY, "gt", "gte", "lt", "lte")
LARGEST = 10**15  # well inside a bigint, and more than any group will ever count


@dataclass(frozen=True)
class ValueType:
    """How a value is written in a rule (JSON Schema), what may be asked of it, how it reaches SQL."""

    schema: dict[str, Any]
    comparisons: tuple[str, ...]
    field: models.Field
    example: Any
    parse: Callable[[Any], Any] = lambda value: value
    show: Callable[[Any], str] = str


INTEGER = ValueType({"type": "integer", "minimum": -LARGEST, "maximum": LARGEST}, ORDER, models.BigIntegerField(), 100)
MONEY = ValueType(
    INTEGER.schema, ORDER, models.BigIntegerField(), 10_000, show=lambda fen: f"¥{fen // 100:,}.{fen % 100:02}"
)
DATE = ValueType(
    {"type": "string", "format": "date", "pattern": r"^(19|20|21)\d\d-\d\d-\d\d$"},
    ORDER,
    models.DateField(),
    "2024-05-31",
    parse=date.fromisoformat,
)
CODE = ValueType(
    {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^[^\x00]+$"},
    EQUALITY,
    models.CharField(),
    "…",
)
BOOLEAN = ValueType(
    {"type": "boolean"}, ("eq",), models.BooleanField(), True, show=lambda value: str(_("是") if value else _("否"))
)


@dataclass(frozen=True)
class Attribute:
    """One value a member has, or lacks: `expression(moment)` over Member, null where it is missing."""

    name: str
    label: str
    type: ValueType
    expression: Callable[[Moment], Expression | F]
    choices: Choices | None = None

    @property
    def comparisons(self) -> tuple[str, ...]:
        return self.type.comparisons


@dataclass(frozen=True)
class Relation:
    """Something a member may have several of: the code at `path` of `rows(moment)`, of `OuterRef("pk")`.

    There is no `ne`: of several it would say "has another one too", which nobody means; `not` says "none".
    """

    name: str
    label: str
    rows: Callable[[Moment], QuerySet]
    path: str
    choices: Choices | None = None
    type: ValueType = CODE
    comparisons: tuple[str, ...] = ("eq", "in")


@dataclass(frozen=True)
class EventField:
    """What the events of a rule can be narrowed by: a code at `path` of the event's model."""

    name: str
    label: str
    path: str
    choices: Choices | None = None


@dataclass(frozen=True)
class EventKind:
    """Something that happens to members: rows with a member and a time.

    `rows()` is net of refunds already: what was undone whole is not in it, and `measure` is what is left.
    """

    name: str
    label: str
    rows: Callable[[], QuerySet]
    member: str = "member"
    time: str = "at"
    business: str = "business"
    fields: tuple[EventField, ...] = ()
    measure: str | Expression | None = None
    measure_type: ValueType = INTEGER

    @property
    def aggregates(self) -> tuple[str, ...]:
        counts = ("count", "count_days", "count_businesses")
        return (*counts, "sum", "avg", "max") if self.measure else counts


class Leaf(ABC):
    """One shape of leaf, told by the key that only it has. A later kind of question is one more subclass."""

    key: str
    label: str

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the whole leaf, without `not`."""

    @abstractmethod
    def examples(self) -> Iterator[tuple[str, Node]]:
        """What can be asked, and how it is written, for those who write rules."""

    @abstractmethod
    def condition(self, node: Node, moment: Moment) -> Condition:
        """A condition over Member; null counts as false."""

    @abstractmethod
    def describe(self, node: Node) -> str:
        """The leaf in the operator's words."""

    def problems(self, node: Node) -> Iterator[tuple[str, str]]:
        """(path inside the leaf, message) of what a schema can't say, such as an unknown code."""
        return iter(())


@dataclass(frozen=True)
class Vocabulary:
    """The leaves that rules may use, by their keys."""

    leaves: dict[str, Leaf] = field(default_factory=dict)

    def leaf(self, node: Node) -> Leaf:
        return next(leaf for key, leaf in self.leaves.items() if key in node)


_installed = Vocabulary()


def install_leaves(leaves: Iterable[Leaf]) -> Vocabulary:
    global _installed
    _installed = Vocabulary({leaf.key: leaf for leaf in leaves})
    return _installed


def installed() -> Vocabulary:
    return _installed


def negation(condition: Condition) -> Condition:
    """The exact complement: true where the condition is false, and where it is null for want of a value."""
    return ~condition if isinstance(condition, Exists) else IsNotTrue(condition)


def unknown_codes(path: str, value: Any, choices: Choices | None) -> Iterator[tuple[str, str]]:
    """A tier or a business that does not exist would silently match nobody."""
    known = choices() if choices else None
    unknown = [code for code in as_list(value) if known is not None and code not in known]
    if unknown:
        yield path, str(_("没有“%s”") % "、".join(unknown))


def example_of(value_type: ValueType, choices: Choices | None) -> Any | None:
    """A value that could stand in a rule: the first of the choices, where there are any; None if there is none yet."""
    return next(iter(choices()), None) if choices else value_type.example


def as_list(value: Any) -> list:
    return value if isinstance(value, list) else [value]


class IsNotTrue(models.Func):
    template = "(%(expressions)s) IS NOT TRUE"
    output_field = models.BooleanField()
