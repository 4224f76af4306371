"""Where the project keeps what it makes at run time."""

import hashlib
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("WUTONG_VAR") or BASE_DIR / "var").resolve()


def socket_folder(data: Path) -> Path:
    """The folder for the unix sockets of the server that keeps its data in `data`.

    A socket's path may have about 100 bytes, and a project may lie deeper. Always under /tmp, not TMPDIR:
    two processes with different environments must find the same server.
    """
    return Path("/tmp") / f"wutong-{os.getuid()}-{hashlib.sha256(str(data).encode()).hexdigest()[:10]}"


def private(folder: Path) -> Path:
    """Make `folder` for us alone, or refuse one that somebody else made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user: remove it and start again")
    folder.chmod(0o700)
    return folder
