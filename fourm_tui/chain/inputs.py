"""What a chain is made of: settings files read, checkpoints found, conditions parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fourm_tui.architecture import Architecture
from fourm_tui.checkpoints import BUNDLED, Checkpoint, find_checkpoint
from fourm_tui.conditions.given import Given, parse_conditions
from fourm_tui.errors import printable
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.paths import schedules_dir
from fourm_tui.published import find, sr_model_for, tokenizers_for
from fourm_tui.schedule.configs import DataConfig, ModelsConfig, read_data, read_models
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.overrides import override
from fourm_tui.schedule.rows import Schedule
from fourm_tui.schedule.shipped import find_file


@dataclass(frozen=True)
class Inputs:
    """All that the options name, read; nothing is loaded yet."""

    editor: Editor
    """The settings, overrides applied, to be looked at (`.schedule`) or edited."""
    models: ModelsConfig
    data: DataConfig | None
    checkpoints: Mapping[str, Checkpoint] = field(default_factory=dict)
    """By role: `model`, `sr_model`, and the keys of the tokenizers."""
    given: Mapping[str, Given] = field(default_factory=dict)
    config: Document | None = None
    """The models config, if one was given."""
    files: tuple[Document, ...] = ()
    """The settings files as they are on disk."""
    overrides: tuple[str, ...] = ()
    """`KEY=VALUE`, applied to them."""

    @property
    def base(self) -> Path | None:
        """The folder of the models config: paths in it are also looked for there."""
        return self.config.path.parent if self.config and self.config.path else None

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """The table of modalities as the base model sees it."""
        architecture = self.architecture()
        return architecture.modalities if architecture else MODALITIES

    def architecture(self, role: str = "model") -> Architecture | None:
        """What the checkpoint in a role (`model`, `sr_model`) is made of; None if that is not known yet."""
        checkpoint = self.checkpoints.get(role)
        if checkpoint is None or checkpoint.config is None:
            return None
        return Architecture.from_config(checkpoint.config, checkpoint.name)


def read_inputs(
    settings: str,
    *,
    sr: str | None = None,
    data: str | None = None,
    models: str | None = None,
    conditions: Iterable[str] = (),
    overrides: Iterable[str] = (),
) -> Inputs:
    """Reads files and finds their checkpoints.

    Args:
        settings, sr, data: files, or names of ready-made ones.
        models: a models config, Hub id, folder or weights file; None: as `models_of` says.
        conditions: `NAME=VALUE`.
        overrides: `KEY=VALUE`, applied to the settings in their order.

    Raises:
        InputError: a file, a checkpoint or a value is wrong.
    """
    documents = [Document.read(find_file(name)) for name in (settings, sr) if name]
    editor = Editor(documents)
    overrides = tuple(overrides)
    for assignment in overrides:
        override(editor, assignment)
    data_file = Document.read(find_file(data)) if data else None
    files = [document for document in (data_file, *editor.documents) if document is not None]
    config, found = models_of(models, editor.schedule, files)
    base = config.path.parent if config and config.path else None
    return Inputs(
        editor,
        found,
        read_data([*([config] if config else []), *files]) if data else None,
        find_all(found, base),
        parse_conditions(conditions, MODALITIES),
        config,
        tuple(documents),
        overrides,
    )


def models_of(
    name: str | None, schedule: Schedule, files: Sequence[Document]
) -> tuple[Document | None, ModelsConfig]:  # fmt: skip
    """The checkpoints that `-c` names, and the config that it names them in, if it is one.

    Args:
        name: as given; None: what the files name, else the model in the box if it has all that the schedule needs.
        files: whose values win over the config's.
    """
    models = read_models(files)
    if name is None and models.model is None:
        lacking = _lacking(schedule)
        if lacking:
            return None, replace(models, notes=(*models.notes, _no_model(lacking)))
        name = BUNDLED
    if name is None:
        return None, models
    if name == BUNDLED:
        name = str(schedules_dir() / "models" / f"{BUNDLED}.yaml")
    if is_yaml(file := find_file(name)):
        config = Document.read(file)
        return config, read_models([config, *files])
    return None, _published(name, models, with_sr=schedule.super_resolution is not None)


def _lacking(schedule: Schedule) -> list[str]:
    """Modalities of a schedule that the model in the box does not have."""
    config = find_checkpoint(BUNDLED).config
    assert config is not None
    known = Architecture.from_config(config, BUNDLED)
    used = [name for part in schedule.parts for name in (*part.conditions, *(row.target for row in part.rows))]
    return [name for name in dict.fromkeys(used) if name not in (*known.inputs, *known.outputs)]


def _no_model(lacking: list[str]) -> str:
    names = ", ".join(printable(name, 40) for name in lacking)
    return f"no model is named, and the one in the box does not have {names}; name one with -c, such as 4M-7_B_CC12M"


def is_yaml(file: Path) -> bool:
    """Whether a file is a config, by its name."""
    return file.suffix.lower() in (".yaml", ".yml")


def _published(name: str, models: ModelsConfig, *, with_sr: bool) -> ModelsConfig:
    """A bare published id brings its tokenizers and, for super-resolution, the model that goes with it."""
    published = find(name.partition("@")[0])
    if published is None:
        return replace(models, model=name)
    sr_model = sr_model_for(published.id) if with_sr else None
    tokenizers = {tokenizer.key: tokenizer.id for tokenizer in tokenizers_for(published.id)}
    return replace(
        models,
        model=name,
        sr_model=models.sr_model or (sr_model.id if sr_model else None),
        tokenizers={**tokenizers, **models.tokenizers},
    )


def find_all(models: ModelsConfig, base: Path | None) -> dict[str, Checkpoint]:
    """The checkpoints that a config names, by their role (`model`, `sr_model`, keys of tokenizers).

    Args:
        models: the config.
        base: the folder of its file: paths in it are also looked for there.
    """
    names = {"model": models.model, "sr_model": models.sr_model, **models.tokenizers}
    return {role: find_checkpoint(name, base) for role, name in names.items() if name}
