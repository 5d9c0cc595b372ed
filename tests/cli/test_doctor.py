"""`fourm-tui doctor`: bounded in time, never a traceback, and a command for everything that is missing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from fourm_tui import doctor
from fourm_tui.cli import main
from fourm_tui.doctor import Finding, bounded, examine, terminal_findings, tmux_findings, torch_findings
from fourm_tui.terminal.choice import Answers, Tmux, choose


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing outside is asked, and torch is not loaded."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(doctor, "ask_torch", lambda: {"torch": "2.9", "cuda": None, "devices": []})


def named(findings: list[Finding], what: str) -> Finding:
    return next(finding for finding in findings if finding.what == what)


def test_a_check_that_fails_or_hangs_is_a_line() -> None:
    def fail() -> list[Finding]:
        raise RuntimeError("broken\x1b[31m")

    (finding,) = bounded("machine", "thing", fail, 1.0)
    assert (finding.what, finding.state) == ("thing", "note")
    assert "broken\\x1b[31m" in finding.value

    def hang() -> list[Finding]:
        time.sleep(5)
        return []

    start = time.monotonic()
    (finding,) = bounded("machine", "thing", hang, 0.1)
    assert finding.value.startswith("no answer within")
    assert time.monotonic() - start < 2


def test_what_is_missing_comes_with_the_command_that_mends_it(quick: None) -> None:
    findings = examine()
    assert named(findings, "models").fix == "fourm-tui models pull all-of 4M-7_B_CC12M"
    assert named(findings, "text tokenizer").fix == "fourm-tui models pull text_tokenizer"
    assert "HF_HUB_OFFLINE" in named(findings, "Hub").value
    assert "cores" in named(findings, "processor").value


def test_an_unreachable_hub_takes_a_moment_only(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    )
    start = time.monotonic()
    finding = named(examine(), "Hub")
    assert finding.state == "note"
    assert "HF_ENDPOINT" in finding.fix
    assert time.monotonic() - start < 5


def test_torch_is_asked_in_another_process() -> None:
    said = doctor.ask_torch()
    assert said["torch"].startswith("2.")
    assert isinstance(said["devices"], list)


def test_a_torch_that_hangs_or_is_broken_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "did not answer" in doctor.ask_torch(limit=0.01)["error"]
    (finding,) = torch_findings({"error": "ModuleNotFoundError: No module named 'torch'"})
    assert finding.state == "wrong"
    assert finding.fix.startswith("pip install torch")


def test_devices_with_memory_and_bf16() -> None:
    device = {"device": "cuda:0", "name": "NVIDIA H200", "bytes": 139 * 2**30, "free": 2**30, "bf16": True}
    old = {**device, "device": "cuda:1", "name": "Tesla V100", "bf16": False}
    findings = torch_findings({"torch": "2.9", "cuda": "12.8", "devices": [device, old], "problem": "one is\nlost"})
    assert named(findings, "cuda:0").value == "NVIDIA H200, 139.0 GiB, 1.0 free, bf16"
    assert named(findings, "cuda:1").state == "note"
    assert "--dtype fp16" in named(findings, "cuda:1").fix
    assert named(findings, "device").value == "one is\\nlost"


def test_the_terminal_and_why_it_gets_these_pictures() -> None:
    env = {"TERM": "xterm-256color", "SSH_CONNECTION": "a b c d", "TERM_PROGRAM": "x\x1b[31m"}
    answers = Answers(tty=True, attributes=(4,))
    findings = terminal_findings(env, choose(env, answers), answers, (70, 24))
    assert named(findings, "inside").value == "ssh"
    assert named(findings, "pictures").value.startswith("sixel: ")
    assert named(findings, "window").fix == "make the window 80x24 or larger"
    assert "COLORTERM=truecolor" in named(findings, "colours").fix
    assert "guess" in named(findings, "cell").value
    assert "\x1b" not in named(findings, "name").value


def test_tmux_gets_the_lines_that_help() -> None:
    fixes = [finding.fix for finding in tmux_findings(Tmux("xterm-kitty", ("256",), False))]
    assert fixes == [
        "~/.tmux.conf: set -as terminal-features ',xterm-kitty:RGB'",
        "~/.tmux.conf: set -g allow-passthrough on",
    ]
    (fine,) = tmux_findings(Tmux("xterm-kitty", ("256", "RGB"), True))
    assert (fine.state, fine.fix) == ("ok", "")
    assert tmux_findings(None)[0].state == "note"


def test_the_page_and_the_data(
    quick: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert "fourm-tui models pull text_tokenizer" in out
    assert main(["doctor", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {finding["section"] for finding in data["findings"]} == {"terminal", "machine", "files"}


def test_without_torch_the_exit_code_is_1(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ask_torch", lambda: {"error": "No module named 'torch'"})
    assert main(["doctor", "--json"]) == 1


@pytest.mark.parametrize("has_bf16", [True, False])
def test_without_a_gpu_the_faster_number_type_is_named(has_bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "multiplies_bf16", lambda: has_bf16)
    findings = torch_findings({"torch": "2.9", "cuda": None, "devices": []})
    assert ("--dtype bf16" in named(findings, "device").fix) == has_bf16
