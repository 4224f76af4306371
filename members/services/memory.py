"""What every request asks for and hardly ever changes, kept in the process for a few seconds."""

import time
from collections.abc import Callable, Hashable
from typing import Any


class Memory:
    """Values by key, each loaded again after `seconds`: that long a change may take to be seen by other processes.

    An answer of None is not kept, so that unknown keys can't fill the memory.
    """

    _all: list["Memory"] = []

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._values: dict[Hashable, tuple[float, Any]] = {}
        self._all.append(self)

    def get(self, key: Hashable, load: Callable[[], Any]) -> Any:
        fresh_until, value = self._values.get(key, (0.0, None))
        if time.monotonic() < fresh_until:
            return value
        value = load()
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = (time.monotonic() + self.seconds, value)
        return value

    def forget(self) -> None:
        self._values.clear()

    @classmethod
    def forget_all(cls) -> None:
        """Between tests, whose rows are rolled back."""
        for memory in cls._all:
            memory.forget()
