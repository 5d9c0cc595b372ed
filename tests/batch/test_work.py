"""Chunks are the same whoever makes them; the manifest says what is left of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.batch.launch import read_rank
from fourm_tui.batch.manifest import Line, Part, items_to_do, left_to_do, read_lines, write_manifest
from fourm_tui.batch.work import Item, Work, share
from fourm_tui.errors import FourmError, InputError

WORK = Work(samples=(3, 5, 9), variations=2, batch=4)


def line(item: Item, skipped: str | None = None) -> Line:
    return Line(item.sample, item.variation, 7, f"sample {item.sample}", skipped=skipped)


def test_chunks_hold_all_items_in_the_order_of_the_data() -> None:
    assert WORK.chunk(0) == (Item(3, 0), Item(3, 1), Item(5, 0), Item(5, 1))
    assert WORK.chunk(1) == (Item(9, 0), Item(9, 1))
    assert WORK.chunks == 2
    assert len(list(WORK.items())) == len(WORK) == 6


@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_ranks_share_all_chunks_and_none_twice(world: int) -> None:
    chunks = list(range(11))
    shares = [share(chunks, rank, world) for rank in range(world)]
    assert sorted(chunk for each in shares for chunk in each) == chunks
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_chunk_that_lacks_a_line_is_made_again_as_a_whole() -> None:
    lines = {item: line(item) for item in WORK.chunk(0)[:3]}
    assert left_to_do(WORK, lines) == [0, 1]
    assert items_to_do(WORK.chunk(0), lines) == WORK.chunk(0)


def test_items_that_could_not_be_made_are_tried_again_by_themselves() -> None:
    lines = {item: line(item, "broken" if item == Item(5, 0) else None) for item in WORK.chunk(0)}
    assert left_to_do(WORK, lines) == [0, 1]
    assert items_to_do(WORK.chunk(0), lines) == (Item(5, 0),)


def test_lines_are_read_back_whoever_wrote_them(tmp_path: Path) -> None:
    for rank, number in ((0, 0), (5, 1)):
        part = Part(tmp_path, rank)
        part.append([line(item) for item in WORK.chunk(number)])
        part.close()
    assert set(read_lines(tmp_path)) == set(WORK.items())
    assert left_to_do(WORK, read_lines(tmp_path)) == []


def test_a_torn_line_counts_as_none_and_the_next_one_is_whole(tmp_path: Path) -> None:
    part = Part(tmp_path, 0)
    part.append([line(Item(3, 0)), line(Item(3, 1))])
    part.close()
    part.path.write_bytes(part.path.read_bytes()[:-20])
    assert set(read_lines(tmp_path)) == {Item(3, 0)}
    again = Part(tmp_path, 0)
    again.append([line(Item(5, 0))])
    again.close()
    assert set(read_lines(tmp_path)) == {Item(3, 0), Item(5, 0)}


def test_what_is_finished_stays_finished(tmp_path: Path) -> None:
    for rank, skipped in ((0, None), (1, "gone since")):
        part = Part(tmp_path, rank)
        part.append([line(Item(3, 0), skipped)])
        part.close()
    assert read_lines(tmp_path)[Item(3, 0)].skipped is None


def test_a_manifest_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    part = Part(tmp_path, 0)
    part.close()
    part.path.write_text('{"schema": 999, "sample": 0}\n')
    with pytest.raises(FourmError, match="newer"):
        read_lines(tmp_path)


def test_the_manifest_has_the_order_of_the_data(tmp_path: Path) -> None:
    lines = {item: line(item) for item in reversed(list(WORK.items()))}
    text = write_manifest(tmp_path, WORK, lines).read_text().splitlines()
    assert [entry.index('"sample": 3') > 0 for entry in text[:2]] == [True, True]
    assert len(text) == 6


def test_the_launcher_says_which_rank_this_is() -> None:
    env = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    rank = read_rank(env)
    assert (rank.rank, rank.world, rank.local_rank, rank.local_world) == (3, 8, 1, 2)
    assert read_rank({}).world == 1


@pytest.mark.parametrize("env", [{"RANK": "a", "WORLD_SIZE": "2"}, {"RANK": "2", "WORLD_SIZE": "2"}])
def test_variables_that_make_no_sense_are_refused(env: dict[str, str]) -> None:
    with pytest.raises(InputError):
        read_rank(env)
