"""`fourm-tui locate`: which folders are used, wherever the environment puts them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from fourm_tui.cli import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub\x1b[31m"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "fourm-tui").mkdir(parents=True)
    return tmp_path


def test_one_folder_a_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["locate"]) == 0
    out = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert list(lines) == [
        "config", "cache", "state", "engine socket", "engine log", "queue", "demo model", "schedules", "themes",
        "hub cache", "runs",
    ]  # fmt: skip
    assert lines["config"].endswith(f"{home}/config/fourm-tui  (exists)")
    assert lines["runs"].endswith(f"{home}/runs  (missing)")
    assert "\x1b" not in out
    assert "hub\\x1b[31m" in lines["hub cache"]


def test_as_data(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["locate", "--json"]) == 0
    places = json.loads(capsys.readouterr().out)["places"]
    assert places["config"] == {"path": str(home / "config" / "fourm-tui"), "exists": True}
    assert places["schedules"]["exists"]
