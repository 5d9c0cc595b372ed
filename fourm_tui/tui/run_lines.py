"""What the pane of the run says, as lines of words with roles, for any room. Without Textual."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rich.cells import cell_len

from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.errors import printable
from fourm_tui.events import RankProgress, RowFacts
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.widgets.bars import bar
from fourm_tui.tui.widgets.canvas import cut
from fourm_tui.tui.words import is_decoding, job_word, run_word

Role = Literal["plain", "muted", "faint", "accent", "error", "selected"]
Line = tuple[tuple[str, Role], ...]
"""Words with what they are."""
BLANK: Line = (("", "plain"),)
_BAR_LEAST, _NAMES = 4, 14
_WIDE = 44
"""Columns from which on each row says how fast it is."""


@dataclass(frozen=True)
class View:
    """What there is to be shown."""

    state: RunState | None
    """The run."""
    job: QueuedJob | None = None
    """Its job."""
    jobs: tuple[QueuedJob, ...] = ()
    """The queue, as `in_queue` puts it."""
    selected: str | None = None
    """Id of the selected job."""
    focused: bool = False
    stopping: bool = False
    memory: str = ""
    changed: str = ""
    ascii: bool = False
    swept: Mapping[str, str] = field(default_factory=dict)
    """Of jobs of a sweep the cell and its value, by their ids."""


def state_word(state: RunState | None, job: QueuedJob | None = None, stopping: bool = False) -> str:
    """What a run is at, in a word."""
    if state is None:
        return "ready"
    word = run_word(state, job, stopping)
    return "ready" if word == "done" else f"{state.fraction:.0%}" if word == "running" else word


def in_queue(jobs: Sequence[QueuedJob]) -> tuple[QueuedJob, ...]:
    """What is open in its order, running first; then what has ended, the newest first."""
    there = [job for job in jobs if job.status in OPEN]
    there.sort(key=lambda job: (job.status == "waiting", job.order))
    return (*there, *reversed([job for job in jobs if job.status not in OPEN]))


def clock(seconds: float) -> str:
    """`0:06`, `12:40`, `1:02:03`."""
    whole = max(round(seconds), 0)
    minutes = f"{whole % 3600 // 60:02d}" if whole >= 3600 else str(whole // 60)
    return f"{whole // 3600}:{minutes}:{whole % 60:02d}" if whole >= 3600 else f"{minutes}:{whole % 60:02d}"


def pace(speed: float) -> str:
    """`31 it/s`, `2.5 it/s`, `4.0 s/it`."""
    if speed < 0.95:
        return f"{1 / speed:.1f} s/it"
    return f"{speed:.1f} it/s" if speed < 9.95 else f"{speed:.0f} it/s"


# -- the run ----------------------------------------------------------------------------------------------------


def row_lines(view: View, width: int) -> list[Line]:
    """A bar for each row of the chain; of a bulk run, for each of its processes."""
    state = view.state
    if state is None or not state.rows:
        return []
    if state.bulk is not None:
        return [_rank(view, rank, width) for rank in state.bulk.ranks]
    names = {row.number: _name(row, width) for row in state.rows}
    longest = min(max(map(cell_len, names.values())), max(width // 3, 8))
    return [_row(view, state, row, cut(names[row.number], longest, view.ascii), longest, width) for row in state.rows]


def _rank(view: View, rank: RankProgress, width: int) -> Line:
    count, speed = f"{rank.done}/{rank.total}", f"{rank.per_second:.1f}/s" if width >= _WIDE else ""
    name = f"rank {rank.rank} "
    room = width - len(name) - len(count) - len(speed) - 2
    full, rest = bar(max(room, 0), rank.done / max(rank.total, 1), view.ascii) if room >= _BAR_LEAST else ("", "")
    return (name, "plain"), (full, "accent"), (rest, "faint"), (f" {count} {speed}", "plain")


def _name(row: RowFacts, width: int) -> str:
    """A target as it is called here; the room decides how long."""
    name = printable(row.target, 40)
    if width < _WIDE:
        stem, at, size = name.partition("@")
        return stem.removeprefix("tok_") + (at + size if row.super_resolution else "")
    return f"{row.number} {name}"


def _row(view: View, state: RunState, row: RowFacts, name: str, longest: int, width: int) -> Line:
    done = state.is_row_done(row.number)
    current = row.number == state.row and not done
    step = row.steps if done else state.step if current else 0
    of = len(str(max(each.steps for each in state.rows)))
    count = f"{step}/{row.steps}".rjust(2 * of + 1)
    tail = _tail(view, state, row, done, current) if width >= _WIDE else ""
    room = width - longest - len(count) - 2 - (15 if width >= _WIDE else 0)
    role: Role = "plain" if current else "muted" if done else "faint"
    padded = name + " " * (longest - cell_len(name))
    parts: list[tuple[str, Role]] = [(f"{padded} ", role)]
    if room >= _BAR_LEAST:
        full, rest = bar(room, step / max(row.steps, 1), view.ascii)
        parts += [(full, "accent" if current else "muted"), (rest, "faint"), (" ", "plain")]
    parts.append((count, role))
    if tail:
        parts.append((f"  {tail:<13}"[:15], "muted" if done else role))
    return tuple(parts)


def _tail(view: View, state: RunState, row: RowFacts, done: bool, current: bool) -> str:
    tick = "ok" if view.ascii else "✓"
    if done:
        seconds = state.times.seconds_of(row.number)
        if seconds is None:
            seconds = next((each.seconds for each in state.of_row(row.number) if each.seconds), None)
        return f"{tick} {seconds:.1f} s" if seconds else tick
    if current and state.status == "running":
        left = state.row_seconds_left
        return f"{pace(state.speed)} {clock(left)}" if state.speed and left is not None else ""
    return "waiting" if state.active else "not done"


def total_line(view: View, width: int) -> Line | None:
    """The bar of the whole job."""
    state = view.state
    if state is None or not state.total_steps or state.status == "done":
        return None
    of = len(str(max(row.steps for row in state.rows)))
    share = f"{state.fraction:.0%}".rjust(max(2 * of + 1, 4))
    left = state.seconds_left
    tail = f"  {clock(left)} left" if left is not None and width >= _WIDE else ""
    longest = min(max((cell_len(_name(row, width)) for row in state.rows), default=5), max(width // 3, 8))
    longest = max(longest, 5)
    room = width - longest - len(share) - 2 - (15 if width >= _WIDE else 0)
    parts: list[tuple[str, Role]] = [("total".ljust(longest) + " ", "plain")]
    if room >= _BAR_LEAST:
        full, rest = bar(room, state.fraction, view.ascii)
        parts += [(full, "accent"), (rest, "faint"), (" ", "plain")]
    return (*parts, (share, "plain"), (tail, "plain"))


def status_lines(view: View, width: int) -> list[Line]:
    """What it is at just now: loading, decoding, how fast, or how it ended."""
    state = view.state
    if state is None:
        goes_on = any(job.status == "running" for job in view.jobs)
        words = "A run of elsewhere goes on.  enter follows it" if goes_on else "Nothing has run yet.  r run"
        return [_line(words, "muted", width, view)]
    word = state_word(state, view.job, view.stopping)
    if word == "paused":
        return [_line("paused  space goes on", "accent", width, view)]
    if word == "stopping":
        return [_line("stopping  c again ends it at once", "accent", width, view)]
    if word == "waiting":
        before = sum(job.status in OPEN for job in view.jobs[: _place(view)])
        behind = f" for {before} other {'run' if before == 1 else 'runs'}" if before else ""
        return [_line(f"waiting{behind}", "muted", width, view)]
    if word == "starting":
        return [_line(word, "muted", width, view)]
    if not state.active and not is_decoding(view.job):
        return _ended(view, state, width)
    if state.loading:
        what, fraction = state.loading
        share = f" {fraction:.0%}" if fraction is not None else ""
        return [_barred(f"loading {printable(what, 60).rpartition('/')[2]}", share, fraction, width, view)]
    if state.decoding:
        number, step, steps = state.decoding
        target = next((row.target for row in state.rows if row.number == number), "")
        return [_barred(f"decoding {printable(target, 40)}", f" {step}/{steps}", step / max(steps, 1), width, view)]
    if not state.active:
        return [_line(word, "plain", width, view)]
    is_said = width >= _WIDE and bool(state.rows)  # beside the bars
    said = [pace(state.speed)] if state.speed and not is_said else []
    if state.seconds_left is not None and not is_said:
        said.append(f"{clock(state.seconds_left)} left")
    if len(state.seeds) > 1:
        said.append(_samples(state))
    while len(said) > 1 and len("   ".join(said)) > width:
        said.pop()
    return [_line("   ".join(said), "plain", width, view)] if said else []


def _samples(state: RunState) -> str:
    """How many there are, and which of many are made now."""
    at, count = state.samples, len(state.seeds)
    if 0 < len(at) < count - len(state.skipped):
        return f"samples {at[0] + 1}-{at[-1] + 1} of {count}"
    return f"{count - len(state.skipped)} samples"


def _place(view: View) -> int:
    return next((at for at, job in enumerate(view.jobs) if view.job and job.id == view.job.id), len(view.jobs))


def _ended(view: View, state: RunState, width: int) -> list[Line]:
    if state.status == "done":
        tick = "done" if view.ascii else "✓ done"
        took = f" in {state.seconds:.1f} s" if state.seconds else ""
        return [_line(f"{tick}{took}", "plain", width, view)]
    error = state.error or (view.job.error if view.job and not view.job.decode else "") or ""
    role: Role = "error" if state.status == "failed" else "plain"
    lines = textwrap.wrap(printable(error, 1000), max(width, 8)) if error else []
    key = "t" if view.focused else "F3 t"
    first: Line = ((state.status, role), (f"  {key} goes on with it", "accent"))
    return [_fit(first, width, view.ascii), *(((line, role),) for line in lines)]


def text_lines(view: View, width: int, most: int) -> list[Line]:
    """The last words of the sequence under way."""
    state = view.state
    if state is None or not state.active or most <= 0:
        return []
    texts = [each.text for each in state.of_row(state.row) if each.grid is None and each.text and not each.done]
    if not texts:
        return []
    wrapped = textwrap.wrap(printable(texts[0][-2000:], 4000), max(width, 8))
    return [((line, "plain"),) for line in wrapped[-most:]]


# -- the queue --------------------------------------------------------------------------------------------------


def queue_lines(view: View, width: int, most: int) -> list[Line]:
    """The queue in so many lines, the selected job among them; in one line what waits."""
    jobs = view.jobs
    if most <= 0 or not jobs:
        return []
    if most == 1 and not view.focused and len(jobs) > 1:
        return [_line(queue_words(jobs), "muted", width, view)]
    at = next((place for place, job in enumerate(jobs) if job.id == view.selected), 0)
    longest = max(len(_word(view, job)) for job in jobs)
    first = min(max(at - most // 2, 0), max(len(jobs) - most, 0))
    return [_job(view, job, width, longest) for job in jobs[first : first + most]]


def queue_words(jobs: Sequence[QueuedJob]) -> str:
    """How many runs wait."""
    waiting = sum(job.status == "waiting" for job in jobs)
    paused = sum(job.status == "paused" for job in jobs)
    said = [f"{waiting} in the queue"] if waiting else []
    said += [f"{paused} paused"] if paused else []
    return f"next: {', '.join(said)}" if said else "nothing waits"


def _word(view: View, job: QueuedJob) -> str:
    """What a job is at; of the run that is shown more is known."""
    if view.state is None or view.job is None or view.job.id != job.id:
        return job_word(job)
    return run_word(view.state, job, view.stopping)


def _job(view: View, job: QueuedJob, width: int, longest: int) -> Line:
    is_selected = view.focused and job.id == view.selected
    mark = (">" if view.ascii else "▸") if is_selected else " "
    word = _word(view, job)
    role: Role = "error" if job.status == "failed" else "plain" if job.status in OPEN else "muted"
    shown = view.state is not None and view.job is not None and view.job.id == job.id
    swept = view.swept.get(job.id, "")
    name = with_value(printable(run_name(Path(job.run).name), 80), swept)
    error = f"  {printable(' '.join(job.error.split()), 200)}" if job.error and job.status not in OPEN else ""
    line: Line = (
        (f"{mark} ", "accent"), (f"{word:<{longest}} ", role),
        (name, "selected" if is_selected else "plain" if shown else role),
        (error, "error" if job.status == "failed" else "muted"),
    )  # fmt: skip
    return _fit(line, width, view.ascii)


def with_value(name: str, swept: str) -> str:
    """The name of a run of a sweep, its value before the chain: it tells them apart, and there is little room."""
    time, _, chain = name.partition(" ")
    return f"{time} {swept}  {chain}" if swept else name


def run_name(folder: str) -> str:
    """`T2CR 10:15:03` of `2026-11-20_101503_T2CR_a1b2c3`: what people tell runs apart by."""
    date, _, rest = folder.partition("_")
    time, _, rest = rest.partition("_")
    chain = rest.rpartition("_")[0] or rest
    if len(date) == 10 and len(time) == 6 and time.isdigit() and chain:
        return f"{time[:2]}:{time[2:4]}:{time[4:]} {chain}"
    return folder


# -- lines ------------------------------------------------------------------------------------------------------


def _line(text: str, role: Role, width: int, view: View) -> Line:
    return ((cut(text, width, view.ascii), role),)


def _barred(words: str, share: str, fraction: float | None, width: int, view: View) -> Line:
    """Words with a bar behind them, as far as there is room."""
    room = width - cell_len(words) - len(share) - 1
    if fraction is None or room < _BAR_LEAST:
        return _line(words + share, "plain", width, view)
    full, rest = bar(min(room, 30), fraction, view.ascii)
    return ((f"{words} ", "plain"), (full, "accent"), (rest, "faint"), (share, "plain"))


def _fit(line: Line, width: int, ascii: bool) -> Line:
    """A line cut to a width."""
    found: list[tuple[str, Role]] = []
    for text, role in line:
        room = width - sum(cell_len(part) for part, _ in found)
        if room <= 0:
            break
        found.append((cut(text, room, ascii), role))
    return tuple(found)
