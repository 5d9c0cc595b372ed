"""Checkpoints: folders, single files, the Hub; what is wrong with one is said at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from fourm_tui.checkpoints import find_checkpoint
from fourm_tui.errors import FourmError, InputError
from fourm_tui.model.loading import load_model
from fourm_tui.weights import Upload, fetched
from tests.fake_hub import FakeHub, fake_hub
from tests.tiny import tiny_checkpoint, tiny_config, tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def changed(folder: Path, to: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> Path:
    """A copy of a checkpoint with other tensors."""
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    to.mkdir()
    save_file(tensors, to / "model.safetensors")
    (to / "config.json").write_bytes((folder / "config.json").read_bytes())
    return to


def test_a_folder_in_the_hubs_layout(folder: Path) -> None:
    model = load_model(str(folder), packed=False)
    assert same(model, tiny_model())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.source == folder / "model.safetensors"
    for encoder, decoder in model.shared_names():
        assert model.get_parameter(encoder) is model.get_parameter(decoder)


@pytest.mark.parametrize(
    ("dtype", "expected"), [("bf16", torch.bfloat16), ("fp16", torch.float16), (None, torch.float32)]
)
def test_straight_to_the_dtype_asked_for(folder: Path, dtype: str | None, expected: torch.dtype) -> None:
    model = load_model(str(folder), dtype=dtype)
    vocabularies = ("token_emb.weight", "to_logits.weight")
    found = {value.dtype for name, value in model.state_dict().items() if not name.endswith(vocabularies)}
    assert found == {expected}


def test_vocabularies_stay_on_the_disk_until_they_are_used(folder: Path) -> None:
    model = load_model(str(folder), dtype="bf16")
    caption, rgb = model.input("caption"), model.input("tok_rgb@224")
    assert caption.token_emb.weight.dtype == torch.float32
    assert caption.embed(torch.tensor([[1, 2]])).dtype == torch.bfloat16
    assert (caption.token_emb.weight.dtype, rgb.token_emb.weight.dtype) == (torch.bfloat16, torch.float32)


def test_one_file_whose_header_carries_the_config_as_ml4m_writes_it(folder: Path, tmp_path: Path) -> None:
    metadata = {key: str(value) for key, value in tiny_config().items()}
    save_file(load_file(folder / "model.safetensors"), tmp_path / "model.safetensors", metadata)
    assert same(load_model(str(tmp_path / "model.safetensors"), packed=False), tiny_model())


def test_either_name_of_a_shared_tensor_is_enough_and_buffers_may_be_missing(folder: Path, tmp_path: Path) -> None:
    def only_decoder_names(tensors: dict[str, torch.Tensor]) -> None:
        for encoder, decoder in tiny_model().shared_names():
            tensors[decoder] = tensors.pop(encoder)
        for name in [name for name in tensors if name.endswith((".pos_emb", "norm.bias"))]:
            del tensors[name]

    assert same(load_model(str(changed(folder, tmp_path / "m", only_decoder_names)), packed=False), tiny_model())


def test_all_wrong_tensors_are_listed_at_once(folder: Path, tmp_path: Path) -> None:
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        del tensors["mask_token"]
        tensors["encoder.0.attn.qkv.weight"] = torch.zeros(3, 3)
        tensors["something\x1b[31m"] = torch.zeros(1)

    with pytest.raises(InputError) as caught:
        load_model(str(changed(folder, tmp_path / "m", spoil)))
    message = str(caught.value)
    assert "mask_token is missing" in message
    assert "encoder.0.attn.qkv.weight has the shape [3, 3], not [96, 32]" in message
    assert "something\\x1b[31m is not part of this model" in message
    assert "\x1b" not in message


def test_progress_counts_tensors_and_can_stop(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    load_model(str(folder), progress=lambda done, total: seen.append((done, total)))
    assert seen[0][0] == 1
    assert seen[-1][0] == seen[-1][1] == len(seen)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_model(str(folder), progress=stop)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda to: to.mkdir(), "config.json missing"),
        (lambda to: None, "no such folder or file"),
        (lambda to: (to.mkdir(), (to / "config.json").write_text("{"), (to / "model.safetensors").write_bytes(b"")), "no JSON"),
        (lambda to: (to.mkdir(), (to / "config.json").write_text("[]"), (to / "model.safetensors").write_bytes(b"")), "JSON object"),
        (lambda to: (to.mkdir(), (to / "config.json").write_text("{}"), (to / "model.safetensors").write_bytes(b"x")), "domains_in is missing"),
        (lambda to: (to.mkdir(), (to / "config.json").write_text(json.dumps(tiny_config())), (to / "model.safetensors").write_bytes(b"x" * 90)), "no safetensors file"),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint(tmp_path: Path, make: Callable[[Path], Any], words: str) -> None:
    make(tmp_path / "m")
    with pytest.raises(InputError, match=words):
        load_model(str(tmp_path / "m"))


@pytest.mark.parametrize("content", [b"", b"x" * 7, b"\xff" * 100, (50).to_bytes(8, "little") + b"{}" + b" " * 48])
def test_a_damaged_single_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"no safetensors file|carries no config"):
        load_model(str(file))


# -- the Hub, faked at its edge -------------------------------------------------------------------------------------


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with fake_hub() as server:
        server.files = {
            ("someone/tiny", name): (folder / name).read_bytes() for name in ("config.json", "model.safetensors")
        }  # fmt: skip
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        yield server


def test_a_published_model_is_downloaded_with_its_revision(hub: FakeHub) -> None:
    assert same(load_model("someone/tiny@v2", packed=False), tiny_model())
    assert ("HEAD", "/someone/tiny/resolve/v2/config.json", None) in hub.asked
    assert len(hub.gets("model.safetensors")) == 1


def test_a_download_tells_how_far_it_is(hub: FakeHub) -> None:
    seen: list[tuple[int, int]] = []
    size = len(hub.files["someone/tiny", "model.safetensors"])
    found = fetched(find_checkpoint("someone/tiny"), lambda done, total: seen.append((done, total)))
    assert found.bytes == size
    assert seen[-1] == (size, size)


def test_a_cached_model_is_not_downloaded(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repo = tmp_path / "models--someone--tiny"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text("c0ffee")
    (repo / "snapshots").mkdir()
    (repo / "snapshots" / "c0ffee").symlink_to(folder, target_is_directory=True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    cached = huggingface_hub.try_to_load_from_cache
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda *a, **k: cached(*a, cache_dir=str(tmp_path), **k)
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert find_checkpoint("someone/tiny").bytes == (folder / "model.safetensors").stat().st_size
    assert same(load_model("someone/tiny", packed=False), tiny_model())


def test_without_the_hub_it_says_which_command_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    words = (
        r"4M-7_B_CC12M \(1\.78 GB\) is not on this machine: .*HF_HUB_OFFLINE is set; "
        r"`fourm-tui models pull 4M-7_B_CC12M` gets it"
    )
    with pytest.raises(FourmError, match=words):
        load_model("4M-7_B_CC12M")


@pytest.mark.parametrize("piece", [7, 64, 4096])
def test_what_goes_up_in_pieces_arrives_whole(piece: int) -> None:
    upload = Upload(torch.device("cpu"), piece)
    source = torch.Generator().manual_seed(0)
    for shape in ((), (0, 3), (5,), (3, 7, 11)):
        for dtype in (torch.float32, torch.bfloat16):
            tensor = torch.rand(shape, generator=source).to(dtype)
            there = upload(tensor)
            assert there.dtype == dtype and torch.equal(there, tensor)
            assert not tensor.numel() or there.data_ptr() != tensor.data_ptr()


def test_no_piece_is_written_while_it_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Event:
        def __init__(self, name: str) -> None:
            self.name = name

        def synchronize(self) -> None:
            told.append(f"wait {self.name}")

        def record(self, stream: object) -> None:
            told.append(f"sent {self.name}")

    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    upload = Upload(torch.device("cpu"), 8)
    upload._sent = [Event("a"), Event("b")]  # type: ignore[assignment]
    upload(torch.zeros(6))
    upload(torch.zeros(2))
    assert told == [f"{what} {which}" for which in "abab" for what in ("wait", "sent")]
