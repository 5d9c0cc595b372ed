"""The model picker, with the keyboard alone and a Hub on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from huggingface_hub import constants

from fourm_tui.errors import FourmError
from fourm_tui.hub import cached, named
from fourm_tui.paths import bundled_dir
from fourm_tui.published import TEXT_TOKENIZER_FILE, TEXT_TOKENIZER_REPO
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.fetching import Fetched, fetch_all
from fourm_tui.tui.model_list import model_entries, model_entry
from fourm_tui.tui.screens.models import Models
from fourm_tui.tui.workspace import Workspace
from tests.fake_hub import FakeHub, fake_hub
from tests.tui.conftest import demo, screen, text

REPO = "EPFL-VILAB/4M-7_B_CC12M"
NAME = "4M-7_B_CC12M"
WEIGHTS = bytes(range(256)) * 4000
TOKENIZERS = ("rgb_16k", "depth_8k", "semseg_4k")


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with fake_hub() as server:
        repos = [REPO, *(f"EPFL-VILAB/4M_tokenizers_{name}_224-448" for name in TOKENIZERS)]
        server.files = {
            (repo, name): content
            for repo in repos
            for name, content in (("config.json", b"{}"), ("model.safetensors", WEIGHTS))
        }
        server.files[f"spaces/{TEXT_TOKENIZER_REPO}", TEXT_TOKENIZER_FILE] = b"{}"
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50_000)
        yield server


def run(body: Callable[[FourmApp, Any], Awaitable[None]], workspace: Workspace | None = None, **more: Any) -> None:
    async def go() -> None:
        async with screen(workspace, **more) as (app, pilot):
            await pilot.press("M")
            await settled(app, pilot)
            await body(app, pilot)

    asyncio.run(go())


async def settled(app: FourmApp, pilot: Any) -> None:
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()


def picker(app: FourmApp) -> Models:
    assert isinstance(app.screen, Models)
    return app.screen


def test_looking_asks_the_hub_for_nothing(hub: FakeHub) -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "down", "up")
        await settled(app, pilot)
        assert hub.asked == []

    run(body)


def test_enter_takes_a_model() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "enter")
        await settled(app, pilot)
        assert app.workspace.state.models == NAME
        assert app.screen is app.main

    run(body)


def test_the_cursor_begins_at_the_model_there_is() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        entry = picker(app).entry
        assert entry is not None and entry.name == "demo"

    run(body)


def test_g_fetches_what_the_schedule_needs() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "g")
        await settled(app, pilot)
        entry = picker(app).entry
        assert entry is not None
        assert (entry.name, entry.missing) == (NAME, ())

    run(body)


def test_a_hub_that_cannot_be_reached_is_said(hub: FakeHub) -> None:
    hub.status = 503

    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "g")
        await settled(app, pilot)
        assert any("try again later" in line for line in text(app))
        assert picker(app).stop is None

    run(body)


def test_escape_stops_a_download_and_stays(hub: FakeHub) -> None:
    hub.pause = 0.5  # longer in all than a busy machine takes to press keys

    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "g")
        while not hub.gets("model.safetensors"):  # it is under way
            await pilot.pause(0.01)
        await pilot.press("escape")
        await settled(app, pilot)
        entry = picker(app).entry
        assert entry is not None and entry.missing

    run(body)


def test_a_folder_is_typed() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        Path("m").symlink_to(bundled_dir() / "model")
        await pilot.press("t", ".", "/", "m", "enter")
        await settled(app, pilot)
        await pilot.press("enter")
        assert app.workspace.state.models == "./m"

    run(body)


def test_a_path_that_is_none_is_said_and_the_field_stays() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("t", "/", "x", "y", "enter")
        assert any("no such folder or file" in line for line in text(app))
        await pilot.press("escape")
        picker(app)

    run(body)


def test_escape_leaves_the_model_as_it_was() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "escape")
        assert app.workspace.state.models is None

    run(body)


def test_it_fits_a_small_window() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        assert any("enter takes" in line for line in text(app))

    run(body, size=(80, 24))


def test_what_a_model_lacks_for_the_schedule_is_listed() -> None:
    workspace = Workspace.open("settings_base/RGB2all21_roar1", models="4M-21_B")
    entries = {each.name: each for each in model_entries(workspace.schedule, workspace.state.documents)}
    assert "tok_dinov2@224" in entries[NAME].lacks
    assert entries["4M-21_B"].lacks == ()


def test_only_the_tokenizers_that_the_schedule_uses_are_needed() -> None:
    workspace = demo()
    entry = model_entry(NAME, workspace.schedule, workspace.state.documents)
    assert {each.name for each in entry.missing} == {
        NAME, "text_tokenizer", *(f"4M_tokenizers_{name}_224-448" for name in TOKENIZERS),
    }  # fmt: skip


def test_a_stopped_download_goes_on_where_it_was(hub: FakeHub) -> None:
    hub.pause = 0.03
    stop, source = Event(), named(REPO)

    def tell(fetched: Fetched) -> None:
        if fetched.done > 1000:  # the weights, not the config before them
            stop.set()

    assert not fetch_all([source], stop, tell)
    have = cached(source)
    assert have is not None and have.partial_bytes
    assert fetch_all([source], Event(), lambda _: None)
    assert hub.gets("model.safetensors")[-1] == f"bytes={have.partial_bytes}-"


def test_an_unknown_repository_is_said_in_one_sentence() -> None:
    with pytest.raises(FourmError, match="has no such repository"):
        fetch_all([named("someone/else")], Event(), lambda _: None)
