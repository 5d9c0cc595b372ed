"""The pane of the schedule: the table, and below it what it means before anything runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widget import Widget

from fourm_tui.chain.calibration import Timing, measured
from fourm_tui.cost import Cost
from fourm_tui.errors import FourmError, InputError
from fourm_tui.modalities import MODALITIES
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.rows import Problem
from fourm_tui.tui import cells
from fourm_tui.tui.actions import bindings
from fourm_tui.tui.cells import Cell
from fourm_tui.tui.detail import problems_of, said
from fourm_tui.tui.editing import is_onex
from fourm_tui.tui.new_row import new_row
from fourm_tui.tui.panes.pane import Pane
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.widgets.row_detail import RowDetail
from fourm_tui.tui.widgets.schedule_table import ScheduleTable
from fourm_tui.tui.workspace import Workspace

if TYPE_CHECKING:
    from fourm_tui.tui.widgets.filtered_list import Row as Choice

_LEAST_DETAIL = ((12, 4), (9, 3), (-1, 1))
"""Lines that the part below the table keeps in a pane of more than so many."""


class SchedulePane(Pane):
    """The schedule."""

    NUMBER, TITLE, WHERE = 2, "schedule", "schedule"
    BINDINGS = bindings("schedule")

    def compose(self) -> ComposeResult:
        yield ScheduleTable()
        yield RowDetail()

    def on_mount(self) -> None:
        super().on_mount()
        self._problem = -1
        self._seen: tuple[Cell, str] | None = None  # a choice that is looked at, and not taken yet
        self._timing = Timing.kept()
        self._measured_status = ""
        self._loading_said: float | None = None
        self.fourm.queue_signal.subscribe(self, lambda _: self._held_changed())
        self.fourm.run_signal.subscribe(self, self._run_changed)
        self.fourm.workspace_signal.subscribe(self, lambda _: self.redraw())
        self.app.theme_changed_signal.subscribe(self, lambda _: self.call_after_refresh(self.redraw))
        self.call_after_refresh(self.redraw)
        self.set_timer(1.0, self._measure)

    @property
    def focus_widget(self) -> Widget:
        return self.table

    @property
    def table(self) -> ScheduleTable:
        return self.query_one(ScheduleTable)

    @property
    def selected(self) -> Cell | None:
        """The cell that has the cursor."""
        return self.table.cell

    @property
    def copied(self) -> str:
        """The selected row as YAML, for the clipboard."""
        row = self.table.row
        found = next((each for number, _, each in self.fourm.workspace.schedule.rows() if number == row), None)
        if found is None:
            return ""
        from fourm_tui.schedule.columns import COLUMNS
        from fourm_tui.schedule.values import format_value

        return "".join(
            f"{key}: {format_value(each, getattr(found, each.attribute))}\n" for key, each in COLUMNS.items()
        )

    # -- time --------------------------------------------------------------------------------------------------------

    def seconds(self, cost: Cost) -> tuple[float, bool]:
        """How long a cost takes here, for all variations at once, and whether that is a guess."""
        model, device = self._where
        variations = self.fourm.workspace.variations
        return self._timing.seconds(cost, model, device, variations), not self._timing.knows(model, device)

    @property
    def _where(self) -> tuple[str, str]:
        """Model and device of the next run."""
        workspace = self.fourm.workspace
        workers = (self.fourm.engine_status or {}).get("workers") or [{}]
        device = str(workspace.state.options.get("device") or workers[0].get("device") or "cpu")
        return str(workspace.inputs.models.model), device

    @property
    def loading_time(self) -> float | None:
        """Seconds until the model is there, 0 where that is not known; None if it is there."""
        try:
            model, device = self._where
        except FourmError:
            return None
        workers = (self.fourm.engine_status or {}).get("workers") or []
        held = {str(each.get("name")) for worker in workers for each in worker.get("held") or []}
        found = self.fourm.workspace.inputs.checkpoints.get("model")
        names = {
            model,
            *((found.name, str(found.weights), str(found.weights.parent)) if found and found.weights else ()),
        }
        if any(name in names or name.startswith(f"{model}@") for name in held):
            return None
        return self._timing.loading(model, device) or 0.0

    def _held_changed(self) -> None:
        """The engine holds other models, perhaps."""
        if self.loading_time != self._loading_said:
            self._detail()

    def _run_changed(self, state: RunState | None) -> None:
        """A run that has ended tells how fast this machine is."""
        status = state.status if state is not None else ""
        if status == "done" and self._measured_status != "done":
            self._measure()
        self._measured_status = status

    def _measure(self) -> None:
        self.run_worker(self._take_times, thread=True, group="times", exclusive=True)

    def _take_times(self) -> None:
        with contextlib.suppress(FourmError, OSError):
            timing = measured(self.fourm.out)
            self.app.call_from_thread(self._timed, timing)

    def _timed(self, timing: Timing) -> None:
        if timing.paces != self._timing.paces:
            self._timing = timing
            self._detail()

    # -- drawing ------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Shows the workspace as it is."""
        workspace = self.fourm.workspace
        problems = frozenset((each.row, each.column) for each in _errors(workspace))
        self.table.show(workspace, problems)
        self.retitle(_counted(workspace))
        self._share()
        self._detail()

    def on_resize(self) -> None:
        self._share()
        self.call_after_refresh(self._detail)

    def _share(self) -> None:
        """Room for the table, as far as the part below it keeps a few lines."""
        room = self.size.height
        kept = next(lines for least, lines in _LEAST_DETAIL if room > least)
        self.table.styles.max_height = max(3, room - 1 - kept)

    def _detail(self) -> str:
        """Shows what is selected, with what is being edited; what is wrong with that."""
        table = self.table
        workspace, wrong = self.fourm.workspace, ""
        if self._seen is not None:
            workspace, wrong = _tried(workspace, *self._seen)
        elif table.editing is not None:
            wrong = table.editing.error
            if not wrong:
                workspace, wrong = _tried(workspace, table.editing.cell, table.editing.text)
        self._loading_said = self.loading_time
        self.query_one(RowDetail).show(workspace, table.row, self.seconds, wrong, self._loading_said)
        return wrong

    def on_schedule_table_moved(self, event: ScheduleTable.Moved) -> None:
        event.stop()
        self.fourm.select_row(self.table.row)
        self._detail()

    def on_schedule_table_typed(self, event: ScheduleTable.Typed) -> None:
        event.stop()
        self._detail()

    def on_schedule_table_taken(self, event: ScheduleTable.Taken) -> None:
        event.stop()
        self._put(event.cell, event.text)

    def _put(self, cell: Cell, text: str) -> None:
        workspace = self.fourm.workspace
        self.fourm.change(lambda: cells.put(workspace, cell, cells.read(cell, text)))

    # -- cells --------------------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        cell = self.selected
        workspace = self.fourm.workspace
        if cell is None or cell.look == "none":
            return
        if cell.key == "cfg_scales" and isinstance(cells.current(workspace, cell), dict):
            self.action_weights()
            return
        every, now = cells.choices(workspace, cell), cells.source(workspace, cell)
        if every and not is_onex(now):
            self._choose_seen(cell, every, now)
        else:
            self.table.open(now)

    def action_step_up(self) -> None:
        self._step(1)

    def action_step_down(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        cell = self.selected
        workspace = self.fourm.workspace
        if cell is None or cell.look == "none":
            return

        def step() -> None:
            value = cells.stepped(workspace, cell, by)
            if value != cells.current(workspace, cell):
                cells.put(workspace, cell, value)

        self.fourm.change(step)

    def action_fill(self) -> None:
        cell = self.selected
        if cell is None or not cell.row:
            self.fourm.say("only the value of a row can be filled down", error=True)
        elif cell.key == "target_domains":
            self.fourm.say("a target is generated once; only other columns can be filled down", error=True)
        else:
            self.fourm.edit("fill down", lambda editor: editor.fill_down(cell.row, cell.key))

    def action_weights(self) -> None:
        """Guidance of the selected row as weights per condition."""
        from fourm_tui.tui.screens.weights import Weights

        cell = self.selected
        row = self.table.row
        found = next(
            ((part, each) for number, part, each in self.fourm.workspace.schedule.rows() if number == row), None
        )
        if cell is None or found is None:
            return
        part, values = found
        earlier = [each.target for each in part.rows[: part.rows.index(values)]]
        names = [name for name in dict.fromkeys((*part.conditions, *earlier)) if name != values.target]
        now = values.cfg_scale

        def taken(weights: dict[str, float] | float | None) -> None:
            if weights is not None:
                self.fourm.edit(f"guidance of row {row}", lambda editor: editor.set_cell(row, "cfg_scales", weights))

        self.app.push_screen(Weights(row, names, now), taken)

    def action_problem(self) -> None:
        """To the cell of the next problem or hint."""
        found = problems_of(self.fourm.workspace)
        if not found:
            self.fourm.say("no problems, no hints")
            return
        self._problem = (self._problem + 1) % len(found)
        each = found[self._problem]
        if not self.table.go_to(each.row, each.column) and each.row:
            self.table.go_to(each.row, None)
        workspace = self.fourm.workspace
        self.fourm.say(said(workspace.check, each), error=each in _errors(workspace))

    # -- rows ---------------------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        row = self.table.row

        def add(target: str) -> None:
            source = next(each for number, _, each in self.fourm.workspace.schedule.rows() if number == row)
            if self.fourm.edit(f"add {target}", lambda editor: editor.insert_row(row, new_row(source, target))):
                self.table.go_to(row + 1, "target_domains")

        self._choose_target("add a target", add)

    def action_duplicate(self) -> None:
        row = self.table.row

        def duplicate(target: str) -> None:
            def change(editor: Editor) -> None:
                editor.duplicate_row(row, target)
                cells.suit(editor, row + 1, target)

            if self.fourm.edit(f"duplicate row {row}", change):
                self.table.go_to(row + 1, "target_domains")

        self._choose_target(f"duplicate row {row} for", duplicate)

    def action_delete(self) -> None:
        row = self.table.row
        self.fourm.edit(f"delete row {row}", lambda editor: editor.delete_row(row))

    def action_move_down(self) -> None:
        self._move(1)

    def action_move_up(self) -> None:
        self._move(-1)

    def _move(self, by: int) -> None:
        row, key = self.table.row, self.selected.key if self.selected else None
        if self.fourm.edit(f"move row {row}", lambda editor: editor.move_row(row, by)):
            number = row + by
            parts = {found: part.prefix for found, part, _ in self.fourm.workspace.schedule.rows()}
            if parts.get(number) == parts.get(row):
                self.table.go_to(number, key)

    def _choose_target(self, title: str, then: Callable[[str], None]) -> None:
        line = self.table.lines[self.table.line] if self.table.lines else None
        prefix = line.part if line else ""
        have = {row.target for _, part, row in self.fourm.workspace.schedule.rows() if part.prefix == prefix}
        every = tuple(name for name in cells.targets(self.fourm.workspace, prefix) if name not in have)
        if not every:
            self.fourm.say("the model generates nothing that is not in the chain already", error=True)
            return
        self._choose(title, every, "", then)

    def _choose(self, title: str, every: tuple[str, ...], now: str, then: Callable[[str], None]) -> None:
        """Asks for one of several in a list."""
        from fourm_tui.tui.screens.choose import Choose

        self.app.push_screen(Choose(title, _listed(every), now), lambda found: then(found) if found else None)

    def _choose_seen(self, cell: Cell, every: tuple[str, ...], now: str) -> None:
        """Asks for the value of a cell; what each would make of the chain is seen while one looks for it."""
        from fourm_tui.tui.screens.choose import ChooseSeen

        def show(found: str) -> str:
            self._seen = (cell, found)
            return self._detail()

        def then(found: str | None) -> None:
            self._seen = None
            if found is None or found == now:
                self._detail()
                return
            self._put(cell, found)
            if is_onex(found) and found in every:
                self.table.open(found)  # its two numbers

        free = cell.key == "temp_schedules"
        self.app.push_screen(ChooseSeen(cell.title, _listed(every), now, show, self.table.region, free), then)


def _listed(names: tuple[str, ...]) -> list[Choice]:
    """Names as lines of a list."""
    from fourm_tui.tui.found import Entry
    from fourm_tui.tui.widgets.filtered_list import Row as Choice

    return [Choice(Entry(name, name, MODALITIES[name].title if name in MODALITIES else "")) for name in names]


def _errors(workspace: Workspace) -> frozenset[Problem]:
    try:
        return frozenset(workspace.check.findings.problems)
    except InputError:
        return frozenset()


def _counted(workspace: Workspace) -> str:
    """How many problems and hints there are, which the part below the table may have too little room for."""
    try:
        findings = workspace.check.findings
    except InputError:
        return ""
    counts = ((len(findings.problems), "problem"), (len(findings.hints), "hint"))
    return "  ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)


def _tried(workspace: Workspace, cell: Cell, text: str) -> tuple[Workspace, str]:
    """What an edit would make of a workspace, or why it cannot be."""
    try:
        return cells.tried(workspace, cell, text), ""
    except InputError as error:
        return workspace, str(error)
