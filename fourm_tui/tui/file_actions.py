"""Schedules are opened, saved, edited elsewhere, kept safe: the actions of the application that are about files."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported
from textual.timer import Timer

from fourm_tui.chain.times import ago
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.tui import drafts, files
from fourm_tui.tui.beginning import opened
from fourm_tui.tui.conditions_list import unused_words
from fourm_tui.tui.ending import lent
from fourm_tui.tui.listing import near
from fourm_tui.tui.workspace import State, Workspace

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_DRAFT_AFTER = 2.0
"""Seconds after a change in which further ones go into the same draft."""
_LOOK_EVERY = 2.0


class Files:
    """What the application does with files.

    Args:
        app: whose workspace it is about.
    """

    def __init__(self, app: FourmApp) -> None:
        self.app = app
        self._drafts = drafts.Drafts()
        self._watch = files.Watch()
        self._timer: Timer | None = None
        self._begun = app.workspace.state
        self._asking = False

    # -- life ---------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Watches the files, keeps drafts, and offers what was left of earlier."""
        self.app.workspace_signal.subscribe(self.app, lambda _: self._changed())
        self.app.set_interval(_LOOK_EVERY, self.look)
        self._taken()

    def _taken(self) -> None:
        """The workspace is another one."""
        self._begun = self.app.workspace.state
        self._watch.look(self._paths)
        self._keep(self._begun)
        if self.app.workspace.path:
            files.remember_schedule(self.app.workspace.path, self.app.settings.recent)
        self._offer_draft()

    @property
    def _paths(self) -> list[Path]:
        return [each.path for each in self.app.workspace.state.documents if each.path]

    # -- drafts -------------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if self._timer is None:
            self._timer = self.app.set_timer(_DRAFT_AFTER, self._write_draft)

    def _write_draft(self) -> None:
        self._timer = None
        state = self.app.workspace.state
        if state == self._begun and not self.app.workspace.changed:
            self._drafts.remove(state.documents)
        else:
            self.app.run_worker(partial(self._drafts.write, state), thread=True, group="drafts", exit_on_error=False)
        self._keep(state)

    def _keep(self, state: State) -> None:
        """Conditions and options come back with the files, and the files with the next start."""
        self.app.run_worker(partial(self._drafts.keep, state), thread=True, group="drafts", exit_on_error=False)

    def rescue(self) -> None:
        """Writes the draft at once: the program is about to end without being asked."""
        state = self.app.workspace.state
        if state != self._begun or self.app.workspace.changed:
            self._drafts.write(state)
        self._drafts.keep(state)

    def end(self) -> None:
        """Everything is saved, or meant to be forgotten."""
        self._drafts.remove(self.app.workspace.state.documents)
        self._drafts.keep(self.app.workspace.state)
        self._drafts.close()

    def _offer_draft(self) -> None:
        found = drafts.find_draft(self.app.workspace.state)
        if found is None:
            return
        from fourm_tui.tui.screens.confirm import Choice, Confirm

        def answer(key: str | None) -> None:
            if key == "t":
                self.app.change(lambda: self.app.workspace.put(found.state, "draft"))
                self.app.say("the draft is taken over; u goes back to the file")
            elif key == "f":
                drafts.throw_away(self.app.workspace.state)

        name, edited = printable(self.app.workspace.title, 60), datetime.fromtimestamp(found.time)
        self.app.push_screen(
            Confirm(
                f"{name} has changes that were not saved ({ago(edited, datetime.now())}).",
                (Choice("t", "take the draft over"), Choice("f", "forget it")),
                "a draft",
            ),
            answer,
        )

    # -- changes on the disk ------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Takes files over that were changed on the disk; asks first where that would undo something unsaved."""
        if self._asking or not self._watch.changed():
            return
        gone = self._watch.gone()
        self._watch.look(self._paths)
        workspace = self.app.workspace
        if gone:
            workspace.lose(gone)
            self.app.workspace_signal.publish(workspace)
            self.app.say(f"{near(gone[0])} is gone from the disk; s writes it again", error=True)
            return
        if not workspace.changed:
            self._reread()
            return
        from fourm_tui.tui.screens.confirm import Choice, Confirm

        def answer(key: str | None) -> None:
            self._asking = False
            if key == "t":
                self._reread()

        self._asking = True
        self.app.push_screen(
            Confirm(
                f"{printable(workspace.title, 60)} was changed on the disk, and you have unsaved changes.",
                (
                    Choice("k", "keep mine; s writes it over the file"),
                    Choice("t", "take the file; u brings mine back"),
                ),
                "changed on the disk",
            ),
            answer,
        )

    def _reread(self) -> None:
        found: list[bool] = []
        if self.app.change(lambda: found.append(self.app.workspace.reread())) and found == [True]:
            self.app.say(f"{printable(self.app.workspace.title, 60)} was read again from the disk; u takes that back")
        self._watch.look(self._paths)

    # -- saving -------------------------------------------------------------------------------------------------------

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Saves, under another name where there is none of one's own; `then` is done if that worked."""
        workspace = self.app.workspace
        if workspace.is_shipped or workspace.path is None:
            self.save_as(then)
        elif self.app.attempt(workspace.save):
            self._saved(then)

    def save_as(self, then: Callable[[], None] | None = None) -> None:
        """Asks for a name, then saves."""
        from fourm_tui.tui.screens.save_as import SaveAs

        def answer(paths: tuple[Path, ...] | None) -> None:
            if paths:
                self._saved(then)

        self.app.push_screen(SaveAs(self.app.workspace), answer)

    def _saved(self, then: Callable[[], None] | None) -> None:
        workspace = self.app.workspace
        self._begun = workspace.state
        self._watch.look(self._paths)
        self._drafts.remove(workspace.state.documents)
        if workspace.path:
            files.remember_schedule(workspace.path, self.app.settings.recent)
        self.app.workspace_signal.publish(workspace)
        beside = "conditions are kept beside it, not in it" if workspace.state.given else ""
        said = (f"saved {' and '.join(map(near, self._paths))}", beside, runs_in_ml4m(workspace))
        self._keep(workspace.state)
        self.app.say("; ".join(filter(None, said)))
        if then:
            then()

    def unless_unsaved(self, what: str, then: Callable[[], None]) -> None:
        """Does something that gives the edited schedule up; asks first where it is not saved."""
        if not self.app.workspace.changed:
            then()
            return
        from fourm_tui.tui.screens.confirm import Choice, Confirm

        def answer(key: str | None) -> None:
            if key == "s":
                self.save(then)
            elif key == "d":
                then()

        self.app.push_screen(
            Confirm(
                f"{printable(self.app.workspace.title, 60)} has changes that are not saved.",
                (Choice("s", f"save, then {what}"), Choice("d", f"discard them and {what}"), Choice("c", "stay here")),
                "unsaved changes",
            ),
            answer,
        )

    # -- opening ------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        from fourm_tui.tui.screens.open import Open

        def answer(path: Path | None) -> None:
            if path is not None:
                self.unless_unsaved("open the other", partial(self.open_files, [path]))

        await self.app.push_screen(Open(self.app.settings.recent), answer)

    def open_files(self, paths: Sequence[Path]) -> None:
        """Goes over to other files; conditions and models of one's own stay."""
        state = self.app.workspace.state
        made: list[Workspace] = []
        if self.app.attempt(lambda: made.append(opened(paths, state))):
            self.take(made[0])
            said = (f"opened {printable(made[0].title, 60)}", unused_words(made[0]))
            self.app.say("; ".join(filter(None, said)))

    def take(self, workspace: Workspace) -> None:
        """Goes over to another workspace."""
        self._drafts.remove(self.app.workspace.state.documents)
        self._drafts.keep(self.app.workspace.state)
        self.app.workspace = workspace
        self.app.selected_row = 1
        self.app.workspace_signal.publish(workspace)
        self.app.row_signal.publish(1)
        self._taken()

    # -- an editor ----------------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Opens the files in an editor; a ready-made or unsaved one is saved first, as the editor works on the file."""
        workspace = self.app.workspace
        if workspace.is_shipped or workspace.path is None:
            self.app.say("a copy is edited: name it first")
            self.save_as(self._edit)
        elif workspace.changed:
            self.unless_unsaved("open the editor", self._edit)
        else:
            self._edit()

    def _edit(self) -> None:
        def run() -> None:
            command = [*files.editor_command(self.app.settings.editor, os.environ), *map(str, self._paths)]
            try:
                with lent(self.app), self.app.suspend():
                    subprocess.run(command, check=False)
            except SuspendNotSupported:
                raise InputError("this terminal cannot be given to an editor meanwhile") from None
            except OSError as error:
                raise FourmError(f"{printable(command[0])}: cannot be started: {error.strerror}") from None

        if self.app.attempt(run):
            self.app.refresh(layout=True)
            self._reread()


def runs_in_ml4m(workspace: Workspace) -> str:
    """Whether ml-4m's `run_generation.py` reads it the same, in a few words."""
    with contextlib.suppress(InputError):
        wrong = workspace.check.findings.incompatible
        if not wrong:
            return "runs in ml-4m: yes"
        cells = ", ".join(
            dict.fromkeys(f"{each.column}.{each.row}" if each.row else f"{each.column}" for each in wrong)
        )
        return f"runs in ml-4m: no ({cells})"
    return "whether it runs in ml-4m is not known"


class FileActions:
    """The actions themselves; mixed into the application."""

    files: Files

    def action_save(self) -> None:
        self.files.save()

    def action_save_as(self) -> None:
        self.files.save_as()

    async def action_open(self) -> None:
        await self.files.open()

    def action_edit_file(self) -> None:
        self.files.edit()
