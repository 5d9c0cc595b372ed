"""What `run.json` says of a run that is about to begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fourm_tui.chain.inputs import Inputs
from fourm_tui.checkpoints import WEIGHTS_FILE, Checkpoint
from fourm_tui.runs import ModelRecord, RunRecord, SampleRecord, SettingsText, condition_record, fingerprint
from fourm_tui.schedule.configs import DETOKENIZER_STEPS
from fourm_tui.tokenizers.text import find_local

KEPT_OPTIONS = ("seed", "num_variations", "device", "dtype", "sam_dense", "preview_every", "decode")
"""What a run has to know beside settings, models and conditions."""


def record_of(inputs: Inputs, options: Mapping[str, Any], samples: Sequence[SampleRecord]) -> RunRecord:
    """The record of a run of these inputs.

    Args:
        inputs: as read; their files go into the record as they stand.
        options: of which those named in `KEPT_OPTIONS` are kept, as far as they are not None.
        samples: the variations.
    """
    documents = inputs.files
    texts = [
        SettingsText(role, document.text, str(document.path.absolute()) if document.path else None)
        for role, document in zip(("settings", "sr"), documents, strict=False)
    ]
    if inputs.config:
        texts.append(SettingsText("models", inputs.config.text, str(inputs.config.path)))
    return RunRecord(
        chain=documents[0].path.stem if documents[0].path else "run",
        settings=tuple(texts),
        overrides=inputs.overrides,
        options=_kept_options(inputs, options),
        conditions=tuple(
            condition_record(given.name, text=given.text, path=given.path, mask=given.mask, options=given.options)
            for given in inputs.given.values()
        ),
        models={role: _model(found) for role, found in inputs.checkpoints.items()},
        samples=samples,
    )  # fmt: skip


def _kept_options(inputs: Inputs, options: Mapping[str, Any]) -> dict[str, Any]:
    """What else matters to the outputs."""
    found = {name: options[name] for name in KEPT_OPTIONS if options.get(name) is not None}
    models = inputs.models
    if models.dtype and not options.get("dtype"):
        found["dtype"] = models.dtype
    if models.text_tokenizer:
        path = find_local(models.text_tokenizer, inputs.base)
        found["text_tokenizer"] = str(path.absolute()) if path else models.text_tokenizer
    if models.detokenizer_steps != DETOKENIZER_STEPS:
        found["detokenizer_steps"] = models.detokenizer_steps
    return found


def _model(found: Checkpoint) -> ModelRecord:
    """A checkpoint by a name that means the same in every folder."""
    weights = str(found.weights.absolute()) if found.weights else None
    name = found.name
    if found.weights and found.is_path:
        folder = found.weights.parent
        name = str((folder if found.weights.name == WEIGHTS_FILE else found.weights).absolute())
    return ModelRecord(name, found.revision, weights, fingerprint(found.weights) if found.weights else None)
