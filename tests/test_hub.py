"""Names, the cache, and downloads from a Hub on 127.0.0.1: resumed, checked, and never half there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from fourm_tui import download as downloads
from fourm_tui.checkpoints import find_checkpoint
from fourm_tui.download import RemoteFile, Transfer, download, fetch, look_up
from fourm_tui.errors import FourmError, InputError
from fourm_tui.hub import cached, expand, named, removal, size_text
from fourm_tui.published import TEXT_TOKENIZER_FILE, TEXT_TOKENIZER_REPO, tokenizers_for
from tests.fake_hub import FakeHub, etag_of, fake_hub

REPO = "EPFL-VILAB/4M-7_B_CC12M"
WEIGHTS = bytes(range(256)) * 4000
CONFIG = json.dumps({"domains_in": []}).encode()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with fake_hub() as server:
        server.files = {(REPO, "config.json"): CONFIG, (REPO, "model.safetensors"): WEIGHTS}
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)
        yield server


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["4M-7_B_CC12M", "4m-7_b_cc12m", REPO, f" {REPO} "])
def test_published_names_in_any_form(name: str) -> None:
    assert (named(name).repo, named(name).name, named(name).bytes) == (REPO, "4M-7_B_CC12M", 1_779_059_712)


def test_tokenizers_the_text_tokenizer_other_ids_and_revisions() -> None:
    assert named("4M_tokenizers_rgb_16k_224-448").kind == "tokenizer"
    text = named("text_tokenizer")
    assert (text.repo, text.repo_type, text.files) == (TEXT_TOKENIZER_REPO, "space", (TEXT_TOKENIZER_FILE,))
    other = named("someone/theirs@feature/x")
    assert (other.kind, other.repo, other.revision, str(other)) == (
        "other",
        "someone/theirs",
        "feature/x",
        "someone/theirs@feature/x",
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("4M-7_B_CC12", "did you mean 4M-7_B_CC12M"),
        ("zzz", "`fourm-tui models` lists the names"),
        ("../../etc/passwd", "no Hub id"),
        ("a/../b", "no Hub id"),
        ("a/b@../../x", "no revision"),
        ("a/b@", "no revision"),
        ("x\x1b[31m/y", "x\\\\x1b"),
    ],
)
def test_what_is_no_name(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        named(name)
    assert "\x1b" not in str(caught.value)


def test_all_of_a_model_is_everything_it_works_with_once() -> None:
    names = [source.name for source in expand(["all-of", "4M-7_B_CC12M"])]
    assert names[0] == "4M-7_B_CC12M"
    assert names[-1] == "text_tokenizer"
    assert len(names) == len(set(names)) == 2 + len(tokenizers_for(REPO))
    with_sr = [source.name for source in expand(["all-of", "4M-7_B_CC12M", "4M-7-SR_L_CC12M"], with_sr=True)]
    assert sorted(with_sr) == sorted([*names, "4M-7-SR_L_CC12M"])
    assert [source.name for source in expand(["4M-21_B", "4m-21_b"])] == ["4M-21_B"]


@pytest.mark.parametrize(
    ("names", "with_sr", "words"),
    [
        (["all-of"], False, "is to follow"),
        (["all-of", "a/b"], False, "no published model"),
        (["4M-21_B"], True, "only goes with"),
    ],
)
def test_what_cannot_be_expanded(names: list[str], with_sr: bool, words: str) -> None:
    with pytest.raises(InputError, match=words):
        expand(names, with_sr=with_sr)


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (874_000_000, "874 MB"), (999_900_000, "1.00 GB"),
     (1_779_059_712, "1.78 GB"), (13_915_791_360, "13.9 GB")],
)  # fmt: skip
def test_sizes_as_the_hub_shows_them(size: int | None, text: str) -> None:
    assert size_text(size) == text


# -- downloads ------------------------------------------------------------------------------------------------------


def test_a_download_is_found_by_everything_that_reads_the_cache(hub: FakeHub, tmp_path: Path) -> None:
    folder = download(named("4M-7_B_CC12M"))
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    found = huggingface_hub.try_to_load_from_cache(REPO, "model.safetensors", cache_dir=str(tmp_path / "cache"))
    assert found == str(folder / "model.safetensors")
    (repo,) = huggingface_hub.scan_cache_dir(tmp_path / "cache").repos
    assert (repo.repo_id, repo.size_on_disk) == (REPO, len(WEIGHTS) + len(CONFIG))
    have = cached(named(REPO))
    assert have is not None
    (revision,) = have.complete
    assert (revision.refs, revision.commit, have.partial_bytes) == (("main",), hub.commit, 0)
    assert not list((tmp_path / "cache").rglob("*.incomplete"))


def test_nothing_but_json_and_safetensors_is_asked_for(hub: FakeHub) -> None:
    hub.files[REPO, "pytorch_model.bin"] = b"pickle"
    download(named(REPO))
    assert {path.rpartition("/")[2] for _, path, _ in hub.asked} == {"config.json", "model.safetensors"}


def test_a_space_and_a_revision(hub: FakeHub, tmp_path: Path) -> None:
    hub.files[f"spaces/{TEXT_TOKENIZER_REPO}", TEXT_TOKENIZER_FILE] = b"{}"
    folder = download(named("text_tokenizer@v2"))
    assert folder.parts[-3:] == ("spaces--EPFL-VILAB--4M", "snapshots", hub.commit)
    assert (folder.parents[1] / "refs" / "v2").read_text() == hub.commit


def test_what_was_interrupted_goes_on_where_it_stopped(hub: FakeHub) -> None:
    source = named(REPO)

    def stop(transfer: Transfer) -> None:
        if transfer.file.name == "model.safetensors" and transfer.done >= 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(source, stop)
    have = cached(source)
    assert have is not None
    assert not have.complete
    assert 290_000 < have.partial_bytes < len(WEIGHTS)
    assert find_checkpoint(REPO).weights is None
    folder = download(source)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.gets("model.safetensors") == [None, f"bytes={have.partial_bytes}-"]
    download(source)
    assert len(hub.gets("model.safetensors")) == 2


def test_a_connection_that_breaks_is_taken_up_again(hub: FakeHub) -> None:
    hub.break_after = 500_000
    folder = download(named(REPO), lambda transfer: None)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    first, second = hub.gets("model.safetensors")
    assert first is None
    assert second is not None


@pytest.mark.parametrize(("name", "content"), [("model.safetensors", WEIGHTS), ("config.json", CONFIG)])
def test_damaged_contents_never_get_in(hub: FakeHub, name: str, content: bytes, tmp_path: Path) -> None:
    hub.served[REPO, name] = b"\0" + content[1:-1] + b"\0"
    with pytest.raises(FourmError, match=f"{name} is damaged"):
        download(named(REPO))
    assert not (tmp_path / "cache" / f"models--{REPO.replace('/', '--')}" / "snapshots" / hub.commit / name).exists()
    assert not list((tmp_path / "cache").rglob("*.incomplete"))
    hub.served.clear()
    download(named(REPO))


def test_a_spoilt_beginning_is_noticed(hub: FakeHub, tmp_path: Path) -> None:
    (weights,) = (file for file in look_up(named(REPO)) if file.name == "model.safetensors")
    weights.partial.parent.mkdir(parents=True)
    weights.partial.write_bytes(b"x" * 1000)
    with pytest.raises(FourmError, match="damaged"):
        download(named(REPO))
    weights.partial.write_bytes(b"x" * (len(WEIGHTS) + 1))
    assert download(named(REPO)).is_dir()


def test_the_old_revision_stays_usable_until_the_new_one_is_whole(hub: FakeHub) -> None:
    download(named(REPO))
    old, hub.commit = hub.commit, "d" * 40
    hub.files[REPO, "model.safetensors"] = WEIGHTS[::-1]

    def stop(transfer: Transfer) -> None:
        if transfer.file.name == "model.safetensors":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(named(REPO), stop)
    assert find_checkpoint(REPO).weights is not None
    download(named(REPO))
    have = cached(named(REPO))
    assert have is not None
    assert {revision.commit: revision.refs for revision in have.complete} == {old: (), "d" * 40: ("main",)}


def test_two_at_once_end_up_with_one_sound_file(hub: FakeHub) -> None:
    import threading

    files = look_up(named(REPO))
    (weights,) = (file for file in files if file.name == "model.safetensors")
    threads = [threading.Thread(target=fetch, args=(weights, lambda transfer: None)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert weights.path.read_bytes() == WEIGHTS
    assert hub.gets("model.safetensors") == [None]


def test_too_little_room_is_said_before_anything_starts(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    class Little:
        free = 1000

    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda path: Little)
    with pytest.raises(FourmError, match=r"1\.02 MB are to be downloaded.*1 kB free.*HF_HUB_CACHE"):
        download(named(REPO))
    assert hub.gets("model.safetensors") == []


def test_offline_nothing_is_asked(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FourmError, match="HF_HUB_OFFLINE is set"):
        download(named(REPO))
    assert hub.asked == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (f"{REPO}@nothing", "no such revision"),
        ("someone/else", "no such repository"),
        ("4M-21_B", "no such repository"),
    ],
)
def test_what_the_hub_does_not_have(hub: FakeHub, name: str, words: str) -> None:
    with pytest.raises(FourmError, match=words):
        look_up(named(name))


def test_a_missing_file_and_a_hub_that_fails(hub: FakeHub) -> None:
    hub.files.pop((REPO, "model.safetensors"))
    with pytest.raises(FourmError, match=r"has no config\.json or model\.safetensors"):
        look_up(named(REPO))
    hub.status = 418
    with pytest.raises(FourmError, match="error 418"):
        look_up(named(REPO))


def test_an_unreachable_hub_is_one_sentence(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    )
    with pytest.raises(FourmError, match="cannot be reached"):
        look_up(named(REPO))


def test_where_links_are_impossible_the_file_itself_takes_its_place(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def no_links(self: Path, target: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", no_links)
    folder = download(named(REPO))
    assert not (folder / "model.safetensors").is_symlink()
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    have = cached(named(REPO))
    assert have is not None
    assert have.bytes == len(WEIGHTS) + len(CONFIG)


def test_a_hash_that_is_none_is_refused_as_a_file_name(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    class Metadata:
        commit_hash, etag, size = "c" * 40, "../../escape", 5

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url: Metadata)
    with pytest.raises(FourmError, match="no size or hash"):
        look_up(named(REPO))


# -- removing -------------------------------------------------------------------------------------------------------


def test_removing_frees_what_it_says(hub: FakeHub) -> None:
    download(named(REPO))
    what = removal(named(REPO))
    assert what.bytes == len(WEIGHTS) + len(CONFIG)
    what.execute()
    assert cached(named(REPO)) is None
    with pytest.raises(InputError, match="not in the cache"):
        removal(named(REPO))


def test_removing_one_revision_leaves_the_other_and_copies_with_the_same_commit(hub: FakeHub) -> None:
    copy = "someone/copy"
    hub.files |= {(copy, "config.json"): CONFIG, (copy, "model.safetensors"): WEIGHTS}
    download(named(REPO))
    download(named(copy))
    old, hub.commit = hub.commit, "d" * 40
    hub.files[REPO, "model.safetensors"] = WEIGHTS[::-1]
    download(named(REPO))
    what = removal(named(f"{REPO}@{old}"))
    assert what.bytes == len(WEIGHTS)  # the config is that of the other, too
    what.execute()
    have = cached(named(REPO))
    assert have is not None
    assert [revision.commit for revision in have.complete] == ["d" * 40]
    assert cached(named(copy)) is not None
    with pytest.raises(InputError, match="this revision is not in the cache"):
        removal(named(f"{REPO}@{old}"))


def test_removing_what_was_only_begun(hub: FakeHub) -> None:
    def stop(transfer: Transfer) -> None:
        raise KeyboardInterrupt

    file: RemoteFile = look_up(named(REPO))[1]
    with pytest.raises(KeyboardInterrupt):
        fetch(file, stop)
    assert file.etag == etag_of(file.name, WEIGHTS)
    what = removal(named(REPO))
    assert what.bytes == file.partial.stat().st_size > 0
    what.execute()
    have = cached(named(REPO))
    assert have is None or not have.partial_bytes
