"""The pane of the preview: what comes out of the run, from its first token on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.timer import Timer
from textual.widget import Widget

from fourm_tui.tui.actions import bindings
from fourm_tui.tui.panes.drawn import DrawnPane
from fourm_tui.tui.preview_state import Looking, facts_line, scene_of, status_line
from fourm_tui.tui.run_state import RunState, TargetState
from fourm_tui.tui.widgets.canvas import Canvas
from fourm_tui.tui.widgets.drawings import Drawings
from fourm_tui.tui.widgets.output_strip import CERTAIN, draw_scene, legend
from fourm_tui.tui.widgets.outputs_body import PreviewBody
from fourm_tui.tui.words import run_word

if TYPE_CHECKING:
    from fourm_tui.tui.before import Before
    from fourm_tui.tui.outputs import Item, Key

_REPLAY = 4.0  # seconds that a replay takes, where its steps are few enough
_LEGENDS = {"step": ("first", "last"), "confidence": CERTAIN}
_NOTHING = "Tokens fill in here while a run goes on, and its pictures stay.  r run"


class PreviewPane(DrawnPane):
    """The preview."""

    NUMBER, TITLE, WHERE = 4, "preview", "preview"
    BINDINGS = bindings("preview")
    _is_empty = True

    def compose(self) -> ComposeResult:
        yield PreviewBody()

    def on_mount(self) -> None:
        super().on_mount()
        self.looking = Looking()
        self.before: Before | None = None
        self._state: RunState | None = None
        self._tried: set[Key] = set()
        self._playing: Timer | None = None
        self._drawings = Drawings(self.fourm.choice, self._drawn)
        self.fourm.run_signal.subscribe(self, self._run_changed)
        sheets: Any = getattr(self.fourm, "sheet_signal", None)
        if sheets is not None:
            sheets.subscribe(self, self._sheet_changed)
        self.call_after_refresh(self._run_changed, self.fourm.run_state)

    def on_unmount(self) -> None:
        self._drawings.close()

    @property
    def focus_widget(self) -> Widget:
        return self.body

    @property
    def body(self) -> PreviewBody:
        return self.query_one(PreviewBody)

    # -- what is looked at ------------------------------------------------------------------------------------------

    @property
    def state(self) -> RunState | None:
        return self._state

    @property
    def selected(self) -> Item | None:
        """The target that is looked at."""
        found = scene_of(self._state, self.looking, None)
        return found.items[found.selected] if found and found.items else None

    @property
    def target(self) -> TargetState | None:
        item = self.selected
        return self._state.targets.get(item.key) if self._state and item else None

    # -- news -------------------------------------------------------------------------------------------------------

    def _run_changed(self, state: RunState | None) -> None:
        if state is not self._state:
            self._state, self.before = state, None
            self._tried = set()
            self.looking = Looking(colouring=self.looking.colouring)
            self._stop_playing()
            if state is not None:
                self._look_back(state.folder)
        if state is not None:
            self._recall(state)
        self.redraw_soon()

    def _sheet_changed(self, sheets: dict[str, Path]) -> None:
        self.looking.show_sheets(sheets)
        self.redraw_soon()

    def _look_back(self, folder: Path) -> None:
        out = self.fourm.out

        def find() -> None:
            from fourm_tui.tui.before import run_before

            found = run_before(folder, out)
            self.app.call_from_thread(self._found_before, folder, found)

        self.run_worker(find, thread=True, exclusive=True, group="before")

    def _found_before(self, folder: Path, found: Before | None) -> None:
        if self._state is not None and self._state.folder == folder:
            self.before = found
            self.redraw_soon()

    def _recall(self, state: RunState) -> None:
        """Targets that were there before the run began are read from its folder."""
        missing = [
            (facts, sample)
            for facts in state.rows
            for sample in range(len(state.seeds))
            if (facts.number < state.row or not state.active)
            and (facts.number, sample) not in state.targets
            and (facts.number, sample) not in self._tried
        ]
        if not missing:
            return
        self._tried |= {(facts.number, sample) for facts, sample in missing}

        def read() -> None:
            from fourm_tui.errors import FourmError
            from fourm_tui.runs import open_run
            from fourm_tui.tui.outputs import recalled

            try:
                run = open_run(state.folder)
            except FourmError:
                return
            found = {}
            for facts, sample in missing:
                target = recalled(run, facts, sample)
                if target is not None:
                    found[facts.number, sample] = target
            self.app.call_from_thread(self._recalled, state, found)

        self.run_worker(read, thread=True, group="recall")

    def _recalled(self, state: RunState, found: dict[Key, TargetState]) -> None:
        for key, target in found.items():
            state.targets.setdefault(key, target)
        self.redraw_soon()

    def _drawn(self) -> None:
        """From the thread that draws pictures."""
        import contextlib

        with contextlib.suppress(RuntimeError):  # the screens are gone
            self.app.call_from_thread(self.redraw_soon)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def on_preview_body_changed(self) -> None:
        self.redraw()

    @property
    def most_bytes(self) -> float:
        return self.fourm.settings.preview_rate * 1000.0

    @property
    def most_wait(self) -> float:
        is_over = self._state is not None and not self._state.active
        return self._pace.interval if is_over else super().most_wait  # what has come out in the end

    def draw(self, width: int, height: int) -> int:
        body = self.body
        look = body.look(self.fourm.choice)
        canvas = Canvas(width, height)
        state = self._state
        scene = scene_of(state, self.looking, self.before, body.has_focus, look.choice.ascii)
        if self._is_empty != (scene is None or not scene.items):
            self._is_empty = not self._is_empty
            self.screen.refresh_bindings()  # what can be done with an output is offered, or no more
        if scene is None or not scene.items:
            canvas.text(0, 0, self._status or _NOTHING, look.muted, ascii=look.choice.ascii)
            self.retitle()
        else:
            self.retitle(self.looking.title(state))
            room = height - 1 if height > 3 else height
            drawn = draw_scene(canvas, scene, look, self._drawings, room)
            self._drawings.want(drawn.wishes)
            if room < height:
                used = canvas.text(0, room, self._status, look.plain, ascii=look.choice.ascii)
                words = _LEGENDS.get(self.looking.colouring)
                bar = legend(words, look, width - used - 2) if words and drawn.mapped else []
                canvas.put(width - sum(part.cell_length for part in bar), room, [bar])
        return body.show(canvas.strips())

    @property
    def _status(self) -> str:
        app, job = self.fourm, self.fourm.conductor.job
        word = run_word(app.run_state, job, app.conductor.is_stopping) if app.run_state else ""
        return status_line(self._state, self.looking, word, job)

    # -- actions ----------------------------------------------------------------------------------------------------

    def on_preview_body_moved(self, event: PreviewBody.Moved) -> None:
        target = self.target
        if target is not None and target.grid is not None:
            self.looking.move(event.rows, event.columns, target.grid)
            self.redraw()

    def on_preview_body_left(self) -> None:
        self._stop_playing()
        self.looking.cursor = self.looking.until = self.looking.sheet = None
        self.redraw()

    def action_colour(self) -> None:
        self.looking.next_colouring()
        self.redraw()

    def action_next(self) -> None:
        self._go(1)

    def action_previous(self) -> None:
        self._go(-1)

    def _go(self, by: int) -> None:
        self._stop_playing()
        if self.looking.sheet is not None:
            self.looking.next_sheet(by)
        elif self._state is not None:
            self.looking.go(self._state, by)
        self.redraw()

    def action_sample(self) -> None:
        if self._state is not None:
            self.looking.next_sample(max(len(self._state.seeds), 1))
            self.redraw()

    def action_decode(self) -> None:
        target = self.target
        if self._state is None or target is None:
            self.fourm.say("there is nothing to decode", error=True)
        else:
            self.fourm.conductor.decode(self._state.folder, target.facts.number)

    def action_back(self) -> None:
        self._replay(-1)

    def action_on(self) -> None:
        self._replay(1)

    def _replay(self, by: int) -> None:
        target = self.target
        if target is not None:
            self._stop_playing()
            self.looking.replay(target, by)
            self.redraw()

    def action_play(self) -> None:
        target = self.target
        if self._playing is not None or target is None or target.decoded == 0:
            self._stop_playing()
            return
        last = int(target.step.max())
        if self.looking.until is None or self.looking.until >= last:
            self.looking.until = 0
        each = min(max(_REPLAY / (last + 1), self._pace.interval), 0.4)
        self._playing = self.set_interval(each, self._play_on)
        self.redraw()

    def _play_on(self) -> None:
        target = self.target
        if target is None or self.looking.until is None or self.looking.until >= int(target.step.max()):
            self._stop_playing()
            return
        self.looking.until += 1
        self.redraw()

    def _stop_playing(self) -> None:
        if self._playing is not None:
            self._playing.stop()
            self._playing = None

    @property
    def copied(self) -> str:
        """What copying takes: the text of a caption, else the path of a picture, else the folder of the run."""
        target, item = self.target, self.selected
        if self._state is None or self.looking.sheet is not None:
            return str(self.looking.sheet or "")
        if target is not None and target.text and target.grid is None:
            return target.text
        return str(item.path if item is not None and item.path is not None else self._state.folder)

    # -- for others -------------------------------------------------------------------------------------------------

    @property
    def facts(self) -> str:
        """Of the selected target, in a line."""
        return facts_line(self._state, self.target) if self._state and self.target else ""
