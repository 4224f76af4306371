"""Is this tree a rule? A JSON Schema (2020-12) made from the vocabulary, and its problems in plain words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from members.criteria.vocabulary import Leaf, Vocabulary, installed
from members.errors import Refused

DEEPEST = 5
MOST_NODES = 50


@dataclass(frozen=True)
class Problem:
    """What is wrong where: the path names the place in the tree, like `children[1].value`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}：{self.message}" if self.path else self.message


class InvalidRule(Refused):
    code = "invalid_rule"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        listed = [{"path": problem.path, "message": problem.message} for problem in self.problems]
        super().__init__("；".join(map(str, self.problems)), problems=listed)


def validate(tree: Any) -> None:
    """Raises InvalidRule with every problem that was found."""
    problems = list(_size_problems(tree)) or list(_shape_problems(tree)) or list(_leaf_problems(tree))
    if problems:
        raise InvalidRule(problems)


def schema() -> dict[str, Any]:
    """The JSON Schema of a rule. How deep and how many is checked beside it: a schema can't count nodes."""
    return _schema(tuple(installed().leaves.values()))


@lru_cache(maxsize=4)
def _schema(leaves: tuple[Leaf, ...]) -> dict[str, Any]:
    group = {
        "properties": {
            "op": {"enum": ["and", "or"]},
            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "minItems": 1},
        },
        "required": ["op", "children"],
    }
    shapes = {"op": group, **{leaf.key: leaf.schema() for leaf in leaves}}
    node = {
        "type": "object",
        "anyOf": [{"required": [key]} for key in shapes],
        "allOf": [{"if": {"required": [key]}, "then": {"$ref": f"#/$defs/{key}"}} for key in shapes],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/node",
        "$defs": {"node": node, **{key: _closed(shape) for key, shape in shapes.items()}},
    }


def _closed(shape: dict[str, Any]) -> dict[str, Any]:
    """With `not`, which every node may carry, and nothing that is not written down."""
    properties = {**shape["properties"], "not": {"type": "boolean"}}
    return {"type": "object", **shape, "properties": properties, "additionalProperties": False}


def _nodes(tree: Any, path: str = "", depth: int = 1) -> Iterator[tuple[str, Any, int]]:
    """(path, node, depth), no deeper than one level too deep: a hostile tree must not exhaust the stack."""
    yield path, tree, depth
    children = tree.get("children") if isinstance(tree, dict) else None
    if depth <= DEEPEST and isinstance(children, list):
        for number, child in enumerate(children):
            yield from _nodes(child, f"{path}.children[{number}]".lstrip("."), depth + 1)


def _size_problems(tree: Any) -> Iterator[Problem]:
    count = 0
    for path, _node, depth in _nodes(tree):
        count += 1
        if depth > DEEPEST:
            yield Problem(path, str(_("嵌套不能超过 %d 层") % DEEPEST))
            return
    if count > MOST_NODES:
        yield Problem("", str(_("条件不能超过 %(most)d 个，现有 %(count)d 个") % {"most": MOST_NODES, "count": count}))


def _shape_problems(tree: Any) -> Iterator[Problem]:
    validator = Draft202012Validator(schema(), format_checker=FormatChecker(["date"]))
    seen = set()
    for error in sorted(validator.iter_errors(tree), key=lambda error: list(map(str, error.absolute_path))):
        problem = Problem(_path(error), _say(error, installed()))
        if problem.path not in seen:  # one problem a place: the first is the most general
            seen.add(problem.path)
            yield problem


def _leaf_problems(tree: Any) -> Iterator[Problem]:
    """What only the leaves themselves can tell, once their shape is right."""
    for path, node, _depth in _nodes(tree):
        if "op" in node:
            continue
        for place, message in installed().leaf(node).problems(node):
            yield Problem(f"{path}.{place}".lstrip("."), message)


def _path(error: ValidationError) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return "".join(parts).lstrip(".")


TYPES = {
    "integer": _("整数"),
    "string": _("文字"),
    "boolean": _("true 或 false"),
    "array": _("列表 […]"),
    "object": _("对象 {…}"),
}


def _say(error: ValidationError, vocabulary: Vocabulary) -> str:
    """One validation error in the operator's words."""
    limit = error.validator_value
    match error.validator:
        case "type":
            return str(_("应为%(due)s，实际是%(found)s") % {"due": TYPES[limit], "found": _shown(error.instance)})
        case "enum":
            choices = "、".join(map(str, limit))
            return str(_("只能是 %(choices)s，实际是%(found)s") % {"choices": choices, "found": _shown(error.instance)})
        case "required":
            return str(_("缺少 %s") % "、".join(key for key in limit if key not in error.instance))
        case "dependentRequired":
            missing = {key for one, keys in limit.items() if one in error.instance for key in keys} - set(
                error.instance
            )
            return str(_("缺少 %s") % "、".join(sorted(missing)))
        case "additionalProperties":
            extra = set(error.instance) - set(error.schema.get("properties", {}))
            return str(_("不认识的字段 %s") % "、".join(sorted(map(str, extra))))
        case "anyOf":
            return str(_("每个条件要有 %s 之一") % "、".join(["op", *vocabulary.leaves]))
        case "minimum" | "minLength" | "minItems" | "minProperties":
            return str(_("太小或太少，至少 %s") % limit)
        case "maximum" | "maxLength" | "maxItems":
            return str(_("太大或太多，最多 %s") % limit)
        case "maxProperties":
            return str(_("last_days 与 from、before 只能选一种"))
        case "format" | "pattern":
            return str(_("格式不对，实际是%s；日期写作 2024-05-31") % _shown(error.instance))
    return str(_("不符合规则（%s）") % error.validator)


def _shown(value: Any) -> str:
    text = f"“{value}”" if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
