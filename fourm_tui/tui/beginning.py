"""What the screens begin with: what a command line names, else what was edited last, else the demonstration. Without
Textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fourm_tui.conditions.given import Given
from fourm_tui.errors import InputError, printable
from fourm_tui.schedule.shipped import find_file
from fourm_tui.tui import kept
from fourm_tui.tui.workspace import State, Workspace

DEMONSTRATION = "demo/T2SDR"
CAPTION = Given("caption", "a large red sphere left of a small blue box on grey ground under a clear sky")
"""That the demonstration is shown with."""
_OTHER = "o opens another, or the demonstration (T2SDR)"


def begun(
    settings: str | None,
    *,
    sr: str | None = None,
    models: str | None = None,
    conditions: Sequence[str] = (),
    overrides: Sequence[str] = (),
    options: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[Workspace, str]:
    """What is edited from the start on, and what is to be said of it; the arguments are those of `Workspace.open`.

    Raises:
        InputError: a file or a value that is named is wrong.
    """
    if settings is None and not (sr or conditions or overrides):
        return _going_on(models, options)
    if settings is None:
        return Workspace.open(
            DEMONSTRATION, sr=sr, models=models, conditions=conditions, overrides=overrides, options=options
        ), ""  # fmt: skip
    before = kept.kept_of(tuple(find_file(name) for name in (settings, sr) if name))
    workspace = Workspace.open(
        settings, sr=sr, models=models, conditions=conditions, overrides=overrides, options=options,
        given=before.given if before else {},
    )  # fmt: skip
    named = {each.partition("=")[0].strip() for each in conditions}
    taken = [name for name in workspace.state.given if name not in named]
    return workspace, "with the conditions that it had last" if taken else ""


def _going_on(models: str | None, options: Mapping[str, Any]) -> tuple[Workspace, str]:
    """What was edited last."""
    before, trouble = kept.last(), ""
    chosen = {name: value for name, value in options.items() if value is not None}
    if before is not None:
        if models is not None:
            find_models(models)
        try:
            workspace = Workspace.of_files(
                before.paths, before.given, models or before.models, {**before.options, **chosen}
            )  # fmt: skip
        except InputError:
            gone = not all(path.exists() for path in before.paths)
            wrong = "is gone" if gone else "cannot be read"
            trouble = f"{printable(before.paths[0].name, 60)}, edited last, {wrong}; this is the demonstration"
        else:
            untouched = is_demonstration(before.paths) and dict(before.given) == {CAPTION.name: CAPTION}
            name = printable(workspace.title, 60)
            return workspace, "" if untouched else f"{name}, as you left it; {_OTHER}"
    workspace = Workspace.open(DEMONSTRATION, models=models, options=options, given={CAPTION.name: CAPTION})
    return workspace, trouble


def find_models(name: str) -> None:
    """Looks whether there are models of a name.

    Raises:
        InputError: there are none.
    """
    Workspace.open(DEMONSTRATION, models=name)


def is_demonstration(paths: Sequence[Path]) -> bool:
    return [path.absolute() for path in paths] == [find_file(DEMONSTRATION).absolute()]


def opened(paths: Sequence[Path], state: State) -> Workspace:
    """Other settings files than those of a state: conditions, models and options stay. The caption of the
    demonstration, untouched, makes room for what the files were edited with before, and goes where nothing takes it;
    other conditions come along only where the chain lacks them.

    Raises:
        InputError: a file cannot be read.
    """
    own = {name: each for name, each in state.given.items() if each != CAPTION}
    before = kept.kept_of(tuple(paths))
    earlier = dict(before.given) if before else {}
    if is_demonstration(paths) or len(own) < len(state.given):
        earlier.setdefault(CAPTION.name, CAPTION)
    models = state.models or (before.models if before else None)
    bare = Workspace.of_files(paths, own, models, state.options)
    base = bare.schedule.base
    lacking = {name: earlier[name] for name in (base.conditions if base else ()) if name in earlier and name not in own}
    if not own and before is not None:
        lacking = {**{name: each for name, each in earlier.items() if each != CAPTION}, **lacking}
    return Workspace.of_files(paths, {**own, **lacking}, models, state.options) if lacking else bare
