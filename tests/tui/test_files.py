"""Files of schedules: which are offered, what changed on the disk, who edits them, where they are saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.errors import InputError
from fourm_tui.paths import schedules_dir
from fourm_tui.tui.files import (
    Watch,
    editor_command,
    is_first_start,
    recent_schedules,
    remember_schedule,
    save_paths,
    schedules,
)

SCHEDULE = "target_domains: tok_rgb@224\n"


def test_schedules_of_the_folder_are_offered_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SCHEDULE)
    (tmp_path / "other.yaml").write_text("model: x\n")
    assert [each.path.name for each in schedules(tmp_path) if each.group == "in this folder"] == ["mine.yaml"]


def test_ready_made_schedules_say_what_they_are_for(tmp_path: Path) -> None:
    demo = next(each for each in schedules(tmp_path) if each.path.name.startswith("T2SDR"))
    assert "A caption to a picture" in demo.about


def test_what_was_open_of_late_comes_first_and_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SCHEDULE)
    found = schedules(tmp_path, [path])
    assert [each.group for each in found if each.path == path] == ["open of late"]


def test_the_newest_is_remembered_first(tmp_path: Path) -> None:
    for name in ("a", "b", "a"):
        remember_schedule(tmp_path / f"{name}.yaml", 20)
    assert [path.name for path in recent_schedules(20)] == ["a.yaml", "b.yaml"]


def test_no_more_are_remembered_than_wanted(tmp_path: Path) -> None:
    for number in range(5):
        remember_schedule(tmp_path / f"{number}.yaml", 3)
    assert len(recent_schedules(20)) == 3


def test_ready_made_ones_are_not_remembered() -> None:
    remember_schedule(schedules_dir() / "demo" / "x.yaml", 20)
    assert recent_schedules(20) == []


def test_a_name_that_is_no_utf8_is_remembered_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a\udcff.yaml"
    remember_schedule(path, 20)
    assert recent_schedules(20) == [path]


def test_the_first_start_is_one() -> None:
    assert (is_first_start(), is_first_start()) == (True, False)


def test_a_file_that_is_written_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("a: 1")
    watch = Watch()
    watch.look([path])
    before = watch.changed()
    path.write_text("a: 12")
    assert (before, watch.changed()) == (False, True)


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("a: 1")
    watch = Watch()
    watch.look([path])
    path.unlink()
    assert watch.gone() == [path]


@pytest.mark.parametrize(
    ("setting", "env", "command"),
    [
        ("code --wait", {"EDITOR": "vi"}, ["code", "--wait"]),
        ("", {"VISUAL": "emacs -nw", "EDITOR": "vi"}, ["emacs", "-nw"]),
        ("", {"EDITOR": "'my editor' -x"}, ["my editor", "-x"]),
    ],
)
def test_the_setting_is_the_editor_then_visual_then_editor(
    setting: str, env: dict[str, str], command: list[str]
) -> None:
    assert editor_command(setting, env) == command


def test_an_editor_that_is_no_command_is_said() -> None:
    with pytest.raises(InputError, match="is no command"):
        editor_command("'open", {})


def test_a_name_gets_the_ending_of_settings_files(tmp_path: Path) -> None:
    assert save_paths(str(tmp_path / "mine"), 1) == (tmp_path / "mine.yaml",)


def test_super_resolution_is_saved_beside(tmp_path: Path) -> None:
    assert save_paths(str(tmp_path / "mine.yaml"), 2)[1] == tmp_path / "mine_sr.yaml"


@pytest.mark.parametrize("name", ["", "  ", ".", "folder/", "~nobody-of-that-name/x", f"{schedules_dir()}/mine.yaml"])
def test_a_name_that_is_none_is_said(name: str) -> None:
    with pytest.raises(InputError):
        save_paths(name, 1)
