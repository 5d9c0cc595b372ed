"""Bulk runs with the bundled model: what they leave behind, and that nothing is done twice, lost or otherwise."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fourm_tui.batch.rank import RankRun, StoppedError
from fourm_tui.cli import main
from fourm_tui.errors import InputError
from fourm_tui.runs import effective_seed, open_run, read_tokens
from tests.batch.scenes import captions, command, folder_of, in_processes, results


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder_of(out) / "manifest.jsonl").read_text().splitlines()]


def tokens(out: Path) -> dict[str, np.ndarray]:
    folder = folder_of(out)
    return {path.name: read_tokens(path).tokens for path in sorted(folder.glob("01_*/*.safetensors"))}


def test_each_sample_and_variation_has_its_files_and_its_line(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 3)
    assert main(command(data, tmp_path / "out", "--num-variations", "2", "--batch-size", "4")) == 0
    found = lines(tmp_path / "out")
    assert [(line["sample"], line["variation"]) for line in found] == [(n, v) for n in range(3) for v in range(2)]
    assert [line["seed"] for line in found] == [effective_seed(0, n, v) for n in range(3) for v in range(2)]
    folder = folder_of(tmp_path / "out")
    for line in found:
        files = line["files"]["tok_rgb@224"]  # type: ignore[index]
        assert {Path(file).suffix for file in files} == {".safetensors", ".png"}
        assert all((folder / file).is_file() for file in files)
    assert open_run(folder).record.status == "done"


def test_an_effective_seed_makes_the_same_item_again(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 2)
    main(command(data, tmp_path / "out", "--batch-size", "2"))
    text = data.read_text().splitlines()[1]
    seed = str(effective_seed(0, 1, 0))
    words = ["run", "demo/T2R", "--set", "decoding_steps=2", "-i", f"caption={text}", "--seed", seed, "--no-preview"]
    assert main([*words, "--out", str(tmp_path / "single"), "--no-engine"]) == 0
    (single,) = (tmp_path / "single").glob("*/samples/000/01_*.safetensors")
    assert (read_tokens(single).tokens != tokens(tmp_path / "out")["000001_0.safetensors"]).sum() <= 1  # a tie


def test_the_same_command_again_has_nothing_to_do(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 2)
    words = command(data, tmp_path / "out", "--batch-size", "2")
    main(words)
    folder = folder_of(tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in folder.glob("01_*/*")}
    assert main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.glob("01_*/*")} == before


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 1)
    for seed in ("1", "2"):
        main(command(data, tmp_path / "out", "--seed", seed))
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_run_that_was_stopped_goes_on_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    data = captions(tmp_path / "p.txt", 5)
    main(command(data, tmp_path / "whole", "--batch-size", "2"))
    chunk, asked = RankRun._chunk, []

    def stopped_at_the_second(self: RankRun, loaded: object) -> object:
        asked.append(loaded)
        if len(asked) == 2:
            raise StoppedError
        return chunk(self, loaded)  # type: ignore[arg-type]

    monkeypatch.setattr(RankRun, "_chunk", stopped_at_the_second)
    assert main(command(data, tmp_path / "parts", "--batch-size", "2")) == 130
    assert open_run(folder_of(tmp_path / "parts")).record.status == "cancelled"
    monkeypatch.undo()
    torch.set_num_threads(1)
    assert main(command(data, tmp_path / "parts")) == 0  # with the batch size of before
    assert results(tmp_path / "parts") == results(tmp_path / "whole")


def test_two_ranks_make_what_one_makes(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 6)
    main(command(data, tmp_path / "one", "--batch-size", "2"))
    process = in_processes(command(data, tmp_path / "two", "--batch-size", "2"), ranks=2)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    assert results(tmp_path / "two") == results(tmp_path / "one")
    assert {line["rank"] for line in lines(tmp_path / "two")} == {0, 1}


def test_a_broken_sample_is_left_out_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = captions(tmp_path / "p.txt", 1).read_text().strip()
    table = tmp_path / "data.jsonl"
    table.write_text(f'{{"caption": "{good}"}}\n{{"caption": 7}}\n')
    assert main(command(table, tmp_path / "out")) == 0
    made, left_out = lines(tmp_path / "out")
    assert "skipped" not in made
    assert "caption" in str(left_out["skipped"])
    assert "left out" in capsys.readouterr().out


def test_strict_stops_at_a_broken_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "data.jsonl"
    table.write_text('{"caption": 7}\n')
    assert main(command(table, tmp_path / "out", "--strict")) == 2
    assert "sample 0" in capsys.readouterr().err


def test_what_is_wrong_with_every_sample_ends_the_run_instead_of_leaving_all_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no tokenizer is named")

    monkeypatch.setattr(RankRun, "_together", refuse)
    assert main(command(captions(tmp_path / "p.txt", 5), tmp_path / "out", "--batch-size", "2")) == 2
    assert "fourm-tui: no tokenizer is named" in capsys.readouterr().err
    assert open_run(folder_of(tmp_path / "out")).record.status == "failed"


def test_a_dry_run_says_what_would_be_done_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = captions(tmp_path / "p.txt", 3)
    assert main(command(data, tmp_path / "out", "--dry-run", "--json", "--num-variations", "2")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["items"] == 6
    assert said["passes"] == 6 * 2 * 2  # items, steps, branches
    assert said["memory"] > 0
    assert said["seconds"] > 0
    assert said["disk"] > 6 * 1000
    assert not (tmp_path / "out").exists()


def test_sheets_are_drawn_if_asked(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 2)
    main(command(data, tmp_path / "out", "--plots", "1"))
    assert [path.name for path in (folder_of(tmp_path / "out") / "plots").iterdir()] == ["000000_0.png"]


@pytest.mark.slow
def test_two_hundred_scenes_on_one_rank_and_on_two(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 200)
    for ranks, name in ((1, "one"), (2, "two")):
        process = in_processes(command(data, tmp_path / name, "--batch-size", "8"), ranks)
        said, _ = process.communicate(timeout=900)
        assert process.returncode == 0, said.decode()
    assert results(tmp_path / "two") == results(tmp_path / "one")


@pytest.mark.slow
def test_batch_1_and_batch_16_make_the_same_tokens_but_for_ties(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 200)
    for size in ("1", "16"):
        main(command(data, tmp_path / size, "--batch-size", size))
    alone, together = tokens(tmp_path / "1"), tokens(tmp_path / "16")
    assert alone.keys() == together.keys()
    assert len(alone) == 200
    different = [name for name in alone if (alone[name] != together[name]).any()]
    assert len(different) <= 2, different  # where two draws are equal to the last bits


@pytest.mark.slow
def test_twenty_kills_leave_nothing_out_and_make_nothing_otherwise(tmp_path: Path) -> None:
    data = captions(tmp_path / "p.txt", 200)
    words = command(data, tmp_path / "whole", "--batch-size", "4")
    assert in_processes(words).wait(900) == 0
    words = command(data, tmp_path / "killed", "--batch-size", "4")
    draw = random.Random(0)
    for kill in range(20):
        process = in_processes(words, ranks=1 + kill % 2)
        time.sleep(draw.uniform(3.0, 9.0))
        os.killpg(process.pid, signal.SIGKILL if kill % 3 else signal.SIGTERM)
        process.wait(60)
        time.sleep(0.5)  # ranks that the launcher started in sessions of their own notice that it is gone
    assert in_processes(words, ranks=2).wait(900) == 0
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
    assert not list(folder_of(tmp_path / "killed").rglob("*.part"))
