"""The model picker: what there is, how big it is, what of it is here, what it lacks for the schedule; fetching it."""

from __future__ import annotations

from threading import Event
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, ProgressBar, Static
from textual.widgets.option_list import Option

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.hub import size_text
from fourm_tui.published import WEIGHTS_LICENCE
from fourm_tui.tui.fetching import Fetched, fetch_all
from fourm_tui.tui.model_list import ModelEntry, model_entries, model_entry, typed_name
from fourm_tui.tui.screens.dialog import Dialog

_KEYS = "enter takes   g fetches   t a path   esc back"


class Models(Dialog[None]):
    """Takes a model, or fetches one. The network is asked only by `g`."""

    TITLE, KEYS = "models", _KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False), Binding("k", "move(-1)", show=False),
        Binding("g", "fetch", show=False), Binding("t,slash", "type", show=False), Binding("c", "stop", show=False),
    ]  # fmt: skip
    DEFAULT_CSS = """
    Models > .frame { width: 90; }
    Models OptionList { height: auto; max-height: 14; background: $surface; }
    Models Static { height: auto; }
    Models .about { min-height: 3; margin-top: 1; color: $text-muted; }
    Models .problem { color: $error; display: none; }
    Models Input { border: none; height: 1; padding: 0; background: $panel; display: none; margin-top: 1; }
    Models ProgressBar { display: none; margin-top: 1; width: 1fr; }
    Models Bar { width: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.entries: tuple[ModelEntry, ...] = ()
        self.own: list[str] = []
        """Names and paths that were typed."""
        self.stop: Event | None = None
        """Of the download under way."""
        self.wanted = ""
        """The entry that the cursor goes to as soon as it is listed."""

    def content(self) -> ComposeResult:
        yield OptionList(compact=True)
        yield Input(placeholder="a Hub name, a folder, a .safetensors file or a models config", compact=True)
        yield ProgressBar(total=1.0, show_eta=False)
        yield Static(classes="problem")
        yield Static(Text("looking at what is on this machine"), classes="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.wanted = self._chosen()
        self.set_focus(self.query_one(OptionList))
        self.read()

    def on_unmount(self) -> None:
        if self.stop is not None:
            self.stop.set()

    def _chosen(self) -> str:
        """What is taken now: as it was chosen, else as the files name it."""
        workspace = self.fourm.workspace
        try:
            return workspace.state.models or workspace.inputs.models.model or ""
        except InputError:
            return workspace.state.models or ""

    # -- the list -----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Reads what is on the disk, beside everything else."""
        workspace = self.fourm.workspace
        schedule, documents, own = workspace.schedule, workspace.state.documents, tuple(self.own)
        if workspace.state.models and workspace.state.models not in own:
            own = (workspace.state.models, *own)

        def look() -> None:
            found = model_entries(schedule, documents)
            known = {each.name for each in found}
            more = tuple(model_entry(name, schedule, documents) for name in own if name not in known)
            if self.is_running:
                self.app.call_from_thread(self._list, (*more, *found))

        self.run_worker(look, thread=True, group="models", exclusive=True, exit_on_error=False)

    def _list(self, entries: tuple[ModelEntry, ...]) -> None:
        if not self.is_running:
            return
        self.entries = entries
        choices = self.query_one(OptionList)
        options, group = [], ""
        for each in entries:
            if each.group != group:
                group = each.group
                options.append(Option(Text(group, "dim"), disabled=True))
            options.append(Option(self._line(each), id=each.name))
        choices.clear_options()
        choices.add_options(options)
        ids = [option.id for option in options]
        bare = self.wanted.rpartition("/")[2]
        at = next((at for at, id in enumerate(ids) if id in (self.wanted, bare)), 1)
        choices.highlighted = at if options else None

    def _line(self, entry: ModelEntry) -> Text:
        ascii = self.fourm.choice.ascii
        now = self._chosen() in (entry.name, f"EPFL-VILAB/{entry.name}")
        mark = (">" if ascii else "▸") if now else " "
        line = Text(f"{mark} {entry.title:<30.30}", "bold" if now else "", no_wrap=True, overflow="ellipsis")
        size = size_text(entry.bytes or None)
        line.append(f"{'-' if ascii and size == '–' else size:>9}", "dim")
        line.append(f"  {entry.state}", "" if not entry.missing and not entry.problem else "dim")
        if entry.lacks:
            line.append(f"   lacks {', '.join(printable(each, 20) for each in entry.lacks)}", "dim italic")
        return line

    @property
    def entry(self) -> ModelEntry | None:
        """The one under the cursor."""
        choices = self.query_one(OptionList)
        if choices.highlighted is None:
            return None
        id = choices.get_option_at_index(choices.highlighted).id
        return next((each for each in self.entries if each.name == id), None)

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        entry = self.entry
        if entry is None or self.stop is not None:
            return
        about = Text()
        if entry.problem:
            about.append(printable(entry.problem, 400))
        elif entry.lacks:
            about.append(f"it does not have {', '.join(printable(each, 30) for each in entry.lacks)}\n")
        if entry.missing:
            names = ", ".join(each.name for each in entry.missing)
            about.append(f"g fetches what this schedule needs of it: {printable(names, 200)}\n")
            about.append(f"licence: {WEIGHTS_LICENCE}")
        elif not entry.problem:
            about.append("all that this schedule needs of it is on this machine")
        self.query_one(".about", Static).update(about)
        self.say("")

    def say(self, problem: str) -> None:
        line = self.query_one(".problem", Static)
        line.update(Text(problem, overflow="fold"))
        line.display = bool(problem)

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        (choices.action_cursor_down if by > 0 else choices.action_cursor_up)()

    # -- taking one ---------------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        entry = self.entry
        if entry is None:
            return
        if self.stop is not None:
            self.say("a download is under way; c stops it")
            return
        fourm = self.fourm
        try:
            fourm.workspace.choose_models(entry.name)
        except FourmError as error:
            self.say(str(error))
            return
        fourm.workspace_signal.publish(fourm.workspace)
        self.dismiss(None)
        if entry.missing:
            fourm.say(f"{entry.title}: {entry.state}; M and g fetch it before it can run")

    def action_type(self) -> None:
        if self.stop is None:
            field = self.query_one(Input)
            field.display = True
            self.set_focus(field)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        workspace = self.fourm.workspace
        try:
            name = typed_name(event.value)
        except InputError as error:
            self.say(str(error))
            return
        entry = model_entry(name, workspace.schedule, workspace.state.documents)
        if entry.problem:
            self.say(entry.problem)
            return
        self.own.append(name)
        self.wanted = name
        self._close_field()
        self.read()

    def _close_field(self) -> None:
        self.query_one(Input).display = False
        self.say("")
        self.set_focus(self.query_one(OptionList))

    # -- fetching -----------------------------------------------------------------------------------------------------

    def action_fetch(self) -> None:
        entry = self.entry
        if entry is None or self.stop is not None:
            return
        if not entry.missing:
            self.say(entry.problem)
            if not entry.problem:
                self.query_one(".about", Static).update(Text("there is nothing to fetch: all of it is here"))
            return
        self.say("")
        stop = self.stop = Event()
        self.wanted = entry.name
        self.retitle(f"fetching {entry.title}", "c or esc stops; what has arrived is kept")
        bar = self.query_one(ProgressBar)
        bar.update(total=1.0, progress=0.0)
        bar.display = True
        sources = entry.missing

        def fetch() -> None:
            problem, done = "", False
            try:
                done = fetch_all(sources, stop, lambda fetched: self._call(self._show, fetched))
            except FourmError as error:
                problem = str(error)
            except OSError as error:  # the disk, while something was written
                problem = f"it cannot be written: {printable(error.strerror or error)}"
            self._call(self._fetched, done, problem)

        self.run_worker(fetch, thread=True, group="fetch", exclusive=True, exit_on_error=False)

    def _call(self, method: object, *values: object) -> None:
        """In the event loop, if there is still someone to tell."""
        if self.is_running and self.app.is_running:
            self.app.call_from_thread(method, *values)  # type: ignore[arg-type]

    def _show(self, fetched: Fetched) -> None:
        if self.is_running and self.stop is not None:
            self.query_one(ProgressBar).update(progress=fetched.fraction)
            self.query_one(".about", Static).update(Text(printable(fetched, 300)))

    def _fetched(self, done: bool, problem: str) -> None:
        if not self.is_running:
            return
        self.stop = None
        self.query_one(ProgressBar).display = False
        self.retitle(str(self.TITLE), _KEYS)
        about = "all of it is here, and its hashes match" if done else "stopped; what has arrived is kept, g goes on"
        self.query_one(".about", Static).update(Text("" if problem else about))
        self.say(problem)
        self.fourm.workspace.forget_models()
        self.fourm.workspace_signal.publish(self.fourm.workspace)
        if not problem:
            self.read()

    def action_stop(self) -> None:
        if self.stop is not None:
            self.stop.set()
            self.query_one(".about", Static).update(Text("stopping"))

    def action_leave(self) -> None:
        if self.query_one(Input).display:
            self._close_field()
        elif self.stop is not None:
            self.action_stop()
        else:
            self.dismiss(None)
