"""What is chosen for a run beside its schedule: seed, variations, device, number type, decoding, super-resolution.

Without Textual. Each option has a name, what it is now, what may be typed, and what a step makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from fourm_tui.chain.variations import MOST_VARIATIONS, check_variations
from fourm_tui.engine.asked import Decode
from fourm_tui.errors import InputError, printable
from fourm_tui.paths import schedules_dir
from fourm_tui.schedule.columns import SCHEDULE_KEYS
from fourm_tui.schedule.configs import DETOKENIZER_STEPS
from fourm_tui.schedule.document import Document
from fourm_tui.tui.settings import Settings
from fourm_tui.tui.workspace import Workspace

OFF = "off"
AUTO = "auto"
DEFAULT = "default"
_DTYPES = (DEFAULT, "bf16", "fp32", "fp16")
CYCLED: Mapping[str, tuple[str, ...]] = {"dtype": _DTYPES, "decode": get_args(Decode)}
"""Options with few values, by name; the first is the default."""
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:[0-9]{1,3})?")


@dataclass(frozen=True)
class RunOption:
    """Something that is chosen for runs."""

    name: str
    title: str
    about: str
    least: int | None = None
    """The least whole number; None: it is no number."""
    most: int = 2**63 - 1


RUN_OPTIONS: tuple[RunOption, ...] = (
    RunOption("seed", "seed", "The same seed makes the same picture; variations have seeds that follow from it.", 0),
    RunOption("num_variations", "variations", "How many are made of the same conditions; many, some at a time.", 1,
              MOST_VARIATIONS),
    RunOption("device", "device", "auto takes a GPU if there is one; else cpu, mps, cuda or cuda:1."),
    RunOption("dtype", "number type", "The default is bf16 on CUDA and fp32 elsewhere."),
    RunOption("detokenizer_steps", "decoding steps",
              "Diffusion steps that make a picture of tokens: more is finer and slower.", 1),
    RunOption("decode", "decode",
              "Whose tokens become pictures: all targets', the last of each chain's, or none; others stay tokens."),
    RunOption("preview_every", "preview every",
              "A decoded picture of the unfinished target after every so many steps; 0: only when it is done.", 0),
    RunOption("sam_dense", "dense SAM",
              "Passes over sam_instance, each for objects not found before; 0: one plain pass.", 0),
    RunOption("sr", "super-resolution",
              "A second chain that goes on from 224 to 448 pixels; Enter lists the ready-made ones."),
)  # fmt: skip
"""In the order of the form."""

_BY_NAME: Mapping[str, RunOption] = {each.name: each for each in RUN_OPTIONS}


def run_option(name: str) -> RunOption:
    return _BY_NAME[name]


# -- what there is ------------------------------------------------------------------------------------------------


def shown(workspace: Workspace, settings: Settings, name: str) -> str:
    """An option as it is now."""
    options = workspace.state.options
    if name == "seed":
        return str(workspace.seed)
    if name == "num_variations":
        return str(workspace.variations)
    if name == "device":
        return printable(options.get("device") or AUTO, 20)
    if name in CYCLED:
        return printable(options.get(name) or CYCLED[name][0], 20)
    if name == "sam_dense":
        return str(options.get("sam_dense") or 0)
    if name == "preview_every":
        return str(settings.preview_every)
    if name == "detokenizer_steps":
        return str(_detokenizer_steps(workspace))
    part = workspace.schedule.super_resolution
    if part is None:
        return OFF
    document = _sr_document(workspace)
    return printable(document.path.stem, 40) if document and document.path else "in the settings file"


def is_own(workspace: Workspace, settings: Settings, name: str) -> bool:
    """Whether it differs from what holds where nothing is chosen."""
    plain = {
        "seed": "0", "num_variations": "1", "device": AUTO, "sam_dense": "0", "sr": OFF,
        **{name: values[0] for name, values in CYCLED.items()},
        "detokenizer_steps": str(DETOKENIZER_STEPS), "preview_every": str(Settings().preview_every),
    }  # fmt: skip
    return shown(workspace, settings, name) != plain[name]


def _detokenizer_steps(workspace: Workspace) -> int:
    try:
        return workspace.inputs.models.detokenizer_steps
    except InputError:  # the models are not to be had; the files say it all the same
        found = workspace.schedule.settings.get("detokenizer_steps")
        return found if isinstance(found, int) else DETOKENIZER_STEPS


# -- changes ------------------------------------------------------------------------------------------------------


def read_option(name: str, text: str) -> str | int:
    """What was typed.

    Raises:
        InputError: it is no value of this option; the message says what is.
    """
    option, text = _BY_NAME[name], text.strip()
    if option.least is not None:
        if not (text.isascii() and text.isdecimal()) or not option.least <= int(text[:30]) < 2**63:
            raise InputError(
                f"{option.title}: {printable(text, 30) or 'nothing'} is no whole number from {option.least} on"
            )
        if name == "num_variations":
            check_variations(int(text))
        return int(text)
    if name == "device" and not _DEVICE.fullmatch(text):
        raise InputError(f"device: {printable(text, 30) or 'nothing'} is none; write auto, cpu, mps, cuda or cuda:1")
    if name in CYCLED and text not in CYCLED[name]:
        raise InputError(f"{option.title}: {printable(text, 30) or 'nothing'} is none; write {', '.join(CYCLED[name])}")
    return text


def put_option(workspace: Workspace, name: str, value: str | int) -> None:
    """Chooses a value of an option that belongs to the workspace, as one step that can be undone.

    Raises:
        InputError: it cannot be had.
    """
    if name == "detokenizer_steps":
        workspace.edit("decoding steps", lambda editor: editor.set_chain("detokenizer_steps", value))
    elif name == "sr":
        choose_sr(workspace, None if value == OFF else Path(str(value)))
    elif name == "device" or name in CYCLED:
        workspace.set_option(name, None if value == (CYCLED[name][0] if name in CYCLED else AUTO) else value)
    else:
        workspace.set_option(name, None if name == "sam_dense" and value == 0 else value)


def next_option(workspace: Workspace, settings: Settings, name: str, by: int) -> str | int | None:
    """The value a step up or down; None where there are no steps."""
    now, least = shown(workspace, settings, name), _BY_NAME[name].least
    if least is not None:
        return min(max(least, int(now) + by), _BY_NAME[name].most)
    every = (AUTO, "cpu", "cuda:0") if name == "device" else CYCLED.get(name)
    if every is not None:
        return every[((every.index(now) if now in every else 0) + by) % len(every)]
    return None


# -- super-resolution ---------------------------------------------------------------------------------------------


def sr_schedules() -> tuple[Path, ...]:
    """The ready-made super-resolution schedules."""
    return tuple(sorted((schedules_dir() / "settings_sr").glob("*.yaml")))


def choose_sr(workspace: Workspace, path: Path | None) -> None:
    """Adds a super-resolution chain from a settings file in place of the one there is; None takes it away.

    Raises:
        InputError: the file cannot be read or has no such chain, or the present chain stands in the settings file.
    """
    documents = workspace.state.documents
    present = _sr_document(workspace)
    if present is None and workspace.schedule.super_resolution is not None:
        raise InputError("the super-resolution chain stands in the settings file itself; edit it there (key e)")
    kept = tuple(each for each in documents if each is not present)
    if path is None:
        workspace.put(replace(workspace.state, documents=kept), "no super-resolution")
        return
    document = Document.read(path)
    if not any(key.startswith("sr_") and key in SCHEDULE_KEYS for key in document.keys()):  # noqa: SIM118
        raise InputError(f"{printable(path)}: has no super-resolution chain; its keys begin with sr_")
    workspace.put(replace(workspace.state, documents=(*kept, document)), f"super-resolution {path.stem}")


def _sr_document(workspace: Workspace) -> Document | None:
    """The file that has nothing but the super-resolution chain; None if there is none of its own."""
    for document in workspace.state.documents[1:]:
        keys = [key for key in document.keys() if key in SCHEDULE_KEYS and key != "name"]  # noqa: SIM118
        if keys and all(key.startswith("sr_") for key in keys):
            return document
    return None
