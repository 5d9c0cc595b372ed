"""What becomes of a run's targets: pictures over pictures, and a contact sheet of the whole chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.loading import picture_view
from fourm_tui.modalities import Modality
from fourm_tui.pictures.contact import Panel, Section, contact_sheet
from fourm_tui.pictures.given import given_picture
from fourm_tui.pictures.placed import WHOLE, Placed
from fourm_tui.pictures.save import Output, output_picture

if TYPE_CHECKING:
    from fourm_tui.engine.job import Target


ON_SHEET = 32
"""Samples that a contact sheet shows."""


class Outputs:
    """Where the targets of a run go; this one keeps nothing.

    `tokens` is called with each finished target and sample, then `picture` if it could be decoded, then, after the last
    target, `end`. They return the names of the files they wrote.
    """

    wants_pictures = False
    """Whether targets are to be decoded."""
    wants_sheet = True
    """Whether a contact sheet is to be made of what was decoded."""

    def gallery(self, samples: Sequence[Mapping[str, Condition]], modalities: Mapping[str, Modality]) -> Gallery:
        """What makes pictures of decoded targets."""
        return Gallery(samples, modalities)

    def tokens(self, target: Target, sample: int) -> tuple[str, ...]:
        return ()

    def picture(self, target: Target, sample: int, output: Output, picture: Image.Image | None) -> tuple[str, ...]:
        return ()

    def kept(self, target: Target, sample: int) -> Image.Image | None:
        """The picture of a target that was finished before; None if it is to be made again."""
        return None

    def preview(self, row: int, target: str, sample: int, picture: Image.Image) -> str | None:
        """A picture of a target that is not finished yet; the name of its file, if it is kept."""
        return None

    def end(self, sheet: Image.Image) -> tuple[str, ...]:
        return ()


@dataclass(eq=False)
class Gallery:
    """The pictures of the samples under way: what boxes are drawn over, and what the contact sheet shows."""

    samples: Sequence[Mapping[str, Condition]]
    modalities: Mapping[str, Modality]
    panels: dict[int, list[Panel]] = field(default_factory=dict)
    """By the number of the sample, as all that follow."""
    over: dict[int, Image.Image | None] = field(default_factory=dict)
    placed: dict[int, Placed] = field(default_factory=dict)
    _shown: list[int] = field(default_factory=list)
    """The samples of the sheet that are finished."""

    def begin_group(self, numbers: Sequence[int]) -> None:
        """These samples are made now."""
        for number in numbers:
            sample = self.samples[number]
            panels, over = [], None
            for condition in sample.values():
                modality = self.modalities[condition.name]
                picture = given_picture(condition, modality)
                if picture is not None and (over is None or modality.kind == "pixels"):
                    if modality.stem in ("rgb", "tok_rgb"):
                        over = picture
                text = condition.text or ("" if picture else "given as tokens")
                panels.append(Panel(modality.title, "given", picture, text))
            self.panels[number], self.over[number] = panels, over
            self.placed[number] = self.placed_of(sample)

    def placed_of(self, sample: Mapping[str, Condition]) -> Placed:
        """Where the picture of a sample lies in what the model is given."""
        view = picture_view(sample, self.modalities)
        return _placed(view.content(1000, 1000)) if view and view.has_padding else WHOLE

    def end_group(self, numbers: Sequence[int]) -> None:
        """These are finished: only what the sheet shows of them is kept."""
        there = [number for number in numbers if number in self.panels]
        self._shown += there[: max(ON_SHEET - len(self._shown), 0)]
        self.over, self.placed = {}, {}
        self.panels = {number: self.panels[number] for number in self._shown}

    def output(self, target: Target, sample: int, modality: Modality, array: NDArray[Any] | None) -> Output:
        """The output of a target, with the picture that it is drawn over."""
        text = target.texts[sample] if target.texts else None
        return Output(modality, array, text, self.over[sample], self.placed[sample])

    def show(self, output: Output, sample: int, note: str = "") -> Image.Image | None:
        """The picture of an output, kept for what comes after it."""
        return self.recall(output, sample, output_picture(output), note)

    def recall(
        self, output: Output, sample: int, picture: Image.Image | None, note: str = ""
    ) -> Image.Image | None:  # fmt: skip
        """Keeps the picture of an output as it is."""
        if output.modality.stem == "tok_rgb":
            self.over[sample] = picture
        text = (output.text or "") if picture is None else ""
        self.panels[sample].append(Panel(output.modality.title, "generated", picture, text, note))
        return picture

    def tokens_only(self, target: Target, modality: Modality) -> None:
        """A target that is not decoded."""
        for sample, tokens in target.tokens.items():
            self.panels[sample].append(Panel(modality.title, "generated", None, f"{len(tokens)} tokens"))

    def sheet(self, title: str, seeds: Sequence[int]) -> Image.Image:
        """Conditions and targets in the order of the chain, a section for each sample as far as there is room."""
        if len(self.samples) == 1:
            return contact_sheet(self.panels[0], title)
        sections = [Section(self.panels[sample], f"seed {seeds[sample]}") for sample in self._shown]
        if len(self.samples) > ON_SHEET:
            title = f"{title}: the first {len(sections)} of {len(self.samples)}"
        return contact_sheet(sections, title)


def _placed(content: tuple[int, int, int, int]) -> Placed:
    left, top, right, bottom = (side / 1000 for side in content)
    return Placed(max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom))
