"""What `manage.py run` says before it starts anything, and how it keeps its programs."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from config.folders import BASE_DIR
from config.management.commands import run
from config.processes import Ended, Programs

PARENT = """
from config.processes import Programs
programs = Programs()
programs.start("sleep", "sleep", "60")
print(programs.running["sleep"].pid, flush=True)
programs.watch()
"""


def test_a_second_run_says_where_the_first_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "VAR", tmp_path)
    already = rf"already runs here: http://127.0.0.1:8000/, process {os.getpid()}"
    with run.alone("http://127.0.0.1:8000/"), pytest.raises(CommandError, match=already):
        run.alone("http://127.0.0.1:8001/").__enter__()
    with run.alone("http://127.0.0.1:8001/"), (tmp_path / "run.lock").open() as file:
        assert file.read().startswith("http://127.0.0.1:8001/,")
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_taken_port_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "PORT_TIMEOUT", 0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} .*make run PORT={port + 1}"):
            run.wait_for_port("127.0.0.1", port)


def test_a_program_that_ends_by_itself_is_told():
    programs = Programs()
    programs.start("worker", sys.executable, "-c", "raise SystemExit(3)")
    with pytest.raises(Ended, match=r"worker ended by itself \(exit code 3\)"):
        programs.watch()


def test_programs_stop_together():
    programs = Programs()
    programs.start("one", "sleep", "60")
    programs.start("two", "sleep", "60")
    processes = list(programs.running.values())
    programs.stop()
    assert [process.returncode for process in processes] == [-signal.SIGTERM, -signal.SIGTERM]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_programs_do_not_outlive_a_killed_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=BASE_DIR, stdout=subprocess.PIPE, text=True)
    child = Path("/proc") / parent.stdout.readline().strip()
    assert child.exists()
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while child.exists() and "State:\tZ" not in (child / "status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
