"""What all dialogs have in common: a frame with a title, the keys in its lower border, Escape to leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

T = TypeVar("T")


class Dialog(ModalScreen[T], Generic[T]):
    """A dialog. What is in it comes from `content`; None is answered where it is left with Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back", show=False)]
    TITLE: ClassVar[str | None] = ""
    KEYS: ClassVar[str] = ""
    """Said in the lower border."""
    _is_left = False
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > .frame {
        width: 72; max-width: 96%; height: auto; max-height: 96%; padding: 0 1;
        border: round $accent; border-title-color: $accent; border-title-style: bold;
        border-subtitle-color: $text-muted; background: $surface;
    }
    """

    @property
    def fourm(self) -> FourmApp:
        return cast("FourmApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="frame") as frame:
            yield from self.content()
        self.frame = frame
        self.retitle(str(self.TITLE), self.KEYS)

    def content(self) -> ComposeResult:
        yield from ()

    def on_mount(self) -> None:
        """Called after that of a dialog of its own: the title is set before, so that it may be another."""

    def retitle(self, title: str, keys: str) -> None:
        """Sets the title, and what is said of keys."""
        self.frame.border_title = title.replace("[", r"\[")
        self.frame.border_subtitle = keys.replace("[", r"\[")

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leaves once: keys that were typed ahead come to nothing."""
        if self._is_left:
            return AwaitComplete.nothing()
        self._is_left = True
        return super().dismiss(result)

    def action_leave(self) -> None:
        self.dismiss(None)
