from enum import Enum, EnumMeta
from typing import Any, Self

def __getattr__(name: str) -> Any: ...

class _ChoicesMeta(EnumMeta):
    choices: list[tuple[Any, Any]]
    labels: list[Any]
    values: list[Any]
    def __contains__(cls, value: object) -> bool: ...

# A member is written as (value, label): without this mypy takes the pair for its value.
class TextChoices(str, Enum, metaclass=_ChoicesMeta):
    _value_: str
    label: str
    def __new__(cls, value: str, label: Any = ...) -> Self: ...

class IntegerChoices(int, Enum, metaclass=_ChoicesMeta):
    _value_: int
    label: str
    def __new__(cls, value: int, label: Any = ...) -> Self: ...
