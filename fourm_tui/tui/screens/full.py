"""One output in full, with the best graphics that the terminal has; or its token map."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from fourm_tui.errors import FourmError, printable
from fourm_tui.tui.actions import bindings
from fourm_tui.tui.outputs import Item, map_view, step_line
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.preview_state import facts_line, scene_of
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.screens.output import OutputScreen
from fourm_tui.tui.widgets.drawings import Drawn
from fourm_tui.tui.widgets.key_line import KeyLine
from fourm_tui.tui.widgets.output_strip import CERTAIN, legend, wrapped
from fourm_tui.tui.widgets.outputs_body import look_of
from fourm_tui.tui.widgets.still import Still
from fourm_tui.tui.widgets.token_map import map_lines, map_size

_OF_TOKENS = frozenset({"tokens", "colour", "back", "on"})


class FullScreen(OutputScreen):
    """See the module."""

    WHERE = "full"
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("full"))
    DEFAULT_CSS = """
    FullScreen #head, FullScreen #facts { height: 1; width: 1fr; padding: 0 1; }
    FullScreen #head { background: $panel; }
    FullScreen #facts { color: $text-muted; }
    FullScreen > .full--muted { color: $text-muted; }
    FullScreen > .full--faint { color: $text-disabled; }
    FullScreen > .full--accent { color: $accent; text-style: bold; }
    FullScreen > .full--error { color: $error; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"full--muted", "full--faint", "full--accent", "full--error"}

    def __init__(self, pane: PreviewPane) -> None:
        super().__init__(pane)
        self.as_tokens = False
        self._facts = ""
        self._offers_tokens: bool | None = None

    @property
    def still(self) -> Still:
        return self.query_one(Still)

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Still(self.fourm.choice)
        yield Static(id="facts")
        yield KeyLine()

    def on_mount(self) -> None:
        self.fourm.run_signal.subscribe(self, self._run_changed)
        self.call_after_refresh(self.redraw)

    def _run_changed(self, state: RunState | None) -> None:
        self.call_after_refresh(self.redraw)

    def on_still_resized(self) -> None:
        self.redraw()

    # -- drawing ----------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        state, item = self.pane.state, self.item
        if item is None:
            return
        if self._has_tokens != self._offers_tokens:
            self._offers_tokens = self._has_tokens
            self.refresh_bindings()
        scene = scene_of(state, self.pane.looking, None)
        target = state.targets.get(item.key) if state else None
        count = len(scene.items) if scene else 1
        head = Text(item.title, "bold")
        if scene is not None and count > 1:
            head.append(f"  {scene.selected + 1} of {count}", "dim")
        more = self.pane.looking.title(state)
        head.append(f"  {item.note or more}" if item.note or more else "", "dim")
        self.query_one("#head", Static).update(head)
        as_map = target is not None and target.grid is not None and (self.as_tokens or item.kind == "map")
        if as_map:
            self._map(item)
        elif item.kind == "picture" and item.path is not None:
            self._say(self._facts)
            self.still.picture(item.path, item.labels, version=item.version)
        else:
            self._words(item)

    def _map(self, item: Item) -> None:
        state, looking, still = self.pane.state, self.pane.looking, self.still
        target = state.targets[item.key] if state else None
        view = map_view(target, looking.colouring, looking.until, looking.cursor) if target else None
        if view is None or target is None:
            return
        choice = self.fourm.choice
        width, height = still.size
        across, _, _ = map_size(view.shape, width, height, choice.ascii)
        still.lines(map_lines(view, width, height, choice, look_of(self, "full", choice).paint), across)
        self._say(f"{step_line(target, looking.until)}  by {looking.colouring}")

    def _words(self, item: Item) -> None:
        state = self.pane.state
        scene = scene_of(state, self.pane.looking, None)
        look = look_of(self, "full", self.fourm.choice)
        width = min(self.still.size.width, 76)
        pieces = scene.texts.get(item.key, []) if scene else []
        lines = wrapped(pieces, width, look)
        if any(confidence is not None for _, confidence in pieces):
            lines += [[], legend(CERTAIN, look, width)]
        target = state.targets.get(item.key) if state else None
        if item.path is not None and target is not None and target.facts.target != "caption":
            self.still.picture(item.path, item.labels, version=item.version)
        else:
            self.still.lines(lines, width)
        self._say(facts_line(state, target) if state and target else item.note)

    def _say(self, text: str) -> None:
        self.query_one("#facts", Static).update(Text(text))

    def on_still_ready(self, event: Still.Ready) -> None:
        item = self.item
        if item is None or item.path is None or event.drawn.problem:
            return
        path, drawn, facts = item.path, event.drawn, self.pane.facts

        def read() -> None:
            found = file_facts(path, drawn)
            self.app.call_from_thread(self._read_facts, path, "  ".join((found, facts)))

        self.run_worker(read, thread=True, exclusive=True, group="facts")

    def _read_facts(self, path: Path, facts: str) -> None:
        if self.item is not None and self.item.path == path and not self.as_tokens:
            self._facts = facts
            self._say(facts)

    # -- actions ----------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done with tokens is offered where there are any."""
        return action not in _OF_TOKENS or self._has_tokens

    @property
    def _has_tokens(self) -> bool:
        target = self.pane.target if self.pane.looking.sheet is None else None
        return target is not None and target.grid is not None

    def look(self) -> None:
        self.redraw()

    def hear(self, message: str) -> None:
        self._say(message)

    def action_sample(self) -> None:
        self.pane.action_sample()
        if self.pane.looking.sample is None:  # one alone is what this screen is for
            self.pane.action_sample()
        self.redraw()

    def action_tokens(self) -> None:
        self.as_tokens = not self.as_tokens
        self.redraw()

    def action_colour(self) -> None:
        self.pane.action_colour()
        self.redraw()

    def action_back(self) -> None:
        self._replay(-1)

    def action_on(self) -> None:
        self._replay(1)

    def _replay(self, by: int) -> None:
        self.as_tokens = True
        target = self.pane.target
        if target is not None:
            self.pane.looking.replay(target, by)
            self.redraw()


def file_facts(path: Path, drawn: Drawn) -> str:
    """Name, size and range of a picture's file."""
    said = [printable(path.name, 60), f"{drawn.size[0]} x {drawn.size[1]}"]
    try:
        said.append(_bytes(path.stat().st_size))
    except OSError:
        said.append("gone")
    span = _depth_range(path.with_name(f"{path.stem}_16bit.png"))
    return "  ".join([*said, span] if span else said)


def _depth_range(path: Path) -> str:
    """From which value to which the depth behind a picture goes."""
    if not path.is_file():
        return ""
    from PIL import Image

    from fourm_tui.pictures.png import read_facts

    try:
        facts = read_facts(path)
        low, step = float(facts["depth_minimum"]), float(facts["depth_step"])
        with Image.open(path) as image:
            most = image.getextrema()[1]
    except (FourmError, KeyError, ValueError, OSError, SyntaxError):
        return ""
    return f"{low:.2f} to {low + step * cast(float, most):.2f}"


def _bytes(count: int) -> str:
    return f"{count / 1000:.0f} KB" if count >= 1000 else f"{count} bytes"
