"""Ready-made files found by name: `demo/T2SDR` for `schedules/demo/T2SDR_....yaml`, wherever the program lies."""

from __future__ import annotations

from pathlib import Path

from fourm_tui.errors import InputError, printable
from fourm_tui.paths import schedules_dir


def find_file(name: str) -> Path:
    """The file of this path or, if there is none, the ready-made one of this name.

    Args:
        name: a path; or a ready-made file as it lies in `schedules/`, without its ending, its folder or its last words
            where one alone is meant (`settings_base/RGB2D`, `T2SDR`).

    Raises:
        InputError: several ready-made files begin so. (That there is no file at all is for its reader to say.)
    """
    path = Path(name).expanduser()
    if path.exists() or path.is_absolute() or name.startswith("."):
        return path
    folder = schedules_dir()
    files = {file.relative_to(folder).with_suffix("").as_posix(): file for file in sorted(folder.rglob("*.yaml"))}
    wanted = path.with_suffix("").as_posix() if path.suffix in (".yaml", ".yml") else path.as_posix()
    wanted = wanted.removeprefix("schedules/")
    for fits in (lambda key: key == wanted, lambda key: key.endswith(f"/{wanted}"), lambda key: _begins(key, wanted)):
        found = [key for key in files if fits(key)]
        if len(found) == 1:
            return files[found[0]]
        if found:
            raise InputError(
                f"{printable(name)}: there is no such file, and several ready-made ones: {', '.join(found)}"
            )
    return path


def _begins(key: str, wanted: str) -> bool:
    return bool(wanted) and (key.startswith(f"{wanted}_") or key.rpartition("/")[2].startswith(f"{wanted}_"))
