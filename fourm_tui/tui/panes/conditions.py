"""The pane of the conditions: what the chain is conditioned on, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.widget import Widget

from fourm_tui.conditions.given import Given
from fourm_tui.errors import FourmError, printable
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.tui import giving
from fourm_tui.tui.actions import bindings
from fourm_tui.tui.conditions_list import Item, items_of
from fourm_tui.tui.looks import Look, look, looked, under
from fourm_tui.tui.panes.pane import Pane
from fourm_tui.tui.slot import Slot
from fourm_tui.tui.widgets.condition_cards import ConditionCards
from fourm_tui.tui.workspace import Workspace

_OVER_PICTURES = ("det", "human_poses", "sam_instance")
"""What belongs to a picture, and looks otherwise with another."""


class ConditionsPane(Pane):
    """The conditions."""

    NUMBER, TITLE, WHERE = 1, "conditions", "conditions"
    BINDINGS = bindings("conditions")

    def compose(self) -> ComposeResult:
        yield ConditionCards()

    def on_mount(self) -> None:
        super().on_mount()
        self._slot: Slot[dict[Any, Look]] = Slot(self)
        self._door: Slot[Look] = Slot(self)
        self._looks: dict[Any, Look] = {}
        self._asked: tuple[Any, ...] = ()
        self.fourm.workspace_signal.subscribe(self, self.show)
        self.call_after_refresh(self.show, self.fourm.workspace)

    @property
    def cards(self) -> ConditionCards:
        return self.query_one(ConditionCards)

    @property
    def focus_widget(self) -> Widget:
        return self.cards

    @property
    def idle(self) -> bool:
        """Whether nothing is being opened or drawn."""
        return self._slot.idle and self._door.idle and self.cards.idle

    # -- what is shown ------------------------------------------------------------------------------------------------

    def show(self, workspace: Workspace) -> None:
        """Shows the conditions of a workspace; files are opened beside the event loop."""
        items = items_of(workspace)
        keys = _keys(workspace.state.given)
        self.cards.show(items, {name: self._looks[key] for name, key in keys.items() if key in self._looks})
        self.retitle(self._title(len(workspace.state.given), items))
        missing = tuple(key for key in keys.values() if key not in self._looks)
        if missing and missing != self._asked:
            self._asked = missing
            given, modalities, known = dict(workspace.state.given), self.modalities, dict(self._looks)
            self._slot.ask(lambda: _look_at(given, modalities, known), self._seen)

    def _title(self, count: int, items: Sequence[Item]) -> str:
        """How many there are, and how many of them keep the chain from running."""
        wrong = sum(bool(each.problem) or self._is_broken(each) for each in items)
        words = [str(count)] if count > 1 else []
        return "  ".join([*words, *([f"{wrong} problem{'s' * (wrong > 1)}"] if wrong else [])])

    def _is_broken(self, item: Item) -> bool:
        found = self.cards.looks.get(item.name)
        return item.is_used and found is not None and bool(found.problem)

    def on_descendant_focus(self) -> None:
        self.show(self.fourm.workspace)  # files may have gone, or changed, meanwhile

    def _seen(self, looks: dict[Any, Look]) -> None:
        self._looks, self._asked = looks, ()
        self.show(self.fourm.workspace)

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """The table of modalities as the model sees it."""
        try:
            return self.fourm.workspace.inputs.modalities
        except FourmError:
            return MODALITIES

    def over(self) -> Look | None:
        """Of the picture that boxes belong to, as far as it is known."""
        picture = under(self.fourm.workspace.state.given, self.modalities)
        return self._looks.get((looked(picture), None)) if picture else None

    # -- actions ------------------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        giving.add(self)

    def action_edit(self) -> None:
        item = self.cards.selected
        if item is None:
            giving.add(self)
        elif item.given is not None and not item.is_used and item.name in self.modalities:
            giving.ask_use(self, item.given)
        elif item.name in self.modalities:
            giving.give(self, item.name, item.given)
        else:
            self.fourm.say(f"{printable(item.name, 40)} is no 4M modality; x takes it out of the chain", error=True)

    def action_remove(self) -> None:
        item = self.cards.selected
        if item is not None and self.fourm.change(lambda: self.fourm.workspace.take_away(item.name)):
            self.fourm.say(f"{item.title} is taken away; u brings it back")

    def action_mask(self) -> None:
        item = self.cards.selected
        if item is None or item.given is None:
            self.fourm.say("give something first; a mask says which part of it is generated", error=True)
        elif item.given.mask is not None:
            self.take(replace(item.given, mask=None))
            now = self.cards.selected
            unused = ", which is not used; enter asks why" if now is not None and not now.is_used else ""
            self.fourm.say(f"{item.title} is given as a whole again{unused}; u brings the mask back")
        else:
            giving.mask(self, item.given)

    def on_condition_cards_dropped(self, event: ConditionCards.Dropped) -> None:
        giving.dropped(self, event.text)

    def look_into(self, given: Given, then: Callable[[Look], None]) -> None:
        """Opens what is about to be given, beside the event loop."""
        modalities, over = self.modalities, self.over()
        self._door.ask(lambda: look(given, modalities, over), then)

    def take(self, given: Given, instead: bool = False) -> None:
        """Adds or replaces a condition; `instead` of generating it, where the chain does."""
        if self.fourm.change(lambda: self.fourm.workspace.give(given, instead)):
            self.show(self.fourm.workspace)  # the signal comes later
            self.cards.select(given.name)


def _keys(given: Mapping[str, Given]) -> dict[str, Any]:
    """By what the look of each condition is told from others."""
    picture = under(given)
    over = looked(picture) if picture else None
    return {name: (looked(each), over if name in _OVER_PICTURES else None) for name, each in given.items()}


def _look_at(
    given: Mapping[str, Given], modalities: Mapping[str, Modality], known: Mapping[Any, Look]
) -> dict[Any, Look]:
    """The looks of all conditions; those that are known already are taken over."""
    keys = _keys(given)
    picture = under(given)
    found: dict[Any, Look] = {}
    for name in sorted(given, key=lambda name: name in _OVER_PICTURES):  # pictures first
        over = found.get(keys[picture.name]) if picture and name in _OVER_PICTURES else None
        key = keys[name]
        found[key] = known[key] if key in known else look(given[name], modalities, over)
    return found
