"""What is shown of a run's targets, and how maps look in characters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.style import Style

from fourm_tui.engine.jobs import QueuedJob
from fourm_tui.events import Decoding
from fourm_tui.runs import TargetTokens, write_tokens
from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.before import run_before
from fourm_tui.tui.outputs import MapView, items_of, map_view, place_line, recalled, step_line, words
from fourm_tui.tui.preview_state import Looking, scene_of, status_line
from fourm_tui.tui.widgets.drawings import Wish, draw
from fourm_tui.tui.widgets.token_map import Paint, map_lines, map_size
from tests.tui import kept_run

PAINT = Paint(Style(color="red"), Style(color="green"), Style(), Style())


def half(tmp_path: Path) -> kept_run.RunState:
    return kept_run.state(kept_run.kept(tmp_path), kept_run.steps(1, count=2))


def test_undecoded_positions_are_open(tmp_path: Path) -> None:
    view = map_view(half(tmp_path).targets[1, 0], "step")
    assert view is not None
    assert np.isnan(view.values).sum() == 98


def test_the_newest_step_is_fresh(tmp_path: Path) -> None:
    view = map_view(half(tmp_path).targets[1, 0], "step")
    assert view is not None
    assert np.flatnonzero(view.fresh).tolist() == list(range(49, 98))


def test_a_replay_shows_what_was_there_then(tmp_path: Path) -> None:
    view = map_view(kept_run.finished(kept_run.kept(tmp_path)).targets[1, 0], "step", until=0)
    assert view is not None
    assert (~np.isnan(view.values)).sum() == 49


def test_confidence_colours_by_confidence(tmp_path: Path) -> None:
    view = map_view(half(tmp_path).targets[1, 0], "confidence")
    assert view is not None
    assert view.values[0, 0] == pytest.approx(0.61, abs=0.01)


def test_the_line_under_the_map(tmp_path: Path) -> None:
    assert step_line(half(tmp_path).targets[1, 0]) == "step 2 of 4  98 of 196  confidence .61"


def test_the_cursor_names_a_position(tmp_path: Path) -> None:
    assert place_line(half(tmp_path).targets[1, 0], 0, 3) == "row 1 column 4  token 10  step 1  confidence .61"


def test_the_cursor_names_an_open_position(tmp_path: Path) -> None:
    assert place_line(half(tmp_path).targets[1, 0], 13, 0) == "row 14 column 1  open"


def test_every_target_has_its_place_from_the_start(tmp_path: Path) -> None:
    assert [item.kind for item in items_of(half(tmp_path), 0)] == ["map", "none", "none"]


def test_nothing_is_said_to_be_under_way_once_the_run_has_ended(tmp_path: Path) -> None:
    state = half(tmp_path)
    state.interrupt()
    assert [item.note for item in items_of(state, 0)] == ["not finished", "not made", "not made"]


def test_a_finished_target_without_its_picture_says_so_and_how_to_get_it(tmp_path: Path) -> None:
    run = kept_run.kept(tmp_path / "some runs")
    state = kept_run.finished(run)
    target = state.targets[1, 0]
    target.files = tuple(name for name in target.files if name.endswith(".safetensors"))
    assert [item.note for item in items_of(state, 0)] == ["tokens only", "", ""]
    line = status_line(state, Looking(chosen=(1, 0)))
    assert line == "tokens only  d makes its picture"
    job = QueuedJob("abc", str(run.folder), 1.0, "waiting", decode=(1,))
    assert status_line(state, Looking(chosen=(1, 0)), job=job) == "its picture is on the way"
    state.apply(Decoding(1, "tok_semseg@224", (0,), 3, 25))
    assert status_line(state, Looking(chosen=(1, 0)), job=job) == "its picture is on the way"
    running = replace(job, status="running")
    assert status_line(state, Looking(chosen=(1, 0)), job=running) == "decoding the picture  3 of 25"
    assert status_line(state, Looking(chosen=(1, 0)), job=replace(job, status="cancelled")) == line
    state.status = "running"  # it is refused then
    assert "d makes" not in status_line(state, Looking(chosen=(1, 0)))


def test_finished_targets_are_pictures_and_texts(tmp_path: Path) -> None:
    items = items_of(kept_run.finished(kept_run.kept(tmp_path)), 0)
    assert [(item.title, item.kind) for item in items] == [
        ("Segmentation", "picture"), ("RGB", "picture"), ("Caption", "text"),
    ]  # fmt: skip


def test_label_maps_are_not_smoothed(tmp_path: Path) -> None:
    items = items_of(kept_run.finished(kept_run.kept(tmp_path)), 0)
    assert [item.labels for item in items] == [True, False, False]


def test_words_carry_their_confidence(tmp_path: Path) -> None:
    found = words(kept_run.state(kept_run.kept(tmp_path), kept_run.words()).targets[3, 0])
    assert [word for word, _ in found] == ["a", " red", " fox"]
    assert [confidence for _, confidence in found] == pytest.approx([0.25, 0.5, 0.75], abs=0.01)


def test_a_target_taken_over_is_read_from_its_files(tmp_path: Path) -> None:
    run = kept_run.kept(tmp_path)
    numbers = np.arange(196)
    path = run.path_for(1, "tok_semseg@224", 0, ".safetensors")
    write_tokens(path, TargetTokens("tok_semseg@224", 1, 0, numbers, numbers % 4, np.ones(196)))
    target = recalled(run, kept_run.ROWS[0], 0)
    assert target is not None
    assert target.decoded == 196
    assert items_of(kept_run.state(run, []), 0)[0].kind == "none"


def test_the_run_before_is_named_by_its_difference(tmp_path: Path) -> None:
    kept_run.kept(tmp_path, temperature=0.5)
    run = kept_run.kept(tmp_path, temperature=0.7)
    before = run_before(run.folder, tmp_path)
    assert before is not None
    assert before.note() == "temps.1 0.5 → 0.7"


def test_the_first_run_has_none_before(tmp_path: Path) -> None:
    assert run_before(kept_run.kept(tmp_path).folder, tmp_path) is None


def test_the_run_before_stands_beside_the_new_picture(tmp_path: Path) -> None:
    kept_run.kept(tmp_path, temperature=0.5)
    run = kept_run.kept(tmp_path, temperature=0.7)
    looking = Looking(chosen=(2, 0))
    scene = scene_of(kept_run.finished(run), looking, run_before(run.folder, tmp_path))
    assert scene is not None
    assert [each.title for each in scene.companions] == ["before", "tokens"]


def test_a_replay_puts_the_map_first(tmp_path: Path) -> None:
    kept_run.kept(tmp_path)
    run = kept_run.kept(tmp_path, temperature=0.7)
    scene = scene_of(kept_run.finished(run), Looking(chosen=(2, 0), until=1), run_before(run.folder, tmp_path))
    assert scene is not None
    assert scene.companions[0].title == "tokens"


def test_loading_is_told_while_it_goes_on(tmp_path: Path) -> None:
    state = replace(half(tmp_path), loading=("EPFL/4M-21_XL", 0.4))
    assert status_line(state, Looking()) == "loading 4M-21_XL  40%"


# -- maps in characters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room", "size"),
    [((28, 14), (28, 14, 1)), ((60, 30), (56, 28, 2)), ((27, 14), (14, 7, 0)), ((14, 5), (7, 4, -2)), ((0, 9), (0, 0, 0))],
)  # fmt: skip
def test_maps_take_the_room_there_is(room: tuple[int, int], size: tuple[int, int, int]) -> None:
    assert map_size((14, 14), *room) == size


def view(cursor: tuple[int, int] | None = None) -> MapView:
    values = np.full((4, 4), np.nan, np.float32)
    values[0, 0] = 0.5
    return MapView(values, np.zeros((4, 4), bool), cursor)


def drawn(view: MapView, columns: int, rows: int, **choice: object) -> list[str]:
    lines = map_lines(view, columns, rows, Choice("blocks", **choice), PAINT)  # type: ignore[arg-type]
    return ["".join(segment.text for segment in line) for line in lines]


def test_a_token_is_two_characters() -> None:
    assert drawn(view(), 8, 4) == ["  · · · ", *["· · · · "] * 3]


def test_the_cursor_is_in_brackets() -> None:
    assert drawn(view((1, 1)), 8, 4)[1] == "· []· · "


def test_half_blocks_where_there_is_less_room() -> None:
    assert drawn(view(), 4, 2) == ["▀···", "····"]


def test_ascii_draws_nothing_else() -> None:
    assert all(line.isascii() for size in ((8, 4), (4, 4), (2, 2)) for line in drawn(view(), *size, ascii=True))


def test_without_colours_decoded_tokens_are_seen() -> None:
    assert drawn(view(), 8, 4, colours="none")[0].startswith("▒▒")


# -- pictures that cannot be shown ------------------------------------------------------------------------------


def test_a_deleted_picture_is_said_to_be_gone(tmp_path: Path) -> None:
    assert draw(Wish(tmp_path / "a.png", 10, 5), Choice("blocks")).problem == "the file is gone"


def test_a_half_written_picture_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert "cannot be shown" in draw(Wish(path, 10, 5), Choice("blocks")).problem


def test_a_huge_picture_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("1", (12_000, 10_000)).save(path)
    assert "too large" in draw(Wish(path, 10, 5), Choice("blocks")).problem


def test_text_that_is_no_picture_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("no picture")
    assert "cannot be shown" in draw(Wish(path, 10, 5), Choice("blocks")).problem


def test_a_picture_against_itself_is_black(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((64, 64), 50).convert("RGB").save(path)
    made = draw(Wish(path, 10, 5, against=path), Choice("blocks"))
    assert {segment.style.bgcolor.name for line in made.lines for segment in line if segment.style} == {"#000000"}  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", ["sixel", "kitty"])
def test_graphics_are_one_string(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 64), "red").save(path)
    made = draw(Wish(path, 10, 5, graphic=True), Choice(protocol))  # type: ignore[arg-type]
    assert made.graphic.startswith(("\x1b7\x1bP", "\x1b_G"))
    assert bool(made.number) == (protocol == "kitty")
