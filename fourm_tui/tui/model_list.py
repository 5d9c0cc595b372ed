"""The models that can be chosen: in the box, published, named by configs; what of each is on this machine, what it
lacks for a schedule, and what is to be fetched. Without Textual; never asks the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fourm_tui.architecture import Architecture
from fourm_tui.chain.inputs import find_all, models_of
from fourm_tui.checkpoints import BUNDLED, Checkpoint
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.hub import TEXT_TOKENIZER, Source, cached, named, published_sources, size_text
from fourm_tui.modalities import MODALITIES
from fourm_tui.paths import schedules_dir
from fourm_tui.published import MODELS, OWNER
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.rows import Schedule


@dataclass(frozen=True)
class ModelEntry:
    """A model, or a config of several checkpoints, for one schedule."""

    name: str
    """As `-c` takes it."""
    title: str
    group: str
    bytes: int = 0
    """Of what the schedule needs of it: the model and its tokenizers."""
    missing: tuple[Source, ...] = ()
    """What of that is not on this machine."""
    missing_bytes: int = 0
    partial_bytes: int = 0
    """Of unfinished downloads of it."""
    lacks: tuple[str, ...] = ()
    """Modalities of the schedule that it does not have."""
    problem: str = ""
    """Why it cannot be taken; empty if it can."""

    @property
    def state(self) -> str:
        """What of it is here, in few words."""
        if self.problem:
            return "cannot be read"
        if not self.missing:
            return "here"
        if self.partial_bytes and self.missing_bytes:
            return (
                f"{min(99, 100 * self.partial_bytes // self.missing_bytes)} % of {size_text(self.missing_bytes)} here"
            )
        return f"{size_text(self.missing_bytes or None)} to fetch"


def model_entries(schedule: Schedule, documents: Sequence[Document]) -> tuple[ModelEntry, ...]:
    """All that can be listed. Reads the Hub's cache on the disk: not for the event loop."""
    names = [(BUNDLED, BUNDLED, "in the box")]
    names += [
        (model.id.removeprefix(f"{OWNER}/"), model.id.removeprefix(f"{OWNER}/"), "published")
        for model in MODELS.values()
        if model.family != "4M-7-SR"  # goes with the others
    ]
    names += [
        (str(path), path.stem, "configs")
        for path in sorted((schedules_dir() / "models").glob("*.yaml"))
        if path.stem != BUNDLED
    ]
    return tuple(model_entry(name, schedule, documents, title, group) for name, title, group in names)


def model_entry(
    name: str, schedule: Schedule, documents: Sequence[Document], title: str = "", group: str = "yours"
) -> ModelEntry:  # fmt: skip
    """One model, by whatever `-c` takes: a name, a folder, a weights file, a config."""
    title = title or printable(name, 60)
    try:
        config, models = models_of(name, schedule, documents)
        base = config.path.parent if config and config.path else None
        checkpoints = find_all(models, base)
        lacks = tuple(_lacks(schedule, checkpoints.get("model"), checkpoints.get("sr_model")))
    except FourmError as error:
        return ModelEntry(name, title, group, problem=str(error))
    needed = [each for role, each in checkpoints.items() if role in _roles(schedule)]
    missing = [each for each in needed if each.weights is None]
    sources = list(dict.fromkeys(source for each in missing if (source := _source(each)) is not None))
    text = published_sources()[TEXT_TOKENIZER]
    if any(each.name.startswith(f"{OWNER}/") for each in needed) and not models.text_tokenizer:
        have = cached(text)
        if have is None or not have.complete:
            sources.append(text)
    partial = sum(have.partial_bytes for source in sources if (have := cached(source)) is not None)
    return ModelEntry(
        name, title, group, sum(each.bytes or 0 for each in needed), tuple(sources),
        sum(each.bytes or 0 for each in missing), partial, lacks,
    )  # fmt: skip


def _source(checkpoint: Checkpoint) -> Source | None:
    """Where a checkpoint is fetched from; None for a path."""
    if checkpoint.is_path:
        return None
    return named(checkpoint.name + (f"@{checkpoint.revision}" if checkpoint.revision else ""))


def _roles(schedule: Schedule) -> frozenset[str]:
    """What a run of the schedule loads: models, and tokenizers of the modalities it uses."""
    used = {name for part in schedule.parts for name in (*part.conditions, *(row.target for row in part.rows))}
    keys = {modality.tokenizer_key for name in used if (modality := MODALITIES.get(name)) and modality.tokenizer_key}
    models = {"model", "sr_model"} if schedule.super_resolution else {"model"}
    return frozenset(keys | models)


def _lacks(schedule: Schedule, model: Checkpoint | None, sr_model: Checkpoint | None) -> Iterable[str]:
    """Modalities of the schedule that its model does not take or does not make, each once."""
    found: dict[str, None] = {}
    for part in schedule.parts:
        checkpoint = sr_model if part.prefix else model
        if checkpoint is None or checkpoint.config is None:
            continue
        known = Architecture.from_config(checkpoint.config, checkpoint.name)
        if not part.all_base_conditions:
            found |= dict.fromkeys(name for name in part.conditions if name not in known.inputs)
        found |= dict.fromkeys(row.target for row in part.rows if row.target not in known.outputs)
    return found


def typed_name(text: str) -> str:
    """A name or a path as it was typed, `~` resolved.

    Raises:
        InputError: nothing was typed.
    """
    text = text.strip()
    if not text:
        raise InputError("write a model's name, or the path of a folder, a weights file or a config")
    return str(Path(text).expanduser()) if text.startswith("~") else text
