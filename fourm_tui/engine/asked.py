"""What a run folder asks for, read back from its `run.json`: enough to run it, or to go on with it. Without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from fourm_tui.conditions.given import Given
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import ConditionRecord, ModelRecord, RunRecord
from fourm_tui.schedule.configs import DETOKENIZER_STEPS, ModelsConfig
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.overrides import override
from fourm_tui.schedule.rows import Schedule

Decode = Literal["all", "last", "none"]
"""Whose tokens a run makes pictures: of all targets, of the last one of each chain, or of none."""
TOGETHER = 32
"""Samples that are made at once, unless a job says otherwise."""


@dataclass(frozen=True)
class Asked:
    """A run as it was asked for."""

    schedule: Schedule
    models: ModelsConfig
    """Checkpoints by names that mean the same everywhere: Hub ids, or absolute paths."""
    given: Mapping[str, Given] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    device: str | None = None
    dtype: str | None = None
    sam_dense: int = 0
    title: str = ""
    preview_every: int = 0
    decode: Decode = "all"

    @classmethod
    def of(cls, record: RunRecord) -> Asked:
        """What a record says.

        Raises:
            InputError: it has no settings, or they cannot be read.
        """
        documents = [
            Document.parse(each.text, Path(each.file) if each.file else None)
            for role in ("settings", "sr")
            for each in record.settings
            if each.role == role
        ]
        if not documents:
            raise InputError("this run does not say its settings, so it cannot be run again")
        editor = Editor(documents)
        for assignment in record.overrides:
            override(editor, assignment)
        options = record.options
        return cls(
            editor.schedule,
            models_config(record.models, options),
            {each.name: given_of(each) for each in record.conditions},
            tuple(sample.seed for sample in record.samples),
            _text(options, "device"),
            _text(options, "dtype"),
            int(options.get("sam_dense") or 0),
            record.chain,
            int(options.get("preview_every") or 0),
            decode_of(options),
        )


def check_models(config: ModelsConfig, schedule: Schedule) -> None:
    """Whether models are named for all that a schedule does.

    Raises:
        InputError: one is not.
    """
    if config.model is None:
        raise InputError(
            "\n".join(config.notes)
            or "no model is given; name one with -c: a Hub id, a folder, a .safetensors file, a models config"
        )
    if schedule.super_resolution and config.sr_model is None:
        raise InputError("the schedule has a super-resolution chain; name its model in the models config (sr_model)")


def check_dense(passes: int, targets: Sequence[str]) -> None:
    """Whether dense instances, if any passes of them are asked for, come last in a chain.

    Raises:
        InputError: they do not.
    """
    if passes and (not targets or targets[-1] != "sam_instance"):
        raise InputError(
            "dense SAM instances are too many tokens to be a condition of later rows: make sam_instance the last row"
            if "sam_instance" in targets
            else "dense SAM instances need a row with the target sam_instance"
        )


def models_config(models: Mapping[str, ModelRecord], options: Mapping[str, Any]) -> ModelsConfig:
    """The models config that a run was started with, by what its record says of its checkpoints."""
    names = {role: f"{m.name}@{m.revision}" if m.revision else m.name for role, m in models.items()}
    return ModelsConfig(
        model=names.pop("model", None),
        sr_model=names.pop("sr_model", None),
        tokenizers=names,
        text_tokenizer=_text(options, "text_tokenizer"),
        detokenizer_steps=int(options.get("detokenizer_steps") or DETOKENIZER_STEPS),
        dtype=_text(options, "dtype"),
    )


def given_of(record: ConditionRecord) -> Given:
    """A condition as it was given.

    Raises:
        InputError: its options are not of this program.
    """
    options = dict(record.options)
    if isinstance(options.get("crop"), list):
        options["crop"] = tuple(options["crop"])
    path, mask = (Path(each) if each else None for each in (record.path, record.mask))
    try:
        return Given(record.name, record.text, path, mask, **options)
    except TypeError:
        raise InputError(f"{printable(record.name, 40)}: the run gives this condition options unknown here") from None


def decode_of(options: Mapping[str, Any]) -> Decode:
    """Whose tokens are made pictures, by the options of a record."""
    return next((each for each in get_args(Decode) if each == options.get("decode")), "all")


def _text(options: Mapping[str, Any], name: str) -> str | None:
    value = options.get(name)
    return value if isinstance(value, str) else None
