"""`fourm-tui models`: the list, and pulling and removing as a user sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from fourm_tui.cli import main
from fourm_tui.published import MODELS, OWNER, TEXT_TOKENIZER_FILE, TEXT_TOKENIZER_REPO, TOKENIZERS
from tests.fake_hub import FakeHub, fake_hub

WEIGHTS = bytes(1_000_000)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with fake_hub() as server:
        for repo in (*MODELS, *TOKENIZERS):
            server.files |= {(repo, "config.json"): b"{}", (repo, "model.safetensors"): WEIGHTS}
        server.files[f"spaces/{TEXT_TOKENIZER_REPO}", TEXT_TOKENIZER_FILE] = b"{}"
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield server


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["models", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_fits_80_columns_and_names_everything(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("COLUMNS", "80")
    run(capsys, "pull", "4M-21_B")
    code, out, _ = run(capsys)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    for name in (*MODELS, *TOKENIZERS):
        assert f"  {name.removeprefix(OWNER + '/')} " in out
    (line,) = (line for line in out.splitlines() if line.startswith("  4M-21_B "))
    assert line.split() == ["4M-21_B", "3.37", "GB", "✓", "1", "MB", "@ccccccc"]
    assert "Sample Code License" in out
    assert hub.gets("model.safetensors") == [None]


def test_the_list_as_data(hub: FakeHub, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "pull", "4M-21_B")
    data = json.loads(run(capsys, "--json")[1])
    assert len(data["sources"]) == len(MODELS) + len(TOKENIZERS) + 1
    by_name = {source["name"]: source for source in data["sources"]}
    assert by_name["4M-21_B"]["cached"]
    assert by_name["4M-21_B"]["path"].startswith(str(tmp_path))
    assert by_name["4M-21_B"]["revisions"][0]["refs"] == ["main"]
    assert not by_name["4M-21_L"]["cached"]


def test_all_of_a_model_in_one_command(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "pull", "all-of", "4M-7_B_CC12M", "--sr")
    assert (code, err) == (0, "")
    assert out.count("✓ hashes match") == 2 + 5 + 1
    assert "8 MB to download" not in out  # seven weights and the small files
    assert "7 MB to download" in out
    code, out, _ = run(capsys, "pull", "all-of", "4M-7_B_CC12M", "--sr")
    assert (code, out.count("already here")) == (0, 8)
    assert len(hub.gets("model.safetensors")) == 7


def test_removing_says_what_is_freed_and_refuses_what_is_not_there(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    run(capsys, "pull", "4M-21_B", "4M-21_L")
    code, _, err = run(capsys, "remove", "4M-21_B", "4M-21_XL")
    assert code == 2
    assert "4M-21_XL: is not in the cache" in err
    assert run(capsys, "remove", "4M-21_B") == (0, "removed 4M-21_B: 1 MB freed\n", "")
    cached = {source["name"] for source in json.loads(run(capsys, "--json")[1])["sources"] if source["cached"]}
    assert cached == {"4M-21_L"}


def test_offline_it_says_what_is_missing_and_how_large(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    run(capsys, "pull", "4M-21_B")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    code, _, err = run(capsys, "pull", "4M-21_B", "4M-7_B_CC12M")
    assert code == 1
    assert "missing: 4M-7_B_CC12M (1.78 GB)" in err
    code, out, _ = run(capsys, "pull", "4M-21_B")
    assert code == 0
    assert "all of it is on this machine" in out


@pytest.mark.parametrize("name", ["4M-22_B", "nothing", "a/b@../c"])
def test_a_wrong_name_is_wrong_input_before_anything_is_asked(
    name: str, hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    code, _, err = run(capsys, "pull", "4M-21_B", name)
    assert (code, hub.asked) == (2, [])
    assert err.startswith(f"fourm-tui: {name}: ")


def test_ctrl_c_keeps_what_has_arrived_and_the_environment_is_respected(hub: FakeHub, tmp_path: Path) -> None:
    repo = f"{OWNER}/4M-21_B"
    hub.files[repo, "model.safetensors"] = os.urandom(40_000_000)
    hub.pause = 0.02
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "mine"), "HF_HUB_OFFLINE": ""}
    command = [sys.executable, "-m", "fourm_tui", "models", "pull", "4M-21_B"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not sum(path.stat().st_size for path in (tmp_path / "mine").rglob("*.incomplete")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert "stopped; what has arrived is kept" in out
    (partial,) = (tmp_path / "mine").rglob("*.incomplete")
    kept = partial.stat().st_size
    hub.pause = 0
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert "are here from before" in done.stdout
    assert hub.gets("model.safetensors") == [None, f"bytes={kept}-"]
