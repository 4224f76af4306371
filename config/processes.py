"""The programs that `manage.py run` starts: they end with it, whichever way it ends."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

from config.embedded_postgres.keeper import end_with_parent
from config.folders import BASE_DIR

PATIENCE = 15  # seconds to finish what is under way, before kill -9


class Ended(Exception):
    """A program that should go on ended by itself."""


@dataclass
class Programs:
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        self.running[name] = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: end_with_parent(signal.SIGTERM),
            process_group=0,  # Ctrl-C reaches only us, and we stop them in order
        )

    def start_module(self, name: str, module: str, *arguments: str) -> None:
        # Celery warns of root on each start; here root is somebody trying the project in a container.
        self.start(name, sys.executable, "-W", "ignore:You're running the worker", "-m", module, *arguments)

    def finish(self, name: str) -> None:
        """Wait for a program that is meant to end."""
        while self.running[name].poll() is None:
            self.check(besides=name)
            time.sleep(0.05)
        if code := self.running.pop(name).returncode:
            raise Ended(f"{name} failed (exit code {code})")

    def watch(self) -> None:
        """Return never, unless by an exception: ours when one ends, or a signal's."""
        while True:
            self.check()
            time.sleep(0.2)

    def check(self, besides: str = "") -> None:
        for name, process in self.running.items():
            if name != besides and process.poll() is not None:
                raise Ended(f"{name} ended by itself (exit code {process.returncode})")

    def stop(self) -> None:
        """The last started first; all at once would take the broker from under the worker."""
        for process in reversed(self.running.values()):
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()
