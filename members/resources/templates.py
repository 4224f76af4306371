"""The workbook to fill in, one for each kind."""

import io

from django.utils.translation import gettext

from members.interfaces.imports import ImportKind
from members.models import OrgUnit
from members.services.spreadsheets import Sheet, write_workbook


def template(kind: ImportKind, node: OrgUnit | None = None) -> io.BytesIO:
    """Samples stand on a second sheet, which is not read: nobody imports them by mistake."""
    columns = kind.columns_at(node)
    titles = [str(column.title) for column in columns]
    marked = [f"{column.title}{'*' if column.is_required else ''}" for column in columns]
    explanations = [str(column.explanation) for column in columns]
    filled = [[*sample, *[""] * (len(columns) - len(sample))] for sample in kind.samples]
    words = {1: gettext("示例一"), 2: gettext("示例二"), 3: gettext("示例三")}
    return write_workbook(
        Sheet(
            title=str(kind.title),
            header=marked,
            rows=(),
            widths=[column.width for column in columns],
        ),
        Sheet(
            title=gettext("填写说明"),
            header=[gettext("列"), gettext("说明"), *(words[place] for place in range(1, len(filled) + 1))],
            rows=zip(titles, explanations, *filled, strict=True),
            widths=[16, 56, *[20] * len(filled)],
        ),
    )
