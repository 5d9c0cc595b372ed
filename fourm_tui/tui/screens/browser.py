"""Files: folders are walked through, and what the file under the cursor holds is seen beside the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from fourm_tui.errors import InputError, printable
from fourm_tui.tui.actions import bindings
from fourm_tui.tui.file_looks import file_look
from fourm_tui.tui.fits import pasted_path, typed_path
from fourm_tui.tui.listing import FileEntry, Listing, completed, list_folder, narrowed, parent_of, short
from fourm_tui.tui.looks import Look
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.slot import Slot
from fourm_tui.tui.widgets.file_list import FileList
from fourm_tui.tui.widgets.picture import Picture

_REST = 0.3
"""Seconds that the cursor rests on a file before it is opened."""


class BrowserScreen(Dialog[Path]):
    """Answers a file, or None for Escape.

    Args:
        title: what is looked for.
        accept: why a file cannot be taken, by its name and without opening it; None if it may be.
        start: a folder, or a file to begin at; None: where the newest recent file lies, else the working folder.
        preview: what is seen of a file, and its problem if it does not fit; called beside the event loop.
        recent: files of late, the newest first.
        also: what more is said of keys.
    """

    WHERE: ClassVar[str] = "browser"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("browser"),
        Binding("left,h", "up", show=False),
        Binding("right,l", "into", show=False),
    ]
    DEFAULT_CSS = """
    BrowserScreen > .frame { width: 130; height: 94%; }
    BrowserScreen #where { height: 1; color: $text-muted; }
    BrowserScreen Input { height: 1; border: none; padding: 0; background: $surface-lighten-1; display: none; }
    BrowserScreen Input:focus { border: none; }
    BrowserScreen #both { height: 1fr; margin-top: 1; }
    BrowserScreen #seen { width: 45%; height: 1fr; margin-left: 2; }
    BrowserScreen #lines { height: auto; max-height: 100%; }
    BrowserScreen #facts { height: auto; color: $text-muted; }
    BrowserScreen #verdict { height: auto; min-height: 1; max-height: 4; color: $text-muted; margin-top: 1; }
    BrowserScreen #verdict.wrong { color: $error; }
    BrowserScreen #verdict.fits { color: $success; }
    """

    def __init__(
        self,
        title: str,
        accept: Callable[[Path], str | None],
        start: Path | None = None,
        preview: Callable[[Path], Look] | None = None,
        recent: Sequence[Path] = (),
        also: str = "",
    ) -> None:
        super().__init__()
        self.heading, self.accept, self.preview, self.also = title, accept, preview or file_look, also
        self.recent = tuple(recent)
        first = start or next((path.parent for path in self.recent if path.parent.is_dir()), Path.cwd())
        at = first if not first.is_dir() else None
        self.folder = (first.parent if at else first).absolute()
        if not self.folder.is_dir():
            self.folder, at = Path.cwd(), None
        self.listing = Listing(self.folder)
        self.hidden = False
        self.shows_recent = False
        self.look: Look | None = None
        self._taking: Path | None = None
        """What is taken as soon as it has been looked into, if it can be read."""
        self._at: Path | None = at.absolute() if at else None
        self._lists: Slot[Listing] = Slot(self)
        self._looks: Slot[tuple[Path, Look]] = Slot(self)
        self._completions: Slot[tuple[str, str, tuple[str, ...]]] = Slot(self)
        self._waits: Timer | None = None
        self._typing = ""
        """`filter` or `path` while something is typed."""

    def content(self) -> ComposeResult:
        yield Static(id="where")
        yield Input(compact=True)
        with Horizontal(id="both"):
            yield FileList(lambda entry: not entry.is_folder and self.accept(entry.path) is not None)
            with Vertical(id="seen"):
                yield Picture()
                yield Static(id="lines")
                yield Static(id="facts")
        yield Static(id="verdict")

    def on_mount(self) -> None:
        self.retitle(self.heading, f"enter takes it   / find   g path   tab recent{self.also}   esc back")
        self.set_focus(self.files)
        self.open_folder(self.folder, self._at)

    @property
    def files(self) -> FileList:
        return self.query_one(FileList)

    @property
    def idle(self) -> bool:
        """Whether nothing is being read or drawn, or about to be."""
        picture = self.query_one(Picture)
        slots = self._lists, self._looks, self._completions
        return all(slot.idle for slot in slots) and picture.idle and self._waits is None

    # -- folders ------------------------------------------------------------------------------------------------------

    def open_folder(self, folder: Path, at: Path | None = None) -> None:
        """Goes to a folder, the cursor on one of its entries."""
        self.folder, self._at, self.shows_recent = folder, at, False
        self._say_where("reading ...")
        hidden = self.hidden
        self._lists.ask(lambda: list_folder(folder, hidden), self._listed)

    def _listed(self, listing: Listing) -> None:
        if listing.folder == self.folder and not self.shows_recent:
            self.listing = listing
            self._fill()

    def _fill(self) -> None:
        text = self.query_one(Input).value if self._typing == "filter" else ""
        if self.shows_recent:
            entries = [FileEntry(path, short(path)) for path in self.recent]
            none = "no file was chosen yet"
        else:
            entries, none = list(self.listing.entries), self.listing.problem or "an empty folder"
        shown = narrowed(entries, text)
        self.files.show(shown, self._at, "nothing fits" if entries and not shown else none)
        count = f"{len(shown)} of {len(entries)}" if text else ""
        self._say_where(count or (self.listing.problem if not self.shows_recent else ""))

    def _say_where(self, more: str) -> None:
        where = "files of late" if self.shows_recent else short(self.folder)
        room = max(20, self.size.width * 9 // 10 - len(more) - 8)
        if len(where) > room:
            where = "..." + where[-room + 3 :]
        self.query_one("#where", Static).update(Text.assemble(where, (f"   {more}" if more else "", "italic")))

    # -- what is under the cursor -------------------------------------------------------------------------------------

    @on(FileList.Moved)
    def _moved(self) -> None:
        entry = self.files.current
        self._at = entry.path if entry else None
        self.look = self._taking = None
        if self._waits is not None:
            self._waits.stop()
            self._waits = None
        self._looks.drop()
        if entry is None or entry.is_folder:
            self._show(Look())
            self._judge("")
            return
        unfit = self.accept(entry.path)
        self._judge(unfit or "", wrong=unfit is not None)
        self.query_one("#facts", Static).update(Text(entry.shown.rpartition("/")[2], no_wrap=True))
        self._waits = self.set_timer(_REST, self.open_now)

    def open_now(self) -> None:
        """Looks into the file under the cursor without waiting further."""
        if self._waits is not None:
            self._waits.stop()
            self._waits = None
        entry = self.files.current
        self.look = None
        if entry is not None and not entry.is_folder:
            path, preview = entry.path, self.preview
            self._looks.ask(lambda: (path, preview(path)), self._looked)

    def _looked(self, found: tuple[Path, Look]) -> None:
        path, look = found
        entry = self.files.current
        if entry is None or entry.path != path:
            return
        self.look = look
        self._show(look)
        unfit = self.accept(path)
        problem = unfit or look.problem
        self._judge(problem or self.fits_words(look), bool(problem), not problem)
        if self._taking == path:
            self._taking = None
            if not problem:
                self.dismiss(path.absolute())

    def fits_words(self, look: Look) -> str:
        """What is said of a file that fits."""
        return ""

    def _show(self, look: Look) -> None:
        picture, lines = self.query_one(Picture), self.query_one("#lines", Static)
        picture.display = look.picture is not None or not look.lines
        picture.show(look.picture, look.labels)
        lines.display = bool(look.lines) and look.picture is None
        lines.update(Text("\n".join(look.lines[:60]), no_wrap=False))
        self.query_one("#facts", Static).update(Text(look.facts))

    def _judge(self, verdict: str, wrong: bool = False, fits: bool = False) -> None:
        shown = self.query_one("#verdict", Static)
        shown.set_class(wrong, "wrong")
        shown.set_class(fits, "fits")
        shown.update(Text(printable(verdict, 300)))

    # -- typing -------------------------------------------------------------------------------------------------------

    def _type(self, what: str, value: str, placeholder: str) -> None:
        line = self.query_one(Input)
        self._typing = what
        line.placeholder = placeholder
        line.display = True
        line.value = value
        line.cursor_position = len(value)
        self.set_focus(line)

    def _complete(self) -> None:
        """What is typed goes on as far as there is only one way."""
        text, folder = self.query_one(Input).value, self.folder
        self._completions.ask(lambda: (text, *completed(text, folder)), self._completed)

    def _completed(self, found: tuple[str, str, tuple[str, ...]]) -> None:
        asked, text, names = found
        line = self.query_one(Input)
        if self._typing != "path" or line.value != asked:
            return
        line.value = text
        line.cursor_position = len(text)
        if len(names) > 1:
            self._judge("   ".join(names[:30]))
        else:
            self._judge("" if names or text != asked else "nothing there begins so", wrong=not names and text == asked)

    def _stop_typing(self) -> None:
        self._typing = ""
        line = self.query_one(Input)
        line.display = False
        self.set_focus(self.files)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._typing == "filter" and event.value.startswith(("/", "~")):
            self._typing = "path"
        if self._typing == "filter":
            self._fill()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._typing == "path":
            self._go(event.value)
        else:
            self.action_take()

    def _go(self, text: str) -> None:
        try:
            path = pasted_path(text) or typed_path(text, self.folder)
            is_folder, is_there = path.is_dir(), path.exists()
        except (InputError, OSError, ValueError) as error:
            self._judge(getattr(error, "strerror", None) or str(error), wrong=True)
            return
        if not is_there:
            self._judge(f"{printable(text, 100)}: there is no such file or folder", wrong=True)
            return
        self._stop_typing()
        if is_folder:
            self.open_folder(path)
        else:
            self.open_folder(path.parent, path)

    def on_paste(self, event: object) -> None:
        text = str(getattr(event, "text", ""))
        if pasted_path(text) is not None:
            self._go(text)

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_take(self) -> None:
        entry = self.files.current
        if entry is None:
            return
        if entry.is_folder:
            self._stop_typing()
            self.open_folder(entry.path)
            return
        problem = self.accept(entry.path) or (self.look.problem if self.look else "")
        if not problem and not entry.path.is_file():
            problem = "the file is gone" if not entry.path.exists() else "is no ordinary file"
        if problem:
            self._judge(problem, wrong=True)
        elif self.look is None:  # nothing is taken that nobody has looked into
            self._taking = entry.path
            self._judge("reading ...")
            self.open_now()
        else:
            self.dismiss(entry.path.absolute())

    def action_into(self) -> None:
        entry = self.files.current
        if entry is not None and entry.is_folder:
            self.open_folder(entry.path)

    def action_up(self) -> None:
        if self.shows_recent:
            self.action_recent()
            return
        above = parent_of(self.folder)
        if above is not None:
            self.open_folder(above, above / self.folder.name)

    def action_filter(self) -> None:
        self._type("filter", "", "part of a name; / or ~ begins a path")

    def action_path(self) -> None:
        self._type("path", f"{self.folder}/".replace("//", "/"), "a path; ~ is your folder, tab completes")

    def action_hidden(self) -> None:
        self.hidden = not self.hidden
        self.open_folder(self.folder, self._at)

    def action_recent(self) -> None:
        if self._typing == "path":
            self._complete()
            return
        self.shows_recent = not self.shows_recent
        if self.shows_recent:
            self._at = None
            self._fill()
        else:
            self.open_folder(self.folder)

    def action_fit(self) -> None:
        """Nothing to choose here; a condition's files have it."""

    def action_way(self) -> None:
        """Nothing to choose here; a condition's files have it."""

    def action_leave(self) -> None:
        if self._typing:
            self._stop_typing()
            self._fill()
        else:
            self.dismiss(None)
