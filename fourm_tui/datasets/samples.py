"""From where the values of a sample are to its conditions and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from fourm_tui.conditions.arrays import read_arrays
from fourm_tui.conditions.captions import caption_in
from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.given import Given
from fourm_tui.conditions.loading import load_condition, picture_view
from fourm_tui.conditions.pictures import LARGEST_PIXELS, LARGEST_SIDE, opened, rgb
from fourm_tui.conditions.views import View
from fourm_tui.datasets.dataset import Index
from fourm_tui.datasets.parts import Part, check_text
from fourm_tui.datasets.slots import CROPS, RGB
from fourm_tui.errors import InputError, printable
from fourm_tui.formats.reading import read_json
from fourm_tui.modalities import Modality

PLACED = ("det", "human_poses", "sam_instance")
"""Sequences that speak of places in the picture."""
_WHOLE_SIZE = 4096
"""Side in pixels up to which a real picture is decoded as it is; a larger JPEG at no less than that."""


@dataclass(frozen=True)
class Crop:
    """The rectangle of a picture that a sample shows."""

    top: int
    left: int
    height: int
    width: int
    flip: bool

    @property
    def options(self) -> dict[str, Any]:
        return {"crop": (self.top, self.left, self.height, self.width), "flip": self.flip}


@dataclass(frozen=True, eq=False)
class Samples:
    """A dataset, made from the index of its values."""

    index: Index
    chosen: Mapping[str, str]
    """The slot of each condition."""
    modalities: Mapping[str, Modality]
    rgb_slots: tuple[str, ...] = RGB

    @property
    def title(self) -> str:
        count = len(self.index)
        return f"{self.index.title}, {count:,} sample{'' if count == 1 else 's'}"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.index.notes

    def __len__(self) -> int:
        return len(self.index)

    def name(self, number: int) -> str:
        return safe_name(self.index.name(number))

    def conditions(self, number: int) -> dict[str, Condition]:
        name = self.name(number)
        try:
            parts = self.index.parts(number)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        crop = self._crop(number)
        found: dict[str, Condition] = {}
        late = []
        for wanted, slot in self.chosen.items():
            if slot not in parts:
                raise InputError(f"{name}: has no {wanted}")
            if self.modalities[wanted].kind == "sequence":
                late.append((wanted, parts[slot]))
            else:
                found[wanted] = self._loaded(wanted, parts[slot], crop, None, name)
        view = picture_view(found, self.modalities)
        if view is None and any(wanted in PLACED for wanted, _ in late):
            view = self._view(number, crop)
        for wanted, part in late:
            found[wanted] = self._loaded(wanted, part, crop, view, name)
        return {wanted: found[wanted] for wanted in self.chosen}

    def picture(self, number: int) -> Image.Image | None:
        part = self._picture_part(number)
        if part is None:
            return None
        name, crop = self.name(number), self._crop(number)
        with part.file() as path, opened(path, f"{name}: {part.shown}", _WHOLE_SIZE) as picture:
            view = picture.view(crop=crop.options["crop"] if crop else None, flip=bool(crop and crop.flip))
            shown = view.scaled(*picture.image.size)
            box = (shown.left, shown.top, shown.left + shown.across, shown.top + shown.down)
            _check_fits(shown, f"{name}: {part.shown}")
            taken = rgb(picture.image, f"{name}: {part.shown}").crop(box)
        return taken.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if view.flip else taken

    def _picture_part(self, number: int) -> Part | None:
        for slot in self.rgb_slots:
            part = self.index.part(number, slot)
            if part is not None:
                return part
        return None

    def _view(self, number: int, crop: Crop | None) -> View | None:
        """Of the real picture, where only boxes and the like are conditions."""
        part = self._picture_part(number)
        if part is None:
            return None
        with part.file() as path, opened(path, f"{self.name(number)}: {part.shown}", 1, huge=0) as picture:
            return picture.view(crop=crop.options["crop"] if crop else None, flip=bool(crop and crop.flip))

    def _crop(self, number: int) -> Crop | None:
        """The first of the rectangles of a sample; None if the data has none."""
        part = self.index.part(number, CROPS)
        if part is None:
            return None
        where = f"{self.name(number)}: {part.shown}"
        if part.ending != ".npy":
            raise InputError(f"{where}: {CROPS} are to be a .npy file")
        with part.file() as path:
            rows = next(iter(read_arrays(path, where, (CROPS,)).arrays.values()))
        if rows.ndim != 2 or rows.shape[1] != 5 or not len(rows) or not (rows[0] == np.trunc(rows[0])).all():
            raise InputError(
                f"{where} has {rows.dtype} values of the shape {list(rows.shape)}; expected are whole numbers "
                "[crops, 5]: top, left, height, width, mirrored (0 or 1)"
            )
        top, left, height, width, flip = (int(value) for value in rows[0])
        sizes_fit = 1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE and height * width <= LARGEST_PIXELS
        if not sizes_fit or max(abs(top), abs(left)) > LARGEST_SIDE or flip not in (0, 1):
            raise InputError(
                f"{where} has the rectangle {[top, left, height, width, flip]}, which is none of a picture"
            )
        return Crop(top, left, height, width, bool(flip))

    def _loaded(self, wanted: str, part: Part, crop: Crop | None, view: View | None, sample: str) -> Condition:
        modality = self.modalities[wanted]
        place = f"{sample}: {wanted}: {part.shown}"
        try:
            if modality.kind == "sequence":
                return load_condition(Given(wanted, text=_sequence_text(wanted, part)), self.modalities, view)
            with part.file() as path:
                given = Given(wanted, path=path, **(crop.options if crop else {}))
                try:
                    found = load_condition(given, self.modalities)
                except InputError as error:
                    # The file may be a temporary one, whose name says nothing.
                    raise InputError(str(error).replace(f": {printable(path)}", "", 1)) from None
            if crop and found.view:
                _check_fits(found.view, place)
            return found
        except InputError as error:
            raise InputError(_placed(str(error), wanted, part.shown, place)) from None
        except (ValueError, MemoryError):
            if crop is None:
                raise
            raise InputError(f"{place}: its {CROPS} do not fit the picture") from None


def _sequence_text(wanted: str, part: Part) -> str:
    text = part.text()
    check_text(text, part.shown)
    if not text:
        raise InputError(f"{part.shown} is empty")
    if wanted == "caption" and part.ending in (".json", ".json.gz"):
        text = caption_in(read_json(text, part.shown), part.shown)
        check_text(text, part.shown)
    return text


def _placed(message: str, wanted: str, shown: str, place: str) -> str:
    """The message with the sample before it, and without what the command line would say."""
    if message.startswith(place):
        return message
    for start in (f"-i {wanted}", shown):
        message = message.removeprefix(start)
    return place + (message if message.startswith((" ", ":", ",")) else f": {message}")


def _check_fits(view: View, where: str) -> None:
    if view.left >= view.width or view.top >= view.height or view.left + view.across <= 0 or view.top + view.down <= 0:
        raise InputError(f"{where}: its {CROPS} do not fit the picture")


def safe_name(name: str) -> str:
    """A name that is printable and, should it become part of a path, leads nowhere else."""
    steps = [step for step in printable(name, 1000).split("/") if step not in ("", ".")]
    return "/".join("_" if step == ".." else step for step in steps) or "_"
