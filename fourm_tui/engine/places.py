"""Where the engine's files are: the socket by which it is reached, and the queue, lock and log that outlive it.

One engine serves one user of one machine, one Python installation, one choice of CUDA devices and one folder of states;
`engine_key` stands for all of these. The version is not among them: another version's engine is found, and replaced.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fourm_tui.errors import FourmError, printable
from fourm_tui.paths import state_dir

_DEVICES = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
_LONGEST_FOLDER = 100 - len("/0123456789ab.sock")
"""Bytes; the path of a socket may have 107 on Linux, 103 on macOS."""
_REMOTE = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gpfs", "lustre", "nfs", "nfs4", "orangefs",
    "panfs", "smb3", "smbfs",
))  # fmt: skip
"""File systems on which sockets do not work, or would be seen by other machines."""


def engine_key() -> str:
    """What engines are told apart by, as 12 characters."""
    parts = (socket.gethostname(), str(os.getuid()), sys.prefix, str(state_dir()))
    text = "\0".join((*parts, *(os.environ.get(name, "") for name in _DEVICES)))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def socket_dir() -> Path:
    """The folder of sockets: `$XDG_RUNTIME_DIR/fourm_tui`, else `fourm_tui-UID` in the system's folder of temporary
    files; the first of them on a disk of this machine and with a path that is not too long. Nothing is made."""
    return next(folder for folder in _candidates() if len(os.fsencode(folder)) <= _LONGEST_FOLDER)


def _candidates() -> Iterator[Path]:
    given = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if given.is_absolute() and given.is_dir() and not _is_remote(given):
        yield given / "fourm_tui"
    name = f"fourm_tui-{os.getuid()}"
    temporary = Path(tempfile.gettempdir())
    if not _is_remote(temporary):
        yield temporary / name
    yield Path("/tmp") / name


def _is_remote(folder: Path) -> bool:
    """Whether a folder is on a network file system, as far as the system tells (Linux does)."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        folder = folder.resolve()
    except OSError:
        return False
    at, kind = Path("/"), ""
    for mount in mounts.splitlines():
        _, where, fstype, *_ = mount.split(" ")
        where = where.replace("\\040", " ")
        if folder.is_relative_to(where) and len(where) >= len(str(at)):
            at, kind = Path(where), fstype
    return kind in _REMOTE


def private_dir() -> Path:
    """The folder of sockets, made so that only the user can enter it.

    Raises:
        FourmError: it cannot be made, or belongs to somebody else.
    """
    folder = socket_dir()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
            raise FourmError(f"{printable(folder)}: belongs to somebody else; set XDG_RUNTIME_DIR to a folder of yours")
        if stat.S_IMODE(found.st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise FourmError(f"{printable(folder)}: cannot be used for the engine's socket: {error.strerror}") from None
    return folder


def socket_path() -> Path:
    """Where the engine is reached; its folder is there afterwards.

    Raises:
        FourmError: see `private_dir`.
    """
    return private_dir() / f"{engine_key()}.sock"


def engine_dir() -> Path:
    """What outlives the engine, with the rest of the user's state."""
    return state_dir() / "engine" / engine_key()


def queue_dir() -> Path:
    """A file for each job."""
    return engine_dir() / "queue"


def lock_path() -> Path:
    """Held by the engine as long as it lives: it alone changes the queue. Says its process id and its socket."""
    return engine_dir() / "engine.lock"


def log_file() -> Path:
    """What the engine and its libraries say."""
    return engine_dir() / "engine.log"
