"""How `fourm-tui run` looks: bars for the row and the whole, text as it comes, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Group
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
    StepDone,
    TargetDone,
    TextPiece,
)
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import Run

if TYPE_CHECKING:
    from fourm_tui.engine.job import Job, Models


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


def show_run(events: Iterator[Event], folder: Run, models: Models, job: Job) -> bool:
    """Follows a run on the terminal; true if it went to its end.

    On a terminal the bars stay at the bottom and each finished target leaves a line above them; elsewhere only these
    lines are printed.
    """
    console = make_console()
    precision = str(models.model.dtype).removeprefix("torch.")
    console.print(Text(f"{printable(folder.name)}  {models.model.device}  {precision}", "dim"))
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(28), MofNCompleteColumn(), _Speed(),
        TimeRemainingColumn(compact=True), TextColumn("left"), console=console,
    )  # fmt: skip
    row_bar = progress.add_task("", total=1, visible=False)
    whole_bar = progress.add_task("whole", total=1)
    stream = Text()
    done = False
    with Live(Group(progress, stream), console=console, transient=True, refresh_per_second=8) as live:
        for event in events:
            if isinstance(event, RunStarted):
                progress.update(whole_bar, total=sum(row.steps for row in event.rows))
            elif isinstance(event, RowStarted):
                stream = Text()
                progress.reset(row_bar, total=event.steps, description=f"{event.row} {event.target}", visible=True)
            elif isinstance(event, StepDone):
                progress.update(row_bar, completed=event.step + 1)
                progress.update(whole_bar, completed=event.total_step + 1)
            elif isinstance(event, Loading):
                progress.reset(row_bar, total=1, description=f"loading {_short(event.what)}", visible=True)
            elif isinstance(event, Decoding):
                description = f"{event.row} decoding {event.target}"
                progress.update(row_bar, total=event.steps, completed=event.step, description=description)
            elif isinstance(event, TextPiece) and event.sample == 0:
                stream = Text(printable(event.text, 2000), "italic")
                live.update(Group(progress, stream))
            elif isinstance(event, TargetDone):
                live.console.print(_line(event, folder))
                if event.sample + 1 == len(job.samples):
                    live.update(Group(progress))
            elif isinstance(event, Note):
                live.console.print(Text(printable(event.message, 500), "yellow" if event.warning else ""))
            elif isinstance(event, RunDone):
                done = True
                live.console.print(Text(f"done in {event.seconds:.1f} s", "green"))
            elif isinstance(event, RunCancelled):
                live.console.print(Text("stopped; what is finished is kept", "yellow"))
    console.print(Text(str(folder.folder), "bold"))
    return done


def _short(checkpoint: str) -> str:
    return printable(checkpoint, 200).rpartition("/")[2]


def _line(event: TargetDone, folder: Run) -> Table:
    """What a finished target left: its title, how long it took, its files, and its text."""
    grid = Table.grid(padding=(0, 2))
    title = MODALITIES[event.target].title if event.target in MODALITIES else printable(event.target)
    sample = f" {event.sample}" if len(folder.record.samples) > 1 else ""
    grid.add_row(Text(f"{event.row} {title}{sample}"), Text(f"{event.seconds:.1f} s", "dim"), _files(event, folder))
    return grid


def _files(event: TargetDone, folder: Run) -> Text:
    """The text of a target if it has one, else its picture's name, else that of its tokens."""
    texts = [name for name in event.files if name.endswith(".txt")]
    if texts:
        return Text(printable(_read(folder.file(texts[0])), 2000), "italic")
    pictures = [name for name in event.files if name.endswith(".png")]
    return Text((pictures or list(event.files) or [""])[0], "dim")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
