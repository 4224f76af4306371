"""The OpenAPI document as a judge: whatever the API answers must be what the document says, no field more or less."""

import re
from datetime import datetime
from functools import cache
from typing import Any

import jsonschema
from drf_spectacular.generators import SchemaGenerator

FORMATS = jsonschema.FormatChecker(("date",))


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: Any) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(METHOD, path template, operation) of everything that is served."""
    return [
        (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def check(response, method: str, path: str) -> None:
    """Assert that status, media type and body of a response are documented for the operation."""
    operation = _operation(method, path)
    if operation is None:
        assert response.status_code in (404, 405), f"{method} {path} is served and not documented"
        return
    described = operation["responses"].get(str(response.status_code))
    assert described, f"{method} {path} answers {response.status_code}, which is not documented"
    described = _resolved(described)
    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type in described["content"], f"{method} {path} answers in {media_type}"
    schema = {"$ref": "#/x", "x": described["content"][media_type]["schema"], "components": _closed_components()}
    jsonschema.Draft202012Validator(schema, format_checker=FORMATS).validate(response.json())


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    return [
        (method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation) for method, path, operation in operations()
    ]


def _operation(method: str, path: str) -> dict[str, Any] | None:
    found = (op for verb, pattern, op in _patterns() if verb == method and pattern.fullmatch(path))
    return next(found, None)


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = document()
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


@cache
def _closed_components() -> dict[str, Any]:
    """The components, with every object closed: a field that is not documented is a fault."""
    return _closed(document()["components"])


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(value) for name, value in node.items()}
    if closed.get("type") == "object" and isinstance(closed.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed
