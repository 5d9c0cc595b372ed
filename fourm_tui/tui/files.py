"""Schedules as files: which are there, which were open of late, what changed on the disk, who edits them. Without
Textual."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.paths import schedules_dir, state_dir
from fourm_tui.runs import replace_file

_EDITORS = ("nano", "vim", "vi", "emacs", "micro")
_MOST = 200  # files of a folder that are offered
_LARGEST = 2**20  # bytes of a settings file

GROUPS: Mapping[str, str] = {
    "demo": "ready-made, for the model in the box",
    "settings_base": "ready-made, for published models",
}
"""Folders of ready-made schedules and what they are."""


# -- which there are ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A schedule that can be opened."""

    path: Path
    group: str
    """Of what kind it is: a heading."""
    about: str = ""


def schedules(folder: Path, recent: Iterable[Path] = ()) -> list[Found]:
    """Schedules that can be opened: of late, in a folder, ready-made; each of them once."""
    found: dict[Path, Found] = {}
    for path in recent:
        if path.is_file():
            found.setdefault(path, Found(path, "open of late", _short(path.parent)))
    for path in _yaml_files(folder):
        found.setdefault(path, Found(path, "in this folder"))
    for name, heading in GROUPS.items():
        for path in sorted((schedules_dir() / name).glob("*.yaml")):
            found.setdefault(path, Found(path, heading, _first_sentence(path)))
    return list(found.values())


def _first_sentence(path: Path) -> str:
    """What the comment at the beginning of a file says."""
    with contextlib.suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline(500)
        if line.startswith("#"):
            return line.removeprefix("#").strip().split(". ")[0].rstrip(".")
    return ""


def _yaml_files(folder: Path) -> list[Path]:
    """Files of a folder that hold schedules, as far as their names and first bytes tell."""
    paths: list[Path] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if len(paths) >= _MOST:
                break
            if entry.name.endswith((".yaml", ".yml")) and not entry.name.startswith("."):
                with contextlib.suppress(OSError):
                    if entry.is_file() and entry.stat().st_size <= _LARGEST and _holds_targets(Path(entry.path)):
                        paths.append(Path(entry.path))
    return sorted(paths)


def _holds_targets(path: Path) -> bool:
    with path.open("rb") as file:
        return b"target_domains" in file.read(_LARGEST)


def _short(path: Path) -> str:
    """A folder as people write it."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path != home and path.is_relative_to(home) else str(path)


# -- of late -----------------------------------------------------------------------------------------------------


def _recent_file() -> Path:
    return state_dir() / "recent_schedules"


def recent_schedules(most: int) -> list[Path]:
    """Schedules of the user's own that were open, the newest first."""
    try:
        lines = _recent_file().read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    return [Path(line) for line in lines if line.startswith("/")][:most]


def remember_schedule(path: Path, most: int) -> None:
    """Notes that a schedule was open; ready-made ones are found without that."""
    path = path.absolute()
    if path.is_relative_to(schedules_dir()) or "\n" in str(path):
        return
    paths = [path, *(each for each in recent_schedules(most) if each != path)][: max(most, 0)]
    with contextlib.suppress(OSError, FourmError):
        _recent_file().parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{each}\n" for each in paths)
        replace_file(_recent_file(), text.encode("utf-8", "surrogateescape"))


def is_first_start() -> bool:
    """Whether the screens were never open before; from now on they were."""
    path = state_dir() / "welcomed"
    if path.exists():
        return False
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return True


# -- what changed ------------------------------------------------------------------------------------------------

Stamp = tuple[int, int, int] | None


class Watch:
    """Says whether files are others than they were, by what a look at their entries costs."""

    def __init__(self) -> None:
        self._stamps: dict[Path, Stamp] = {}

    def look(self, paths: Sequence[Path]) -> None:
        """Takes the files as they are now."""
        self._stamps = {path: _stamp(path) for path in paths}

    def changed(self) -> bool:
        """Whether one is another since the last look, or is gone, or has come."""
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())

    def gone(self) -> list[Path]:
        """Files that were there and are not any more."""
        return [path for path, stamp in self._stamps.items() if stamp is not None and _stamp(path) is None]


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# -- editing and saving elsewhere --------------------------------------------------------------------------------


def editor_command(setting: str, env: Mapping[str, str]) -> list[str]:
    """The command that opens a file: the setting, `$VISUAL`, `$EDITOR`, or what there is on this machine.

    Raises:
        InputError: there is none.
    """
    for given in (setting, env.get("VISUAL", ""), env.get("EDITOR", "")):
        if given.strip():
            try:
                return shlex.split(given)
            except ValueError:
                raise InputError(f"{printable(given, 60)}: is no command; set another editor with ,") from None
    for name in _EDITORS:
        if shutil.which(name):
            return [name]
    raise InputError("there is no editor; name one as $EDITOR, or in the settings (,)")


_NO_NAMES = ("", ".", "..", ".yaml", ".yml", ".yaml.yaml")


def save_paths(text: str, documents: int) -> tuple[Path, ...]:
    """The files that a name means: one, and beside it another for super-resolution where there are two.

    Raises:
        InputError: there is no name, or it is that of a folder, or there is no folder to write it in.
    """
    text = text.strip()
    if not text or text.rpartition("/")[2] in _NO_NAMES:
        raise InputError("name a file, such as ./mine.yaml")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise InputError(f"{printable(text)}: there is no such user") from None
    if text.endswith("/") or path.is_dir():
        raise InputError(f"{printable(text)}: is a folder; name a file in it")
    path = path.absolute()
    doubled = re.fullmatch(
        r"(.*)(\.ya?ml)\.ya?ml", path.name, re.DOTALL
    )  # written in front of the ending that stood there
    if doubled:
        path = path.with_name(doubled[1] + doubled[2])
    if path.suffix not in (".yaml", ".yml"):
        path = path.with_name(f"{path.name}.yaml")
    if not path.parent.is_dir():
        raise InputError(f"{printable(path.parent)}: there is no such folder")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{printable(path.parent)}: nothing may be written there")
    if path.is_relative_to(schedules_dir()):
        raise InputError(f"{printable(text)}: lies among the ready-made ones; save it elsewhere")
    return (path, path.with_name(f"{path.stem}_sr{path.suffix}"))[:documents]
