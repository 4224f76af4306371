# For mypy: what it must know of Django. All else, here and in modules that are not named, is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
