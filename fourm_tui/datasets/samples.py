"""From where the values of a sample are to its conditions and its picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from fourm_tui.conditions.captions import caption_in
from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.given import Given
from fourm_tui.conditions.loading import load_condition, picture_view
from fourm_tui.conditions.pictures import Picture, opened, rgb
from fourm_tui.conditions.views import View
from fourm_tui.datasets.crops import Crop, read_crop
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


def shows_places(conditions: Iterable[str], modalities: Mapping[str, Modality]) -> bool:
    """Whether some of the conditions depend on what of the picture is shown."""
    return any(name in PLACED or modalities[name].kind in ("pixels", "image") for name in conditions)


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
        with _named(self.name(number)):
            parts = self.index.parts(number)
            crop = self._crop(number) if shows_places(self.chosen, self.modalities) else None
            found: dict[str, Condition] = {}
            late = []
            for wanted, slot in self.chosen.items():
                if slot not in parts:
                    raise InputError(f"has no {wanted}")
                if self.modalities[wanted].kind == "sequence":
                    late.append((wanted, parts[slot]))
                else:
                    found[wanted] = self._loaded(wanted, parts[slot], crop, None)
            view = picture_view(found, self.modalities)
            if view is None and any(wanted in PLACED for wanted, _ in late):
                view = self._view(number, crop)
            for wanted, part in late:
                found[wanted] = self._loaded(wanted, part, crop, view)
            return {wanted: found[wanted] for wanted in self.chosen}

    def picture(self, number: int) -> Image.Image | None:
        with _named(self.name(number)):
            part = self._picture_part(number)
            if part is None:
                return None
            crop = self._crop(number)
            with part.file() as path, opened(path, part.shown, _WHOLE_SIZE) as picture:
                view = _shown(picture, crop)
                _check_fits(view, part.shown)
                view = view.scaled(*picture.image.size)
                box = (view.left, view.top, view.left + view.across, view.top + view.down)
                taken = rgb(picture.image, part.shown).crop(box)
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
        with part.file() as path, opened(path, part.shown, 1, huge=0) as picture:
            return _shown(picture, crop)

    def _crop(self, number: int) -> Crop | None:
        """The first of the rectangles of a sample; None if the data has none."""
        part = self.index.part(number, CROPS)
        return None if part is None else read_crop(part)

    def _loaded(self, wanted: str, part: Part, crop: Crop | None, view: View | None) -> Condition:
        modality = self.modalities[wanted]
        place = f"{wanted}: {part.shown}"
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
                _check_fits(found.view, part.shown)
            return found
        except InputError as error:
            raise InputError(_placed(str(error), wanted, part.shown, place)) from None
        except (ValueError, MemoryError):
            if crop is None:
                raise
            raise InputError(f"{place}: its {CROPS} do not fit the picture") from None


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Messages with the name of the sample before them."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


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
    """The message with its place before it, and without what the command line would say."""
    for start in (f"-i {wanted}", shown):
        message = message.removeprefix(start)
    return place + (message if message.startswith((" ", ":", ",")) else f": {message}")


def _shown(picture: Picture, crop: Crop | None) -> View:
    return picture.view(crop=crop.rectangle, flip=crop.flip) if crop else picture.view()


def _check_fits(view: View, where: str) -> None:
    if view.left >= view.width or view.top >= view.height or view.left + view.across <= 0 or view.top + view.down <= 0:
        raise InputError(f"{where}: its {CROPS} do not fit the picture")


def safe_name(name: str) -> str:
    """A name that is printable and, should it become part of a path, leads nowhere else."""
    steps = [step for step in printable(name, 1000).split("/") if step not in ("", ".")]
    return "/".join("_" if step == ".." else step for step in steps) or "_"
