"""Edits change the schedule as asked, the text as little as possible, and can be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourm_tui.errors import InputError
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor

BASE = """\
# a chain
cond_domains: caption   # what it starts from
target_domains: tok_clip@224-tok_rgb@224

tokens_per_target: 196
autoregression_schemes: roar-roar
decoding_steps: [49, 25]  # many
token_decoding_schedules: linear
temps: 6.0-0.5
temp_schedules: onex:0.5:0.5-constant
cfg_scales: &scale 3.0
cfg_schedules: constant
cfg_grow_conditioning: True
top_p: 0.9
top_k: 0.0
"""

SR = """\
sr_target_domains: tok_clip@448-tok_rgb@448
sr_decoding_steps: 8
sr_temps: 1.0
sr_top_p: 0.9
"""


def editor(*texts: str) -> Editor:
    return Editor([Document.parse(text) for text in texts or (BASE,)])


def text(e: Editor, file: int = 0) -> str:
    return e.documents[file].text


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [(a, b) for a, b in pairs if a != b]


@pytest.mark.parametrize(
    ("row", "key", "value", "line"),
    [
        (2, "temps", 0.8, "temps: 6.0-0.8"),
        (1, "decoding_steps", 30, "decoding_steps: [30, 25]  # many"),
        (2, "cfg_scales", 2.0, "cfg_scales: 3.0-2.0"),
        (2, "cfg_scales", -1.0, "cfg_scales: [3.0, -1.0]"),
        (1, "cfg_scales", {"caption": 2.0, "det": -0.5}, "cfg_scales: [{caption: 2.0, det: -0.5}, 3.0]"),
        (2, "temps", -1.0, "temps: [6.0, -1.0]"),
        (1, "temp_schedules", "linear", "temp_schedules: linear-constant"),
        (2, "temp_schedules", "onex:0.1:1.0", "temp_schedules: onex:0.5:0.5-onex:0.1:1.0"),
        (2, "top_p", 0.8, "top_p: [0.9, 0.8]"),
        (2, "target_domains", "tok_depth@224", "target_domains: tok_clip@224-tok_depth@224"),
        (1, "temps", 3, "temps: 3.0-0.5"),
    ],
)
def test_a_cell_is_edited_where_it_stands(row: int, key: str, value: Any, line: str) -> None:
    e = editor()
    e.set_cell(row, key, value)
    assert [after for _, after in changed_lines(BASE, text(e))] == [line]
    cells = [getattr(r, COLUMNS[key].attribute) for _, _, r in e.schedule.rows()]
    assert cells[row - 1] == value
    assert e.schedule.problems == ()


def test_a_cell_of_the_super_resolution_part_is_in_its_own_file() -> None:
    e = editor(BASE, SR)
    e.set_cell(4, "temps", 0.5)
    assert text(e, 0) == BASE
    assert text(e, 1) == SR.replace("sr_temps: 1.0", "sr_temps: 1.0-0.5")


def test_a_key_that_the_file_leaves_out_is_added() -> None:
    e = editor(BASE, SR)
    e.set_cell(3, "cfg_scales", 2.0)
    assert text(e, 1) == SR + "sr_cfg_scales: 2.0-4.0\n"


def test_the_same_value_is_no_edit() -> None:
    e = editor()
    e.set_cell(1, "temps", 6.0)
    assert text(e) == BASE
    assert not e.can_undo


def test_a_value_that_does_not_fit_is_refused_and_nothing_changes() -> None:
    e = editor()
    for key, value in (("temps", "warm"), ("decoding_steps", 2.5), ("cfg_scales", {}), ("temps", True)):
        with pytest.raises(InputError, match=key):
            e.set_cell(1, key, value)
    with pytest.raises(InputError, match="no row 3"):
        e.set_cell(3, "temps", 1.0)
    with pytest.raises(InputError, match="no column"):
        e.set_cell(1, "temp", 1.0)
    assert text(e) == BASE


def test_fill_down_gives_every_row_below_the_value() -> None:
    e = editor()
    e.fill_down(1, "temps")
    assert [row.temp for _, _, row in e.schedule.rows()] == [6.0, 6.0]
    e.undo()
    assert text(e) == BASE


def test_rows_are_duplicated_moved_and_deleted_in_every_column() -> None:
    e = editor()
    e.duplicate_row(1, "tok_depth@224")
    rows = [row for _, _, row in e.schedule.rows()]
    assert [row.target for row in rows] == ["tok_clip@224", "tok_depth@224", "tok_rgb@224"]
    assert [row.steps for row in rows] == [49, 49, 25]
    assert "tokens_per_target: 196\n" in text(e)
    assert "decoding_steps: [49, 49, 25]  # many" in text(e)
    e.move_row(3, -2)
    assert [row.steps for _, _, row in e.schedule.rows()] == [25, 49, 49]
    e.delete_row(2)
    assert [row.target for _, _, row in e.schedule.rows()] == ["tok_rgb@224", "tok_depth@224"]
    assert e.schedule.problems == ()
    for _ in range(3):
        e.undo()
    assert text(e) == BASE


def test_the_only_row_cannot_be_deleted() -> None:
    e = editor("target_domains: tok_rgb@224\ndecoding_steps: 8\ntemps: 1.0\n")
    with pytest.raises(InputError, match="only one"):
        e.delete_row(1)


def test_a_second_row_grows_from_a_single_one() -> None:
    e = editor("target_domains: tok_clip@224\ntokens_per_target: 196\nautoregression_schemes: roar\n"
               "decoding_steps: 8\ntoken_decoding_schedules: linear\ntemps: 1.0\ntemp_schedules: constant\n"
               "cfg_scales: 3.0\ncfg_schedules: constant\n")  # fmt: skip
    e.duplicate_row(1, "tok_rgb@224")
    assert "target_domains: tok_clip@224-tok_rgb@224\n" in text(e)
    assert "decoding_steps: 8\n" in text(e)
    assert e.schedule.problems == ()


def test_chain_values() -> None:
    e = editor(BASE, SR)
    e.set_chain("top_p", 0.8)
    e.set_chain("cond_domains", ["caption", "det"])
    e.set_chain("cfg_grow_conditioning", False)
    e.set_chain("temps", 2.0, prefix="sr_")
    e.set_chain("seed", 3)
    assert "cond_domains: caption-det   # what it starts from" in text(e)
    assert "top_p: 0.8\n" in text(e)
    assert "sr_temps: 2.0\n" in text(e, 1)
    assert e.schedule.settings["seed"] == 3
    assert e.schedule.base and not e.schedule.base.cfg_grow_conditioning
    e.set_chain("cond_domains", [])
    assert "cond_domains: []" in text(e)


def test_saving_writes_only_files_that_changed(tmp_path: Path) -> None:
    base, sr = tmp_path / "base.yaml", tmp_path / "sr.yaml"
    base.write_bytes(BASE.replace("\n", "\r\n").encode())
    sr.write_text(SR)
    before = sr.stat().st_mtime_ns
    e = Editor([Document.read(base), Document.read(sr)])
    assert not e.changed
    e.set_cell(2, "temps", 0.8)
    assert e.changed
    e.save()
    assert not e.changed
    assert base.read_bytes() == BASE.replace("6.0-0.5", "6.0-0.8").replace("\n", "\r\n").encode()
    assert sr.stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base.yaml", "sr.yaml"]


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "tokens_per_target": st.integers(1, 2000),
    "decoding_steps": st.integers(1, 500) | st.none(),
    "autoregression_schemes": st.sampled_from(COLUMNS["autoregression_schemes"].choices),
    "token_decoding_schedules": st.sampled_from(["cosine", "linear"]) | st.none(),
    "temps": st.floats(-10, 1e9),
    "temp_schedules": st.sampled_from(["constant", "linear", "onex:0.5:0.5", "onex:1e-3:2"]),
    "cfg_scales": st.floats(-1e4, 1e4) | st.dictionaries(st.sampled_from(["caption", "det"]), st.floats(-9, 9), min_size=1),
    "cfg_schedules": st.sampled_from(["constant", "linear", "cosine"]),
    "top_p": st.floats(0, 1),
    "top_k": st.floats(0, 1) | st.integers(0, 9999),
}  # fmt: skip

cell = st.sampled_from(list(VALUES)).flatmap(lambda key: st.tuples(st.just(key), VALUES[key]))
edit = (
    st.tuples(st.just("cell"), st.integers(1, 6), cell)
    | st.tuples(st.sampled_from(["delete", "duplicate", "up", "down", "undo", "redo"]), st.integers(1, 6), st.none())
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(edit, max_size=8), st.sampled_from([BASE, BASE + SR, BASE.replace("\n", "\r\n")]))
def test_any_edits_do_what_they_say_and_undo_gives_back_the_text(edits: list[Any], start: str) -> None:
    e = editor(start)
    for kind, row, what in edits:
        rows = [r for _, _, r in e.schedule.rows()]
        try:
            if kind == "cell":
                e.set_cell(row, *what)
                key, value = what
                after = [r for _, _, r in e.schedule.rows()]
                assert getattr(after[row - 1], COLUMNS[key].attribute) == value
                assert [r for i, r in enumerate(after) if i != row - 1] == [
                    r for i, r in enumerate(rows) if i != row - 1
                ]
            elif kind == "delete":
                e.delete_row(row)
                assert [r for _, _, r in e.schedule.rows()] == rows[: row - 1] + rows[row:]
            elif kind == "duplicate":
                e.duplicate_row(row)
                assert [r for _, _, r in e.schedule.rows()] == rows[:row] + rows[row - 1 :]
            elif kind in ("up", "down"):
                e.move_row(row, -1 if kind == "up" else 1)
                assert sorted(map(repr, rows)) == sorted(repr(r) for _, _, r in e.schedule.rows())
            else:
                getattr(e, kind)()
        except InputError as error:
            assert "no row" in str(error) or "only one" in str(error)
    while e.can_undo:
        e.undo()
    assert text(e) == start
