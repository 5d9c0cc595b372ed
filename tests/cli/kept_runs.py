"""Run folders as `fourm-tui run` leaves them, without running anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from fourm_tui.pictures.png import png_bytes
from fourm_tui.runs import (
    ConditionRecord,
    ModelRecord,
    RowRecord,
    Run,
    RunRecord,
    SampleRecord,
    SettingsText,
    create_run,
    effective_seed,
    write_new,
)

CAPTION = "a red sphere"
SETTINGS = """\
# from a caption to a picture
cond_domains: caption
target_domains: tok_semseg@224-tok_rgb@224  # the layout first
tokens_per_target: 196
autoregression_schemes: roar
decoding_steps: 12-4
token_decoding_schedules: cosine
temps: 1.0-0.5
temp_schedules: constant
cfg_scales: 2.0
cfg_schedules: constant
"""
ROWS = (
    RowRecord(1, "tok_semseg@224", "roar", 12, 196, state="done", seconds=0.5),
    RowRecord(2, "tok_rgb@224", "roar", 2, 196, state="done", seconds=0.5),
)


def settings_file(folder: Path, text: str = SETTINGS, name: str = "mine.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def record(settings: Path, variations: int = 1, **changes: Any) -> RunRecord:
    """Of a run of that settings file with the seed 7."""
    made = RunRecord(
        settings.stem,
        (SettingsText("settings", settings.read_text(encoding="utf-8"), str(settings)),),
        ("decoding_steps.2=2",),
        {"seed": 7, "num_variations": variations},
        (ConditionRecord("caption", text=CAPTION),),
        {"model": ModelRecord("EPFL-VILAB/4M-7_B_CC12M")},
        tuple(SampleRecord(effective_seed(7, 0, number), 0, number) for number in range(variations)),
        ROWS,
        status="done",
        seconds=1.5,
    )
    return replace(made, **changes)


def kept_run(folder: Path, made: RunRecord, age: timedelta = timedelta()) -> Run:
    """A run with a PNG for each target and its contact sheet, all with their facts."""
    from fourm_tui.engine.keep import CONTACT_SHEET, facts_of

    run = create_run(folder, made, datetime.now().astimezone() - age)
    picture = Image.new("RGB", (8, 8), "red")
    for number, sample in enumerate(made.samples):
        for row in made.rows:
            facts = {**facts_of(run), "seed": str(sample.seed), "target": row.target, "row": str(row.number)}
            write_new(run.path_for(row.number, row.target, number, ".png"), png_bytes(picture, facts))
            write_new(run.path_for(row.number, row.target, number, ".safetensors"), b"tokens")
    write_new(run.folder / CONTACT_SHEET, png_bytes(picture, facts_of(run)))
    return run
