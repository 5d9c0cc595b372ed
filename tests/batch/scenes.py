"""Captions of the bundled model's world, and bulk runs over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fourm_tui.demo.scenes import caption, scenes
from fourm_tui.runs import read_tokens

SCHEDULE = "demo/T2R"
FEW_STEPS = ("--set", "decoding_steps=2")
ALONE = {"OMP_NUM_THREADS": "1"}


def captions(path: Path, count: int) -> Path:
    """A file with a caption a line."""
    path.write_text("".join(f"{caption(each)}\n" for each in scenes(0, count)))
    return path


def command(data: Path, out: Path, *more: str) -> list[str]:
    return ["batch", SCHEDULE, *FEW_STEPS, "--data", str(data), "--out", str(out), "--device", "cpu", *more]


def in_processes(words: Sequence[str], ranks: int = 1, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A bulk run in a process of its own, or in several under the launcher, one thread each."""
    launcher = ["torch.distributed.run", "--nproc_per_node", str(ranks), "-m"] if ranks > 1 else []
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, "fourm_tui", *words], env={**os.environ, **ALONE, **(env or {})},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def folder_of(out: Path) -> Path:
    (folder,) = (path for path in out.iterdir() if path.is_dir())
    return folder


def results(out: Path) -> dict[str, bytes]:
    """All that a run has made, by file; the manifest without what differs from run to run."""
    folder = folder_of(out)
    found = {
        path.relative_to(folder).as_posix(): content(path)
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0][:2].isdigit()
    }
    found["manifest"] = json.dumps([
        {name: value for name, value in json.loads(line).items() if name not in ("seconds", "rank")}
        for line in (folder / "manifest.jsonl").read_text().splitlines()
    ]).encode()  # fmt: skip
    return found


def content(path: Path) -> bytes:
    """Of a file; of tokens without their header, whose entries come in any order."""
    if path.suffix != ".safetensors":
        return path.read_bytes()
    found = read_tokens(path)
    return b"".join(array.tobytes() for array in (found.tokens, found.step, found.confidence))
