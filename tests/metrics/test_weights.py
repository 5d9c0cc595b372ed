"""Before a run it is said what is missing, and which file belongs where."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from fourm_tui.errors import FourmError, InputError
from fourm_tui.metrics import weights
from fourm_tui.metrics.wanted import Wanted
from fourm_tui.metrics.weights import CLIP, CLIP_FOLDER, INCEPTION_FILE, check, clip_folder, inception_file
from tests.fake_hub import FakeHub, fake_hub

FID = Wanted(fid=True, inception=True, clip=False)
CLIP_SCORE = Wanted(fid=False, inception=False, clip=True)
NOTHING = Wanted(fid=False, inception=False, clip=False)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with fake_hub() as server:
        server.files = {(CLIP.repo, name): name.encode() for name in CLIP.files}
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        yield server


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were installed."""
    monkeypatch.setattr(weights, "_installed", lambda module, package: None)


@pytest.mark.parametrize(
    ("wanted", "module"),
    [(FID, "torchmetrics"), (FID, "torch_fidelity"), (CLIP_SCORE, "transformers")],
)
def test_without_the_extra_the_way_to_install_it_is_said(
    wanted: Wanted, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(weights.importlib, "import_module", absent)
    with pytest.raises(InputError, match=rf"{module}.*pip install 'fourm_tui\[metrics\]'"):
        check(wanted)


def test_a_package_that_is_there_but_broken_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(weights.importlib, "import_module", broken)
    with pytest.raises(InputError, match=r"torchmetrics.*cannot be loaded: operator torchvision::nms .*the release"):
        check(FID)


def test_nothing_wanted_needs_nothing() -> None:
    check(NOTHING)


@pytest.mark.usefixtures("extra", "hub")
def test_missing_inception_names_the_file_the_place_and_the_command(tmp_path: Path) -> None:
    for given, folder in ((tmp_path / "own", tmp_path / "own"), (None, tmp_path / "xdg" / "fourm-tui" / "metrics")):
        with pytest.raises(InputError) as caught:
            check(FID, given)
        message = str(caught.value)
        assert message.startswith(f"{folder / INCEPTION_FILE}: is missing")
        assert "weights-inception-2015-12-05-6726825d.pth" in message and "fourm_tui.metrics.convert" in message
    with pytest.raises(InputError, match="is missing"):
        inception_file(tmp_path / "own")


@pytest.mark.usefixtures("extra", "hub")
def test_inception_in_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / INCEPTION_FILE).touch()
    check(FID, tmp_path)
    assert inception_file(tmp_path) == tmp_path / INCEPTION_FILE


@pytest.mark.usefixtures("extra")
def test_clip_is_downloaded_when_it_is_needed_not_when_it_is_checked(hub: FakeHub) -> None:
    check(CLIP_SCORE)
    assert not any(hub.gets(name) for name in CLIP.files)
    folder = clip_folder()
    assert {path.name for path in folder.iterdir()} == set(CLIP.files)
    asked = len(hub.asked)
    check(CLIP_SCORE)
    assert clip_folder() == folder and len(hub.asked) == asked, "what is in the cache asks nobody"


@pytest.mark.usefixtures("extra")
def test_only_json_and_safetensors_are_asked_for(hub: FakeHub) -> None:
    clip_folder()
    asked = [path for _, path, _ in hub.asked if "/resolve/" in path]
    assert {path.rpartition(".")[2] for path in asked} == {"json", "safetensors"}


@pytest.mark.usefixtures("extra")
def test_clip_in_the_folder_comes_first(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / CLIP_FOLDER).mkdir()
    for name in CLIP.files:
        (tmp_path / CLIP_FOLDER / name).touch()
    check(CLIP_SCORE, tmp_path)
    assert clip_folder(tmp_path) == tmp_path / CLIP_FOLDER and not hub.asked


@pytest.mark.usefixtures("extra")
def test_clip_that_cannot_be_had_names_its_files_and_their_place(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files = {}
    with pytest.raises(InputError) as caught:
        check(CLIP_SCORE, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / CLIP_FOLDER}: ") and all(name in message for name in CLIP.files)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="HF_HUB_OFFLINE"):
        check(CLIP_SCORE, tmp_path)
    with pytest.raises(FourmError, match="HF_HUB_OFFLINE"):
        clip_folder(tmp_path)


@pytest.mark.usefixtures("extra")
def test_all_that_is_missing_is_said_at_once(hub: FakeHub, tmp_path: Path) -> None:
    hub.files = {}
    with pytest.raises(InputError) as caught:
        check(Wanted(fid=True, inception=True, clip=True), tmp_path)
    assert INCEPTION_FILE in str(caught.value) and CLIP_FOLDER in str(caught.value)


def test_the_check_imports_no_torch_by_itself() -> None:
    script = "import sys, fourm_tui.metrics.weights, fourm_tui.metrics.wanted; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
