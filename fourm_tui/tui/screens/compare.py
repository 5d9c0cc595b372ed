"""An output beside another one: side by side, one in the place of the other, or how they differ pixel by pixel."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from fourm_tui.chain.compare import Pair
from fourm_tui.errors import FourmError
from fourm_tui.runs import open_run
from fourm_tui.tui.actions import bindings
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.screens.output import OutputScreen
from fourm_tui.tui.sides import Side, against, difference_lines, sides_of, told
from fourm_tui.tui.widgets.key_line import KeyLine
from fourm_tui.tui.widgets.still import Still

Mode = Literal["split", "blink", "difference"]
_LINES = 6  # of differences that are shown


class CompareScreen(OutputScreen):
    """The selected output of the preview pane and another one."""

    WHERE = "compare"
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("compare"))
    DEFAULT_CSS = """
    CompareScreen #head { height: 1; padding: 0 1; background: $panel; }
    CompareScreen #sides { height: 1fr; }
    CompareScreen .side { width: 1fr; height: 1fr; padding: 0 1; }
    CompareScreen .name { height: 1; }
    CompareScreen #pairs { height: auto; max-height: 7; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, pane: PreviewPane) -> None:
        super().__init__(pane)
        self.mode: Mode = "split"
        self.other_first = False
        """In the mode `blink`: whether the other one is seen."""
        self.side: Side | None = Side(pane.before.run.name, run=pane.before.run) if pane.before else None
        self.path: Path | None = None
        self.pairs: tuple[Pair, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Horizontal(id="sides"):
            for side in ("other", "this"):
                with Vertical(classes="side", id=f"{side}-side"):
                    yield Static(classes="name", id=f"{side}-name")
                    yield Still(self.fourm.choice, id=side)
        yield Static(id="pairs")
        yield KeyLine()

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if self.side is None:
            self.action_other()
        else:
            self.look()

    # -- what there is ----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Finds the picture of the other side and what differs, then shows them."""
        state, side, target = self.pane.state, self.side, self.pane.target
        if state is None or side is None or target is None:
            return

        def find() -> None:
            try:
                path, pairs = against(state, target.facts.target, target.sample, side)
            except FourmError as error:
                self.app.call_from_thread(self._say, str(error))
                return
            self.app.call_from_thread(self._found, path, pairs)

        self.run_worker(find, thread=True, exclusive=True, group="against")

    def _found(self, path: Path | None, pairs: tuple[Pair, ...]) -> None:
        self.path, self.pairs = path, pairs
        self.redraw()

    def hear(self, message: str) -> None:
        self._say(message)

    def _say(self, message: str) -> None:
        self.query_one("#pairs", Static).update(Text(message))

    def redraw(self) -> None:
        item, side = self.item, self.side
        if item is None or side is None:
            return
        word = {"split": "side by side", "blink": "in one place", "difference": "how they differ"}[self.mode]
        head = Text(item.title, "bold")
        head.append(f"  {word}", "dim")
        self.query_one("#head", Static).update(head)
        both = self.mode == "split"
        seen_other = both or (self.mode == "blink" and self.other_first)
        self.query_one("#other-side").display = seen_other
        self.query_one("#this-side").display = both or not seen_other
        name = "this run" if self.mode != "difference" else f"this run against {side.title}"
        self.query_one("#this-name", Static).update(Text(name, "bold", overflow="ellipsis", no_wrap=True))
        self.query_one("#other-name", Static).update(Text(side.title, overflow="ellipsis", no_wrap=True))
        if item.path is not None and item.kind == "picture":
            of = self.path if self.mode == "difference" else None
            self.query_one("#this", Still).picture(item.path, item.labels and of is None, of)
        if self.path is not None:
            self.query_one("#other", Still).picture(self.path, item.labels)
        self._show_pairs(side)

    def _show_pairs(self, side: Side) -> None:
        if self.path is None:
            self._say("the other one has no picture of this target; o chooses another")
            return
        lines = difference_lines(self.pairs, self.size.width, self.fourm.choice.ascii)
        if not lines:
            self._say("same settings" if side.run is not None else "")
            return
        text = Text()
        for what, values in lines[:_LINES]:
            text.append(f"{what}  ", "dim")
            text.append(f"{values}\n", "bold")
        if len(lines) > _LINES:
            text.append(f"and {len(lines) - _LINES} more differences")
        text.rstrip()
        self.query_one("#pairs", Static).update(text)

    # -- actions ----------------------------------------------------------------------------------------------------

    def action_blink(self) -> None:
        self.other_first = self.mode == "blink" and not self.other_first
        self.mode = "blink"
        self.redraw()

    def action_split(self) -> None:
        self.mode = "split"
        self.redraw()

    def action_difference(self) -> None:
        self.mode = "split" if self.mode == "difference" else "difference"
        self.redraw()

    def action_other(self) -> None:
        state, item = self.pane.state, self.item
        if state is None or item is None:
            return
        sides = sides_of(state, item, self.fourm.out)
        if not sides:
            self._say("there is nothing to compare with yet: run again, and come back")
            return

        def chosen(index: int | None) -> None:
            if index is not None:
                self.side = sides[index]
                self.look()

        self.app.push_screen(ChooseSide(sides, state.folder, self.fourm.choice.ascii), chosen)


class ChooseSide(ModalScreen[int | None]):
    """A list of what can be compared; gives the place in it.

    Args:
        sides: to choose from.
        shown: folder of the run that they are compared with.
        ascii: without other characters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "give_up", "back")]
    DEFAULT_CSS = """
    ChooseSide #box { width: 80%; max-width: 100; height: auto; max-height: 80%; background: $surface;
        border: round $accent; padding: 0 1; }
    ChooseSide OptionList { height: auto; max-height: 100%; background: $surface; border: none; }
    """

    def __init__(self, sides: list[Side], shown: Path, ascii: bool = False) -> None:
        super().__init__()
        self.sides, self.shown, self.ascii = sides, shown, ascii

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = "compare with", "up down enter   esc back"
            yield OptionList(*(Option(Text(side.title, overflow="ellipsis", no_wrap=True)) for side in self.sides))

    def on_mount(self) -> None:
        self.run_worker(self._tell, thread=True, group="told", exit_on_error=False)

    def _tell(self) -> None:
        """In what each run differs, one after the other; until that is known, a run is called by its name."""
        worker, now = get_current_worker(), datetime.now().astimezone()
        with contextlib.suppress(FourmError):
            shown = open_run(self.shown)
            for place, side in enumerate(self.sides):
                if worker.is_cancelled:
                    return
                if side.run is not None:
                    self.app.call_from_thread(self._told, place, told(side, shown, now, self.ascii))

    def _told(self, place: int, words: str) -> None:
        line = Text.assemble(words, (f"   {self.sides[place].title}", "dim"), overflow="ellipsis", no_wrap=True)
        self.query_one(OptionList).replace_option_prompt_at_index(place, line)

    def key_j(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def key_k(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)

    def action_give_up(self) -> None:
        self.dismiss(None)
