"""Files of a run: whole or not there, and never overwritten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save

from fourm_tui.errors import FourmError, InputError
from fourm_tui.runs import (
    GIVEN,
    LEFT_OPEN,
    TargetTokens,
    create_run,
    read_tokens,
    replace_file,
    write_new,
    write_tokens,
)
from tests.runs.made import T2CR, full_disk, tokens


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    write_new(tmp_path / "a" / "x.png", b"first")
    with pytest.raises(FourmError, match=r"x\.png: is there already, and nothing is overwritten"):
        write_new(tmp_path / "a" / "x.png", b"second")
    assert [(file.name, file.read_bytes()) for file in (tmp_path / "a").iterdir()] == [("x.png", b"first")]


def test_that_also_holds_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(path: Path, target: Path) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    write_new(tmp_path / "x.png", b"first")
    with pytest.raises(FourmError, match="nothing is overwritten"):
        write_new(tmp_path / "x.png", b"second")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x.png", b"first")]


def test_writers_that_race_for_a_name_leave_one_file(tmp_path: Path) -> None:
    def attempt(number: int) -> bool:
        try:
            write_new(tmp_path / "x.png", str(number).encode())
        except FourmError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, is_first in enumerate(pool.map(attempt, range(32))) if is_first]
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x.png", str(won[0]))]
    assert len(won) == 1


@pytest.mark.parametrize("write", [write_new, replace_file])
def test_what_a_full_disk_cuts_off_does_not_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    with full_disk(monkeypatch), pytest.raises(FourmError, match=r"x\.png: cannot be written: No space left"):
        write(tmp_path / "x.png", b"picture")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(FourmError, match=r"run\.json: cannot be written: Is a directory"):
        replace_file(tmp_path / "run.json", b"{}")
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


def test_tokens_come_back_as_written(tmp_path: Path) -> None:
    target = read_tokens(tokens(create_run(tmp_path, T2CR), 1, 0, first=60_000))
    assert (target.modality, target.row, target.seed) == ("tok_clip@224", 1, 2**64 - 1)
    assert target.tokens.tolist() == [60_000, 60_001, 60_002, 60_003]
    assert target.step.tolist() == [GIVEN, LEFT_OPEN, 0, 1]
    assert [array.dtype for array in (target.tokens, target.step, target.confidence)] == ["int32", "int16", "float32"]


def test_a_token_file_cut_anywhere_is_refused_by_name(tmp_path: Path) -> None:
    path = tokens(create_run(tmp_path, T2CR), 1, 0)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"01_tok_clip@224\.safetensors: cannot be read as tokens"):
            read_tokens(path)


def test_a_foreign_token_file_is_refused_by_name(tmp_path: Path) -> None:
    path, four = tmp_path / "x.safetensors", np.zeros(4, np.int32)
    step, confidence = np.zeros(4, np.int16), np.zeros(4, np.float32)
    facts = {"schema": "1", "row": "1", "seed": "0", "modality": "caption"}
    whole: dict[str, NDArray[Any]] = {"tokens": four, "step": step, "confidence": confidence}
    for arrays, metadata, message in (
        (whole, None, "says no schema"),
        (whole, {**facts, "schema": "2"}, "was written by a newer fourm-tui"),
        (whole, {**facts, "seed": "-1"}, "does not say modality, row and seed"),
        ({**whole, "step": four}, facts, "does not hold tokens, step and confidence"),
        ({"tokens": four}, facts, "does not hold tokens, step and confidence"),
        ({**whole, "step": step[:3]}, facts, "not of one length"),
    ):
        path.write_bytes(save(arrays, metadata))
        with pytest.raises(InputError, match=rf"x\.safetensors: .*{message}"):
            read_tokens(path)


def test_arrays_of_several_lengths_are_no_target(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="are not"):
        write_tokens(tmp_path / "x", TargetTokens("caption", 1, 0, np.zeros(3), np.zeros(2), np.zeros(3)))
