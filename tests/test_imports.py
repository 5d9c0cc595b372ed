"""The walls of the house: who may import what, and what an answer from the command line costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules_after(code: str) -> set[str]:
    """The names in `sys.modules` of a fresh interpreter after running `code`."""
    script = f"{code}\nimport sys\nsys.stderr.write('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split("\n")} | set(done.stderr.split("\n"))


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_import_no_heavy_package(flag: str) -> None:
    code = f"from fourm_tui.cli import main\ntry:\n    main(['{flag}'])\nexcept SystemExit:\n    pass"
    assert not {"torch", "textual", "numpy", "rich", "yaml"} & modules_after(code)


@pytest.mark.parametrize(
    "module", ["schedule.editor", "schedule.validation", "plan", "cost", "conditions", "checkpoints", "cli.check_view"]
)
def test_lower_floors_and_check_import_neither_torch_nor_textual(module: str) -> None:
    assert not {"torch", "textual"} & modules_after(f"import fourm_tui.{module}")


def test_importing_the_package_imports_nothing_else() -> None:
    assert not {"torch", "textual", "numpy", "yaml"} & modules_after("import fourm_tui")


def test_the_floors_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
