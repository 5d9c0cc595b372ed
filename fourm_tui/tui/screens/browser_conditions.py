"""The file browser for conditions: each file is seen as the model would see it, and why it does not fit is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fourm_tui.conditions.given import Given
from fourm_tui.errors import InputError
from fourm_tui.modalities import PICTURES, Modality
from fourm_tui.tui import fits
from fourm_tui.tui.conditions_list import title_of
from fourm_tui.tui.file_looks import file_look
from fourm_tui.tui.looks import Look, look, plain_problem
from fourm_tui.tui.screens.browser import BrowserScreen


class ConditionBrowser(BrowserScreen):
    """Answers a file; `options` say how it is to be taken.

    Args:
        modality: what it is for.
        modalities: the table, as the model sees it.
        options: to begin with.
        at: the file that is given now.
        recent: files of late.
        over: of the picture that boxes belong to.
    """

    def __init__(
        self,
        modality: Modality,
        modalities: Mapping[str, Modality],
        options: fits.Options,
        at: Path | None,
        recent: Sequence[Path],
        over: Look | None = None,
    ) -> None:
        self.modality, self.modalities, self.options, self.over = modality, modalities, options, over
        also = "   f fit" if modality.kind in ("image", "pixels") else ""
        also += "   w way" if options.next_way(modality) != options else ""
        super().__init__(
            f"{title_of(modality.name)}: {fits.accepts_files(modality)}",
            lambda path: fits.unfit(path, modality),
            at,
            self._preview,
            recent,
            also,
        )

    def _preview(self, path: Path) -> Look:
        if fits.unfit(path, self.modality) is not None:
            return file_look(path)
        given = Given(self.modality.name, path=path)
        try:
            given = fits.given_of(self.modality, path, self.options)
            found = look(given, self.modalities, self.over)
        except InputError as error:
            found = Look(problem=plain_problem(error, given))
        if not found.problem and (found.picture is not None or found.lines):
            return found
        raw = file_look(path)  # what does not fit is seen all the same
        return replace(raw, problem=found.problem or raw.problem, facts=found.facts or raw.facts)

    def fits_words(self, look: Look) -> str:
        said = [f"fits {title_of(self.modality.name)}"]
        if self.modality.kind in ("image", "pixels") and look.view and look.view.width != look.view.height:
            said.append("all of it, padded" if self.options.fit == "pad" else "the square in its middle")
        if self.options.reading:
            said.append({"photo": "as a photo", "edges": "as edges", "drawing": "as a drawing"}[self.options.reading])
        if self.options.ids:
            said.append(f"ids as {'COCO' if self.options.ids == 'coco' else 'the model'} counts them")
        return ", ".join(said)

    def action_fit(self) -> None:
        if self.modality.kind in ("image", "pixels"):
            self._take_options(self.options.next_fit())

    def action_way(self) -> None:
        self._take_options(self.options.next_way(self.modality))

    def _take_options(self, options: fits.Options) -> None:
        if options != self.options:
            self.options = options
            self.open_now()


class MaskBrowser(BrowserScreen):
    """Answers the file of a mask for something that is given, which is shown under it."""

    def __init__(self, given: Given, modalities: Mapping[str, Modality], recent: Sequence[Path]) -> None:
        self.given, self.modalities = given, modalities
        start = given.mask or (given.path.parent if given.path else None)
        super().__init__(
            f"a mask for {title_of(given.name)}: white is generated, black stays",
            lambda path: None if fits.ending(path) in PICTURES else "a mask is a picture",
            start,
            self._preview,
            recent,
        )

    def _preview(self, path: Path) -> Look:
        if self.accept(path) is not None:
            return file_look(path)
        found = look(replace(self.given, mask=path), self.modalities)
        if found.picture is not None:
            return found
        raw = file_look(path)
        return replace(raw, problem=found.problem, facts=found.facts or raw.facts)

    def fits_words(self, look: Look) -> str:
        return f"fits: {look.facts.partition(',')[0]}, the hatched rest is generated"
