"""A progress bar: count, rate and time left; on anything but a terminal, a line now and then."""

import time
from datetime import timedelta
from typing import TextIO

WIDTH = 30
ON_TERMINAL, IN_LOG = 0.2, 15.0  # seconds between two pictures


class ProgressBar:
    def __init__(self, title: str, total: int, stream: TextIO) -> None:
        self.title, self.total, self.stream = title, total, stream
        self.done = 0
        self._is_terminal = stream.isatty()
        self._started = self._shown = time.monotonic()

    def advance(self, count: int = 1) -> None:
        self.done += count
        if time.monotonic() - self._shown >= (ON_TERMINAL if self._is_terminal else IN_LOG):
            self._show()

    def finish(self) -> float:
        """Show the end; returns the seconds it took."""
        self._show()
        if self._is_terminal:
            self.stream.write("\n")
        return time.monotonic() - self._started

    def _show(self) -> None:
        self._shown = time.monotonic()
        picture = self.picture(self._shown - self._started)
        self.stream.write(f"\r{picture}\x1b[K" if self._is_terminal else f"{picture}\n")
        self.stream.flush()

    def picture(self, seconds: float) -> str:
        share = self.done / self.total if self.total else 1.0
        rate = self.done / seconds if seconds else 0.0
        bar = "█" * int(share * WIDTH) + "░" * (WIDTH - int(share * WIDTH))
        left = timedelta(seconds=round((self.total - self.done) / rate)) if rate else "?"
        return f"{self.title} {bar} {self.done:,}/{self.total:,} {share:4.0%} {rate:,.0f}/s {left} left"
