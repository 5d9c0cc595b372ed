"""Where a text tokenizer comes from; the cache and the download (tested by itself) are faked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fourm_tui.errors import FourmError, InputError
from fourm_tui.hub import Source
from fourm_tui.published import TEXT_TOKENIZER_FILE, TEXT_TOKENIZER_REPO
from fourm_tui.tokenizers.text import find_text_tokenizer

IN_ML_4M = f"fourm/utils/tokenizer/trained/{TEXT_TOKENIZER_FILE}"
PUBLISHED = (TEXT_TOKENIZER_REPO, TEXT_TOKENIZER_FILE, "space", None)


@dataclass
class Hub:
    """What the fake Hub has, what is in its cache, and what was downloaded."""

    folder: Path
    cached: set[tuple[str, str, str, str | None]] = field(default_factory=set)
    online: set[tuple[str, str, str, str | None]] = field(default_factory=set)
    downloads: list[tuple[str, str, str, str | None]] = field(default_factory=list)

    def file(self, repo: str, name: str) -> str:
        return str(self.folder / repo / name)

    def try_to_load_from_cache(self, repo: str, name: str, *, repo_type: str, revision: str | None) -> str | None:
        return self.file(repo, name) if (repo, name, repo_type, revision) in self.cached else None

    def download(self, source: Source) -> Path:
        (name,) = source.files
        self.downloads.append((source.repo, name, source.repo_type, source.revision))
        if self.downloads[-1] not in self.online:
            raise FourmError(f"{source}: no connection")
        return self.folder / source.repo


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    fake = Hub(tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", fake.try_to_load_from_cache)
    monkeypatch.setattr("fourm_tui.tokenizers.text.download", fake.download)
    monkeypatch.chdir(tmp_path)
    return fake


def a_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def test_a_given_file_comes_first(hub: Hub, tmp_path: Path) -> None:
    a_file(tmp_path / "model" / "text_tokenizer.json")
    given = a_file(tmp_path / "mine.json")
    assert find_text_tokenizer(tmp_path / "model", str(given)) == given


def test_a_given_folder_holds_one(hub: Hub, tmp_path: Path) -> None:
    file = a_file(tmp_path / "mine" / TEXT_TOKENIZER_FILE)
    assert find_text_tokenizer(given=str(tmp_path / "mine")) == file


def test_a_given_path_is_also_looked_for_beside_its_config(hub: Hub, tmp_path: Path) -> None:
    file = a_file(tmp_path / "configs" / "tok" / "mine.json")
    assert find_text_tokenizer(given="tok/mine.json", relative_to=tmp_path / "configs") == file


@pytest.mark.parametrize("given", ["./mine.json", "/nowhere/mine.json", "mine.json", "tok/mine.json", "mine"])
def test_a_given_file_that_is_not_there_is_bad_input(hub: Hub, given: str) -> None:
    with pytest.raises(InputError, match=f"{given}: there is no such text tokenizer"):
        find_text_tokenizer(given=given)
    assert hub.downloads == []


@pytest.mark.parametrize("near", ["model", "model/model.safetensors"])
def test_the_models_own_comes_before_the_published_one(hub: Hub, tmp_path: Path, near: str) -> None:
    own = a_file(tmp_path / "model" / "text_tokenizer.json")
    a_file(tmp_path / "model" / "model.safetensors")
    hub.cached.add(PUBLISHED)
    assert find_text_tokenizer(tmp_path / near) == own


@pytest.mark.parametrize("given", [None, IN_ML_4M, f"./{IN_ML_4M}"])
def test_the_path_in_ml_4m_counts_as_not_given_where_it_is_not_there(hub: Hub, tmp_path: Path, given: str) -> None:
    own = a_file(tmp_path / "model" / "text_tokenizer.json")
    assert find_text_tokenizer(tmp_path / "model", given) == own


def test_the_path_in_ml_4m_counts_where_it_is_there(hub: Hub, tmp_path: Path) -> None:
    a_file(tmp_path / "model" / "text_tokenizer.json")
    a_file(tmp_path / IN_ML_4M)
    assert find_text_tokenizer(tmp_path / "model", IN_ML_4M) == Path(IN_ML_4M)


def test_the_cache_spares_the_download(hub: Hub) -> None:
    hub.cached.add(PUBLISHED)
    assert find_text_tokenizer() == Path(hub.file(*PUBLISHED[:2]))
    assert hub.downloads == []


def test_the_published_one_is_downloaded_from_its_space(hub: Hub) -> None:
    hub.online.add(PUBLISHED)
    assert find_text_tokenizer() == Path(hub.file(*PUBLISHED[:2]))
    assert hub.downloads == [PUBLISHED]


def test_offline_it_is_said_what_is_missing_and_where_to_put_it(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(FourmError) as caught:
        find_text_tokenizer(folder, IN_ML_4M)
    message = str(caught.value)
    assert not isinstance(caught.value, InputError)
    for part in (TEXT_TOKENIZER_FILE, TEXT_TOKENIZER_REPO, "no connection", str(folder / "text_tokenizer.json")):
        assert part in message


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("owner/name", ("owner/name", "text_tokenizer.json", "model", None)),
        ("owner/name@v2", ("owner/name", "text_tokenizer.json", "model", "v2")),
        ("owner/name/tok/mine.json", ("owner/name", "tok/mine.json", "model", None)),
        ("EPFL-VILAB/4M", PUBLISHED),
    ],
)
def test_a_hub_id_is_downloaded(hub: Hub, given: str, wanted: tuple[str, str, str, str | None]) -> None:
    hub.online.add(wanted)
    assert find_text_tokenizer(given=given) == Path(hub.file(*wanted[:2]))


def test_a_hub_id_that_cannot_be_had_is_no_reason_to_take_another(hub: Hub, tmp_path: Path) -> None:
    a_file(tmp_path / "model" / "text_tokenizer.json")
    hub.cached.add(PUBLISHED)
    with pytest.raises(FourmError, match=r"owner/name: the text tokenizer .* not here and .*: no connection"):
        find_text_tokenizer(tmp_path / "model", "owner/name")
