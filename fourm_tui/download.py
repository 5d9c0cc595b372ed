"""Downloads from the Hub into its cache: resumed where they stopped, and checked against the Hub's hashes.

The Hub client's own `hf_hub_download` begins anew after an interruption (since 1.x it removes what it has) and
compares sizes only. Here an unfinished file stays in the cache as `blobs/HASH.incomplete`, the next download goes on
at its end, and a file takes its place only when its SHA-256 (or git hash, for small files) is the one that the Hub
gave. Only JSON and safetensors files, and tables of prompts, are ever asked for.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from fourm_tui.errors import FourmError, printable
from fourm_tui.hub import Source, hub_cache, is_offline, size_text

_COMMIT = re.compile(r"[0-9a-f]{40}")
_ETAG = re.compile(r"[A-Za-z0-9][\w.-]{0,120}")
_CHUNK = 2**23


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub described it just now."""

    source: Source
    name: str
    commit: str
    etag: str
    """SHA-256 of its contents, or its git hash."""
    bytes: int
    url: str
    """Of this very commit."""

    @property
    def blob(self) -> Path:
        return self.source.folder / "blobs" / self.etag

    @property
    def partial(self) -> Path:
        return self.blob.with_name(f"{self.etag}.incomplete")

    @property
    def path(self) -> Path:
        """Where it is found once it is complete."""
        return self.source.folder / "snapshots" / self.commit / self.name

    @property
    def present(self) -> int:
        """Bytes of it that are on disk already."""
        if self.path.is_file() or self.blob.is_file():
            return self.bytes
        try:
            return min(self.partial.stat().st_size, self.bytes)
        except OSError:
            return 0


@dataclass(frozen=True)
class Transfer:
    """How far a file is."""

    file: RemoteFile
    doing: Literal["downloading", "checking", "waiting"]
    """Waiting: another process downloads the same file."""
    done: int
    """Bytes."""


Progress = Callable[[Transfer], None]


def look_up(source: Source) -> tuple[RemoteFile, ...]:
    """Asks the Hub for the files of a source; all of one commit.

    Raises:
        FourmError: the Hub cannot be reached or does not have it.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

    if is_offline():
        raise FourmError(f"{source}: the Hugging Face Hub is not asked because HF_HUB_OFFLINE is set")
    files: list[RemoteFile] = []
    revision = source.revision
    for name in source.files:
        url = hf_hub_url(
            source.repo, name, repo_type=source.repo_type, revision=revision, endpoint=constants.ENDPOINT
        )  # fmt: skip
        with _asking(source):
            found = get_hf_file_metadata(url)
        if not found.commit_hash or not _COMMIT.fullmatch(found.commit_hash):
            raise FourmError(f"{source}: {printable(constants.ENDPOINT)} does not answer as the Hugging Face Hub does")
        if not found.etag or not _ETAG.fullmatch(found.etag) or found.size is None:
            raise FourmError(f"{source}: the Hub gives no size or hash of {name}")
        revision = found.commit_hash
        pinned = hf_hub_url(
            source.repo, name, repo_type=source.repo_type, revision=revision, endpoint=constants.ENDPOINT
        )  # fmt: skip
        files.append(RemoteFile(source, name, revision, found.etag, found.size, pinned))
    return tuple(files)


def check_space(files: Sequence[RemoteFile]) -> None:
    """Whether the disk has room for what is still missing.

    Raises:
        FourmError: it has not.
    """
    needed = sum(file.bytes - file.present for file in files)
    place = hub_cache()
    free = shutil.disk_usage(next(path for path in (place, *place.parents) if path.exists())).free
    if needed > free:
        raise FourmError(
            f"not enough room: {size_text(needed)} are to be downloaded, and {printable(place)} has {size_text(free)} "
            "free; make room there, or set HF_HUB_CACHE to a folder on another disk"
        )


def download(source: Source, progress: Progress | None = None) -> Path:
    """Brings the files of a source into the cache and returns their folder.

    Args:
        progress: called often; without it the Hub client shows its own bars on a terminal. What it raises stops the
            download, and so does Ctrl-C; what has arrived is kept.

    Raises:
        FourmError: the Hub cannot be reached or does not have it, there is no room, or what arrived is damaged.
    """
    files = look_up(source)
    check_space(files)
    for file in files:
        fetch(file, progress)
    return finish(files)


def finish(files: Sequence[RemoteFile]) -> Path:
    """Notes which commit the branch or tag means now that all its files are there, and returns their folder."""
    source, commit = files[0].source, files[0].commit
    if source.revision != commit:
        ref = source.folder / "refs" / (source.revision or "main")
        with _writing(source):
            ref.parent.mkdir(parents=True, exist_ok=True)
            beside = ref.with_name(f".{ref.name}.{os.getpid()}")
            beside.write_text(commit, encoding="utf-8")
            beside.replace(ref)
    return source.folder / "snapshots" / commit


def fetch(file: RemoteFile, progress: Progress | None = None) -> Path:
    """Brings one file into the cache, unless it is there.

    Raises:
        FourmError: as for `download`.
    """
    if not file.path.is_file():
        with _writing(file.source):
            file.blob.parent.mkdir(parents=True, exist_ok=True)
            file.path.parent.mkdir(parents=True, exist_ok=True)
            with _own(file, progress) as partial:
                if not file.blob.is_file():
                    _receive(file, partial, progress)
                    _check(file, partial, progress)
                    file.partial.replace(file.blob)
            _link(file)
    if progress:
        progress(Transfer(file, "downloading", file.bytes))
    return file.path


@contextmanager
def _own(file: RemoteFile, progress: Progress | None) -> Iterator[BinaryIO]:
    """The unfinished file, locked: a second process waits here instead of appending to it, too."""
    while True:
        partial = file.partial.open("ab+")
        try:
            while True:
                try:
                    fcntl.flock(partial, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if progress:
                        progress(Transfer(file, "waiting", file.present))
                    time.sleep(0.3)
                except OSError:
                    break  # a file system without locks; the hash tells if two have written
            if file.partial.exists() and os.path.samestat(os.fstat(partial.fileno()), file.partial.stat()):
                yield partial
                return
            if file.blob.is_file():  # who had it has finished
                yield partial
                return
        finally:
            partial.close()
            if file.blob.is_file():
                file.partial.unlink(missing_ok=True)


def _receive(file: RemoteFile, partial: BinaryIO, progress: Progress | None) -> None:
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    partial.seek(0, os.SEEK_END)
    if partial.tell() > file.bytes:
        partial.truncate(0)
        partial.seek(0)
    have = partial.tell()
    if have == file.bytes:
        return
    # Compressed, parts of the file could not be asked for.
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    sink = _Counted(partial, lambda done: progress(Transfer(file, "downloading", done)) if progress else None)
    with _asking(file.source), _quiet(silent=progress is not None):
        http_get(
            file.url,
            cast(BinaryIO, sink),
            resume_size=have,
            headers=headers,
            expected_size=file.bytes,
            displayed_filename=f"{file.source.name}/{file.name}",
        )
    partial.flush()


class _Counted:
    """A file that tells how long it is after each write."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file, self._tell = file, tell

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        self._tell(self._file.tell())
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _check(file: RemoteFile, partial: BinaryIO, progress: Progress | None) -> None:
    """Compares the contents with the Hub's hash; a damaged file is removed."""
    size = partial.seek(0, os.SEEK_END)
    if len(file.etag) == 64:
        digest = hashlib.sha256()
    elif len(file.etag) == 40:
        digest = hashlib.sha1(b"blob %d\0" % size)  # as git names contents
    else:
        return  # some mirrors give hashes of their own; the size has been compared
    partial.seek(0)
    done = 0
    while chunk := partial.read(_CHUNK):
        digest.update(chunk)
        done += len(chunk)
        if progress:
            progress(Transfer(file, "checking", done))
    if digest.hexdigest() != file.etag:
        file.partial.unlink(missing_ok=True)
        raise FourmError(
            f"{file.source}: what arrived of {file.name} is damaged (its hash is not the Hub's) and was removed; "
            "try again"
        )


def _link(file: RemoteFile) -> None:
    """Puts the file into its snapshot: as a link, or itself where the file system has none."""
    if file.path.exists():
        return
    try:
        file.path.symlink_to(os.path.relpath(file.blob, file.path.parent))
    except FileExistsError:
        pass
    except OSError:
        file.blob.replace(file.path)


@contextmanager
def _quiet(silent: bool) -> Iterator[None]:
    """Keeps the Hub client's bars and warnings off a terminal that shows others."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if not silent:
        yield
        return
    logger, bars = logging.getLogger("huggingface_hub"), not are_progress_bars_disabled()
    level = logger.level
    logger.setLevel(logging.ERROR)
    if bars:
        disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if bars:
            enable_progress_bars()


@contextmanager
def _writing(source: Source) -> Iterator[None]:
    """Says what the disk refused."""
    try:
        yield
    except OSError as error:
        reason = printable(error.strerror or error)
        raise FourmError(f"{source}: cannot be written to {printable(hub_cache())}: {reason}") from None


_NETWORK = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "huggingface_hub", "ssl", "socket"}


@contextmanager
def _asking(source: Source) -> Iterator[None]:
    """Turns what the Hub's client raises into one sentence. Which exceptions those are depends on its version and on
    its HTTP library, so they are told by the package they come from."""
    from huggingface_hub import constants
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError

    host = printable(constants.ENDPOINT)
    try:
        yield
    except RevisionNotFoundError:
        raise FourmError(f"{source}: {host} has no such revision") from None
    except EntryNotFoundError:
        raise FourmError(f"{source}: {host} has no {' or '.join(source.files)} there") from None
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403, 404):
            raise FourmError(
                f"{source}: {host} has no such repository, or only for some (`hf auth login` says who you are)"
            ) from None
        raise FourmError(f"{source}: {host} answers with error {status}; try again later") from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
            raise  # the disk, not the network
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _NETWORK:
            reason = printable(str(error).strip().partition("\n")[0] or type(error).__name__, 160)
            raise FourmError(f"{source}: {host} cannot be reached, or the connection broke ({reason})") from None
        raise
