"""`fourm-tui completion`: the scripts know what the parser knows, and bash completes with theirs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fourm_tui.cli import main, make_parser
from fourm_tui.cli.completion import script
from fourm_tui.published import MODELS

BASH = shutil.which("bash")


def complete(line: str, cwd: Path) -> list[str]:
    """What bash offers at the end of a line; words are parted as readline does it."""
    code = """
        eval "$SCRIPT"
        COMP_LINE=$1 COMP_POINT=${#1}
        # as readline: at blanks, and at = and @, which are words of their own
        read -ra parts <<< "$(sed -E 's/([=@:]+)/ \\1 /g' <<< "$1")"
        COMP_WORDS=("${parts[@]}")
        [[ $1 == *[[:space:]] ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _fourm_tui
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert BASH
    done = subprocess.run(
        [BASH, "--norc", "-c", code, "bash", line], env={"SCRIPT": script("bash", make_parser()), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True, cwd=cwd, timeout=20,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chain.yaml").touch()
    (tmp_path / "two words.yaml").touch()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "dog.png").touch()
    return tmp_path


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fourm-tui loc", ["locate"]),
        ("fourm-tui models p", ["pull"]),
        ("fourm-tui models --j", ["--json"]),
        ("fourm-tui completion f", ["fish"]),
        ("fourm-tui check ch", ["chain.yaml"]),
        ("fourm-tui check t", ["two words.yaml"]),
        ("fourm-tui check chain.yaml --dtype b", ["bf16"]),
        ("fourm-tui run --out p", ["pictures"]),
        ("fourm-tui run --out c", [""]),
        ("fourm-tui run -i capt", ["caption="]),
        ("fourm-tui run -i rgb@2", ["224="]),
        ("fourm-tui run -i rgb@224=pictures/d", ["pictures/dog.png"]),
        ("fourm-tui run -c 4M-21_X", ["4M-21_XL"]),
        ("fourm-tui run -c ch", ["chain.yaml"]),
        ("fourm-tui models pull al", ["all-of"]),
        ("fourm-tui models remove al", [""]),
        ("fourm-tui models pull 4M-21_B text", ["text_tokenizer"]),
        ("fourm-tui run --seed ", [""]),
        ("fourm-tui open la", ["latest"]),
        ("fourm-tui decode latest tok_dep", ["tok_depth@224", "tok_depth@448"]),
        ("fourm-tui run --decode l", ["last"]),
        ("fourm-tui open pictures/d", ["pictures/dog.png"]),
        ("fourm-tui runs --status fa", ["failed"]),
        ("fourm-tui runs --compare p", ["pictures"]),
    ],
)
def test_bash_completes(line: str, expected: list[str], folder: Path) -> None:
    assert complete(line, folder) == expected


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_offers_every_command_and_model(folder: Path) -> None:
    offered = complete("fourm-tui ", folder)
    assert {"check", "run", "models", "doctor", "locate", "completion"} <= set(offered)
    names = complete("fourm-tui models pull 4M-", folder)
    assert names == [name.rpartition("/")[2] for name in MODELS]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_read_their_scripts(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "script"
    file.write_text(script(shell, make_parser()), encoding="utf-8")
    done = subprocess.run([program, "-n", file], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shown_option_and_no_hidden_one_is_in_every_script(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    for word in ("models", "num-variations", "dtype", "bf16", "sam-dense", "pull", "4M_tokenizers_rgb_16k_224-448"):
        assert word in out
    assert "gen-config" not in out


def test_another_shell_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["completion", "tcsh"])
    assert caught.value.code == 2
