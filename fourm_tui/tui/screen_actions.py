"""Help, palette, colours, settings, history: the actions of the application that open a screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from fourm_tui.errors import printable
from fourm_tui.tui.actions import PLACES, Action, action, actions_of, everywhere
from fourm_tui.tui.keymap import problems_of
from fourm_tui.tui.settings import Settings, save_setting
from fourm_tui.tui.themes import read_themes

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp


class ScreenActions:
    """Mixed into the application. Each waits until its screen is there: the next keys are for that."""

    def _place(self) -> str:
        """Where the focus is, as the table of actions names it."""
        app = cast("FourmApp", self)
        where = str(getattr(app.screen, "WHERE", ""))
        focused = app.focused
        for each in focused.ancestors_with_self if focused is not None else ():
            if getattr(each, "WHERE", "") in PLACES:
                return str(each.WHERE)  # type: ignore[attr-defined]
        return where

    async def action_help(self) -> None:
        from fourm_tui.tui.screens.help import Help

        app = cast("FourmApp", self)
        await app.push_screen(Help(self._place(), app.settings.keys))

    async def action_palette(self) -> None:
        from fourm_tui.tui.screens.palette import Palette

        app = cast("FourmApp", self)
        await app.push_screen(Palette(self._offered(), app.settings.keys), self._do)

    def _offered(self) -> list[Action]:
        """What can be done, as things stand: where the focus is first, then everywhere, then in the other panes."""
        app, place = cast("FourmApp", self), self._place()
        panes = {pane.WHERE: pane for pane in app.main.panes} if app.screen is app.main else {}
        places = dict.fromkeys([place, "app", *panes])
        found = [each for where in places for each in (everywhere(place) if where == "app" else actions_of(where))]
        return [
            replace(each, title=title)
            for each in found
            if (title := panes[each.where].offers(each.name, each.title) if each.where in panes else each.title)
            and each.id != "app.palette"
        ]

    def _do(self, id: str | None) -> None:
        """Does an action by its id; one of a pane is done there."""
        app = cast("FourmApp", self)
        if id is None:
            return
        chosen = action(id)
        if chosen.where == "app":
            app.run_worker(app.run_action(f"app.{chosen.name}"))
            return
        panes = [pane for pane in app.main.panes if chosen.where == pane.WHERE] if app.screen is app.main else []
        if panes:
            app.main.go_to(panes[0].NUMBER)
        target = panes[0] if panes else app.screen
        app.run_worker(app.run_action(chosen.name, default_namespace=target))

    def _read_themes(self) -> None:
        """All of them, to choose from."""
        app = cast("FourmApp", self)
        themes, problems = read_themes()
        for theme in themes.values():
            app.register_theme(theme)
        app.own_themes = frozenset(themes)
        app.problems += [*problems, *problems_of(app.settings.keys)]
        if app.settings.theme in themes:
            app.theme = app.settings.theme
        else:
            name = printable(app.settings.theme, 40)
            app.problems.append(f"there is no theme {name}; there are {', '.join(themes)}")

    async def action_theme(self) -> None:
        from fourm_tui.tui.screens.themes import Themes

        app = cast("FourmApp", self)
        own = {name: theme for name, theme in app.available_themes.items() if name in app.own_themes}

        def answer(name: str | None) -> None:
            if name is None or name == app.settings.theme:
                return
            app.take_settings(replace(app.settings, theme=name))
            app.attempt(lambda: save_setting("theme", name))

        await app.push_screen(Themes(own, app.theme), answer)

    async def action_settings(self) -> None:
        from fourm_tui.tui.screens.settings import SettingsScreen

        await cast("FourmApp", self).push_screen(SettingsScreen())

    def take_settings(self, settings: Settings) -> None:
        """Goes over to other settings; those for the start of the program hold from the next one on."""
        app = cast("FourmApp", self)
        if settings.keys != app.settings.keys:
            app.set_keymap(dict(settings.keys))
            problems = problems_of(settings.keys)
            if problems:
                app.say("\n".join(problems), error=True)
        app.settings = settings

    async def action_history(self) -> None:
        from fourm_tui.tui.screens.history import HistoryScreen

        app = cast("FourmApp", self)
        if not isinstance(app.screen, HistoryScreen):
            app.say("")  # what went wrong before was about something else
            await app.push_screen(HistoryScreen())
