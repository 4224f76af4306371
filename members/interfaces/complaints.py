"""What is wrong with an input, flattened: one entry for each complaint, with a path such as `lines[0].amount`."""

from collections.abc import Iterator
from typing import Any

from rest_framework.exceptions import ValidationError

Complaint = dict[str, str]  # field, code, message


def complaints_of(error: ValidationError) -> list[Complaint]:
    return list(_flattened(error.get_full_details()))


def _flattened(details: Any, path: str = "") -> Iterator[Complaint]:
    if isinstance(details, list):
        for position, item in enumerate(details):
            # A list is either the complaints about one field or, of dicts without a message, the items of a list.
            yield from _flattened(item, path if _is_complaint(item) else f"{path}[{position}]")
    elif _is_complaint(details):
        yield {"field": path, "code": str(details["code"]), "message": str(details["message"])}
    else:
        for name, inner in details.items():
            yield from _flattened(inner, _joined(path, name))


def _joined(path: str, name: str | int) -> str:
    if isinstance(name, int):  # complaints about a list of plain values come keyed by position
        return f"{path}[{name}]"
    if name == "non_field_errors":
        return path
    return f"{path}.{name}" if path else name


def _is_complaint(details: Any) -> bool:
    return isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["code"], str)
