"""From the options of a command to what it works on: files read, checkpoints found, conditions parsed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fourm_tui.architecture import Architecture
from fourm_tui.checkpoints import BUNDLED, Checkpoint, find_checkpoint
from fourm_tui.conditions.given import Given, parse_conditions
from fourm_tui.errors import InputError, printable
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


def read_inputs(options: argparse.Namespace) -> Inputs:
    """Reads the files that the options name and finds their checkpoints.

    Raises:
        InputError: a file, a checkpoint or an option is wrong.
    """
    settings = options.settings or options.gen_config
    if settings is None:
        raise InputError(
            "no settings file is given; to begin with, fourm-tui "
            f'{options.command} demo/T2SDR -i caption="a large red sphere on grey ground under a clear sky"'
        )
    if options.settings and options.gen_config:
        raise InputError("the settings file is given twice, with -gc and without")
    documents = [Document.read(find_file(settings))]
    if options.sr:
        documents.append(Document.read(find_file(options.sr)))
    editor = Editor(documents)
    for assignment in options.set:
        override(editor, assignment)
    config = Document.read(find_file(options.models)) if options.models and _is_yaml(options.models) else None
    data = Document.read(find_file(options.data)) if options.data else None
    files = [document for document in (config, data, *editor.documents) if document is not None]
    models = read_models(files)
    if (models.model is None and not options.models) or options.models == BUNDLED:
        config = Document.read(schedules_dir() / "models" / f"{BUNDLED}.yaml")
        models = read_models([config, *files])
        lacking = _lacking(editor.schedule)
        if lacking and not options.models:
            config, models = None, replace(read_models(files), notes=(*models.notes, _no_model(lacking)))
    elif options.models and config is None:
        models = _published(options.models, models, with_sr=editor.schedule.super_resolution is not None)
    base = config.path.parent if config and config.path else None
    return Inputs(
        editor,
        models,
        read_data(files) if data else None,
        find_all(models, base),
        parse_conditions(options.input, MODALITIES),
        config,
        tuple(documents),
        tuple(options.set),
    )


def models_of(name: str, editor: Editor, documents: Sequence[Document]) -> ModelsConfig:
    """The checkpoints that `-c` names."""
    if name == BUNDLED:
        name = str(schedules_dir() / "models" / f"{BUNDLED}.yaml")
    if _is_yaml(name):
        return read_models([Document.read(find_file(name)), *documents])
    return _published(name, read_models(documents), with_sr=editor.schedule.super_resolution is not None)


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


def _is_yaml(name: str) -> bool:
    return Path(name).suffix.lower() in (".yaml", ".yml")


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
    names = {"model": models.model, "sr_model": models.sr_model, **models.tokenizers}
    return {role: find_checkpoint(name, base) for role, name in names.items() if name}
