"""The run folder: made so that runs do not meet, resumed and branched from what lies in it."""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fourm_tui.errors import FourmError, InputError
from fourm_tui.runs import Run, RunRecord, branch_off, copy_rows, create_run, open_run, write_new
from tests.runs.made import T2CR, full_disk, tokens

NOON = datetime(2026, 11, 20, 10, 15, 3, tzinfo=UTC)


def test_a_folder_says_when_what_and_which(tmp_path: Path) -> None:
    run = create_run(tmp_path / "runs", T2CR, NOON)
    assert run.folder.parent == tmp_path / "runs"
    assert run.name[:-6] == "2026-11-20_101503_T2CR_" and len(run.name) == 29
    assert run.record.created == "2026-11-20T10:15:03+00:00"


@pytest.mark.parametrize(
    ("chain", "part"),
    [
        ("T2CR_roar49-25_cfg3_t6-0.5", "T2CR_roar49-25_cfg3_t6-0.5"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\x1b[31m b\n", "a-31m-b"),
        ("", "run"),
        ("...", "run"),
        ("x" * 300, "x" * 60),
    ],
)
def test_the_name_of_the_chain_is_made_safe(tmp_path: Path, chain: str, part: str) -> None:
    assert create_run(tmp_path, RunRecord(chain), NOON).name[18:-7] == part


def test_runs_begun_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suffixes = iter([f"{number // 4:06x}" for number in range(400)])  # each is offered four times
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(suffixes) if size == 3 else os.urandom(4).hex())
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: create_run(tmp_path, T2CR, NOON), range(40)))
    assert len({run.folder for run in runs}) == len(list(tmp_path.iterdir())) == 40


def test_a_place_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FourmError, match=r"file/runs: cannot be written: Not a directory .*--out"):
        create_run(tmp_path / "file" / "runs", T2CR)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with full_disk(monkeypatch), pytest.raises(FourmError, match=r"run\.json: cannot be written: .*free some space"):
        create_run(tmp_path, T2CR)
    assert list(tmp_path.iterdir()) == []


def test_outputs_lie_where_the_readme_says(tmp_path: Path) -> None:
    run = Run(tmp_path, T2CR)
    assert run.relative(run.path_for(1, "tok_clip@224", 0, ".png")) == "samples/000/01_tok_clip@224.png"
    assert run.relative(run.path_for(12, "a/../\x1b", 1234, ".txt")) == "samples/1234/12_a_____.txt"


def test_a_file_that_an_event_names_lies_in_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path, T2CR)
    assert run.file("samples/000/01_x.png") == tmp_path / "samples" / "000" / "01_x.png"
    for name in ("/etc/passwd", "samples/../../x", "\0"):
        with pytest.raises(InputError, match="is no file of this run"):
            run.file(name)


def test_what_is_finished_is_what_has_tokens(tmp_path: Path) -> None:
    run = create_run(tmp_path, T2CR)
    assert run.finished() == frozenset()
    tokens(run, 1, 0)
    tokens(run, 2, 1)
    write_new(run.path_for(2, "caption", 0, ".txt"), b"a fox")
    assert open_run(run.folder).finished() == {(1, 0), (2, 1)}


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[tuple[Run, Run]]:
    parent = create_run(tmp_path, T2CR)
    for row, sample in ((1, 0), (2, 0), (2, 1)):
        tokens(parent, row, sample)
    write_new(parent.path_for(1, "tok_clip@224", 0, ".png"), b"picture")
    write_new(parent.path_for(1, "tok_clip@224", 1, ".step003.png"), b"not finished")
    yield parent, create_run(tmp_path, dataclasses.replace(T2CR, parent=branch_off(parent, 2)))


def test_a_branch_begins_with_the_finished_rows_before_it(branch: tuple[Run, Run]) -> None:
    parent, run = branch
    assert copy_rows(parent, run) == {(1, 0)}
    copied = [run.relative(file) for file in sorted(run.folder.rglob("*.*"))]
    assert copied == ["run.json", "samples/000/01_tok_clip@224.png", "samples/000/01_tok_clip@224.safetensors"]
    picture = run.path_for(1, "tok_clip@224", 0, ".png")
    assert picture.read_bytes() == b"picture" and picture.stat().st_nlink == 1


def test_copying_can_be_taken_up_again(branch: tuple[Run, Run]) -> None:
    parent, run = branch
    write_new(run.path_for(1, "tok_clip@224", 0, ".png"), b"picture")
    assert copy_rows(parent, run) == copy_rows(parent, run) == {(1, 0)}


def test_a_target_counts_as_copied_once_all_its_files_are(branch: tuple[Run, Run]) -> None:
    parent, run = branch
    parent.path_for(1, "tok_clip@224", 0, ".webp").mkdir()
    with pytest.raises(FourmError, match=r"01_tok_clip@224\.webp: cannot be read: Is a directory"):
        copy_rows(parent, run)
    assert run.finished() == frozenset()


def test_a_branch_takes_only_the_samples_that_it_has(branch: tuple[Run, Run]) -> None:
    parent, run = branch
    tokens(parent, 1, 1)
    run = run.save(samples=T2CR.samples[:1])
    assert copy_rows(parent, run) == {(1, 0)}
    assert not (run.folder / "samples" / "001").exists()


def test_a_branch_knows_its_parent(branch: tuple[Run, Run]) -> None:
    parent, run = branch
    found = open_run(run.folder).record.parent
    assert found is not None and (found.run, Path(found.path), found.row) == (parent.name, parent.folder, 2)
