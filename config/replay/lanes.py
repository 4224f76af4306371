"""Parallel lanes: each a process of its own that sends its share of the baskets and reports how far it is."""

import cProfile
import multiprocessing
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from multiprocessing.queues import SimpleQueue
from typing import Self

import numpy as np
from django.db import connection, connections

from config.complete_journey import Receipt
from config.embedded_postgres.keeper import end_with_parent
from config.replay.selection import Selection
from config.replay.senders import NotTaken, Sender, refund_of
from members.errors import Refused

CHUNK = 200  # baskets that are looked up at once: are they there already?
SECONDS_BETWEEN_REPORTS = 0.2
KILOBYTES_IN_A_MEGABYTE = 1024


class LaneFailed(Exception):
    """What went wrong in a lane: why a purchase was not taken, or the traceback of what nobody expected."""

    @classmethod
    def because_of(cls, error: Exception) -> Self:
        if isinstance(error, Refused):
            return cls(f"{error.code}: {error.message} {error.details or ''}")
        return cls(str(error) if isinstance(error, NotTaken) else "".join(traceback.format_exception(error)))


@dataclass
class Tally:
    """What was sent, and what was there already (`skipped`); `memory` is the peak of the largest lane, in MB."""

    purchases: int = 0
    lines: int = 0
    refunds: int = 0
    skipped: int = 0
    memory: int = 0

    def add(self, other: "Tally") -> None:
        memory = max(self.memory, other.memory)
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        self.memory = memory


@dataclass(frozen=True)
class Lanes:
    """How to send: by which sender, how many purchases at once, and where to keep a profile of the first lane.

    `relaxed` does not wait for the disk at each commit: a crash of the database server may lose the last half second,
    never more of it than its end, and what is lost is sent again by the next run.
    """

    make_sender: Callable[[], Sender]
    batch: int = 1
    relaxed: bool = False
    profile: str = ""

    def send(self, selection: Selection, lanes: Sequence[np.ndarray], report: Callable[[Tally], None]) -> None:
        """Send every lane; one alone runs in this process. Raises LaneFailed."""
        if len(lanes) == 1:
            try:
                _profiled(lambda: self._send(selection, lanes[0], report), self.profile)
            except Exception as error:
                raise LaneFailed.because_of(error) from error
            return
        # A fork inherits the columns of the data and the maps of members and stores; connections it must not share.
        connections.close_all()
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        profiles = [self.profile, *[""] * (len(lanes) - 1)]
        processes = [
            context.Process(target=self._lane, args=(selection, lane, queue, profile), daemon=True)
            for lane, profile in zip(lanes, profiles, strict=True)
        ]
        for process in processes:
            process.start()
        try:
            _listen(queue, len(processes), report)
        finally:
            for process in processes:
                process.terminate()
                process.join()

    def _lane(self, selection: Selection, positions: np.ndarray, queue: "SimpleQueue", profile: str) -> None:
        end_with_parent(signal.SIGTERM)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
        try:
            _profiled(lambda: self._send(selection, positions, queue.put), profile)
            queue.put(None)
        except Exception as error:
            queue.put(str(LaneFailed.because_of(error)))

    def _send(self, selection: Selection, positions: np.ndarray, report: Callable[[Tally], None]) -> None:
        if self.relaxed:
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")
        tally, reported_at = Tally(), time.monotonic()
        for step in self._steps(selection, self.make_sender(), positions):
            tally.add(step)
            if time.monotonic() - reported_at >= SECONDS_BETWEEN_REPORTS:
                report(tally)
                tally, reported_at = Tally(), time.monotonic()
        tally.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KILOBYTES_IN_A_MEGABYTE
        report(tally)

    def _steps(self, selection: Selection, sender: Sender, positions: np.ndarray) -> Iterator[Tally]:
        for start in range(0, len(positions), CHUNK):
            receipts = list(selection.receipts(positions[start : start + CHUNK]))
            refunds = [receipt for receipt in receipts if selection.is_refunded(receipt)]
            missing = sender.missing([*(receipt.reference for receipt in receipts), *map(refund_of, refunds)])
            new = [receipt for receipt in receipts if receipt.reference in missing]
            yield Tally(skipped=len(receipts) - len(new))
            yield from self._buy(sender, new)
            for receipt in refunds:
                if refund_of(receipt) in missing:
                    sender.refund(receipt)
                    yield Tally(refunds=1)

    def _buy(self, sender: Sender, receipts: Sequence[Receipt]) -> Iterator[Tally]:
        for start in range(0, len(receipts), self.batch):
            part = receipts[start : start + self.batch]
            sender.buy(part)
            yield Tally(purchases=len(part), lines=sum(len(receipt.lines) for receipt in part))


def _listen(queue: "SimpleQueue", running: int, report: Callable[[Tally], None]) -> None:
    while running:
        heard = queue.get()
        if isinstance(heard, str):
            raise LaneFailed(heard)
        if heard is None:
            running -= 1
        else:
            report(heard)


def _profiled(work: Callable[[], None], path: str) -> None:
    if not path:
        return work()
    profiler = cProfile.Profile()
    try:
        profiler.runcall(work)
    finally:
        profiler.dump_stats(path)
