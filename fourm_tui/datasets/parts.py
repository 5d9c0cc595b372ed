"""One value of one sample: a file, a part of a shard, or a text."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fourm_tui.conditions.files import LARGEST_JSON, LARGEST_TEXT, read_text
from fourm_tui.errors import InputError, printable

LARGEST_MEMBER = 2**29
"""Bytes of a member of a shard that is read."""


class Part(Protocol):
    """A value, wherever it is."""

    @property
    def ending(self) -> str:
        """How its file name ends: `.json.gz`; empty for a literal text."""

    @property
    def shown(self) -> str:
        """Where it is, for messages."""

    def text(self) -> str:
        """As text.

        Raises:
            InputError: it cannot be read, is too large, or is no text in UTF-8.
        """

    def file(self) -> AbstractContextManager[Path]:
        """As a file that can be opened as long as the context lasts.

        Raises:
            InputError: it cannot be read or is too large, or it is a literal text.
        """


@dataclass(frozen=True)
class FilePart:
    """A file of the user's."""

    path: Path
    ending: str

    @property
    def shown(self) -> str:
        return printable(self.path, 400)

    def text(self) -> str:
        return read_text(self.path, self.shown)

    @contextmanager
    def file(self) -> Iterator[Path]:
        yield self.path


@dataclass(frozen=True)
class TextPart:
    """A literal text: a line, the cell of a table, a value in JSON."""

    literal: str
    shown: str
    ending: str = ""
    """`.json` where the text is JSON."""

    def text(self) -> str:
        check_text(self.literal, self.shown)
        return self.literal.strip()

    def file(self) -> AbstractContextManager[Path]:
        raise InputError(f"{self.shown} is a text; expected is the path of a file")


@dataclass(frozen=True)
class MemberPart:
    """A member of a tar shard, read where it lies."""

    shard: Path
    shard_size: int
    """Of the shard when it was indexed, in bytes."""
    start: int
    """In bytes from the beginning of the shard."""
    size: int
    member: str
    ending: str

    @property
    def shown(self) -> str:
        return f"{printable(self.shard, 400)}: {printable(self.member, 200)}"

    def content(self, limit: int = LARGEST_MEMBER) -> bytes:
        if not self.size:
            raise InputError(f"{self.shown} is an empty file")
        if self.size > limit:
            raise InputError(f"{self.shown} has {self.size} bytes, more than {limit // 2**20} MiB")
        try:
            descriptor = os.open(self.shard, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                if os.fstat(descriptor).st_size != self.shard_size:
                    raise InputError(f"{printable(self.shard, 400)} was changed since it was opened")
                found = bytearray()
                while len(found) < self.size:
                    piece = os.pread(descriptor, self.size - len(found), self.start + len(found))
                    if not piece:
                        raise InputError(f"{self.shown} is cut off")
                    found += piece
            finally:
                os.close(descriptor)
        except OSError as error:
            raise InputError(f"{self.shown} cannot be read: {printable(error.strerror or error)}") from None
        return bytes(found)

    def text(self) -> str:
        limit = LARGEST_JSON if ".json" in self.ending else LARGEST_TEXT
        content = self.content(limit)
        if self.ending.endswith(".gz"):
            content = _unpacked(content, limit, self.shown)
        try:
            text = content.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise InputError(f"{self.shown} is no text in UTF-8") from None
        return text

    @contextmanager
    def file(self) -> Iterator[Path]:
        # The member's own name is never used: it may say anything.
        content = self.content()
        try:
            folder = tempfile.TemporaryDirectory(prefix="fourm-")
            path = Path(folder.name) / f"member{self.ending}"
            path.write_bytes(content)
        except OSError as error:
            raise InputError(f"{self.shown}: no temporary file can be written: {printable(error)}") from None
        with folder:
            yield path


def check_text(text: str, where: str) -> None:
    """Lets a text pass that was read with `surrogateescape`.

    Raises:
        InputError: it was no UTF-8, or holds NUL characters.
    """
    if "\0" in text:
        raise InputError(f"{where} holds a NUL character, as no text does")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{where} is no text in UTF-8") from None


def _unpacked(content: bytes, limit: int, where: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            found = packed.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{where} cannot be read: {printable(error, 100)}") from None
    if len(found) > limit:
        raise InputError(f"{where} is larger than a text of {limit // 2**20} MiB")
    return found
