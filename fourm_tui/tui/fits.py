"""Which files a modality takes, which modality a file is for, and how a file becomes a condition. Without Textual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fourm_tui.conditions.files import read_text
from fourm_tui.conditions.given import Fit, Given, Reading
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, PICTURES, Modality

ARRAYS = (".npy", ".npz", ".safetensors")
TEXTS = (".txt", ".json", ".json.gz")
_MORE_PICTURES = (".gif", ".ppm", ".pgm", ".avif", ".jp2", ".jfif")
_WRITTEN = ("caption", "det", "metadata", "color_palette", "t5_caption")
"""What is written here, rather than only read from files."""
_EDGES = ("tok_canny_edge", "tok_sam_edge")

_HINTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tok_depth", ("depth",)),
    ("tok_normal", ("normal",)),
    ("tok_semseg", ("semseg", "segmentation", "classes", "labels")),
    ("tok_canny_edge", ("canny", "edge", "sketch", "drawing")),
    ("tok_clip", ("clip",)),
    ("tok_dinov2", ("dino",)),
    ("tok_imagebind", ("imagebind",)),
    ("det", ("box", "det")),
    ("color_palette", ("palette", "colors", "colours")),
    ("metadata", ("metadata", "meta")),
    ("human_poses", ("pose", "human", "hmr")),
    ("sam_instance", ("instance", "sam")),
    ("t5_caption", ("t5",)),
    ("caption", ("caption",)),
)
"""What file names usually hold."""


@dataclass(frozen=True)
class Options:
    """How a file is taken."""

    fit: Fit = "crop"
    reading: Reading | None = None
    ids: Literal["coco", "model"] | None = None

    def next_fit(self) -> Options:
        return replace(self, fit="pad" if self.fit == "crop" else "crop")

    def next_way(self, modality: Modality) -> Options:
        """Goes on to the next way of reading a file of edges or classes."""
        if modality.stem in _EDGES:
            ways: tuple[Reading | None, ...] = (None, "photo", "edges", "drawing")
            return replace(self, reading=ways[(ways.index(self.reading) + 1) % len(ways)])
        if modality.stem == "tok_semseg":
            ids: tuple[Literal["coco", "model"] | None, ...] = (None, "coco", "model")
            return replace(self, ids=ids[(ids.index(self.ids) + 1) % len(ids)])
        return self


def takes_pictures(modality: Modality) -> bool:
    return any(ending in PICTURES for ending in modality.files)


def is_written(modality: Modality) -> bool:
    """Whether it is text that a person writes."""
    return modality.name in _WRITTEN


def accepts(modality: Modality) -> str:
    """What a modality takes, in a few words."""
    if modality.kind == "sequence" and not is_written(modality):
        return _endings(modality.files)
    if modality.kind == "sequence":
        what = {
            "caption": "a sentence or two",
            "det": "lines: label x0 y0 x1 y1",
            "metadata": "lines: name: value",
            "color_palette": "colours: #ff8000 #223344",
        }[modality.name]
        return f"{what}; or {_endings(modality.files)}"
    if modality.kind == "embeddings":
        return f"text (needs the extra t5); or {_endings(modality.files)}"
    if takes_pictures(modality):
        pictures = "a picture" if len(modality.files) > 4 else _endings(e for e in modality.files if e in PICTURES)
        arrays = [ending for ending in modality.files if ending in ARRAYS]
        return pictures + (f"; or {_endings(arrays)}" if arrays else "")
    return f"features or tokens: {_endings(modality.files)}"


def accepts_files(modality: Modality) -> str:
    """Which files a modality takes."""
    return accepts(modality).rpartition("; or ")[2] if is_written(modality) else accepts(modality)


def _endings(files: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(ending.removeprefix(".") for ending in files))


def ending(path: Path) -> str:
    """The ending of a file name, in lower case."""
    name = path.name.lower()
    return ".json.gz" if name.endswith(".json.gz") else path.suffix.lower()


def unfit(path: Path, modality: Modality) -> str | None:
    """Why a file cannot be for a modality, as far as its name tells; None if it may be."""
    found = ending(path)
    if found in (".yaml", ".yml") and ".yaml" not in modality.files:
        return "settings, no condition"
    if modality.kind in ("sequence", "embeddings"):
        if modality.kind == "embeddings" and found in ARRAYS:
            return None
        if found in (*PICTURES, *_MORE_PICTURES, *ARRAYS):
            return f"{modality.title} takes {_endings(modality.files)}, no {found} file"
        return None
    if found in ARRAYS:
        return "RGB photos are pictures, no arrays" if modality.kind == "pixels" and found != ".npy" else None
    if found in TEXTS:
        return f"{modality.title} takes {accepts(modality)}, no text"
    if found in (*PICTURES, *_MORE_PICTURES) and not takes_pictures(modality):
        return f"{modality.title} are {accepts(modality)}"
    return None


def suggestions(path: Path, names: Iterable[str], modalities: Mapping[str, Modality] = MODALITIES) -> list[str]:
    """The modalities that a file may be for, the likeliest first.

    Args:
        path: of the file.
        names: what the model takes.
        modalities: as it sees them.
    """
    known = [name for name in names if name in modalities and unfit(path, modalities[name]) is None]
    found = ending(path)
    stem = path.name.lower()

    def rank(name: str) -> tuple[int, int, int]:
        modality = modalities[name]
        hints = next((words for of, words in _HINTS if of == modality.stem), ())
        hinted = any(word in stem for word in hints)
        if found in TEXTS or found in (".yaml", ".yml"):
            likely = {"caption": 0}.get(name, 1) if modality.kind in ("sequence", "embeddings") else 3
        elif found in ARRAYS:
            likely = 1 if modality.kind == "image" else 2
        else:
            likely = {"pixels": 0, "image": 1}.get(modality.kind, 3)
            likely += 0 if modality.stem in ("rgb", "tok_rgb") or takes_pictures(modality) else 2
        return (not hinted, likely, modality.stem not in ("rgb", "tok_rgb"))

    return sorted(known, key=rank)


def given_of(modality: Modality, path: Path, options: Options | None = None) -> Given:
    """A condition from a file; that of a text is read.

    Raises:
        InputError: a text cannot be read.
    """
    options = options or Options()
    if modality.kind == "sequence" or (modality.kind == "embeddings" and ending(path) not in ARRAYS):
        return Given(modality.name, read_text(path, f"-i {modality.name}: {printable(path)}"), path)
    reading = options.reading if modality.stem in _EDGES else None
    ids = options.ids if modality.stem == "tok_semseg" else None
    return Given(modality.name, path=path, fit=options.fit, reading=reading, ids=ids)


def pasted_path(text: str) -> Path | None:
    """The file that was dropped on a terminal, which pastes its path quoted, escaped or as an address; else None."""
    import shlex
    from urllib.parse import unquote, urlsplit

    text = text.strip()
    if not text or "\n" in text or len(text) > 4096:
        return None
    tries = [text]
    if text.startswith("file://"):
        tries = [unquote(urlsplit(text).path)]
    else:
        try:
            words = shlex.split(text)
            tries += words if len(words) == 1 else []
        except ValueError:
            pass
    for each in tries:
        try:
            path = Path(each).expanduser()
            if path.is_file():
                return path.absolute()
        except (OSError, ValueError, RuntimeError):
            continue
    return None


def typed_path(text: str, folder: Path) -> Path:
    """A path as typed: `~`, absolute, or from a folder on.

    Raises:
        InputError: it cannot be one.
    """
    try:
        path = Path(text.strip()).expanduser()
    except RuntimeError:
        raise InputError(f"{printable(text, 60)}: there is no such user") from None
    if "\0" in text:
        raise InputError("no path holds a zero byte")
    return folder / path
