"""What this machine and this terminal can do, what is missing, and what mends it. Every check has a time limit, and one
that fails is a finding, never a traceback. Torch is asked in a process of its own."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fourm_tui.cores import multiplies_bf16, usable_cores
from fourm_tui.errors import printable
from fourm_tui.procfs import said_bytes

State = Literal["ok", "note", "missing", "wrong"]

TORCH_LIMIT = 60.0
"""Seconds: the first import from a network disk takes long."""
HUB_LIMIT = 2.0
DISK_LIMIT = 3.0


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    section: str
    what: str
    value: str
    state: State = "ok"
    """Note: works, could be better. Missing: something does not work before it is there. Wrong: nothing does."""
    fix: str = ""
    """A command, or lines for a file, that mend it."""


Check = Callable[[], list[Finding]]


def bounded(section: str, what: str, check: Check, seconds: float) -> list[Finding]:
    """The findings of a check; a finding that says so if it fails or takes too long."""
    found: list[Finding] = []

    def work() -> None:
        try:
            found.extend(check())
        except Exception as error:  # whatever it is, the other checks are to be seen
            found.append(
                Finding(section, what, f"could not be found out: {printable(error) or type(error).__name__}", "note")
            )

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        return [Finding(section, what, f"no answer within {seconds:.0f} s", "note")]
    return found


def examine(env: Mapping[str, str] = os.environ, runs: Path = Path("runs")) -> list[Finding]:
    """All findings about the machine; those about the terminal need the terminal and are made apart."""
    return [
        *bounded("machine", "python", _python, DISK_LIMIT),
        *bounded("machine", "processor", _processor, DISK_LIMIT),
        *bounded("machine", "torch", lambda: torch_findings(ask_torch()), TORCH_LIMIT + 5),
        *bounded("machine", "driver", _driver, 6.0),
        *bounded("files", "disks", lambda: _disks(runs), DISK_LIMIT),
        *bounded("files", "models", _models, DISK_LIMIT),
        *bounded("files", "text tokenizer", _text_tokenizer, DISK_LIMIT),
        *bounded("files", "Hub", lambda: _hub(env), HUB_LIMIT + 1.0),
    ]


# -- terminal ---------------------------------------------------------------------------------------------------


def terminal_findings(env: Mapping[str, str], choice: Any, answers: Any, window: tuple[int, int]) -> list[Finding]:
    """What the terminal is and what pictures get there.

    Args:
        choice, answers: of `fourm_tui.terminal`.
        window: columns and rows.
    """
    names = [f"{name}={printable(env[name], 60)}" for name in ("TERM", "TERM_PROGRAM", "COLORTERM") if env.get(name)]
    out = [Finding("terminal", "name", ", ".join(names) or "TERM is not set", "ok" if env.get("TERM") else "note")]
    where = [
        name for name, variable in (("tmux", "TMUX"), ("screen", "STY"), ("ssh", "SSH_CONNECTION")) if env.get(variable)
    ]
    out.append(Finding("terminal", "inside", ", ".join(where) or "neither tmux nor ssh"))
    columns, rows = window
    small = columns < 80 or rows < 24
    fix = "make the window 80x24 or larger" if small else ""
    out.append(Finding("terminal", "window", f"{columns} x {rows} cells", "note" if small else "ok", fix))
    poor = choice.colours != "truecolor" and answers.tty
    fix = "export COLORTERM=truecolor, if the terminal can (most do; ssh does not pass it on)" if poor else ""
    out.append(Finding("terminal", "colours", choice.colours, "note" if poor else "ok", fix))
    out.append(Finding("terminal", "pictures", f"{choice.protocol}: {printable(choice.reason)}"))
    known = "" if answers.cell else " (a guess, the terminal does not say)"
    out.append(Finding("terminal", "cell", f"{choice.cell[0]} x {choice.cell[1]} pixels{known}"))
    if env.get("TMUX"):
        out += tmux_findings(answers.tmux)
    return out


def tmux_findings(tmux: Any) -> list[Finding]:
    """What tmux keeps from the programs inside, and the lines for `~/.tmux.conf` that change it."""
    if tmux is None or not tmux.terminal:
        return [Finding("terminal", "tmux", "does not say what it is shown in", "note", "tmux attach, from a terminal")]
    out = []
    if "RGB" not in tmux.features:
        name = printable(tmux.terminal, 40)
        line = f"set -as terminal-features ',{name}:RGB'"
        out.append(Finding("terminal", "tmux", "passes on 256 colours only", "note", f"~/.tmux.conf: {line}"))
    if not tmux.passthrough:
        line = "set -g allow-passthrough on"
        out.append(Finding("terminal", "tmux", "keeps kitty's graphics to itself", "note", f"~/.tmux.conf: {line}"))
    return out or [Finding("terminal", "tmux", f"passes on colours and graphics to {printable(tmux.terminal, 40)}")]


# -- machine ----------------------------------------------------------------------------------------------------


def _python() -> list[Finding]:
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    return [Finding("machine", "python", f"{platform.python_version()} ({printable(sys.prefix)}), {printable(system)}")]


def _processor() -> list[Finding]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    available = said_bytes("meminfo", "MemAvailable")
    free = f", {available / 2**30:.1f} GiB of it free" if available is not None else ""
    bf16 = ", bf16" if multiplies_bf16() else ""
    return [Finding("machine", "processor", f"{usable_cores()} cores, {memory / 2**30:.1f} GiB memory{free}{bf16}")]


def ask_torch(limit: float = TORCH_LIMIT) -> dict[str, Any]:
    """`devices.describe()` of another process; `{"error": ...}` if that has none."""
    command = [sys.executable, "-P", "-m", "fourm_tui.devices"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False,
            env={**os.environ, "PYTHONPATH": _with_package()},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"error": f"did not answer within {limit:.0f} s; a driver that hangs looks like this"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _with_package() -> str:
    """PYTHONPATH with which another Python finds this very package."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(Path(__file__).parents[1]), *([given] if given else [])])


def torch_findings(said: Mapping[str, Any]) -> list[Finding]:
    """Torch and its devices, from what `ask_torch` got."""
    if "error" in said:
        fix = "pip install torch (for CUDA as pytorch.org says)"
        return [Finding("machine", "torch", printable(said["error"]), "wrong", fix)]
    built = f"CUDA {said['cuda']}" if said["cuda"] else "without CUDA"
    out = [Finding("machine", "torch", f"{printable(said['torch'], 60)}, {printable(built, 40)}")]
    for device in said["devices"]:
        parts = [printable(device["name"], 60)]
        if device["bytes"]:
            parts.append(f"{device['bytes'] / 2**30:.1f} GiB, {device['free'] / 2**30:.1f} free")
        if device["bf16"] is not None:
            parts.append("bf16" if device["bf16"] else "no bf16")
        slow = device["bf16"] is False
        fix = "--dtype fp16 (or fp32) on this one" if slow else ""
        out.append(Finding("machine", printable(device["device"], 20), ", ".join(parts), "note" if slow else "ok", fix))
    if said.get("problem"):
        out.append(Finding("machine", "device", printable(said["problem"]), "note"))
    if not said["devices"]:
        fix = "--dtype bf16 should be faster than fp32 on this one" if multiplies_bf16() else ""
        no_gpu = "no GPU that torch can use: everything runs on the processor"
        out.append(Finding("machine", "device", no_gpu, "note", fix))
    return out


def _driver() -> list[Finding]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5, check=False)
    if done.returncode or not done.stdout.strip():
        said = (done.stdout + done.stderr).strip().partition("\n")[0]
        return [
            Finding("machine", "driver", f"nvidia-smi fails: {printable(said)}", "note", "ask who runs the machine")
        ]
    return [Finding("machine", "driver", f"NVIDIA {printable(done.stdout.split()[0], 40)}")]


# -- files ------------------------------------------------------------------------------------------------------


def _disks(runs: Path) -> list[Finding]:
    from fourm_tui.hub import hub_cache, size_text

    out = []
    for what, path in (("Hub's cache", hub_cache()), ("runs", runs.absolute())):
        there = next(place for place in (path, *path.parents) if place.exists())
        free = shutil.disk_usage(there).free
        writable = os.access(there, os.W_OK)
        low = free < 5e9
        value = f"{printable(path)}, {size_text(free)} free" + ("" if writable else ", not writable")
        fix = "make room, or set HF_HUB_CACHE to a folder on another disk" if low and what != "runs" else ""
        if not writable:
            fix = "set HF_HUB_CACHE to a folder of your own" if what != "runs" else "--out FOLDER, or start elsewhere"
        out.append(Finding("files", what, value, "ok" if writable and not low else "note", fix))
    return out


def _models() -> list[Finding]:
    from fourm_tui.hub import cached, published_sources, size_text

    here = {source: have for source in published_sources().values() if (have := cached(source)) and have.complete}
    count = {kind: sum(source.kind == kind for source in here) for kind in ("model", "tokenizer")}
    size = size_text(sum(have.bytes for have in here.values()))
    value = f"{count['model']} models and {count['tokenizer']} tokenizers of those published, {size}"
    fix = "" if count["model"] else "fourm-tui models pull all-of 4M-7_B_CC12M"
    return [Finding("files", "models", value, "ok" if count["model"] else "missing", fix)]


def _text_tokenizer() -> list[Finding]:
    from fourm_tui.hub import TEXT_TOKENIZER, cached, published_sources

    have = cached(published_sources()[TEXT_TOKENIZER])
    if have and have.complete:
        return [Finding("files", "text tokenizer", "is here")]
    return [Finding("files", "text tokenizer", "is not here", "missing", f"fourm-tui models pull {TEXT_TOKENIZER}")]


def _hub(env: Mapping[str, str]) -> list[Finding]:
    from fourm_tui.hub import is_offline

    if is_offline():
        return [Finding("files", "Hub", "not asked, HF_HUB_OFFLINE is set", fix="unset HF_HUB_OFFLINE to download")]
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url

    from fourm_tui.checkpoints import CONFIG_FILE
    from fourm_tui.published import MODELS

    host = printable(constants.ENDPOINT)
    url = hf_hub_url(next(iter(MODELS)), CONFIG_FILE, endpoint=constants.ENDPOINT)
    try:
        get_hf_file_metadata(url, timeout=HUB_LIMIT)
    except Exception as error:  # which ones depends on the version of the Hub's client and its HTTP library
        reason = printable(str(error).strip().partition("\n")[0] or type(error).__name__, 100)
        proxied = " through the proxy" if env.get("https_proxy") or env.get("HTTPS_PROXY") else ""
        fix = "look at the network or proxy, or set HF_ENDPOINT to a mirror"
        return [Finding("files", "Hub", f"{host} cannot be reached{proxied} ({reason})", "note", fix)]
    return [Finding("files", "Hub", f"{host} answers")]
