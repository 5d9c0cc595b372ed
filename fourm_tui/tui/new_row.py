"""What a row that is added or duplicated begins with. Without Textual."""

from __future__ import annotations

from dataclasses import replace

from fourm_tui.modalities import MODALITIES
from fourm_tui.schedule.rows import Row


def new_row(source: Row, target: str) -> Row:
    """A row for another target, like the one before it as far as that fits."""
    modality = MODALITIES[target]
    if modality.kind == "sequence":
        return replace(
            source, target=target, tokens=modality.max_tokens, scheme="autoregressive", steps=None, token_schedule=None,
            temp=source.temp if source.scheme == "autoregressive" else 0.3, cfg_scale=1.0,
        )  # fmt: skip
    scheme = source.scheme if source.scheme in modality.schemes else modality.schemes[-1]
    tokens = modality.max_tokens
    return replace(
        source, target=target, tokens=tokens, scheme=scheme, steps=min(source.steps or 8, tokens),
        token_schedule=source.token_schedule or "linear", temp_schedule=source.temp_schedule or "constant",
        cfg_scale=source.cfg_scale if isinstance(source.cfg_scale, float) else 1.0,
    )  # fmt: skip
