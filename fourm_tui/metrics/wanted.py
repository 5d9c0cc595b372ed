"""Which figures make sense for a chain and its data, and of which outputs."""

from __future__ import annotations

from dataclasses import dataclass

from fourm_tui.schedule.rows import Schedule

OUTPUTS = ("tok_rgb@224", "tok_rgb@448")
"""The targets whose pictures are measured. run_generation.py means both; it looks for the first under the name
`tok_rgb`, which no published model has, and so only ever measures the second."""


@dataclass(frozen=True)
class Wanted:
    """Which figures are to be computed."""

    fid: bool
    """Fréchet Inception distance between the data's pictures and the generated ones."""
    inception: bool
    """Inception Score of the generated pictures."""
    clip: bool
    """CLIP score between the generated pictures and their captions."""

    def __bool__(self) -> bool:
        return self.fid or self.inception or self.clip


def measured(schedule: Schedule) -> tuple[str, ...]:
    """The targets of a chain whose pictures are measured, each with figures of its own."""
    targets = {row.target for _, _, row in schedule.rows()}
    return tuple(output for output in OUTPUTS if output in targets)


def wanted_for(schedule: Schedule, data_has_pictures: bool) -> Wanted:
    """The figures that a chain allows: none without RGB, FID with real pictures, the CLIP score with captions given.

    They are the same for every output of `measured`: a super-resolved picture is held against the caption of the base
    chain, whether or not super-resolution sees it.
    """
    rgb = bool(measured(schedule))
    captions = any("caption" in part.conditions for part in schedule.parts if not part.prefix or not schedule.base)
    return Wanted(fid=rgb and data_has_pictures, inception=rgb, clip=rgb and captions)
