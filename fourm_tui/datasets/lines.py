"""Text files, read line by line, with limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fourm_tui.conditions.files import LARGEST_JSON, open_file
from fourm_tui.errors import InputError, printable


def read_lines(path: Path, longest: int = LARGEST_JSON) -> Iterator[tuple[int, int, str]]:
    """The number from 1, the place in bytes, and the text of each line. What is no UTF-8 comes as lone surrogates, so
    that it is the line that is broken and not the file.

    Raises:
        InputError: the file cannot be read, is empty, or a line is too long.
    """
    where = printable(path, 400)
    with open_file(path, where) as file:
        number, place = 0, 0
        try:
            while content := file.readline(longest + 1):
                number += 1
                if len(content) > longest:
                    raise InputError(f"{where}, line {number} is longer than {longest // 2**20} MiB")
                yield number, place, decoded(content, number == 1)
                place += len(content)
        except OSError as error:
            raise InputError(f"{where} cannot be read: {printable(error.strerror or error)}") from None


def decoded(content: bytes, first: bool = False) -> str:
    text = content.decode("utf-8", "surrogateescape")
    return text.removeprefix("\ufeff") if first else text
