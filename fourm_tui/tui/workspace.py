"""What is being tuned: a schedule, its conditions, models and options, every change of which can be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fourm_tui.chain.branch import inputs_from
from fourm_tui.chain.check import Check, check_chain
from fourm_tui.chain.inputs import Inputs, find_all, models_of, read_inputs
from fourm_tui.conditions.given import Given
from fourm_tui.errors import InputError
from fourm_tui.paths import schedules_dir
from fourm_tui.runs import Run
from fourm_tui.runs.seeds import effective_seed
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.history import History
from fourm_tui.schedule.rows import Schedule
from fourm_tui.tui import uses

Documents = tuple[Document, ...]


if TYPE_CHECKING:
    from fourm_tui.chain.begin import Begun


CHOSEN = ("seed", "num_variations", "device", "dtype", "sam_dense", "decode")
"""Options of a run that are chosen beside its schedule."""


@dataclass(frozen=True)
class State:
    """One state of the workspace."""

    documents: Documents
    """The settings file and, with super-resolution in a file of its own, that one."""
    given: Mapping[str, Given] = field(default_factory=dict)
    """Conditions by the name of their modality."""
    models: str | None = None
    """As `-c` takes it; None: what the settings name, else the model in the box."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Those of `CHOSEN`, as far as they are chosen here."""


class Workspace:
    """The chain that the screens edit. Every method that changes it makes one step that can be undone.

    Args:
        state: to begin with.
        saved: the files as they are on disk; None: as in the state.
    """

    def __init__(self, state: State, saved: Documents | None = None) -> None:
        self._history: History[State] = History.start(state)
        self._saved = state.documents if saved is None else saved
        self._checkpoints: dict[Any, tuple[Any, Any, Any]] = {}
        self.said = ""
        """What the last change did besides what it was asked for."""

    @classmethod
    def open(
        cls,
        settings: str,
        *,
        sr: str | None = None,
        models: str | None = None,
        conditions: Sequence[str] = (),
        overrides: Sequence[str] = (),
        options: Mapping[str, Any] = MappingProxyType({}),
        given: Mapping[str, Given] = MappingProxyType({}),
    ) -> Workspace:
        """Reads what a command line names; `given` are conditions that there are already, as far as it names no others.

        Raises:
            InputError: a file or a value is wrong.
        """
        inputs = read_inputs(settings, sr=sr, models=models, conditions=conditions, overrides=overrides)
        state = State(inputs.editor.documents, {**given, **inputs.given}, models, _chosen(options))
        return cls(state, inputs.files)

    @classmethod
    def of_run(cls, run: Run) -> Workspace:
        """The chain behind a run: its settings as they were then, its conditions and its seed.

        Raises:
            InputError: the run does not say them, or not in a form that can be read.
        """
        inputs = inputs_from(run)
        options = {name: run.record.options.get(name) for name in CHOSEN if name != "seed"}
        if run.record.samples:
            options["seed"] = run.record.options.get("seed", run.record.samples[0].seed)
        found = run.record.models.get("model")
        models = next((each.file for each in run.record.settings if each.role == "models" and each.file), None)
        name = models or (found.name if found else None)
        state = State(inputs.editor.documents, dict(inputs.given), name, _chosen(options))
        return cls(state, tuple(map(_on_disk, state.documents)))

    @classmethod
    def of_files(
        cls, paths: Sequence[Path], given: Mapping[str, Given], models: str | None, options: Mapping[str, Any]
    ) -> Workspace:
        """Settings files with conditions, models and options that there are already. Conditions that the chain is not
        about are not used; models that do not fit are said by `inputs`, so that others can be chosen.

        Raises:
            InputError: a file cannot be read.
        """
        return cls(State(tuple(Document.read(path) for path in paths), dict(given), models, options))

    # -- what there is --------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._history.state

    @cached_property
    def schedule(self) -> Schedule:
        return Editor(self.state.documents).schedule

    @cached_property
    def inputs(self) -> Inputs:
        """All of it as a run takes it.

        Raises:
            InputError: the models cannot be found or read.
        """
        state = self.state
        editor = Editor(state.documents)
        key = (state.models, bool(self.schedule.super_resolution), self._names_of_models)
        if key not in self._checkpoints:
            config, models = models_of(state.models, self.schedule, state.documents)
            found = find_all(models, config.path.parent if config and config.path else None)
            self._checkpoints[key] = (config, models, found)
        config, models, found = self._checkpoints[key]
        return Inputs(editor, models, None, found, self.used, config, state.documents)

    @property
    def used(self) -> Mapping[str, Given]:
        """What the chain takes of what is given; the rest is kept, and does no harm."""
        return uses.used(self.schedule, self.state.given)

    @cached_property
    def check(self) -> Check:
        """What is wrong with it, what it does, what it costs."""
        options = self.state.options
        return check_chain(self.inputs, options.get("device"), options.get("dtype"))

    @property
    def _names_of_models(self) -> tuple[Any, ...]:
        """What of the schedule decides which models are needed: its modalities, and models named in its files."""
        parts = self.schedule.parts
        used = tuple(name for part in parts for name in (*part.conditions, *(row.target for row in part.rows)))
        return used, tuple(sorted((key, repr(value)) for key, value in self.schedule.settings.items()))

    def forget_models(self) -> None:
        """Models are looked for on the disk again."""
        self._checkpoints.clear()
        self._forget()

    @property
    def seed(self) -> int:
        return int(self._option("seed", 0))

    @property
    def variations(self) -> int:
        return int(self._option("num_variations", 1))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Effective seeds of the variations."""
        return tuple(effective_seed(self.seed, 0, i) for i in range(self.variations))

    def _option(self, name: str, default: int) -> int:
        found = self.state.options.get(name, self.schedule.settings.get(name))
        return found if isinstance(found, int) and not isinstance(found, bool) else default

    # -- changes --------------------------------------------------------------------------------------------------

    def edit(self, label: str, change: Callable[[Editor], None]) -> None:
        """Changes the settings files. What is given and no longer generated becomes a condition.

        Args:
            label: what is done, for undo.
            change: calls the editor; what it does in one call is one step.

        Raises:
            InputError: the change does not fit; nothing is changed then.
        """
        editor = Editor(self.state.documents)
        change(editor)
        names = self.takes(uses.no_longer_made(self.schedule, editor.schedule, self.state.given))
        uses.condition_on(editor, names)
        self._push(replace(self.state, documents=editor.documents), label)
        if names:
            self.said = f"{' and '.join(names)}, which is given, is a condition of the chain now; u takes that back"

    def takes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of some modalities that the model takes as conditions, as far as that is known."""
        try:
            architecture = self.inputs.architecture() if names else None
        except InputError:
            return names
        return names if architecture is None else tuple(name for name in names if name in architecture.inputs)

    def give(self, given: Given, instead: bool = False) -> None:
        """Adds or replaces a condition; the base chain is conditioned on it from now on, unless it is a target.

        Args:
            given: the condition.
            instead: where it is a target, it is no longer generated.

        Raises:
            InputError: it is all that the chain generates.
        """
        before, editor = self.schedule.base, Editor(self.state.documents)
        rows = uses.rows_of(self.schedule, given.name)
        if instead:
            uses.give_instead(editor, given.name)
        elif not rows:
            uses.condition_on(editor, (given.name,))
        state = replace(self.state, documents=editor.documents, given={**self.state.given, given.name: given})
        self._push(state, f"give {given.name}")
        if self.schedule.base != before:
            gone = f", row {' and '.join(map(str, rows))} is gone" if rows else ""
            self.said = f"{given.name} is a condition of the chain now{gone}; u takes that back"

    def take_away(self, name: str) -> None:
        """Removes a condition, from the chain too."""
        documents = self.state.documents
        base = self.schedule.base
        if base and name in base.conditions:
            editor = Editor(documents)
            editor.set_chain("cond_domains", tuple(each for each in base.conditions if each != name))
            documents = editor.documents
        given = {key: value for key, value in self.state.given.items() if key != name}
        self._push(replace(self.state, documents=documents, given=given), f"remove {name}")

    def choose_models(self, name: str | None) -> None:
        """Takes other models, as `-c` names them.

        Raises:
            InputError: there are no such models; nothing is changed then.
        """
        models_of(name, self.schedule, self.state.documents)
        self._push(replace(self.state, models=name), "choose models")

    def set_option(self, name: str, value: Any) -> None:
        """Sets one of `CHOSEN`; None: as if it were never set."""
        options = {key: each for key, each in self.state.options.items() if key != name}
        if value is not None:
            options[name] = value
        self._push(replace(self.state, options=options), name)

    def put(self, state: State, label: str) -> None:
        """Goes over to any other state, as one step."""
        self._push(state, label)

    def trial(self) -> Workspace:
        """Another workspace in the same state, to see what a change would make of it."""
        other = Workspace(self.state, self._saved)
        other._checkpoints = self._checkpoints
        return other

    def undo(self) -> str | None:
        """Takes the last change back and says which it was; None if there is none."""
        before = self._history
        self._go(before.undo())
        return before.labels[before.at] if before.can_undo else None

    def redo(self) -> str | None:
        """Makes the change last taken back again and says which it was; None if there is none."""
        self._go(self._history.redo() if (can := self._history.can_redo) else self._history)
        return self._history.labels[self._history.at] if can else None

    def _push(self, state: State, label: str) -> None:
        self._go(self._history.push(state, label))

    def _go(self, history: History[State]) -> None:
        self._history, self.said = history, ""
        self._forget()

    def _forget(self) -> None:
        for name in ("schedule", "inputs", "check"):
            self.__dict__.pop(name, None)

    # -- files ----------------------------------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether a file differs from what is on disk."""
        return self.state.documents != self._saved

    @property
    def path(self) -> Path | None:
        """Of the settings file."""
        return self.state.documents[0].path

    @property
    def title(self) -> str:
        return self.path.stem if self.path else "untitled"

    @property
    def is_shipped(self) -> bool:
        """Whether a file is one of the ready-made ones, which are not written over."""
        folder = schedules_dir()
        return any(each.path and each.path.is_relative_to(folder) for each in self.state.documents)

    def save(self) -> None:
        """Writes the files that were changed.

        Raises:
            InputError: one has no name, is ready-made, or cannot be written.
        """
        if self.is_shipped:
            raise InputError("ready-made schedules are not written over; save it under another name")
        for document in self.state.documents:
            if document not in self._saved:
                document.write()
        self._saved = self.state.documents

    def save_as(self, *paths: Path) -> None:
        """Writes all files under other names, one path for each, and goes on with those.

        Raises:
            InputError: one cannot be written.
        """
        documents = tuple(
            replace(document, path=path) for document, path in zip(self.state.documents, paths, strict=True)
        )
        for document in documents:
            document.write()
        self._push(replace(self.state, documents=documents), "save as")
        self._saved = documents

    def reread(self) -> bool:
        """Takes the files over as they are on disk now; false if nothing differs there.

        Raises:
            InputError: one cannot be read.
        """
        documents = tuple(Document.read(each.path) if each.path else each for each in self.state.documents)
        if documents == self.state.documents:
            self._saved = documents
            return False
        self._push(replace(self.state, documents=documents), "read again")
        self._saved = documents
        return True

    def lose(self, paths: Sequence[Path]) -> None:
        """Files are gone from the disk: what they held is unsaved from now on."""
        self._saved = tuple(Document.parse("", each.path) if each.path in paths else each for each in self._saved)

    # -- runs -----------------------------------------------------------------------------------------------------

    def begin(
        self, out: Path, parent: Run | None = None, row: int | None = None, preview_every: int = 0
    ) -> Begun:  # fmt: skip
        """Makes the folder of a run of what there is now; arguments and errors are those of `chain.begin.begin`."""
        options = {**self.state.options, "seed": self.seed, "preview_every": preview_every or None}
        from fourm_tui.chain.begin import begin  # nothing of it is needed to paint

        return begin(self.inputs, out, options, parent, row)


def _on_disk(document: Document) -> Document:
    """A file as it is now; an empty one where there is none any more."""
    try:
        return Document.read(document.path) if document.path else Document.parse("")
    except InputError:
        return Document.parse("", document.path)


def _chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
