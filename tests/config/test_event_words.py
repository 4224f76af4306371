"""Whoever reads what was done reads words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from config.event_words import WORDS

ROOT = Path(__file__).parents[2]
RECORDERS = {"record", "_record", "record_many", "_in_batches"}
TYPE = re.compile(r"[a-z_]+\.[a-z_]+")


def recorded() -> Iterator[str]:
    """Every type that a service names where it records it."""
    for app in ("members", "loyalty", "benefits", "settlement", "marketing"):
        for source in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) in RECORDERS:
                    said = (argument for argument in node.args if isinstance(argument, ast.Constant))
                    yield from (s.value for s in said if isinstance(s.value, str) and TYPE.fullmatch(s.value))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_event_that_is_recorded_has_a_name():
    types = set(recorded())
    assert len(types) > 40
    assert types - set(WORDS) == set()
