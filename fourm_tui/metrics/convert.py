"""`python -m fourm_tui.metrics.convert FILE.pth [OUT.safetensors]`: Inception's published weights, once and for all.

This is the one place that opens a pickle. It is run by hand, for one file whose hash is known and compared before
anything of it is read, and with PyTorch's restricted reader, which builds tensors and nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.metrics.weights import INCEPTION_FILE, INCEPTION_HASH, INCEPTION_URL, weights_dir


def convert(source: Path, target: Path, expected: str = INCEPTION_HASH) -> None:
    """Writes the tensors of a `.pth` file as safetensors.

    Args:
        expected: how the SHA-256 of the file begins.

    Raises:
        InputError: the file cannot be read, is another one, or holds more than tensors.
        FourmError: the result cannot be written.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        with source.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{printable(source)}: cannot be read: {error.strerror or error}") from None
    if not found.startswith(expected):
        raise InputError(
            f"{printable(source)}: is not the published file (its SHA-256 begins with {found[:8]}, not {expected}); "
            f"get {INCEPTION_URL}"
        )
    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(f"{printable(source)}: cannot be read: {printable(error, 150)}") from None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"{printable(source)}: holds something else than tensors by name")
    tensors = {str(name): value.contiguous().clone() for name, value in state.items()}
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, beside, metadata={"source": source.name, "sha256": found})
        beside.replace(target)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            beside.unlink()
        raise FourmError(f"{printable(target)}: cannot be written: {printable(error, 150)}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fourm_tui.metrics.convert",
        description=f"Makes the safetensors file that FID and Inception Score need of {INCEPTION_URL}",
    )
    parser.add_argument("file", type=Path, metavar="FILE.pth")
    parser.add_argument(
        "out", type=Path, nargs="?", default=weights_dir() / INCEPTION_FILE, metavar="OUT.safetensors",
        help="where to write it (default: %(default)s)",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    try:
        convert(given.file, given.out)
    except FourmError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{printable(given.out)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
