"""How something comes to be given: a modality is chosen, then a text is written or a file found, and perhaps a mask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.conditions.given import Given
from fourm_tui.errors import printable
from fourm_tui.tui import fits
from fourm_tui.tui.conditions_list import takes, title_of
from fourm_tui.tui.recent import recent, remember

if TYPE_CHECKING:
    from fourm_tui.tui.panes.conditions import ConditionsPane

_FILE = "file"
KIND, MASKS = "conditions", "masks"
"""Lists of recent files."""


def add(pane: ConditionsPane) -> None:
    """Asks what is to be given, then for it."""
    from fourm_tui.tui.found import Entry
    from fourm_tui.tui.screens.choose import Choose
    from fourm_tui.tui.widgets.filtered_list import Row

    workspace, modalities = pane.fourm.workspace, pane.modalities
    given = workspace.state.given
    base = workspace.schedule.base
    missing = [name for name in (base.conditions if base else ()) if name not in given]
    targets = {row.target for row in base.rows} if base else set()
    rows = [Row(Entry(_FILE, "any file", "what it is for is suggested by its name"))]
    names = takes(workspace)
    for name in [*(n for n in missing if n in modalities), *(n for n in names if n not in missing)]:
        state = "given; replaces it" if name in given else "wanted by the chain" if name in missing else ""
        if not state and name in targets:
            state = "a target: partly, with a mask" if modalities[name].kind == "image" else "a target: partly"
        rows.append(Row(Entry(name, title_of(name), f"{name}  {fits.accepts(modalities[name])}"), state))

    def chosen(name: str | None) -> None:
        if name == _FILE:
            find_any(pane)
        elif name is not None:
            give(pane, name, given.get(name))

    at = missing[0] if missing else next((name for name in names if name not in given), names[0] if names else "")
    pane.app.push_screen(Choose("give what?", rows, at), chosen)


def give(pane: ConditionsPane, name: str, given: Given | None) -> None:
    """Asks for a condition: its text where it is written, else its file."""
    modality = pane.modalities[name]
    has_array = given is not None and given.text is None
    if fits.is_written(modality) and not has_array:
        write(pane, name, given.text if given else "")
    else:
        find(pane, name, given)


def write(pane: ConditionsPane, name: str, text: str | None) -> None:
    """Opens the editor of a text; what is written there has no file."""
    from fourm_tui.tui.screens.edit_text import EditText
    from fourm_tui.tui.written import writing_of

    screen = EditText(writing_of(name, pane.modalities, pane.over()), text or "")

    def answer(found: str | None) -> None:
        if screen.wants_file:
            find(pane, name, None)
        elif found is not None and found != text:
            pane.take(Given(name, text=found))

    pane.app.push_screen(screen, answer)


def find(pane: ConditionsPane, name: str, given: Given | None) -> None:
    """Opens the browser for the file of a condition."""
    from fourm_tui.tui.screens.browser_conditions import ConditionBrowser

    modality = pane.modalities[name]
    options = fits.Options(given.fit, given.reading, given.ids) if given else fits.Options()
    most = pane.fourm.settings.recent
    at = given.path if given else None
    screen = ConditionBrowser(modality, pane.modalities, options, at, recent(KIND, most), pane.over())

    def answer(path: Path | None) -> None:
        if path is not None:
            remember(KIND, path, most)
            _take_file(pane, name, path, screen.options, given.mask if given else None)

    pane.app.push_screen(screen, answer)


def find_any(pane: ConditionsPane) -> None:
    """Opens the browser first; what the file is for is asked afterwards."""
    from fourm_tui.tui.screens.browser import BrowserScreen

    names = takes(pane.fourm.workspace)
    most = pane.fourm.settings.recent

    def accept(path: Path) -> str | None:
        found = fits.suggestions(path, names, pane.modalities)
        return None if found else "the model takes no such file"

    def answer(path: Path | None) -> None:
        if path is not None:
            remember(KIND, path, most)
            choose_for(pane, path)

    pane.app.push_screen(BrowserScreen("a file", accept, recent=recent(KIND, most)), answer)


def choose_for(pane: ConditionsPane, path: Path) -> None:
    """Asks what a file is for, the likeliest first."""
    from fourm_tui.tui.found import Entry
    from fourm_tui.tui.screens.choose import Choose
    from fourm_tui.tui.widgets.filtered_list import Row

    names = fits.suggestions(path, takes(pane.fourm.workspace), pane.modalities)
    if not names:
        pane.fourm.say(f"{printable(path.name, 80)}: the model takes no such file", error=True)
        return
    given = pane.fourm.workspace.state.given
    rows = [Row(Entry(name, title_of(name), name), "given; replaces it" if name in given else "") for name in names]

    def chosen(name: str | None) -> None:
        if name is not None:
            _take_file(pane, name, path, fits.Options(), None)

    pane.app.push_screen(Choose(f"{printable(path.name, 50)} is", rows, names[0]), chosen)


def dropped(pane: ConditionsPane, text: str) -> None:
    """A file dropped on the terminal, whose path comes as pasted text."""
    path = fits.pasted_path(text)
    if path is None:
        shown = printable(text.strip(), 60)
        pane.fourm.say(f"{shown}: is no file here; a adds a condition, and text can be pasted there", error=True)
    else:
        choose_for(pane, path)


def mask(pane: ConditionsPane, given: Given) -> None:
    """Asks for a mask of what is given."""
    modality = pane.modalities.get(given.name)
    if modality is None or modality.kind != "image":
        how = (
            "write [S_1] where something is to be generated"
            if modality is not None and modality.kind == "sequence"
            else f"give it as {title_of('tok_rgb@224')}, which is made of tokens"
            if modality is not None and modality.kind == "pixels"
            else "only targets made of image tokens do"
        )
        pane.fourm.say(f"{title_of(given.name)} takes no mask: {how}", error=True)
        return
    from fourm_tui.tui.screens.browser_conditions import MaskBrowser

    most = pane.fourm.settings.recent

    def answer(path: Path | None) -> None:
        if path is not None:
            remember(MASKS, path, most)
            pane.take(replace(given, mask=path))

    pane.app.push_screen(MaskBrowser(given, pane.modalities, recent(MASKS, most)), answer)


def _take_file(pane: ConditionsPane, name: str, path: Path, options: fits.Options, with_mask: Path | None) -> None:
    made: list[Given] = []

    def make() -> None:
        made.append(fits.given_of(pane.modalities[name], path, options))

    if not pane.fourm.attempt(make):
        return
    given = replace(made[0], mask=with_mask) if with_mask and made[0].text is None else made[0]
    pane.take(given)
    base = pane.fourm.workspace.schedule.base
    if base and name in {row.target for row in base.rows} and given.complete and given.text is None:
        pane.fourm.say(f"{title_of(name)} is a target too: m chooses a mask, white where it is to be generated")
