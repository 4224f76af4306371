"""Run a server until nobody uses it: `keeper.py USERS_LOCK COMMAND…`, a process of its own.

Having the lock alone means that the last user is gone, kill -9 included. The server then stops quickly but
cleanly (SIGINT is PostgreSQL's "fast shutdown"), and only then is the lock free for the next user.
"""

import ctypes
import fcntl
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def end_with_parent(number: signal.Signals) -> None:
    """For a child before its exec: the kernel sends it this signal when its parent dies, kill -9 included."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def keep(users_lock: str, command: list[str]) -> int:
    server = subprocess.Popen(command, preexec_fn=lambda: end_with_parent(signal.SIGINT))
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(signal.SIGINT))

    def stop_when_unused() -> None:
        with open(users_lock, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            server.send_signal(signal.SIGINT)
            server.wait()

    threading.Thread(target=stop_when_unused, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1], sys.argv[2:]))
