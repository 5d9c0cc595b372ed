"""The members of a tar file by place and size. Nothing is unpacked, and what a name says is never done.

The header is that of POSIX.1-1988 (ustar), with GNU's long names and sizes and the pax records of POSIX.1-2001.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fourm_tui.conditions.files import open_file
from fourm_tui.errors import InputError, printable

BLOCK = 512
LARGEST_RECORD = 2**20
"""Bytes of a long name or of pax records."""

_OCTAL = re.compile(rb" *([0-7]*)(?:[ \0]|\Z)")
_END = bytes(BLOCK)
_NEAR, _AHEAD = 2**15, 2**18
_FILES = b"0\0" + b"7"
_FOLDER = b"5"
_WITHOUT_CONTENT = b"123456"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"


@dataclass(frozen=True)
class Member:
    """An ordinary file in a tar file."""

    name: str
    start: int
    """Of its content, in bytes from the beginning of the tar file."""
    size: int


@dataclass
class Report:
    """What a tar file was like, filled while its members are read."""

    size: int = 0
    """Bytes of the file."""
    damage: str = ""
    """Why reading ended before the end; empty if it did not."""
    others: int = 0
    """Members that are no files: links, devices, pipes."""
    odd: list[str] = field(default_factory=list)
    """Names that lead out of a folder or hold control characters."""


class _DamageError(Exception):
    """The bytes are none of a tar file."""


def members(path: Path, report: Report) -> Iterator[Member]:
    """The files in a tar file, in their order; where it is damaged or cut off, those before, and the report says so."""
    try:
        file = open_file(path, "it")
    except InputError as error:
        report.damage = str(error)
        return
    with file:
        descriptor = file.fileno()
        report.size = os.fstat(descriptor).st_size
        try:
            yield from _members(descriptor, report)
        except _DamageError as error:
            report.damage = str(error)
        except OSError as error:
            report.damage = f"it cannot be read: {printable(error.strerror or error)}"


class _Headers:
    """Reads headers: many at once where members are small, only themselves where they are far apart."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._content = b""
        self._start = 0

    def at(self, place: int) -> bytes:
        """The block at a place; less at the end of the file."""
        offset = place - self._start
        if offset + BLOCK > len(self._content):
            near = offset - len(self._content) < _NEAR
            self._content = os.pread(self._descriptor, _AHEAD if near else BLOCK, place)
            self._start, offset = place, 0
        return self._content[offset : offset + BLOCK]


def _members(descriptor: int, report: Report) -> Iterator[Member]:
    place, headers = 0, _Headers(descriptor)
    name: str | None = None
    length: int | None = None
    while True:
        header = headers.at(place)
        if not header:
            raise _DamageError("it ends without an end mark, and may be cut off")
        if header == _END:
            return
        if len(header) < BLOCK:
            raise _DamageError(f"it is cut off at byte {place:,}")
        _check_sum(header, place)
        kind, size = header[156:157], _number(header[124:136], place)
        start = place + BLOCK
        if kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL):
            content = _record(descriptor, start, size, place)
            if kind == _LONG_NAME:
                name = _text(content)
            elif kind == _PAX:
                found = _pax(content, place)
                name = _text(found[b"path"]) if b"path" in found else name
                length = _decimal(found[b"size"], place) if b"size" in found else length
        else:
            size = 0 if kind in _WITHOUT_CONTENT else size if length is None else length
            if kind not in _FILES and kind != _FOLDER:
                report.others += 1
            if start + size > report.size:
                raise _DamageError(
                    f"it is cut off, or its header at byte {place:,} is damaged: a member has {size:,} bytes"
                )
            shown = name if name is not None else _short_name(header)
            if kind in _FILES and not shown.endswith("/"):
                if _is_odd(shown):
                    report.odd.append(shown)
                yield Member(shown, start, size)
            name, length = None, None
        place = start + -(-size // BLOCK) * BLOCK


def _check_sum(header: bytes, place: int) -> None:
    found = _number(header[148:156], place)
    if found != sum(header) - sum(header[148:156]) + 8 * 32:
        raise _DamageError(f"at byte {place:,} is no header of a member")


def _number(content: bytes, place: int) -> int:
    """Octal digits, or binary after a byte of 0x80, as GNU writes large ones."""
    if content[0] == 0x80:
        return int.from_bytes(content[1:], "big")
    found = _OCTAL.match(content)
    if found is None:
        raise _DamageError(f"at byte {place:,} is no header of a member")
    return int(found[1] or b"0", 8)


def _decimal(content: bytes, place: int) -> int:
    if not content.isdigit() or len(content) > 20:
        raise _DamageError(f"the pax records at byte {place:,} are damaged")
    return int(content)


def _record(descriptor: int, start: int, size: int, place: int) -> bytes:
    if size > LARGEST_RECORD:
        raise _DamageError(f"the header at byte {place:,} has a name of {size:,} bytes")
    content = os.pread(descriptor, size, start)
    if len(content) < size:
        raise _DamageError(f"it is cut off at byte {start:,}")
    return content


def _pax(content: bytes, place: int) -> dict[bytes, bytes]:
    """The records `LENGTH KEY=VALUE\\n`."""
    found, at = {}, 0
    while at < len(content) and content[at]:
        blank = content.find(b" ", at, at + 12)
        if blank < 0:
            raise _DamageError(f"the pax records at byte {place:,} are damaged")
        length = _decimal(content[at:blank], place)
        key, equals, value = content[blank + 1 : at + length].partition(b"=")
        if not equals or not value.endswith(b"\n") or at + length > len(content):
            raise _DamageError(f"the pax records at byte {place:,} are damaged")
        found[key] = value[:-1]
        at += length
    return found


def _short_name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(content: bytes) -> str:
    return content.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _is_odd(name: str) -> bool:
    if name.isascii() and name.isprintable() and ".." not in name:
        return name.startswith("/")
    return name.startswith("/") or ".." in name.split("/") or printable(name, len(name) + 1) != name
