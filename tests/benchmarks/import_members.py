"""How fast a file of members is checked and merged, beside a bare COPY of the same rows in the same run.

    .venv/bin/python -m tests.benchmarks.import_members --rows 100000 --format xlsx

Works in a database of its own, cloned as the suite's are and dropped afterwards. Memory is the peak of this process,
file and all; the baselines run after it has been read off.
"""

import argparse
import csv
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

import django
import xlsxwriter

HEADER = ("手机号", "姓名", "性别", "生日", "邮箱", "业态会员号", "入会门店", "入会日期", "来源")
FAMILY, GIVEN = "王李张刘陈杨黄赵吴周", "明美玲伟芳娜静强磊洋"


def main() -> None:
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    django.setup()
    from tests.database import cloned_database  # models, after the set-up

    with tempfile.TemporaryDirectory() as folder, cloned_database(os.getpid(), "bench"):
        file = Path(folder) / f"members.{options.format}"
        _write(file, options.rows)
        print(f"{options.rows:,} rows, {file.stat().st_size / 1e6:.1f} MB of {options.format}")
        _measure(file, options.rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--format", choices=("csv", "xlsx"), default="csv")
    return parser.parse_args()


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Like what a business brings: every column but the store, no two alike."""
    draw = random.Random(7)
    for number in range(count):
        name = draw.choice(FAMILY) + draw.choice(GIVEN) + draw.choice(GIVEN)
        born = f"{draw.randint(1950, 2005)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
        joined = f"{draw.randint(2015, 2025)}-{draw.randint(1, 12):02d}-01"
        phone, email = str(13_000_000_000 + number), f"member{number}@example.com"
        yield phone, name, draw.choice("男女"), born, email, f"A{number:08d}", "", joined, "老系统迁移"


def _write(path: Path, count: int) -> None:
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(chain((HEADER,), rows(count)))
        return
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(chain((HEADER,), rows(count))):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell)


def _measure(path: Path, count: int) -> None:
    from django.core.files.uploadedfile import TemporaryUploadedFile

    from members.models import Member
    from members.services import imports
    from tests.cast import build_cast

    cast = build_cast()
    before = _peak()
    with path.open("rb") as source, TemporaryUploadedFile(path.name, "", path.stat().st_size, None) as upload:
        for piece in iter(lambda: source.read(1 << 20), b""):
            upload.write(piece)
        upload.seek(0)
        job = imports.upload(upload, business=cast.mall, operator=cast.sees_mall)
    with _timed() as checking:
        job = imports.check(job.pk)
    assert job.state == "draft", job.message
    assert imports.confirm(job)
    with _timed() as importing:
        job = imports.run(job.pk)
    assert (job.state, job.summary["new_member"], Member.objects.count()) == ("done", count, count), job.message
    peak = _peak()
    took = checking() + importing()
    print(f"check {checking():.1f} s, import {importing():.1f} s: {count / took:,.0f} rows/s")
    print(f"memory: peak {peak:.0f} MB, of which {before:.0f} MB before the file")
    for name, seconds in _baselines(path, count):
        print(f"{name}: {seconds:.2f} s; we are at 1/{took / seconds:.1f} of its speed")


def _baselines(path: Path, count: int) -> Iterator[tuple[str, float]]:
    from members.services.spreadsheets import read_rows

    held = list(rows(count))
    yield "bare COPY of rows in memory, as one block", _copied(partial(_copy_block, held))
    yield "bare COPY of rows in memory, row by row", _copied(partial(_copy_rows, held))
    with path.open("rb") as file:
        yield "reading the file and COPYing its rows", _copied(lambda copy: _copy_file(copy, file, read_rows))


def _copy_block(held: list[tuple[str, ...]], copy) -> None:
    copy.write("".join("\t".join(row) + "\n" for row in held))


def _copy_rows(held: list[tuple[str, ...]], copy) -> None:
    for row in held:
        copy.write_row(row)


def _copy_file(copy, file: IO[bytes], read: Callable) -> None:
    for _number, cells in read(file):
        copy.write_row((*cells, *[None] * (len(HEADER) - len(cells))))


def _copied(write: Callable) -> float:
    """Seconds from the first byte to the commit: a normal table, without an index."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        columns = ", ".join(f"c{place} text" for place in range(len(HEADER)))
        cursor.execute(f"CREATE TABLE bare ({columns})")
        with _timed() as copying, transaction.atomic(), cursor.copy("COPY bare FROM STDIN") as copy:
            write(copy)
        cursor.execute("DROP TABLE bare")
    return copying()


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    began = time.perf_counter()
    took = []
    yield lambda: took[0]
    took.append(time.perf_counter() - began)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
