"""Themes: those that ship can be read by anybody, the user's come first, a broken one is said and harms nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from fourm_tui.paths import config_dir
from fourm_tui.tui.settings import Settings
from fourm_tui.tui.themes import read_theme, read_themes
from tests.tui.conftest import screen, text

SHIPPED, _ = read_themes()
COLOURED = [name for name, theme in SHIPPED.items() if not theme.ansi]
LEAST = 4.5
"""Contrast that WCAG 2 asks for."""


def luminance(colour: Color) -> float:
    parts = (each / 255 for each in colour.rgb)
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: Color, b: Color) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def own_theme(content: str, name: str = "mine.yaml") -> Path:
    folder = config_dir() / "themes"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content)
    return path


def test_there_are_light_ones_dark_ones_and_one_of_the_terminals_own_colours() -> None:
    assert len(SHIPPED) >= 6
    assert any(not theme.dark for theme in SHIPPED.values())
    assert any(theme.ansi for theme in SHIPPED.values())


@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
@pytest.mark.parametrize("name", COLOURED)
def test_all_that_is_written_stands_out(name: str, ground: str) -> None:
    colours = SHIPPED[name].to_color_system().generate()
    written = ("foreground", "text-muted", "primary", "secondary", "accent", "success", "warning", "error")
    found = {each: contrast(Color.parse(colours[each]), Color.parse(colours[ground])) for each in written}
    assert {each: value for each, value in found.items() if value < LEAST} == {}


@pytest.mark.parametrize("name", COLOURED)
def test_the_frame_with_the_focus_is_another_than_the_rest(name: str) -> None:
    colours = SHIPPED[name].to_color_system().generate()
    assert contrast(Color.parse(colours["accent"]), Color.parse(colours["panel-lighten-2"])) > 1.2


@pytest.mark.parametrize("name", SHIPPED)
def test_the_screens_are_drawn_with_it(name: str) -> None:
    async def look() -> None:
        async with screen(settings=Settings(theme=name)) as (app, pilot):
            await pilot.press("question_mark")
            assert app.theme == name
            assert "Everywhere" in "\n".join(text(app))

    asyncio.run(look())


def test_one_of_the_users_takes_the_place_of_a_shipped_one() -> None:
    own_theme("name: night\nprimary: '#123456'\n")
    themes, problems = read_themes()
    assert (themes["night"].primary, problems) == ("#123456", ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("primary: [", "line"),
        ("just words", "mapping of colours"),
        ("primary: nonsense", "no colour"),
        ("primary: '#fff'\nsecundary: '#000'", "no key of a theme"),
        ("primary: '#fff'\nvariables: {text-muted: nonsense}", "no colour"),
        ("primary: '#fff'\nvariables: {link-style: wiggly}", "no style"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content: str, said: str) -> None:
    problem = read_theme(own_theme(content))
    assert isinstance(problem, str)
    assert said in problem


def test_one_in_the_terminals_colours_needs_no_more_than_others() -> None:
    theme = read_theme(own_theme("ansi: true\nprimary: ansi_red\n"))
    assert isinstance(theme, Theme)

    async def look() -> None:
        async with screen(settings=Settings(theme="mine")) as (app, _):
            assert app.theme == "mine"

    asyncio.run(look())


def test_a_broken_one_leaves_the_default_and_one_message() -> None:
    own_theme("primary: [")

    async def look() -> None:
        async with screen(settings=Settings(theme="mine")) as (app, _):
            assert "there is no theme mine" in "\n".join(text(app))

    asyncio.run(look())
