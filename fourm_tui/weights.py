"""Weights from disk or the Hub into a torch module: memory-mapped, tensor by tensor, never two copies in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from fourm_tui.checkpoints import CONFIG_FILE, WEIGHTS_FILE, Checkpoint, read_config
from fourm_tui.download import Transfer, download
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.hub import named, size_text

DTYPES: Mapping[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class OnDemand:
    """A layer whose `weight` is brought to its device, as its number type, when it is used first.

    Of all modalities that a model knows, a chain uses a few.
    """

    wanted: tuple[torch.device, torch.dtype] | None = None
    """Where and as what it is to be; None: it is there."""

    def bring(self) -> None:
        """Has to be called before `weight` is used."""
        assert isinstance(self, nn.Module)
        if self.wanted is not None:
            weight = self.get_parameter("weight").to(*self.wanted)
            self.register_parameter("weight", nn.Parameter(weight, requires_grad=False))
            self.wanted = None


class Upload:
    """Brings tensors that lie in files to a device through pinned memory, from which a GPU takes them by itself: the
    next piece is read while one is on its way.

    Args:
        device: where they go.
        piece: bytes of each of two pieces.
    """

    def __init__(self, device: torch.device, piece: int = 2**26) -> None:
        self.device, self._piece, self._count = device, piece, 0
        on_gpu = device.type == "cuda"
        self._pieces = [torch.empty(piece, dtype=torch.uint8, pin_memory=on_gpu) for _ in range(2)]
        self._sent = [torch.cuda.Event() for _ in self._pieces] if on_gpu else None

    def __call__(self, tensor: Tensor) -> Tensor:
        """The tensor on the device."""
        there = torch.empty(tensor.shape, dtype=tensor.dtype, device=self.device)
        if not tensor.numel():
            return there
        source, target = tensor.reshape(-1).view(torch.uint8), there.view(-1).view(torch.uint8)
        for part, goal in zip(source.split(self._piece), target.split(self._piece), strict=True):
            turn = self._count % 2
            self._count += 1
            if self._sent is not None:
                self._sent[turn].synchronize()
            pinned = self._pieces[turn][: len(part)]
            goal.copy_(pinned.copy_(part), non_blocking=True)
            if self._sent is not None:
                self._sent[turn].record(torch.cuda.current_stream(self.device))
        return there


def as_dtype(dtype: str | torch.dtype | None, device: torch.device) -> torch.dtype:
    """The torch dtype of a name; None: bf16 on CUDA, else fp32.

    Raises:
        InputError: an unknown name.
    """
    if dtype is None:
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype not in DTYPES:
        raise InputError(f"{printable(dtype, 40)} is no number type; use {', '.join(DTYPES)}")
    return DTYPES[dtype]


@contextmanager
def without_values() -> Iterator[None]:
    """Modules made in it have shapes only: nothing is allocated, and no initial values are drawn."""
    with torch.device("meta"), _NotInitialised():
        yield


def computed(shape: tuple[int, ...], make: Callable[[], Tensor]) -> Tensor:
    """What `make` gives; within `without_values` only the shape, which is what it makes."""
    empty = torch.empty(shape)
    return empty if empty.is_meta else make()


class _NotInitialised(TorchFunctionMode):
    """On the meta device `torch.nn.init` does nothing, but imports half of torch for it, which takes a second."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:  # fmt: skip
        if getattr(func, "__module__", "") == "torch.nn.init":
            return None
        return func(*args, **(kwargs or {}))


def fetched(checkpoint: Checkpoint, progress: Callable[[int, int], None] | None = None) -> Checkpoint:
    """The checkpoint with its files on disk, downloaded into the Hub's cache if they are not.

    Args:
        progress: called with the bytes of the weights that are here and their total while they are downloaded; what
            it raises stops the download, and what has arrived is kept. Without it the Hub's client shows its own bar.

    Raises:
        FourmError: the Hub cannot be reached or does not have it; the message says which command gets it.
    """
    if checkpoint.weights is not None and checkpoint.config is not None:
        return checkpoint
    source = named(f"{checkpoint.name}@{checkpoint.revision}" if checkpoint.revision else checkpoint.name)

    def report(transfer: Transfer) -> None:
        if progress is not None and transfer.file.name == WEIGHTS_FILE:
            progress(transfer.done, transfer.file.bytes)

    try:
        folder = download(source, report if progress else None)
    except FourmError as error:
        size = f" ({size_text(checkpoint.bytes)})" if checkpoint.bytes else ""
        raise FourmError(
            f"{printable(checkpoint.name)}{size} is not on this machine: {str(error).removeprefix(f'{source}: ')}; "
            f"`fourm-tui models pull {source}` gets it"
        ) from None
    path = folder / WEIGHTS_FILE
    return replace(checkpoint, weights=path, config=read_config(folder / CONFIG_FILE), bytes=path.stat().st_size)


def load_weights(
    model: nn.Module,
    file: Path,
    device: torch.device,
    dtype: torch.dtype,
    shared: Mapping[str, str],
    default: Callable[[str], Tensor],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Puts the tensors of a `.safetensors` file into a model built on the meta device.

    A file may hold only one name of a shared tensor, and may leave out buffers that the model computes itself
    (sine-cosine positions, norm biases of zero). Weights of `OnDemand` layers stay where they are, memory-mapped.

    Args:
        model: on the meta device.
        file: its tensors are memory-mapped; on the CPU, in their own dtype, they stay so.
        device, dtype: where and as what the tensors end up.
        shared: names of tensors that are one and the same, one to the other.
        default: gives a buffer that the file leaves out.
        progress: called with the number of tensors loaded and their total.

    Raises:
        InputError: tensors are missing, unknown, or of another shape; all of them are listed.
    """
    expected = model.state_dict(keep_vars=True)
    other = {**shared, **{b: a for a, b in shared.items()}}
    buffers = dict(model.named_buffers())
    try:
        with safe_open(file, framework="pt", device="cpu") as on_disk:
            names = set(on_disk.keys())
            source = {name: name if name in names else other.get(name, name) for name in expected}
            problems = [
                f"{printable(name)} is missing"
                for name, stored in source.items()
                if stored not in names and name not in buffers
            ]
            problems += [f"{printable(name)} is not part of this model" for name in sorted(names - set(expected))]
            for name in sorted(names & set(expected)):
                shape, wanted = list(on_disk.get_slice(name).get_shape()), list(expected[name].shape)
                if shape != wanted:
                    problems.append(f"{name} has the shape {shape}, not {wanted}")
            if problems:
                raise InputError(_listed(file, problems))
            loaded: dict[str, Tensor] = {}
            upload = Upload(device) if device.type == "cuda" else None
            for number, name in enumerate(expected, start=1):
                owner = model.get_submodule(name.rpartition(".")[0])
                if source[name] in names:
                    tensor = on_disk.get_tensor(source[name])
                    if isinstance(owner, OnDemand):
                        owner.wanted = device, dtype
                    else:
                        tensor = (upload(tensor) if upload else tensor).to(device=device, dtype=dtype)
                    loaded[name] = tensor
                if progress is not None:
                    progress(number, len(expected))
    except SafetensorError as error:
        raise InputError(f"{printable(file)}: is no safetensors file: {printable(error)}") from None
    except OSError as error:
        raise InputError(f"{printable(file)}: cannot be read: {error.strerror or error}") from None
    model.load_state_dict(loaded, assign=True, strict=False)
    for name in set(buffers) - set(loaded):
        module, leaf = model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]
        module.register_buffer(leaf, default(name).to(device=device, dtype=dtype))


def _listed(file: Path, problems: list[str], limit: int = 30) -> str:
    more = [f"and {len(problems) - limit} more"] if len(problems) > limit else []
    lines = "\n  ".join([*problems[:limit], *more])
    return f"{printable(file)}: does not fit its config:\n  {lines}"
