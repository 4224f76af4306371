"""Reading the audit trail: which models it covers, and an entry as people read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.interfaces.approvals import approval_verbs
from members.models import AuditEntry
from members.services.organisation import group

MASK = "***"
# A digest is shown under the name of what it stands for.
STANDS_FOR = {"name_index": "name", "value_index": "value"}
CODED_BY = {"members.remindersetting": "kind"}  # where the title is the code of a choice
VERBS = {"add": _("添加"), "change": _("修改"), "delete": _("删除"), "view": _("查看")}
IN_OUR_WORDS = {"otp_totp.totpdevice": _("动态口令设备")}

AUDITED = """
    SELECT DISTINCT split_part(encode(tgargs, 'escape'), '\\000', 1), split_part(encode(tgargs, 'escape'), '\\000', 3)
    FROM pg_trigger WHERE tgname LIKE '%\\_is\\_audited' ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Change:
    """One column: what it is called, what it was, what it is."""

    column: str
    label: str
    before: str
    after: str


def audited() -> list[tuple[str, str]]:
    """(label of a model, relation) of every table with a trigger; the relation of the model's own table is empty."""
    with connection.cursor() as cursor:
        cursor.execute(AUDITED)
        return cursor.fetchall()


@cache
def audited_models() -> tuple[str, ...]:
    """Labels of the models whose rows are audited."""
    return tuple(label for label, part in audited() if not part)


def is_audited(model: type[models.Model]) -> bool:
    return model._meta.label_lower in audited_models()


def model_in_words(label: str) -> str:
    """One that is gone is named as it was; one whose app speaks English only, by us."""
    if label in IN_OUR_WORDS:
        return str(IN_OUR_WORDS[label])
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except LookupError:
        return label


def title_in_words(entry: AuditEntry) -> str:
    """What the row was called; what is known by a code only, by the label of the code."""
    if entry.model == "members.approvalpolicy" and entry.title in approval_verbs:
        return str(approval_verbs[entry.title].title)
    if entry.model in CODED_BY:
        return _in_words(_field(_model_of(entry), CODED_BY[entry.model]), entry.title)
    return entry.title or f"#{entry.row_id}"


def part_in_words(entry: AuditEntry) -> str:
    field = _field(apps.get_model(entry.model), entry.part) if entry.part else None
    return str(field.verbose_name) if field is not None else entry.part


def changes(entry: AuditEntry) -> Iterator[Change]:
    """Column by column, in words: keys as what they lead to, choices as their labels, moments in local time."""
    model = _model_of(entry)
    before, after = entry.before or {}, entry.after or {}
    for column in dict.fromkeys([*before, *after]):
        field = _field(model, STANDS_FOR.get(column, column))
        label = str(getattr(field, "verbose_name", column)) if field is not None else column
        yield Change(column, label, _in_words(field, before.get(column)), _in_words(field, after.get(column)))


def permission_in_words(permission: Permission) -> str:
    """Django wrote its own names into the table, in English; ours are words of the catalogue."""
    verb = VERBS.get(permission.codename.removesuffix(f"_{permission.content_type.model}"))
    return f"{permission.content_type.app_labeled_name} | {verb or gettext(permission.name)}"


def _model_of(entry: AuditEntry) -> type[models.Model] | None:
    """The model whose columns the entry holds: of a relation, the table between."""
    try:
        model = apps.get_model(entry.model)
    except LookupError:
        return None
    field = _field(model, entry.part) if entry.part else None
    return field.remote_field.through if field is not None and field.many_to_many else model


def _field(model: type[models.Model] | None, column: str) -> Any:
    if model is None:
        return None
    for name in (column, column.removesuffix("_id")):
        try:
            return model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
    return None


def _in_words(field: Any, value: Any) -> str:
    if isinstance(value, str) and field is not None and field.choices and value in dict(field.flatchoices):
        return str(dict(field.flatchoices)[value])
    if value is None or value == "":
        return "—"
    if value == MASK:
        return gettext("（不显示）")
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    if field is not None and field.is_relation:
        row = field.related_model._default_manager.filter(pk=value).first()
        said = permission_in_words(row) if isinstance(row, Permission) else row
        return f"{said} (#{value})" if row else f"#{value}"
    if isinstance(field, models.DateTimeField):
        at = parse_datetime(value)
        return f"{timezone.localtime(at, group().zone):%Y-%m-%d %H:%M:%S}" if at else value
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)
