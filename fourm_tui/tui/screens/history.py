"""Earlier runs: looked at, compared, taken up again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.runs import Run, each_run
from fourm_tui.runs.removal import is_running, remove_run
from fourm_tui.tui.actions import bindings
from fourm_tui.tui.earlier import Listed, differs_from, facts, is_label_map, where_it_differs
from fourm_tui.tui.widgets.key_line import KeyLine
from fourm_tui.tui.widgets.run_list import RunList
from fourm_tui.tui.widgets.thumbnail import Thumbnail
from fourm_tui.tui.workspace import Workspace

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_FIRST = 12  # runs that are shown as soon as they are read
_TELL = 0.1  # seconds until those read after them are
_SETTLE = 0.08  # seconds that the cursor rests before a run is looked at in detail
_MOST_PAIRS = 14


class HistoryScreen(ModalScreen[None]):
    """The list at the left, the run under the cursor at the right."""

    WHERE = "history"
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("history"))
    DEFAULT_CSS = """
    HistoryScreen #head { height: 1; background: $panel; padding: 0 1; }
    HistoryScreen Input { border: none; height: 1; padding: 0 1; background: $surface; display: none; }
    HistoryScreen Input.shown { display: block; }
    HistoryScreen #list, HistoryScreen #details { border: round $panel-lighten-2; padding: 0 1; height: 1fr; }
    HistoryScreen #list { width: 55%; }
    HistoryScreen #details { border-title-color: $text-muted; }
    HistoryScreen #list:focus-within { border: round $accent; }
    HistoryScreen #details { width: 45%; }
    HistoryScreen Thumbnail { height: 40%; max-height: 22; margin-bottom: 1; }
    HistoryScreen VerticalScroll { height: 1fr; }
    HistoryScreen VerticalScroll Static { height: auto; }
    HistoryScreen #none { display: none; height: 1fr; color: $text-muted; padding: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Listed] = []
        self.problems = 0
        self.reading = True
        self._timer: Timer | None = None
        self._said = ""

    @property
    def fourm(self) -> FourmApp:
        return cast("FourmApp", self.app)

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Input(placeholder="words: a name, a caption, a model, a status", compact=True)
        with Horizontal():
            with Vertical(id="list"):
                yield RunList(self.fourm.choice)
                yield Static(id="none")
            with Vertical(id="details"):
                yield Thumbnail(self.fourm.choice)
                with VerticalScroll(can_focus=False):
                    yield Static(id="facts")
        yield KeyLine()

    def on_mount(self) -> None:
        self.set_focus(self.query_one(RunList))
        self.tell()
        self.read()

    # -- reading -----------------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="history")
    def read(self) -> None:
        """Opens the runs, the newest first, and shows them as they come."""
        worker = get_current_worker()

        def tell(do: Callable[..., None], *what: object) -> None:
            if not worker.is_cancelled:
                self.app.call_from_thread(do, *what)

        try:
            found: Iterator[Run | str] = each_run(self.fourm.out)
            runs: list[Listed] = []
            problems, told = 0, time.monotonic()
            for each in found:
                if worker.is_cancelled:
                    return
                if isinstance(each, Run):
                    runs.append(Listed(each))
                else:
                    problems += 1
                if len(self.items) + len(runs) == _FIRST or time.monotonic() > told + _TELL:
                    tell(self.add, runs, problems)
                    runs, problems, told = [], 0, time.monotonic()
            tell(self.add, runs, problems)
        except FourmError as error:
            tell(self.fourm.say, str(error), True)
        tell(self.end)

    def add(self, items: list[Listed], problems: int) -> None:
        self.items += items
        self.problems += problems
        self.narrow()

    def end(self) -> None:
        self.reading = False
        self.narrow()
        self.look()

    # -- showing -----------------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def narrow(self) -> None:
        """Shows the runs that fit what is typed."""
        words = self.query_one(Input).value.split()
        self.query_one(RunList).put([item for item in self.items if item.fits(words)] if words else self.items)
        self.tell()

    def tell(self) -> None:
        """Says how many there are."""
        shown = self.query_one(RunList).items
        count = f"{len(shown)} of {len(self.items)}" if len(shown) < len(self.items) else str(len(self.items))
        words = [f" history  {count} run{'s' * (len(self.items) != 1)} in {printable(self.fourm.out, 60)}"]
        if self.reading:
            words.append("reading")
        if self.problems:
            words.append(f"{self.problems} cannot be read (fourm-tui runs says why)")
        head = Text("   ".join(words), "bold", no_wrap=True, overflow="ellipsis")
        if self._said:
            head = Text(f" {self._said}", self.fourm.theme_variables.get("accent", ""), no_wrap=True)
        self.query_one("#head", Static).update(head)
        none = self.query_one("#none", Static)
        self.query_one(RunList).display, none.display = bool(shown), not shown
        if not shown:
            nothing = "No run fits." if self.items else "There are no runs yet."
            none.update(Text("reading" if self.reading else nothing))

    @on(RunList.Moved)
    def settle(self) -> None:
        if self._said and self.query_one(RunList).marked is None:
            self.hear("")
        if self._timer is None:
            self._timer = self.set_timer(_SETTLE, self.look)

    def look(self) -> None:
        """The run under the cursor in detail."""
        self._timer = None
        item = self.query_one(RunList).current
        picture = item.picture if item else None
        self.query_one(Thumbnail).show(picture, bool(picture and is_label_map(picture)))
        self.query_one("#details").border_title = "" if item is None else printable(item.run.name, 60).replace("[", "(")
        if item is None:
            self.query_one("#facts", Static).update(Text())
        else:
            self.read_facts(item)

    @work(thread=True, exclusive=True, group="facts")
    def read_facts(self, item: Listed) -> None:
        """What there is to know about a run; its schedule has to be read for that."""
        found = self._facts(item.run)
        self.app.call_from_thread(self._show_facts, item, found)

    def _show_facts(self, item: Listed, found: RenderableType) -> None:
        if self.is_attached and any(runs.current is item for runs in self.query(RunList)):
            self.query_one("#facts", Static).update(found)

    def _facts(self, run: Run) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, max_width=16, style="dim")
        table.add_column(overflow="fold")
        for name, said in facts(run):
            table.add_row(Text(name), Text(said))
        try:
            pairs = differs_from(run, self.fourm.workspace.schedule, self.fourm.workspace.state.given)
        except InputError:
            pairs = None
        if pairs is None:
            return Group(table, Text("\nIts settings cannot be read.", "dim"))
        if not pairs:
            return Group(table, Text("\nThe same as what is edited now.", "dim"))
        cells = Table.grid(padding=(0, 2, 0, 0))
        cells.add_column(no_wrap=True, max_width=24, style="dim")
        cells.add_column(overflow="fold")
        for pair in pairs[:_MOST_PAIRS]:
            arrow = " -> " if self.fourm.choice.ascii else " → "
            line = Text(printable(pair.a if pair.a is not None else "none", 60), "bold")
            line.append(f"{arrow}{printable(pair.b if pair.b is not None else 'none', 60)}", "dim")
            cells.add_row(Text(printable(where_it_differs(pair), 24)), line)
        more = len(pairs) - _MOST_PAIRS
        rest = [Text(f"and {more} more", "dim")] if more > 0 else []
        return Group(table, Text("\nHere, and what is edited now", "bold"), cells, *rest)

    # -- doing -------------------------------------------------------------------------------------------------------

    def _with_run(self, do: Callable[[Listed], None]) -> None:
        item = self.query_one(RunList).current
        if item is not None:
            do(item)
        else:
            self.hear("the runs are still being read" if self.reading else "there is no run to do that with")

    def hear(self, message: str) -> None:
        """Shows what is said in the first line, until the next thing."""
        self._said = message
        self.tell()

    def action_show(self) -> None:
        def show(item: Listed) -> None:
            self.dismiss()
            self.fourm.show_run(item.run)

        self._with_run(show)

    def action_reopen(self) -> None:
        def reopen(item: Listed) -> None:
            if not self.fourm.attempt(lambda: self._reopen(item.run)):
                self.dismiss()  # what was said cannot be seen from here

        self._with_run(reopen)

    def _reopen(self, run: Run) -> None:
        app = self.fourm
        made = Workspace.of_run(run)
        mine = [each.path for each in app.workspace.state.documents]

        def take() -> None:
            if [each.path for each in made.state.documents] == mine:
                app.change(lambda: app.workspace.put(made.state, f"reopen {run.name}"))
            else:
                app.files.take(made)
            app.show_run(run)
            app.say(f"{printable(run.name)} is edited now, with its conditions and its seed")

        self.dismiss()
        if [each.path for each in made.state.documents] == mine:
            take()
        else:
            app.files.unless_unsaved("reopen the run", take)

    def action_rerun(self) -> None:
        def again(item: Listed) -> None:
            workspace = Workspace.of_run(item.run)
            workspace.set_option("seed", secrets.randbelow(2**31))
            self.fourm.conductor.start(workspace=workspace)
            self.fourm.say(f"{printable(item.run.record.chain)} again, with the seed {workspace.seed}")

        def attempt(item: Listed) -> None:
            self.dismiss()
            self.fourm.attempt(lambda: again(item))

        self._with_run(attempt)

    def action_branch(self) -> None:
        def branch(item: Listed) -> None:
            self.dismiss()
            self.fourm.start(item.run)

        self._with_run(branch)

    def action_compare(self) -> None:
        def compare(item: Listed) -> None:
            runs = self.query_one(RunList)
            marked = next((each for each in self.items if each.run.folder == runs.marked), None)
            if marked is None or marked.run.folder == item.run.folder:
                runs.marked = None if marked else item.run.folder
                runs.refresh()
                self.hear("now go to another run: = compares it with this one" if runs.marked else "")
                return
            from fourm_tui.tui.screens.compare_runs import CompareRuns

            runs.marked = None
            runs.refresh()
            self.hear("")
            self.app.push_screen(CompareRuns(marked, item))

        self._with_run(compare)

    def action_delete(self) -> None:
        from fourm_tui.tui.screens.confirm import Choice, Confirm

        def delete(item: Listed) -> None:
            name = printable(item.run.name)
            waiting = {job.run for job in self.fourm.jobs if job.status in ("waiting", "running", "paused")}
            if is_running(item.run) or str(item.run.folder.resolve()) in waiting:
                self.app.push_screen(
                    Confirm(f"{name} is at work or waits for its turn; cancel it first.", (Choice("o", "all right"),))
                )
                return

            def answer(key: str | None) -> None:
                if key == "d":
                    self.delete(item)

            self.app.push_screen(
                Confirm(
                    f"{name} and all its files are deleted for ever.",
                    (Choice("k", "keep it"), Choice("d", "delete it")),
                    "delete",
                ),
                answer,
            )

        self._with_run(delete)

    @work(thread=True, group="delete")
    def delete(self, item: Listed) -> None:
        problem = remove_run(item.run.folder)
        self.app.call_from_thread(self._removed, item, problem)

    def _removed(self, item: Listed, problem: str | None) -> None:
        if problem:
            self.hear(printable(problem, 300))
            return
        self.items = [each for each in self.items if each.run.folder != item.run.folder]
        self.narrow()

    def action_filter(self) -> None:
        field = self.query_one(Input)
        field.add_class("shown")
        self.set_focus(field)

    @on(Input.Submitted)
    def filtered(self) -> None:
        field = self.query_one(Input)
        field.set_class(bool(field.value), "shown")
        self.set_focus(self.query_one(RunList))

    def key_down(self) -> None:
        if self.query_one(Input).has_focus:
            self.set_focus(self.query_one(RunList))

    def action_close(self) -> None:
        field = self.query_one(Input)
        if field.has_class("shown"):
            field.value = ""
            field.remove_class("shown")
            self.set_focus(self.query_one(RunList))
        else:
            self.dismiss()
