"""Spreadsheets for tests, and taking them through check and import."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from members.interfaces.imports import ImportKind, Policy
from members.models import Job, Operator, OrgUnit
from members.services import imports

Cells = Sequence[Any]


def xlsx(*rows: Cells, header: Cells, options: dict[str, Any] | None = None) -> bytes:
    output = io.BytesIO()
    with xlsxwriter.Workbook(output, options) as book:
        book.set_properties({"created": datetime(2026, 1, 1)})  # the same rows are the same file
        sheet = book.add_worksheet()
        as_date = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate((header, *rows)):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    moment = cell if isinstance(cell, datetime) else datetime.combine(cell, datetime.min.time())
                    sheet.write_datetime(number, place, moment, as_date)
                elif isinstance(cell, str):
                    sheet.write_string(number, place, cell)
                else:
                    sheet.write(number, place, cell)
    return output.getvalue()


def checked(
    kind: ImportKind,
    *rows: Cells,
    by: Operator,
    business: OrgUnit | None,
    policy: Policy | None = None,
    header: Cells | None = None,
) -> Job:
    """Upload and check rows in the order of the kind's columns, or under `header`."""
    titles = header or [str(column.title) for column in kind.columns_at(business)]
    file = SimpleUploadedFile("表.xlsx", xlsx(*rows, header=titles))
    job = imports.upload(file, business=business, operator=by, kind=kind.name, policy=policy or kind.policies[0])
    draft = imports.check(job.pk)
    assert draft is not None
    assert draft.state == "draft", draft.message
    return draft


def imported(kind: ImportKind, *rows: Cells, **how: Any) -> Job:
    job = checked(kind, *rows, **how)
    assert imports.confirm(job)
    done = imports.run(job.pk)
    assert done is not None
    assert done.state == "done", done.message
    return done


def totals(job: Job) -> dict[str, int]:
    """Verdict → rows, without the noughts."""
    words = ("new", "changed", "unchanged", "skipped", "failed", "new_member", "new_membership")
    return {word: job.summary[word] for word in words if job.summary.get(word)}


def problems(job: Job) -> dict[int, str]:
    return dict(imports.failed_rows(job))
