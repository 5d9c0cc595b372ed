"""What is edited: every change is one step that can be undone, files keep their comments, runs bring their chain back."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.conditions.given import Given
from fourm_tui.errors import InputError
from fourm_tui.runs import list_runs
from fourm_tui.tui.workspace import Workspace

CAPTION = "a large red sphere on grey ground"
TEXT = """# what it is for
cond_domains: caption
target_domains: tok_semseg@224-tok_rgb@224
tokens_per_target: 196
autoregression_schemes: roar
decoding_steps: 4-4   # few
token_decoding_schedules: linear
temps: 0.5
temp_schedules: constant
cfg_scales: 2.0
cfg_schedules: constant
cfg_grow_conditioning: True
top_p: 0.9
top_k: 0.0
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return Workspace.open(str(path), conditions=[f"caption={CAPTION}"])


def test_an_edit_is_taken_back_and_made_again(workspace: Workspace) -> None:
    workspace.edit("temperature", lambda editor: editor.set_cell(2, "temps", 0.7))
    assert [row.temp for _, _, row in workspace.schedule.rows()] == [0.5, 0.7]
    assert workspace.changed
    assert workspace.undo() == "temperature"
    assert not workspace.changed
    assert workspace.undo() is None
    assert workspace.redo() == "temperature"
    assert workspace.redo() is None
    assert [row.temp for _, _, row in workspace.schedule.rows()] == [0.5, 0.7]


def test_an_edit_that_does_not_fit_changes_nothing(workspace: Workspace) -> None:
    before = workspace.state
    with pytest.raises(InputError):
        workspace.edit("nonsense", lambda editor: editor.set_cell(9, "temps", 1.0))
    assert workspace.state is before


def test_a_condition_joins_the_chain_and_leaves_it_in_one_step(workspace: Workspace) -> None:
    workspace.give(Given("det", text="sphere 0.1 0.1 0.5 0.5"))
    assert workspace.schedule.base and set(workspace.schedule.base.conditions) == {"caption", "det"}
    workspace.undo()
    assert set(workspace.state.given) == {"caption"}
    workspace.take_away("caption")
    assert workspace.schedule.base.conditions == ()
    assert not workspace.state.given


def test_a_target_that_is_given_is_no_condition(workspace: Workspace, tmp_path: Path) -> None:
    workspace.give(Given("tok_rgb@224", path=tmp_path / "x.png", mask=tmp_path / "m.png"))
    assert workspace.schedule.base and workspace.schedule.base.conditions == ("caption",)


def test_saving_keeps_comments_and_says_that_nothing_is_unsaved(workspace: Workspace) -> None:
    workspace.edit("steps", lambda editor: editor.set_cell(1, "decoding_steps", 8))
    workspace.save()
    assert workspace.path is not None
    assert workspace.path.read_text() == TEXT.replace("4-4", "8-4")
    assert not workspace.changed
    workspace.undo()
    assert workspace.changed


def test_ready_made_files_are_not_written_over(tmp_path: Path) -> None:
    workspace = Workspace.open("demo/T2SDR", conditions=[f"caption={CAPTION}"])
    before = workspace.path.read_text() if workspace.path else ""
    workspace.edit("temperature", lambda editor: editor.set_cell(1, "temps", 0.7))
    with pytest.raises(InputError, match="ready-made"):
        workspace.save()
    workspace.save_as(tmp_path / "mine.yaml")
    assert workspace.title == "mine"
    assert not workspace.changed
    assert "# The segmentation decides" in (tmp_path / "mine.yaml").read_text()
    assert Workspace.open("demo/T2SDR").path != workspace.path
    assert before == (Workspace.open("demo/T2SDR").path or tmp_path).read_text()


def test_a_file_that_another_program_changed_is_read_again(workspace: Workspace) -> None:
    assert not workspace.reread()
    assert workspace.path is not None
    workspace.path.write_text(TEXT.replace("temps: 0.5", "temps: 0.9"))
    assert workspace.reread()
    assert next(workspace.schedule.rows())[2].temp == 0.9
    assert not workspace.changed


def test_options_are_steps_too(workspace: Workspace) -> None:
    assert (workspace.seed, workspace.variations) == (0, 1)
    workspace.set_option("num_variations", 3)
    workspace.set_option("seed", 7)
    assert len(workspace.seeds) == 3
    assert workspace.seeds[0] == 7
    workspace.undo()
    assert workspace.seed == 0


def test_what_is_wrong_is_in_the_check(workspace: Workspace) -> None:
    assert workspace.check.ok
    workspace.edit("steps", lambda editor: editor.set_cell(1, "decoding_steps", 400))
    assert [problem.column for problem in workspace.check.findings.problems] == ["decoding_steps"]
    workspace.undo()
    assert workspace.check.ok


def test_models_that_do_not_exist_are_refused(workspace: Workspace) -> None:
    with pytest.raises(InputError):
        workspace.choose_models("nowhere.yaml")
    assert workspace.state.models is None


def test_a_run_brings_its_chain_back(workspace: Workspace, tmp_path: Path) -> None:
    workspace.edit("temperature", lambda editor: editor.set_cell(2, "temps", 0.7))  # never saved
    workspace.set_option("seed", 11)
    workspace.begin(tmp_path / "runs")
    (run,) = list_runs(tmp_path / "runs").runs
    again = Workspace.of_run(run)
    assert [row.temp for _, _, row in again.schedule.rows()] == [0.5, 0.7]
    assert again.state.given["caption"].text == CAPTION
    assert (again.seed, again.title) == (11, "mine")
    assert again.check.ok


def test_an_unsaved_edit_counts_as_changed_after_a_run_was_reopened(workspace: Workspace, tmp_path: Path) -> None:
    workspace.edit("temperature", lambda editor: editor.set_cell(2, "temps", 0.7))
    workspace.begin(tmp_path / "runs")
    (run,) = list_runs(tmp_path / "runs").runs
    again = Workspace.of_run(run)
    assert again.path == workspace.path
    assert again.changed  # what is on disk says 0.5
