"""The one table of actions: keys, footer, help, palette and the README's list of keys all come from it.

An action `schedule.fill` is done by `action_fill` of the pane or screen whose name stands before the point (`app`,
`conditions`, `schedule`, `run`, `preview`, `history`, ...). Users give actions other keys in their settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Action:
    """Something that can be done with a key, and by its name from the palette."""

    id: str
    keys: str
    """Textual's names of keys, parted by commas."""
    title: str
    """A word or two, for the footer."""
    help: str
    """What it does, in a sentence without a full stop."""
    footer: bool = False

    @property
    def where(self) -> str:
        return self.id.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.id.rpartition(".")[2]


PLACES: Mapping[str, str] = {
    "app": "Everywhere",
    "conditions": "Conditions",
    "schedule": "Schedule",
    "run": "Run",
    "preview": "Preview",
    "full": "Full screen",
    "compare": "Compare",
    "history": "History",
    "browser": "File browser",
}
"""Where actions are at home, and its title, in the order of the help."""

ACTIONS: tuple[Action, ...] = (
    # -- everywhere
    Action("app.start", "r", "run", "Generate what the schedule says", True),
    Action("app.cancel", "c", "cancel", "Stop the run at its next step; again: end it at once"),
    Action("app.branch", "b", "branch", "Run again from the selected row on, taking the rows before over"),
    Action("app.sweep", "w", "sweep", "Run the selected cell with several values, and make a sheet of them", True),
    Action("app.save", "s", "save", "Save the schedule, comments kept", True),
    Action("app.save_as", "S", "save as", "Save the schedule under another name"),
    Action("app.open", "o", "open", "Open a schedule", True),
    Action("app.edit_file", "e", "editor", "Open the schedule in an editor and take its changes over"),
    Action("app.undo", "u", "undo", "Take the last change back", True),
    Action("app.redo", "U", "redo", "Make the change last taken back again"),
    Action("app.models", "M", "model", "Choose the model and its tokenizers, or fetch them"),
    Action("app.options", "O", "options", "Seed, variations, device, number type, super-resolution"),
    Action("app.history", "H", "history", "Earlier runs: look, compare, reopen", True),
    Action("app.compare", "equals_sign", "compare", "This output beside that of another run"),
    Action("app.full", "p", "full", "The selected output in full, with the terminal's best graphics"),
    Action("app.copy", "y", "copy", "Copy what is selected, over SSH too"),
    Action("app.theme", "T", "theme", "Choose the colours"),
    Action("app.settings", "comma", "settings", "What can be set, and where"),
    Action("app.pane_1", "f1", "to the conditions", "Go to the conditions"),
    Action("app.pane_2", "f2", "to the schedule", "Go to the schedule"),
    Action("app.pane_3", "f3", "to the run", "Go to the run and its queue"),
    Action("app.pane_4", "f4", "to the preview", "Go to the preview"),
    Action("app.zoom", "z", "zoom", "The pane alone, and back"),
    Action("app.fold", "f", "fold", "Fold the pane to its title, and back"),
    Action("app.wider", "greater_than_sign", "wider", "Make the left column wider"),
    Action("app.narrower", "less_than_sign", "narrower", "Make the left column narrower"),
    Action("app.taller", "right_curly_bracket", "taller", "Make the upper panes taller"),
    Action("app.shorter", "left_curly_bracket", "shorter", "Make the upper panes shorter"),
    Action("app.help", "question_mark", "keys", "All keys of what has the focus", True),
    Action("app.palette", "colon", "actions", "Find any action by its name", True),
    Action("app.repaint", "ctrl+l", "repaint", "Paint the screen anew, after other programs wrote on it"),
    Action("app.quit", "q", "quit", "Leave; a run goes on", True),
    # -- conditions
    Action("conditions.add", "a", "add", "Add a condition", True),
    Action("conditions.edit", "enter", "edit", "Edit the selected condition, or choose another file", True),
    Action("conditions.remove", "x", "remove", "Take the selected condition away", True),
    Action("conditions.mask", "m", "mask", "Give it partly: choose a mask (white is generated)"),
    # -- schedule
    Action("schedule.edit", "enter", "edit", "Edit the selected cell; choices open a list", True),
    Action("schedule.step_up", "plus", "more", "A step up: the next value, or choice"),
    Action("schedule.step_down", "minus", "less", "A step down: the value before, or choice"),
    Action("schedule.add", "a", "add row", "Add a target after the selected row", True),
    Action("schedule.delete", "x", "delete", "Delete the selected row", True),
    Action("schedule.duplicate", "d", "duplicate", "Duplicate the selected row for another target"),
    Action("schedule.move_down", "J", "move down", "Move the row down"),
    Action("schedule.move_up", "K", "move up", "Move the row up"),
    Action("schedule.fill", "v", "fill down", "Give all rows below the value of this cell"),
    Action("schedule.weights", "g", "weights", "Guidance of the row: one scale, or a weight for each condition"),
    Action("schedule.problem", "n", "next problem", "Go to the next problem or hint"),
    # -- run
    Action("run.pause", "space", "pause", "Pause the selected run between two steps, or let it go on", True),
    Action("run.skip", "n", "skip", "Leave the sample under way out and go on with the others"),
    Action("run.attach", "enter", "follow", "Follow the selected run of the queue", True),
    Action("run.retry", "t", "retry", "Go on with a run that failed or was stopped", True),
    Action("run.first", "K", "sooner", "Move the selected run up in the queue"),
    Action("run.later", "J", "later", "Move the selected run down in the queue"),
    Action("run.remove", "x", "cancel", "Cancel the selected run"),
    Action("run.cancel_others", "X", "cancel waiting", "Cancel all but the current run"),
    Action("run.log", "l", "log", "What was noted while it ran, in full"),
    # -- preview
    Action("preview.colour", "m", "colour by", "Colour the token map by step, confidence or token", True),
    Action("preview.back", "left_square_bracket", "back", "One step back in the order of decoding"),
    Action("preview.on", "right_square_bracket", "on", "One step on in the order of decoding"),
    Action("preview.play", "space", "replay", "Play the order of decoding", True),
    Action("preview.next", "n", "next target", "The next target", True),
    Action("preview.previous", "N", "target before", "The target before"),
    Action("preview.decode", "d", "decode", "Make the picture of a target that stayed tokens"),
    Action("preview.sample", "v", "variation", "The next variation; after the last, all of them"),
    # -- earlier runs
    Action("history.reopen", "enter", "reopen", "Edit what the run was made with: conditions, schedule, seed", True),
    Action("history.show", "space", "show", "Show the run in the preview", True),
    Action("history.rerun", "r", "rerun", "Run it again with a new seed", True),
    Action("history.compare", "equals_sign", "compare", "Mark it; on another: the two cell by cell", True),
    Action("history.branch", "b", "branch", "Run what is edited, taking over what does not differ from this run"),
    Action("history.filter", "slash", "filter", "Narrow the list: names, captions, models, a status", True),
    Action("history.delete", "x", "delete", "Delete the run, after asking", True),
    Action("history.close", "escape,q,H", "close", "Back to the panes", True),
    # -- one output in full
    Action("full.next", "n,right,l", "next", "The next output", True),
    Action("full.previous", "N,left,h", "before", "The output before", True),
    Action("full.tokens", "t", "tokens", "Its token map, or its picture again", True),
    Action("full.colour", "m", "colour by", "Colour the token map by step, confidence or token", True),
    Action("full.back", "left_square_bracket", "back", "One step back in the order of decoding"),
    Action("full.on", "right_square_bracket", "on", "One step on in the order of decoding"),
    Action("full.sample", "v", "variation", "The next variation"),
    Action("full.close", "escape,p,q", "close", "Back to the panes", True),
    # -- two outputs compared
    Action("compare.blink", "space", "swap", "One in the place of the other; again: the other one", True),
    Action("compare.split", "b", "side by side", "Both side by side", True),
    Action("compare.difference", "d", "difference", "How they differ, pixel by pixel", True),
    Action("compare.other", "o", "other", "Choose what to compare with: another run, variation or target", True),
    Action("compare.next", "n,right,l", "next", "The next target", True),
    Action("compare.previous", "N,left,h", "before", "The target before"),
    Action("compare.close", "escape,equals_sign,q", "close", "Back to the panes", True),
    # -- file browser
    Action("browser.take", "enter", "take", "Take the file, or go into the folder", True),
    Action("browser.up", "backspace", "up", "The folder around this one; so do left and h"),
    Action("browser.filter", "slash", "find", "Show only names that hold what is typed; / or ~ begins a path", True),
    Action("browser.path", "g", "path", "Go to a path that is typed (tab completes it) or pasted", True),
    Action("browser.recent", "tab", "recent", "Files that were chosen of late, and back to the folder", True),
    Action("browser.hidden", "full_stop", "hidden", "Show hidden files, or not"),
    Action("browser.fit", "f", "fit", "Take the square in the middle of a picture, or all of it, padded"),
    Action("browser.way", "w", "way", "How edges (photo, edges, drawing) or class ids (COCO's, the model's) are read"),
)

_ALWAYS = frozenset({"app.help", "app.palette", "app.theme", "app.settings", "app.repaint"})
ELSEWHERE: Mapping[str, frozenset[str]] = {
    "full": _ALWAYS | {"app.compare", "app.copy"},
    "compare": _ALWAYS | {"app.full", "app.copy"},
    "history": frozenset(),
    "browser": frozenset(),
}
"""What of `app` is offered on screens that lie over the panes; on the others all of it is."""

_BY_ID = {action.id: action for action in ACTIONS}


def action(id: str) -> Action:
    return _BY_ID[id]


def bindings(where: str) -> list[Binding]:
    """The bindings of a pane or a screen, which the user's key map can change by their ids."""
    return [
        Binding(each.keys, each.name, each.title, show=each.footer, id=each.id)
        for each in ACTIONS
        if each.where == where
    ]


def can_be_done(id: str, place: str) -> bool:
    """Whether an action of `app` can be done at a place: nothing is done to panes that are out of sight. One can always
    leave."""
    return place not in ELSEWHERE or id not in _BY_ID or id in ELSEWHERE[place] or id == "app.quit"


def everywhere(place: str) -> list[Action]:
    """The actions of `app` that are offered at a place. Over the panes, their key for leaving closes the screen."""
    return [each for each in actions_of("app") if place not in ELSEWHERE or each.id in ELSEWHERE[place]]


def actions_of(where: str) -> list[Action]:
    return [each for each in ACTIONS if each.where == where]


def shown_key(keys: str) -> str:
    """Keys as people write them: `ctrl+r` stays, `question_mark` becomes `?`."""
    return " ".join(_SHOWN.get(key.strip(), key.strip()) for key in keys.split(","))


_SHOWN = {
    "left_square_bracket": "[", "right_square_bracket": "]",
    "question_mark": "?", "colon": ":", "comma": ",", "equals_sign": "=", "plus": "+", "minus": "-",
    "greater_than_sign": ">", "less_than_sign": "<", "right_curly_bracket": "}", "left_curly_bracket": "{",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "f1": "F1", "f2": "F2", "f3": "F3", "f4": "F4",
    "slash": "/", "full_stop": ".", "escape": "Esc", "enter": "Enter", "space": "Space",
    "tab": "Tab",
}  # fmt: skip
