"""Where the program's files are, in a checkout and in an installed wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from fourm_tui import paths

ROOT = Path(__file__).parents[1]


def test_a_checkout_has_schedules_and_themes() -> None:
    assert (paths.schedules_dir() / "settings_base").is_dir()
    assert {"day", "night"} <= {path.stem for path in paths.themes_dir().glob("*.yaml")}


def test_a_wheel_has_them_inside_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    assert {name.partition("/")[0] for name in names} <= {"fourm_tui", wheel.name.split("-py3")[0] + ".dist-info"}
    code = "from fourm_tui import paths; print(paths.schedules_dir()); print(paths.themes_dir())"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path / "site", capture_output=True, text=True, check=True
    )
    for line, name in zip(done.stdout.split(), ("schedules", "themes"), strict=True):
        found = Path(line)
        assert found == tmp_path / "site" / "fourm_tui" / name
        installed = {path.relative_to(found) for path in found.rglob("*.yaml")}
        assert installed == {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*.yaml")}


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert paths.config_dir() == tmp_path / ".config" / "fourm-tui"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/somewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert paths.config_dir() == Path("/etc/somewhere/fourm-tui")
    assert paths.cache_dir() == tmp_path / ".cache" / "fourm-tui"
    assert paths.state_dir() == tmp_path / ".local" / "state" / "fourm-tui"


@pytest.mark.parametrize("file", sorted(paths.themes_dir().glob("*.yaml")), ids=lambda file: file.stem)
def test_themes_are_textual_themes(file: Path) -> None:
    from textual.theme import Theme

    values = yaml.safe_load(file.read_text())
    assert values["name"] == file.stem
    assert set(values) <= {field.name for field in fields(Theme)}
    Theme(**values)
