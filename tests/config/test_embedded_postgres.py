"""The server lives as long as somebody uses it, whichever way they end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.embedded_postgres.server import Server, _unprivileged
from config.folders import BASE_DIR, socket_folder

USER = """
import sys
from pathlib import Path
from config.embedded_postgres.server import Server
Server(Path(sys.argv[1]), durable=False).join()
print("joined", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("postgres")
    yield folder
    shutil.rmtree(socket_folder(folder))


@contextmanager
def users(folder: Path, number: int) -> Iterator[list["subprocess.Popen[str]"]]:
    """That many processes that joined the server, all started at once."""
    command = [sys.executable, "-c", USER, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": BASE_DIR}
    started = [subprocess.Popen(command, **pipes) for _ in range(number)]
    try:
        assert [user.stdout.readline() for user in started] == ["joined\n"] * number
        yield started
    finally:
        for user in started:
            user.communicate()


def server_process(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_stopped(folder: Path) -> bool:
    return not (folder / "data" / "postmaster.pid").exists()


def test_those_who_come_at_once_share_one_server_and_the_last_stops_it(folder: Path):
    with users(folder, 3) as (first, *_):
        process = server_process(folder)
        first.communicate()
        assert Server(folder).is_ready()
        assert server_process(folder) == process
    assert eventually(lambda: is_stopped(folder))


def test_a_killed_user_leaves_no_server_behind(folder: Path):
    with users(folder, 1) as (user,):
        user.kill()
    assert eventually(lambda: is_stopped(folder))


def test_a_killed_server_is_started_again_by_the_next_user(folder: Path):
    with users(folder, 1):
        killed = server_process(folder)
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: not Server(folder).is_ready())
        with users(folder, 1):
            assert server_process(folder) != killed
    assert eventually(lambda: is_stopped(folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to somebody else")
def test_the_server_of_root_is_nobody_who_passes_private_folders(tmp_path: Path):
    program = tmp_path / "private" / "program"
    program.parent.mkdir(mode=0o700)
    program.touch(mode=0o755)
    script = 'test -x "$0" && id -un'  # by access(2), as initdb looks for its programs
    done = subprocess.run([*_unprivileged(), "sh", "-c", script, program], capture_output=True, text=True, cwd="/")
    assert done.stdout == "nobody\n"
