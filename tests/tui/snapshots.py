"""What a screen looks like, as a text that a diff can be read of: its lines, then a letter for each cell's style.

`a{37}` is 37 cells; a line of styles that ends early goes on with its last letter to the edge; `=` stands for the styles of the line above.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from fourm_tui.tui.app import FourmApp

FOLDER = Path(__file__).with_name("snapshots")
_RULE = "----"
_LONG = re.compile(r"(.)\1{7,}")
_LETTERS = "".join(
    [*map(chr, range(ord("a"), ord("z") + 1)), *map(chr, range(ord("A"), ord("Z") + 1)), *"0123456789",
     *map(chr, range(0x3B1, 0x3CA)), *map(chr, range(0x430, 0x450)), *map(chr, range(0x410, 0x430))]
)  # fmt: skip
"""What stands for the styles of a screen, in the order in which they come; further ones are `?`."""


def snapshot(app: FourmApp) -> str:
    """The screen that is on top, with all that shines through from below."""
    strips = [Strip.join(parts) for parts in app.screen._compositor.render_full_update().strips]
    lines = [strip.text.rstrip() for strip in strips]
    letters: dict[str, str] = {}
    styles = [_styles(strip, letters) for strip in strips]
    legend = [f"{letter}  {style}" for style, letter in letters.items() if letter != "?"]
    return "\n".join([*lines, _RULE, *_folded(styles), _RULE, *legend, ""])


def _styles(strip: Strip, letters: dict[str, str]) -> str:
    """A letter per cell; styles that are new get the next one."""
    line = ""
    for segment in strip:
        said = _said(segment.style)
        if said not in letters:
            letters[said] = _LETTERS[len(letters)] if len(letters) < len(_LETTERS) else "?"
        line += letters[said] * cell_len(segment.text)
    return line.rstrip(line[-1]) + line[-1] if line else ""


def _said(style: Style | None) -> str:
    """`#c0caf5 on #1a1b26 bold`."""
    if style is None:
        return "default"
    ground = f" on {style.bgcolor.name}" if style.bgcolor else ""
    words = [word for word in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, word)]
    return " ".join([f"{style.color.name if style.color else 'default'}{ground}", *words])


def _folded(styles: Iterable[str]) -> list[str]:
    folded, above = [], None
    for line in styles:
        folded.append("=" if line == above else _LONG.sub(lambda run: f"{run[1]}{{{len(run[0])}}}", line))
        above = line
    return folded


def check(name: str, found: str, update: bool) -> None:
    """Compares with what is kept under a name, or keeps it.

    Raises:
        pytest.fail.Exception: it differs, or nothing is kept.
    """
    path = FOLDER / f"{name}.txt"
    if update:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
        return
    if not path.exists():
        pytest.fail(f"there is no {path.name}; pytest --update-snapshots makes it", pytrace=False)
    kept = path.read_text(encoding="utf-8")
    if kept != found:
        lines = difflib.unified_diff(kept.splitlines(), found.splitlines(), "kept", "found", lineterm="", n=1)
        pytest.fail(f"{path.name} looks otherwise now:\n" + "\n".join(lines), pytrace=False)
