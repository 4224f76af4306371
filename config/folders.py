"""Where the project keeps what it makes at run time."""

import hashlib
import os
import tempfile
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"

# sockaddr_un holds 108 bytes on Linux and 104 on macOS; PostgreSQL adds "/.s.PGSQL.5432".
LONGEST_SOCKET_FOLDER = 80


def socket_folder(data: Path) -> Path:
    """The folder for the unix sockets of the server that keeps its data in `data`.

    Not beside the data, whose path may be too long for a socket; private to this user.
    """
    name = f"wutong-{os.getuid()}-{hashlib.sha256(str(data).encode()).hexdigest()[:10]}"
    folder = Path(tempfile.gettempdir()) / name
    return folder if len(str(folder)) <= LONGEST_SOCKET_FOLDER else Path("/tmp") / name


def private(folder: Path) -> Path:
    """Make `folder` (in a place that others write to), or refuse one that somebody else made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user: remove it and start again")
    folder.chmod(0o700)
    return folder
