"""How `fourm-tui run` looks: bars for the row and the whole, text as it comes, and what came out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from PIL import Image
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as ProgressTask
from rich.table import Table
from rich.text import Text

from fourm_tui.cli.console import make_console
from fourm_tui.errors import printable
from fourm_tui.events import (
    Decoding,
    Event,
    Loading,
    Note,
    RowStarted,
    RunCancelled,
    RunDone,
    RunStarted,
    SampleSkipped,
    StepDone,
    TargetDone,
    TextPiece,
)
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import Run
from fourm_tui.terminal.panels import Panel
from fourm_tui.terminal.preview import Previewer


class LoadingBars:
    """A bar per checkpoint while it is loaded; nothing where `quiet`."""

    def __init__(self, quiet: bool) -> None:
        console = make_console(stderr=True)
        self._progress = Progress(
            TextColumn("loading {task.description}"), BarColumn(30), TextColumn("{task.percentage:.0f} %"),
            console=console, transient=True, disable=quiet or not console.is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def close(self) -> None:
        """Takes the bars away."""
        self._progress.stop()

    def update(self, what: str, fraction: float) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(printable(what, 50), total=1.0)
        self._progress.update(self._tasks[what], completed=fraction)


class _Speed(ProgressColumn):
    """Steps per second, or seconds per step where that is slow."""

    def render(self, task: ProgressTask) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f} it/s" if speed >= 1 else f"{1 / speed:.1f} s/it", "dim")


def show_run(
    events: Iterable[Event], folder: Run, given: list[Panel], console: Console, previewer: Previewer | None
) -> bool:  # fmt: skip
    """Follows a run on the terminal; true if it went to its end.

    On a terminal the bars stay at the bottom and what is finished is left above them; elsewhere only that is printed.
    With a previewer every target is shown as it is decoded, and the whole chain in the end.
    """
    view = _RunView(console, folder, given, previewer)
    with view.live:
        for event in events:
            view.show(event)
    if view.done and previewer:
        previewer.end(view.panels)
    console.print(Text(str(folder.folder), "bold"))
    return view.done


class _RunView:
    """The bars of a run, and what is left above them."""

    def __init__(self, console: Console, folder: Run, given: list[Panel], previewer: Previewer | None) -> None:
        self.folder, self.previewer = folder, previewer
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(28), MofNCompleteColumn(), _Speed(),
            TimeRemainingColumn(compact=True), TextColumn("left"), console=console,
        )  # fmt: skip
        self.row = self.progress.add_task("", total=1, visible=False)
        self.whole = self.progress.add_task("whole", total=1, visible=False)
        self.live = Live(Group(self.progress), console=console, transient=True, refresh_per_second=8)
        self.panels = list(given)
        self.done = False

    def show(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._say(f"{printable(self.folder.name)}  {printable(event.device)}  {printable(event.dtype)}", "dim")
            self.progress.update(self.whole, total=sum(row.steps for row in event.rows), visible=True)
        elif isinstance(event, RowStarted):
            self._begin(f"{event.row} {event.target}", event.steps)
        elif isinstance(event, StepDone):
            self.progress.update(self.row, completed=event.step + 1)
            self.progress.update(self.whole, completed=event.total_step + 1)
        elif isinstance(event, Loading):
            self._begin(f"loading {_short(event.what)}", 1)
            self.progress.update(self.row, completed=event.fraction or 0)
        elif isinstance(event, Decoding):
            name = f"{event.row} decoding {event.target}"
            self.progress.update(self.row, total=event.steps, completed=event.step, description=name)
        elif isinstance(event, TextPiece) and event.sample == 0:
            self.live.update(Group(self.progress, Text(printable(event.text, 2000), "italic")))
        elif isinstance(event, TargetDone):
            self._finished(event)
        elif isinstance(event, Note):
            self._say(printable(event.message, 500), "yellow" if event.warning else "")
        elif isinstance(event, SampleSkipped):
            self._say(f"sample {event.sample} is left out from here on", "yellow")
        elif isinstance(event, RunDone):
            self.done = True
            self._say(f"done in {event.seconds:.1f} s", "green")
        elif isinstance(event, RunCancelled):
            self._say("stopped; what is finished is kept", "yellow")

    def _begin(self, description: str, steps: int) -> None:
        self.progress.reset(self.row, total=steps, description=description, visible=True)

    def _say(self, message: str, style: str) -> None:
        self.live.console.print(Text(message, style))

    def _finished(self, event: TargetDone) -> None:
        self.live.update(Group(self.progress))  # the streamed text has become the target's
        panel = _panel(event, self.folder)
        self.panels.append(panel)
        if self.previewer and (panel.picture or panel.text):
            self.previewer.target(panel.title, event.seconds, panel.picture, panel.text, labels=panel.labels)
        else:
            self.live.console.print(_line(event, panel))


def _panel(event: TargetDone, folder: Run) -> Panel:
    """A finished target: its text if it has one, and its picture unless that is the text itself."""
    modality = MODALITIES[event.target]
    sample = f" {event.sample}" if len(folder.record.samples) > 1 else ""
    texts = [name for name in event.files if name.endswith(".txt")]
    text = folder.file(texts[0]).read_text(encoding="utf-8").strip() if texts else ""
    path = folder.path_for(event.row, event.target, event.sample, ".png")
    picture = None
    if folder.relative(path) in event.files and event.target not in ("caption", "metadata"):
        with Image.open(path) as image:
            picture = image.convert("RGB")
    return Panel(f"{event.row} {modality.title}{sample}", picture, text, labels=modality.stem == "tok_semseg")


def _short(checkpoint: str) -> str:
    return printable(checkpoint, 200).rpartition("/")[2]


def _line(event: TargetDone, panel: Panel) -> Table:
    """A finished target in one line: its title, how long it took, and its text, else its picture, else its tokens."""
    pictures = [name for name in event.files if name.endswith(".png")]
    left = Text(printable(panel.text, 2000), "italic") if panel.text else Text((*pictures, *event.files, "")[0], "dim")
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text(panel.title), Text(f"{event.seconds:.1f} s", "dim"), left)
    return grid
