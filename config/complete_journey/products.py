"""What is sold: names, brands, and the format (业态) that sells it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from config.complete_journey.baskets import OTHER
from config.complete_journey.tables import read

GASOLINE = "GASOLINE-REG UNLEADED"
FUEL = "FUEL"
DEPARTMENTS: dict[str, list[str]] = json.loads(Path(__file__).with_name("formats.json").read_text())["formats"]
FORMATS = tuple(DEPARTMENTS)


@dataclass(frozen=True)
class Words:
    """A column of words: a code for each row, and the word for each code."""

    codes: np.ndarray
    words: list[str]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "Words":
        """Missing words are empty; one more empty row at the end stands for products that have no row."""
        encoded = pa.concat_arrays([*column.fill_null("").chunks, pa.array([""])]).dictionary_encode()
        return cls(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int16), encoded.dictionary.to_pylist())

    def __getitem__(self, row: int) -> str:
        return self.words[self.codes[row]]


@dataclass(frozen=True)
class Products:
    """Rows by product id; `formats` are positions in FORMATS. The last row stands for unknown products."""

    ids: np.ndarray
    formats: np.ndarray
    name: Words
    category: Words
    brand: Words

    @classmethod
    def load(cls) -> "Products":
        columns = ["product_id", "department", "brand", "product_category", "product_type"]
        table = read("products", columns).sort_by("product_id").cast(_text_columns(columns))
        name = Words.of(table["product_type"])
        return cls(
            ids=table["product_id"].to_numpy(),
            formats=_formats(Words.of(table["department"]), name),
            name=name,
            category=Words.of(table["product_category"]),
            brand=Words.of(table["brand"]),
        )

    def rows(self, product_ids: np.ndarray) -> np.ndarray:
        """The row of each product; the last one for those that have none."""
        found = np.searchsorted(self.ids, product_ids)
        known = self.ids[np.minimum(found, len(self.ids) - 1)] == product_ids
        return np.where(known, found, len(self.ids)).astype(np.int32)


def _text_columns(columns: list[str]) -> pa.Schema:
    return pa.schema([(name, pa.int64() if name == "product_id" else pa.string()) for name in columns])


def _formats(departments: Words, names: Words) -> np.ndarray:
    """Gasoline is fuel whatever its department; a department that the map does not know is OTHER."""
    format_of = {department: name for name, listed in DEPARTMENTS.items() for department in listed}
    by_code = [FORMATS.index(format_of.get(word, OTHER)) for word in departments.words]
    is_gasoline = np.isin(names.codes, [code for code, word in enumerate(names.words) if word == GASOLINE])
    return np.where(is_gasoline, FORMATS.index(FUEL), np.array(by_code)[departments.codes]).astype(np.int8)
