"""The settings keys: which there are, what their values are, and what run_generation.py takes when a key is missing.

Keys are given without the `sr_` prefix of the super-resolution set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "count", "number", "guidance", "share", "top_k"]
"""name: a word. count: a whole number. number: a float. guidance: a float or weights per condition.
share: a float from 0 to 1. top_k: a count if whole, a share of the vocabulary if not."""


@dataclass(frozen=True)
class Column:
    """A key with one value per target, or one for all of them."""

    key: str
    attribute: str
    """The field of `Row` that it fills."""
    title: str
    """For table heads."""
    kind: Kind
    default: str | float
    """What run_generation.py takes where the key is missing, as it would stand in YAML."""
    sr_default: str | float
    choices: tuple[str, ...] = ()
    """The values there are, for keys of kind `name`."""


COLUMNS: Mapping[str, Column] = {
    column.key: column
    for column in (
        Column("target_domains", "target", "target", "name", "tok_clip-tok_normal-tok_rgb", "tok_clip@448-tok_rgb@448"),
        Column("tokens_per_target", "tokens", "tokens", "count", "196-196-196", "784"),
        Column("autoregression_schemes", "scheme", "scheme", "name", "maskgit-maskgit-maskgit", "maskgit",
               ("maskgit", "roar", "autoregressive")),
        Column("decoding_steps", "steps", "steps", "count", "25-25-25", "8"),
        Column("token_decoding_schedules", "token_schedule", "order", "name", "cosine-cosine-cosine", "cosine",
               ("cosine", "linear")),
        Column("temps", "temp", "temp", "number", "5.0-1.0-1.0", "1.0"),
        Column("temp_schedules", "temp_schedule", "schedule", "name", "linear-linear-linear", "linear",
               ("constant", "linear", "onex")),
        Column("cfg_scales", "cfg_scale", "cfg", "guidance", "4.0-4.0-4.0", "4.0"),
        Column("cfg_schedules", "cfg_schedule", "cfg schedule", "name", "constant-constant-constant", "constant",
               ("constant", "linear", "cosine")),
        Column("top_p", "top_p", "top_p", "share", 0.0, 0.0),
        Column("top_k", "top_k", "top_k", "top_k", 0.0, 0.0),
    )
}  # fmt: skip
"""All columns by key, in the order of a settings file."""

COND_DOMAINS_DEFAULT = "caption-det"

CHAIN_KEYS = ("cond_domains", "cfg_grow_conditioning", "name")
"""Keys that hold one value for a chain."""

SCHEDULE_KEYS: frozenset[str] = frozenset(
    prefix + key for prefix in ("", "sr_") for key in (*COLUMNS, *CHAIN_KEYS)
)  # fmt: skip
"""Keys of settings files, with and without `sr_`."""

_TOKENIZERS = "rgb depth normal edges semseg clip dinov2 imagebind dinov2_glob imagebind_glob sam_instance human_poses"

MODEL_KEYS: frozenset[str] = frozenset(
    {"model", "sr_model", "image_size", "patch_size", "dtype", "text_tok_path", "detokenizer_steps"}
    | {"activate_controlnet", "controlnet_id", "controlnet_guidance_scale", "controlnet_cond_scale"}
    | {f"{stem}_tok_id" for stem in _TOKENIZERS.split()}
)
"""Keys of models configs that mean something to generation."""

DATA_KEYS: frozenset[str] = frozenset(
    {"data_path", "data_name", "num_samples", "num_variations", "num_workers", "pin_mem", "parti_prompts_t5_embs"}
)
"""Keys of data configs."""

OTHER_KEYS: frozenset[str] = frozenset(
    {"run_name", "seed", "output_dir", "num_log_images", "save_all_outputs", "image_size_metrics", "device"}
    | {"log_wandb", "wandb_project", "wandb_entity", "wandb_run_name", "wandb_mode", "show_user_warnings"}
    | {"s3_endpoint", "s3_path", "dist_gen", "world_size", "local_rank", "dist_on_itp", "dist_url"}
)
"""Further options of run_generation.py that may stand in any of its files."""

KNOWN_KEYS: frozenset[str] = SCHEDULE_KEYS | MODEL_KEYS | DATA_KEYS | OTHER_KEYS
