"""Opening, saving, editing elsewhere, leaving: nothing is lost, nothing is written over unasked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fourm_tui.schedule.document import Document
from fourm_tui.schedule.rows import Row
from fourm_tui.schedule.shipped import find_file
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.drafts import Drafts, find_draft
from fourm_tui.tui.files import save_paths
from fourm_tui.tui.screens.confirm import Confirm
from fourm_tui.tui.screens.main import MainScreen
from fourm_tui.tui.screens.save_as import SaveAs
from fourm_tui.tui.settings import Settings
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import CAPTION, DEMO, screen, text

Use = Callable[[FourmApp, Pilot[int]], Awaitable[None]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A schedule of the user's own, with a comment."""
    path = tmp_path / "mine.yaml"
    path.write_text("# my own\n" + find_file(DEMO).read_text())
    return path


def of(path: Path) -> Workspace:
    return Workspace.open(str(path), conditions=[f"caption={CAPTION}"])


def use(do: Use, workspace: Workspace | None = None, settings: Settings | None = None) -> None:
    async def run() -> None:
        async with screen(workspace, settings=settings) as (app, pilot):
            await do(app, pilot)

    asyncio.run(run())


def edit(app: FourmApp, value: float = 0.7) -> None:
    app.edit("temperature", lambda editor: editor.set_cell(1, "temps", value))


def row(workspace: Workspace) -> Row:
    """The first one."""
    assert workspace.schedule.base is not None
    return workspace.schedule.base.rows[0]


def temperature(path: Path) -> object:
    return row(Workspace.open(str(path))).temp


def seen(app: FourmApp) -> str:
    return "\n".join(text(app))


# -- saving -----------------------------------------------------------------------------------------------------------


def test_saving_writes_the_change_and_keeps_the_comment(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        await pilot.press("s")
        assert (temperature(path), path.read_text().startswith("# my own\n")) == (0.7, True)

    use(do, of(path))


def test_the_title_marks_what_is_not_saved(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        before = "•" in text(app)[0]
        edit(app)
        await pilot.pause()
        during = "•" in text(app)[0]
        await pilot.press("s")
        await pilot.pause()
        assert (before, during, "•" in text(app)[0]) == (False, True, False)

    use(do, of(path))


def test_saving_says_whether_ml4m_runs_it(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        await pilot.press("s")
        await pilot.pause()
        assert "runs in ml-4m: yes" in seen(app)

    use(do, of(path))


def test_a_ready_made_one_is_saved_under_a_name_of_its_own(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        await pilot.press("s")
        await pilot.press("enter")
        await pilot.pause()
        assert temperature(tmp_path / f"{find_file(DEMO).stem}.yaml") == 0.7

    use(do)


def test_save_as_goes_on_with_the_new_file(path: Path, tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("S", "ctrl+a", "ctrl+k", *"other", "enter")
        await pilot.pause()
        assert (app.workspace.path, (tmp_path / "other.yaml").read_text()) == (
            tmp_path / "other.yaml",
            path.read_text(),
        )

    use(do, of(path))


def test_a_file_is_written_over_only_when_that_is_said_twice(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("theirs")

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("S", "ctrl+a", "ctrl+k", *"other", "enter")
        await pilot.pause()
        once = (other.read_text(), isinstance(app.screen, SaveAs))
        await pilot.press("enter")
        await pilot.pause()
        assert (once, other.read_text()) == (("theirs", True), path.read_text())

    use(do, of(path))


def test_a_name_among_the_ready_made_ones_is_not_taken(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        app.files.save_as()
        await pilot.pause()
        app.screen.query_one("Input").value = str(find_file(DEMO))  # type: ignore[attr-defined]
        await pilot.press("enter")
        await pilot.pause()
        assert "ready-made" in seen(app)

    use(do, of(path))


# -- leaving ----------------------------------------------------------------------------------------------------------


def test_leaving_asks_about_what_is_not_saved_and_escape_stays(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        await pilot.press("q")
        asked = isinstance(app.screen, Confirm)
        await pilot.press("escape")
        await pilot.pause()
        assert (asked, isinstance(app.screen, MainScreen), app.is_running) == (True, True, True)

    use(do, of(path))


def test_leaving_can_save_first(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        await pilot.press("q", "s")
        await pilot.pause()
        assert (temperature(path), app.return_code) == (0.7, 0)

    use(do, of(path))


def test_leaving_can_discard(path: Path) -> None:
    before = path.read_text()

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        await pilot.press("q", "d")
        await pilot.pause()
        assert (path.read_text(), app.return_code) == (before, 0)

    use(do, of(path))


def test_leaving_asks_nothing_where_all_is_saved(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0

    use(do, of(path))


# -- drafts -----------------------------------------------------------------------------------------------------------


def test_a_program_that_is_ended_leaves_a_draft(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        app.files.rescue()
        found = find_draft(of(path).state)
        assert found is not None
        assert found.state == app.workspace.state

    use(do, of(path))


def test_a_clean_end_leaves_none(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        app.files.rescue()
        await pilot.press("q", "d")
        await pilot.pause()

    use(do, of(path))
    assert find_draft(of(path).state) is None


def leave_draft(path: Path) -> None:
    workspace = of(path)
    workspace.edit("temperature", lambda editor: editor.set_cell(1, "temps", 0.9))
    Drafts().write(workspace.state)


def test_a_draft_is_offered_and_taken_over(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("t")
        await pilot.pause()
        assert row(app.workspace).temp == 0.9

    leave_draft(path)
    use(do, of(path))


def test_a_draft_that_is_forgotten_is_gone(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f")
        await pilot.pause()
        assert (app.workspace.changed, find_draft(app.workspace.state)) == (False, None)

    leave_draft(path)
    use(do, of(path))


# -- the disk ---------------------------------------------------------------------------------------------------------


def test_a_file_that_changes_on_the_disk_is_read_again(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        Document.read(path).replace("top_p", "0.55").write()
        app.files.look()
        assert row(app.workspace).top_p == 0.55

    use(do, of(path))


def test_with_unsaved_changes_it_is_asked_first(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        Document.read(path).replace("top_p", "0.55").write()
        app.files.look()
        await pilot.press("k")
        await pilot.pause()
        assert row(app.workspace).temp == 0.7

    use(do, of(path))


def test_the_file_can_be_taken_and_ones_own_comes_back_with_undo(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        Document.read(path).replace("top_p", "0.55").write()
        app.files.look()
        await pilot.press("t")
        await pilot.pause()
        taken = row(app.workspace).top_p
        await pilot.press("u")
        assert (taken, row(app.workspace).temp) == (0.55, 0.7)

    use(do, of(path))


def test_a_file_that_is_deleted_is_unsaved_and_written_again(path: Path) -> None:
    before = path.read_text()

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        path.unlink()
        app.files.look()
        changed = app.workspace.changed
        await pilot.press("s")
        assert (changed, path.read_text()) == (True, before)

    use(do, of(path))


def test_a_file_that_is_broken_meanwhile_changes_nothing(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        before = app.workspace.state
        path.write_text("a: [")
        app.files.look()
        await pilot.pause()
        assert (app.workspace.state, "mine.yaml" in seen(app)) == (before, True)

    use(do, of(path))


# -- opening ----------------------------------------------------------------------------------------------------------


def test_a_schedule_is_found_by_a_few_letters_and_keeps_the_caption() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("o", *"T2R_roar16", "enter")
        await pilot.pause()
        assert (app.workspace.title, "caption" in app.workspace.state.given) == ("T2R_roar16_cfg3_t0.5", True)

    use(do)


def test_any_file_is_opened_by_its_path(path: Path) -> None:
    hidden = path.rename(path.with_name(".mine.yaml"))

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("o", *"./.mine.yaml", "enter")
        await pilot.pause()
        assert app.workspace.path is not None
        assert app.workspace.path.absolute() == hidden

    use(do)


def test_a_file_is_found_by_looking_through_the_folders(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("o", *"another", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("slash", *"mine", "enter", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.workspace.path == path

    use(do)


def test_opening_asks_about_what_is_not_saved(path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        edit(app)
        await pilot.press("o", *"T2R_roar16", "enter")
        await pilot.press("escape")
        await pilot.pause()
        assert app.workspace.path == path

    use(do, of(path))


def test_a_schedule_that_the_model_cannot_do_opens_all_the_same() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("o", *"T2CR_roar49", "enter")
        await pilot.pause()
        assert app.workspace.title.startswith("T2CR")

    use(do)


# -- an editor --------------------------------------------------------------------------------------------------------


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A command that appends to the file, and a terminal that can be given to it."""
    monkeypatch.setattr(FourmApp, "suspend", lambda self: nullcontext())
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\necho "# edited" >> "$1"\n')
    script.chmod(0o755)
    return str(script)


def test_what_an_editor_did_is_taken_over(path: Path, editor: str) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("e")
        assert app.workspace.state.documents[0].text.endswith("# edited\n")

    use(do, of(path), Settings(editor=editor))


def test_a_ready_made_schedule_is_edited_as_a_copy(tmp_path: Path, editor: str) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("e", "enter")
        await pilot.pause()
        assert (tmp_path / f"{find_file(DEMO).stem}.yaml").read_text().endswith("# edited\n")

    use(do, settings=Settings(editor=editor))


def test_an_editor_that_there_is_not_is_said(path: Path, editor: str) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("e")
        await pilot.pause()
        assert "cannot be started" in seen(app)

    use(do, of(path), Settings(editor="no-such-editor-anywhere"))


@pytest.mark.parametrize("typed", ["", "./", ".yaml", "   ", "."])
def test_a_file_needs_a_name(path: Path, typed: str) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("S", "ctrl+a", "ctrl+k")
        app.screen.query_one("Input").value = typed  # type: ignore[attr-defined]
        await pilot.press("enter")
        await pilot.pause()
        assert (isinstance(app.screen, SaveAs), app.workspace.path) == (True, path)

    use(do, of(path))


def test_an_ending_typed_before_the_one_that_stands_there_is_not_doubled(path: Path, tmp_path: Path) -> None:
    assert save_paths(str(tmp_path / "my.yaml.yaml"), 1) == (tmp_path / "my.yaml",)


def test_a_name_that_cannot_be_written_stays_to_be_mended(path: Path, tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("S", "ctrl+a", "ctrl+k", *"nowhere/mine", "enter")
        await pilot.pause()
        field = app.screen.query_one("Input")
        assert ("no such folder" in seen(app), field.value) == (True, "nowhere/mine")  # type: ignore[attr-defined]

    use(do, of(path))
