"""How something comes to be given: a modality is chosen, then a text is written or a file found, and perhaps a mask."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.conditions.given import Given
from fourm_tui.errors import FourmError, printable
from fourm_tui.tui import fits
from fourm_tui.tui.conditions_list import takes, title_of
from fourm_tui.tui.recent import recent, remember
from fourm_tui.tui.uses import rows_of

if TYPE_CHECKING:
    from fourm_tui.tui.looks import Look
    from fourm_tui.tui.panes.conditions import ConditionsPane

_FILE = "file"
_USUAL = ("caption", "rgb@224", "tok_rgb@224")
"""What is given most; it stands first where the chain lacks nothing."""
KIND, MASKS = "conditions", "masks"
"""Lists of recent files."""


def add(pane: ConditionsPane) -> None:
    """Asks what is to be given, then for it."""
    from fourm_tui.tui.found import Entry
    from fourm_tui.tui.screens.choose import Choose
    from fourm_tui.tui.widgets.filtered_list import Row

    workspace, modalities = pane.fourm.workspace, pane.modalities
    given, used = workspace.state.given, workspace.used
    base = workspace.schedule.base
    missing = [name for name in (base.conditions if base else ()) if name not in given and name in modalities]
    rows = [Row(Entry(_FILE, "any file", "what it is for is suggested by its name"))]
    names = list(dict.fromkeys((*missing, *sorted(takes(workspace), key=lambda name: name not in _USUAL))))
    for name in names:
        if name in given:
            state = "given; replaces it" if name in used else "given, not used; replaces it"
        elif name in missing:
            state = "wanted by the chain"
        elif rows_of(workspace.schedule, name):
            state = "a target: in its place, or partly"
        else:
            state = ""
        rows.append(Row(Entry(name, title_of(name), f"{name}  {fits.accepts(modalities[name])}"), state))

    def chosen(name: str | None) -> None:
        if name == _FILE:
            find_any(pane)
        elif name is not None:
            give(pane, name, given.get(name))

    at = next((name for name in names if name not in given), names[0] if names else "")
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
    from fourm_tui.tui.written import counter, writing_of

    count = None
    with contextlib.suppress(FourmError):
        inputs = pane.fourm.workspace.inputs
        model = inputs.checkpoints.get("model")
        count = counter(model.weights if model else None, inputs.models.text_tokenizer, inputs.base)
    screen = EditText(writing_of(name, pane.modalities, pane.over(), count), text or "")

    def answer(found: str | None) -> None:
        if screen.wants_file:
            find(pane, name, None)
        elif found is not None and found != text:
            settle(pane, Given(name, text=found))

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
            new = _of_file(pane, name, path, screen.options, given.mask if given else None)
            if new is not None:
                settle(pane, new)

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
        new = _of_file(pane, name, path, fits.Options(), None) if name is not None else None
        if new is not None:
            pane.look_into(new, partial(_looked_into, pane, new))

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


def settle(pane: ConditionsPane, given: Given) -> None:
    """Gives something; where the chain generates it, what is to become of that is asked first."""
    if given.complete and rows_of(pane.fourm.workspace.schedule, given.name):
        ask_use(pane, given, is_new=True)
    else:
        pane.take(given)


def ask_use(pane: ConditionsPane, given: Given, is_new: bool = False) -> None:
    """Asks how the chain is to use what it does not use as things stand.

    Args:
        pane: of the conditions.
        given: what is not used, or would not be.
        is_new: it is not given yet.
    """
    from fourm_tui.tui.screens.confirm import Choice, Confirm

    workspace, name, modality = pane.fourm.workspace, given.name, pane.modalities[given.name]
    title, rows, base = title_of(name), rows_of(workspace.schedule, name), workspace.schedule.base
    takes_it, is_alone = bool(workspace.takes((name,))), base is not None and len(base.rows) == len(rows)
    row = f"row{'s' * (len(rows) > 1)} {' and '.join(map(str, rows))}"
    choices = []
    if rows and takes_it and not is_alone:
        choices.append(Choice("t", f"take {row} out of the targets, and use it whole"))
    if rows and modality.kind == "image":
        choices.append(Choice("m", "use a part: choose a mask, white where it is to be generated"))
    elif rows and modality.kind == "sequence":
        choices.append(Choice("w", "use a part: write [S_1] where it is to be generated"))
    if takes_it and not rows:
        choices.append(Choice("u", "use it: a condition of the chain from now on"))
    if not is_new:
        written = fits.is_written(modality) and given.text is not None
        choices += [Choice("e", "write it anew" if written else "choose another file"), Choice("x", "take it away")]
    choices.append(Choice("c", "cancel"))
    if rows:
        question = f"{title} is generated by {row}, so that it cannot be given whole as well."
    elif takes_it:
        question = f"{title} is given, and is no condition of this chain."
    else:
        question = f"{title} is given, and the model does not take it."

    def answer(key: str | None) -> None:
        match key:
            case "t" | "u":
                pane.take(given, instead=bool(rows))
            case "m":
                mask(pane, given)
            case "w":
                write(pane, name, given.text)
            case "e":
                give(pane, name, given)
            case "x":
                pane.action_remove()

    pane.app.push_screen(Confirm(question, choices, "not used" if not is_new else "given, or generated?"), answer)


def _looked_into(pane: ConditionsPane, given: Given, look: Look) -> None:
    """What was given without having been seen is taken if it can be read."""
    if look.problem:
        file = printable(given.path.name, 60) if given.path else ""
        pane.fourm.say(f"{title_of(given.name)} {file}: {look.problem}", error=True)
    else:
        settle(pane, given)


def _of_file(
    pane: ConditionsPane, name: str, path: Path, options: fits.Options, with_mask: Path | None
) -> Given | None:  # fmt: skip
    made: list[Given] = []
    if not pane.fourm.attempt(lambda: made.append(fits.given_of(pane.modalities[name], path, options))):
        return None
    return replace(made[0], mask=with_mask) if with_mask and made[0].text is None else made[0]
