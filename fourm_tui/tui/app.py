"""The application: what is edited, what runs, and the actions that can be done everywhere."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.geometry import Size
from textual.screen import Screen
from textual.signal import Signal

from fourm_tui.engine.jobs import QueuedJob
from fourm_tui.errors import FourmError, printable
from fourm_tui.runs import Run
from fourm_tui.schedule.editor import Editor
from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.actions import bindings, can_be_done
from fourm_tui.tui.ascii import AsciiFilter
from fourm_tui.tui.changed import Change
from fourm_tui.tui.conductor import Conductor
from fourm_tui.tui.file_actions import FileActions, Files
from fourm_tui.tui.files import is_first_start
from fourm_tui.tui.in_turn import InTurn
from fourm_tui.tui.link import Link, News
from fourm_tui.tui.notices import in_bytes
from fourm_tui.tui.pace import is_remote
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.run_actions import RunActions
from fourm_tui.tui.run_lines import state_word
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.screen_actions import ScreenActions
from fourm_tui.tui.screens.main import MainScreen
from fourm_tui.tui.screens.too_small import TooSmall, is_too_small
from fourm_tui.tui.sent import Sent
from fourm_tui.tui.settings import Settings
from fourm_tui.tui.themes import find_theme
from fourm_tui.tui.troubles import in_words
from fourm_tui.tui.widgets.message import MessageLine
from fourm_tui.tui.workspace import Workspace


@runtime_checkable
class Hearing(Protocol):
    """A screen over the panes that shows messages itself."""

    def hear(self, message: str) -> None: ...


_WELCOME = "Welcome. r makes the first picture of this demonstration; ? shows all keys, : finds any action"


class FourmApp(FileActions, RunActions, ScreenActions, App[int]):
    """The screens.

    Args:
        workspace: what is edited.
        choice: how pictures are drawn in this terminal.
        settings: the user's.
        problems: sentences about settings and themes that are not taken.
        with_engine: False reaches no engine (for tests).
        greeting: what is to be said of the workspace as it begins.
    """

    TITLE = "fourm"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("app"))

    def __init__(
        self,
        workspace: Workspace,
        choice: Choice | None = None,
        settings: Settings | None = None,
        problems: tuple[str, ...] = (),
        with_engine: bool = True,
        greeting: str = "",
    ) -> None:
        super().__init__()
        self.workspace = workspace
        self.choice = choice or Choice("blocks")
        self.settings = settings or Settings()
        self.problems = list(problems)
        self.with_engine = with_engine
        self._greeting = greeting
        self.run_state: RunState | None = None
        """The run that the panes show."""
        self.jobs: tuple[QueuedJob, ...] = ()
        self.engine_status: Any = None
        self.workspace_signal: Signal[Workspace] = Signal(self, "workspace")
        """Something that is edited has changed."""
        self.run_signal: Signal[RunState | None] = Signal(self, "run")
        """The run that is shown has gone on, or is another."""
        self.queue_signal: Signal[tuple[QueuedJob, ...]] = Signal(self, "queue")
        self.row_signal: Signal[int] = Signal(self, "row")
        """Another row of the schedule is selected."""
        self.selected_row = 1
        self.own_themes: frozenset[str] = frozenset()
        """Names of those that were read, not Textual's."""
        self.files = Files(self)
        self.sheets: dict[str, Path] = {}
        """The newest contact sheets of a sweep, by their titles."""
        self.sheet_signal: Signal[dict[str, Path]] = Signal(self, "sheet")
        self.has_begun = threading.Event()
        """Set when the first picture of the screen is there."""
        self.is_lent = False
        """Whether another program has the terminal."""
        self.link = Link(self._tell)
        self.conductor = Conductor(self)
        self._in_turn = InTurn(self, super().on_event, self._pasted)
        self._sent = Sent()
        theme = find_theme(self.settings.theme)
        if theme is not None:  # now, so that the screen need not be painted anew
            self.register_theme(theme)
            self.theme = theme.name

    # -- life ---------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self._resume())
        self.set_class(is_remote(), "remote")
        self.set_keymap(dict(self.settings.keys))
        self.push_screen(MainScreen())
        self._look_at_size(self.size)
        self.call_after_refresh(self._begin)

    def _resume(self) -> None:
        """Another program had the terminal."""
        self._sent.forget()
        self._in_turn.forget()

    def _begin(self) -> None:
        """What can wait until the first picture of the screen is there."""
        gc.freeze()  # what is there now stays: it is not looked through again with every collection
        gc.enable()
        self.has_begun.set()
        self._read_themes()
        if self.with_engine:
            self.link.open(self.settings.warm_engine)
        self.files.begin()
        if is_first_start():
            self.say(_WELCOME, lasting=True)
        elif self._greeting:
            self.say(self._greeting, lasting=True)
        self.conductor.show_latest()
        if self.problems:
            self.say("\n".join(self.problems), error=True)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if not isinstance(next(reversed(self.screen_stack), None), TooSmall):  # nothing is done unseen, nor later
                await self._in_turn.take(event)
        else:
            await super().on_event(event)

    def _pasted(self, text: str) -> None:
        """Text has come as keys, in one go."""
        takes = any(hasattr(self.focused, name) for name in ("on_paste", "_on_paste"))
        end = "" if takes else "; nothing takes text here"
        self.say(f"{len(text)} characters came in one go: taken as a paste, not as keys{end}")

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self._running and not self.is_headless and not self._batch_count:
            renderable = self._sent.new_of(renderable, self.console)
        super()._display(screen, renderable)

    def on_resize(self, event: events.Resize) -> None:
        self._sent.forget()
        self._look_at_size(event.size)

    def _look_at_size(self, size: Size) -> None:
        """Where there is too little room, nothing is done unseen."""
        if is_too_small(*size) and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall())

    def on_app_focus(self, event: events.AppFocus) -> None:
        self.files.look()

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return [*filters, AsciiFilter()] if self.choice.ascii else filters

    def on_unmount(self) -> None:
        self.link.close()

    def _handle_exception(self, error: Exception) -> None:
        """A bug ends the program, but not what was edited."""
        self.files.rescue()
        super()._handle_exception(error)

    @property
    def main(self) -> MainScreen:
        return next(screen for screen in self.screen_stack if isinstance(screen, MainScreen))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done to the panes cannot be done where they are out of sight."""
        place = str(getattr(self.screen_stack[-1], "WHERE", "")) if self.screen_stack else ""
        return can_be_done(f"app.{action}", place) and super().check_action(action, parameters)

    # -- saying -------------------------------------------------------------------------------------------------------

    def say(self, message: str, error: bool = False, lasting: bool = False) -> None:
        """Shows a message under the panes; good news goes by itself, unless it is to last until the next thing."""
        with contextlib.suppress(StopIteration):
            self.main.query_one(MessageLine).say(message, error, lasting)
        if message and self.screen_stack and isinstance(over := self.screen_stack[-1], Hearing):
            over.hear(message)

    def unsay(self, *messages: str) -> None:
        """Takes messages away that are true no more."""
        with contextlib.suppress(StopIteration):
            self.main.query_one(MessageLine).unsay(*messages)

    def attempt(self, do: Callable[[], Any]) -> bool:
        """Does something; what the user can understand of its failure is shown. Whether it worked."""
        try:
            do()
        except FourmError as error:
            self.say(in_words(error, self.workspace.state), error=True)
            return False
        return True

    # -- editing ------------------------------------------------------------------------------------------------------

    def edit(self, label: str, change: Callable[[Editor], None]) -> bool:
        """Changes the schedule; false, and a message, if the change does not fit."""
        return self.change(lambda: self.workspace.edit(label, change))

    def change(self, do: Callable[[], Any]) -> bool:
        """Does something to the workspace, and redraws what shows it."""
        done = self.attempt(do)
        if done:
            self.say(self.workspace.said)
            self.workspace_signal.publish(self.workspace)
        return done

    def select_row(self, row: int) -> None:
        """The row of the schedule that is looked at; rows count from 1 over both parts."""
        if row != self.selected_row:
            self.selected_row = row
            self.row_signal.publish(row)

    # -- runs ---------------------------------------------------------------------------------------------------------

    @property
    def out(self) -> Path:
        """Where runs are kept."""
        return Path(self.settings.runs).expanduser()

    def show_run(self, run: Run) -> None:
        """Shows a run in the panes and follows it."""
        self.conductor.show(run)

    def start(self, parent: Run | None = None, row: int | None = None) -> None:
        """Makes a run of what is edited, and gives it to the engine."""
        self.say("")
        self.conductor.start(parent, row)

    @property
    def changed_since_run(self) -> tuple[Change, ...]:
        """The cells in which the schedule that is edited differs from that of the run that is shown."""
        return self.conductor.changes

    def _tell(self, news: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody to tell any more
            self.call_from_thread(self.conductor.hear, news)

    # -- facts --------------------------------------------------------------------------------------------------------

    @property
    def model_facts(self) -> str:
        """The model, its number type and where it runs, for the title."""
        try:
            inputs = self.workspace.inputs
            dtype = self.workspace.check.dtype
        except FourmError:
            return "no model"
        name = printable(inputs.models.model or "no model", 40).rpartition("/")[2]
        workers = (self.engine_status or {}).get("workers") or [{}]
        device = str(workers[0].get("device") or "")
        return "  ".join(each for each in (name, dtype, "" if device == "auto" else device) if each)

    @property
    def memory_fact(self) -> str:
        """What the engine's workers take of main memory; empty if that is nothing."""
        return in_bytes(self.conductor.resident) if self.engine_status and self.conductor.resident else ""

    @property
    def state_word(self) -> str:
        """What the engine is at."""
        return state_word(self.run_state, self.conductor.job, self.conductor.is_stopping)

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_repaint(self) -> None:
        self._sent.forget()
        self.refresh(layout=True)

    def action_undo(self) -> None:
        label: list[str | None] = []
        self.change(lambda: label.append(self.workspace.undo()))
        self.say(f"undone: {label[0]}" if label and label[0] else "nothing to undo")

    def action_redo(self) -> None:
        label: list[str | None] = []
        self.change(lambda: label.append(self.workspace.redo()))
        self.say(f"done again: {label[0]}" if label and label[0] else "nothing to make again")

    def action_pane_1(self) -> None:
        self.main.go_to(1)

    def action_pane_2(self) -> None:
        self.main.go_to(2)

    def action_pane_3(self) -> None:
        self.main.go_to(3)

    def action_pane_4(self) -> None:
        self.main.go_to(4)

    def action_zoom(self) -> None:
        self.main.zoom()

    def action_fold(self) -> None:
        self.main.fold()

    def action_wider(self) -> None:
        self.main.grow("left", 1)

    def action_narrower(self) -> None:
        self.main.grow("left", -1)

    def action_taller(self) -> None:
        self.main.grow("upper", 1)

    def action_shorter(self) -> None:
        self.main.grow("upper", -1)

    def action_models(self) -> None:
        from fourm_tui.tui.screens.models import Models

        self.push_screen(Models())

    def action_options(self) -> None:
        from fourm_tui.tui.screens.options import Options

        self.push_screen(Options())

    def action_full(self) -> None:
        from fourm_tui.tui.screens.full import FullScreen

        pane = self.main.query_one(PreviewPane)
        if pane.selected is None:
            self.say("there is nothing to be seen in full yet")
        elif not isinstance(self.screen, FullScreen):
            self.push_screen(FullScreen(pane))

    def action_compare(self) -> None:
        from fourm_tui.tui.screens.compare import CompareScreen

        pane = self.main.query_one(PreviewPane)
        item = pane.selected
        if item is None or item.kind != "picture":
            self.say("there is no picture to compare yet")
        elif not isinstance(self.screen, CompareScreen):
            self.push_screen(CompareScreen(pane))

    def action_copy(self) -> None:
        pane = self.main.panes[self.main.active - 1]
        copied = getattr(pane, "copied", None) or self.main.query_one(PreviewPane).copied
        if not copied:
            self.say("there is nothing to copy here")
            return
        self.copy_to_clipboard(copied)
        self.say(f"copied: {printable(copied.splitlines()[0], 100)}")

    async def action_quit(self) -> None:
        from fourm_tui.tui.screens.confirm import Confirm

        if isinstance(self.screen, TooSmall | Confirm):
            return  # nothing is done unseen, and a question is answered first
        self.files.unless_unsaved("leave", self._leave)

    def _leave(self) -> None:
        self.files.end()
        self.exit(0)

    def action_help_quit(self) -> None:
        """Ctrl-C, which Textual would explain with a key that is not ours."""
        self.say("q leaves, c cancels the run")
