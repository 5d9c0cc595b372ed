"""Saving beside the device: threads draw and write what is finished while the next chunk is generated.

An item's files lie by target, named by sample and variation: `01_tok_clip@224/000012_0.png`, as those who feed a folder
to another program want them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from fourm_tui.batch.collect import Finished
from fourm_tui.batch.manifest import Line, Part
from fourm_tui.batch.work import Item
from fourm_tui.conditions.condition import Condition
from fourm_tui.modalities import Modality
from fourm_tui.pictures.contact import Panel, contact_sheet
from fourm_tui.pictures.given import given_picture
from fourm_tui.pictures.png import png_bytes
from fourm_tui.pictures.save import output_files, output_picture
from fourm_tui.runs import token_bytes
from fourm_tui.runs.files import replace_file
from fourm_tui.runs.folder import named_target

PLOTS = "plots"
_IN_FLIGHT = 2
"""Chunks that may be waiting to be saved; then the device waits."""


@dataclass(frozen=True, eq=False)
class Made:
    """An item and all that it has come to."""

    item: Item
    source: str
    seed: int
    conditions: Mapping[str, Condition]
    finished: Sequence[Finished]


@dataclass(frozen=True)
class Where:
    """Where items go, and what their pictures say."""

    folder: Path
    modalities: Mapping[str, Modality]
    facts: Mapping[str, str]
    """For the text chunks of PNGs, beside what is the item's own."""
    plots: frozenset[int] = frozenset()
    """Samples of which a sheet of conditions and targets is drawn."""
    rank: int = 0


def save(made: Made, where: Where, seconds: float = 0.0) -> Line:
    """Writes the files of an item, over those of an interrupted attempt.

    Raises:
        FourmError: a file cannot be written.
    """
    files: dict[str, tuple[str, ...]] = {}
    texts: dict[str, str] = {}
    over, panels = _given(made, where)
    conditions = {name: condition.text for name, condition in made.conditions.items() if condition.text is not None}
    item = made.item
    own = {"seed": made.seed, "sample": item.sample, "variation": item.variation, "source": made.source}
    facts = {**where.facts, **{name: str(fact) for name, fact in own.items()}, "conditions": json.dumps(conditions)}
    for finished in made.finished:
        name, row = finished.tokens.modality, finished.tokens.row
        folder = named_target(row, name)
        contents = {".safetensors": token_bytes(finished.tokens)}
        if finished.text is not None:
            texts[name] = finished.text
            contents[".txt"] = (finished.text + "\n").encode()
        output = finished.output
        if output is not None:
            output = replace(output, over=over)
            contents |= output_files(output, {**facts, "target": name, "row": str(row)})
            picture = output_picture(output) if made.item.sample in where.plots or name.startswith("tok_rgb") else None
            over = picture if output.modality.stem == "tok_rgb" else over
            panels.append(Panel(output.modality.title, "generated", picture, finished.text or ""))
        names = []
        for ending, content in contents.items():
            path = where.folder / folder / f"{made.item.key}{ending}"
            path.parent.mkdir(exist_ok=True)
            replace_file(path, content)
            names.append(f"{folder}/{path.name}")
        files[name] = tuple(names)
    if made.item.sample in where.plots:
        _plot(made, where, panels)
    return Line(
        made.item.sample, made.item.variation, made.seed, made.source, files, texts, round(seconds, 3), where.rank
    )


def _given(made: Made, where: Where) -> tuple[Image.Image | None, list[Panel]]:
    """The picture that boxes are drawn over, if one is given, and the panels of what is given."""
    over, panels = None, []
    for condition in made.conditions.values():
        modality = where.modalities[condition.name]
        wanted = made.item.sample in where.plots or modality.stem in ("rgb", "tok_rgb")
        picture = given_picture(condition, modality) if wanted else None
        if picture is not None and modality.stem in ("rgb", "tok_rgb"):
            over = picture
        panels.append(Panel(modality.title, "given", picture, condition.text or ""))
    return over, panels


def _plot(made: Made, where: Where, panels: list[Panel]) -> None:
    path = where.folder / PLOTS / f"{made.item.key}.png"
    path.parent.mkdir(exist_ok=True)
    replace_file(path, png_bytes(contact_sheet(panels, f"{made.source}  seed {made.seed}"), {}))


class Saver:
    """Saves chunks in the background; their lines are written when all files of the chunk are.

    Args:
        where: they go.
        part: of the manifest.
        threads: that draw and write.
        saved: called with the lines of each chunk, in a thread.
    """

    def __init__(self, where: Where, part: Part, threads: int, saved: Callable[[Sequence[Line]], None]) -> None:
        self.where, self.part, self.saved = where, part, saved
        self.waited = 0.0
        """Seconds that the device had to wait for room."""
        self._pool = ThreadPoolExecutor(max(1, threads), "saving")
        self._room = threading.Semaphore(_IN_FLIGHT)
        self._open: list[Future[None]] = []
        self._closing = ThreadPoolExecutor(1, "manifest")

    def save(self, made: Sequence[Made], skipped: Sequence[Line], seconds: float) -> None:
        """Takes a chunk over. Waits while too many are on their way.

        Raises:
            FourmError: an earlier chunk could not be saved.
        """
        began = time.monotonic()
        self._room.acquire()
        self.waited += time.monotonic() - began
        self._raise_failed()
        each = seconds / max(1, len(made))
        files = [self._pool.submit(save, one, self.where, each) for one in made]
        self._open.append(self._closing.submit(self._finish, files, skipped))

    def _finish(self, files: list[Future[Line]], skipped: Sequence[Line]) -> None:
        try:
            lines = sorted([*(future.result() for future in files), *skipped], key=lambda line: line.item)
            self.part.append(lines)
            self.saved(lines)
        finally:
            self._room.release()

    def _raise_failed(self) -> None:
        done = [future for future in self._open if future.done()]
        self._open = [future for future in self._open if not future.done()]
        for future in done:
            future.result()

    def close(self) -> None:
        """Waits until all is saved.

        Raises:
            FourmError: something could not be.
        """
        self._closing.shutdown()
        self._pool.shutdown()
        self._raise_failed()
