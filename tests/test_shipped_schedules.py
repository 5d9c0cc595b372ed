"""The files in schedules/: readable by ml-4m where they say so, and the values they claim to have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fourm_tui.modalities import MODALITIES
from fourm_tui.schedule.rows import ROW_COLUMNS

SCHEDULES = Path(__file__).parents[1] / "schedules"
SETTINGS = sorted(SCHEDULES.glob("settings_*/*.yaml"))
FILES = [*sorted(SCHEDULES.glob("models/*.yaml")), *sorted(SCHEDULES.glob("data/*.yaml")), *SETTINGS]
OURS = {"TD2CR_weighted_roar49-25_t6-0.5", "U2CR_roar49-25_cfg1-3_t6-0.5"}
"""Files that use what only this program reads."""

T2CR = {
    "name": "auto", "cond_domains": "caption", "target_domains": "tok_clip@224-tok_rgb@224", "tokens_per_target": 196,
    "autoregression_schemes": "roar-roar", "decoding_steps": "49-25", "token_decoding_schedules": "linear",
    "temps": "6.0-0.5", "temp_schedules": "onex:0.5:0.5-constant", "cfg_scales": 3.0, "cfg_schedules": "constant",
    "cfg_grow_conditioning": True, "top_p": 0.9, "top_k": 0.0,
}  # fmt: skip
X2CR = {
    "sr_name": "auto", "sr_cond_domains": None, "sr_target_domains": "tok_clip@448-tok_rgb@448",
    "sr_tokens_per_target": 784, "sr_autoregression_schemes": "maskgit", "sr_decoding_steps": 8,
    "sr_token_decoding_schedules": "cosine", "sr_temps": 1.0, "sr_temp_schedules": "constant", "sr_cfg_scales": 3.0,
    "sr_cfg_schedules": "constant", "sr_cfg_grow_conditioning": True, "sr_top_p": 0.9, "sr_top_k": 0.0,
}  # fmt: skip
DATA = {
    "cc12m_30k": {
        "data_name": "auto", "num_samples": 30000, "num_variations": 1, "data_path": "/path/to/cc12m/val",
    },
    "coco_30k": {"data_name": "auto", "num_samples": 30000, "num_variations": 1, "data_path": "/path/to/coco/val"},
    "parti_3x": {
        "data_name": "auto", "num_samples": None, "num_variations": 3, "num_log_images": "all",
        "data_path": "parti_prompts",
    },
}  # fmt: skip

TOKENIZERS_7 = {
    "rgb_tok_id": "rgb_16k_224-448", "depth_tok_id": "depth_8k_224-448", "normal_tok_id": "normal_8k_224-448",
    "semseg_tok_id": "semseg_4k_224-448", "clip_tok_id": "CLIP-B16_8k_224-448",
}  # fmt: skip
TOKENIZERS_21 = {
    **TOKENIZERS_7,
    "edges_tok_id": "edge_8k_224-512", "dinov2_tok_id": "DINOv2-B14_8k_224-448",
    "imagebind_tok_id": "ImageBind-H14_8k_224-448", "dinov2_glob_tok_id": "DINOv2-B14-global_8k_16_224",
    "imagebind_glob_tok_id": "ImageBind-H14-global_8k_16_224", "sam_instance_tok_id": "sam-instance_1k_64",
    "human_poses_tok_id": "human-poses_1k_8",
}  # fmt: skip
MODELS = {
    "4m-b_mod7+sr_4m-l_mod7": ("4M-7_B_CC12M", TOKENIZERS_7),
    "4m-l_mod7+sr_4m-l_mod7": ("4M-7_L_CC12M", TOKENIZERS_7),
    "4m-xl_mod7+sr_4m-l_mod7": ("4M-7_XL_CC12M", TOKENIZERS_7),
    "4m-b_mod21+sr_4m-l_mod7": ("4M-21_B", TOKENIZERS_21),
    "4m-l_mod21+sr_4m-l_mod7": ("4M-21_L", TOKENIZERS_21),
    "4m-xl_mod21+sr_4m-l_mod7": ("4M-21_XL", TOKENIZERS_21),
}

# Tokens, scheme, steps, temperature, guidance of each target of a photo, in ml-4m's notebooks.
FROM_RGB: dict[str, tuple[object, ...]] = {
    **{
        f"tok_{stem}@224": (196, "roar", 1, 0.01, 2.0)
        for stem in ("clip", "depth", "normal", "semseg", "canny_edge", "sam_edge")
    },
    **{f"tok_{stem}@224": (256, "roar", 1, 0.01, 2.0) for stem in ("dinov2", "imagebind")},
    **{f"tok_{stem}_global": (16, "roar", 1, 0.1, 1.0) for stem in ("dinov2", "imagebind")},
    "caption": (256, "autoregressive", None, 0.3, 1.0),
    "det": (256, "autoregressive", None, 0.7, 1.0),
    "human_poses": (275, "autoregressive", None, 0.1, 1.0),
    "sam_instance": (256, "autoregressive", None, 0.01, 1.0),
    "color_palette": (23, "autoregressive", None, 0.1, 1.0),
    "metadata": (40, "autoregressive", None, 0.1, 1.0),
}

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
every_settings = pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)


def load(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def settings(path: Path) -> dict[str, Any]:
    """The values of a settings file without their `sr_` prefix."""
    return {key.removeprefix("sr_"): value for key, value in load(path).items()}


def pieces(value: Any) -> list[Any]:
    """The values of one key: pieces of a string, items of a list, or the one value."""
    return value.split("-") if isinstance(value, str) else value if isinstance(value, list) else [value]


def rows(path: Path) -> list[dict[str, Any]]:
    """One mapping per target; `null` inside a string is None."""
    values = settings(path)
    count = len(pieces(values["target_domains"]))
    table: list[dict[str, Any]] = [{} for _ in range(count)]
    for key in ROW_COLUMNS:
        cells = pieces(values[key])
        for row, cell in zip(table, cells * count if len(cells) == 1 else cells, strict=True):
            row[key] = None if cell in (None, "null") else cell
    return table


def test_all_files_of_ml4m_are_here() -> None:
    names = {path.stem for path in FILES}
    expected = {*MODELS, *DATA, "T2CR_roar49-25_cfg3_t6-0.5", "x2CR_mg8_cfg3_t1const"}
    assert expected <= names


@pytest.mark.parametrize("name", MODELS)
def test_models_have_the_values_of_ml4m(name: str) -> None:
    model, tokenizers = MODELS[name]
    assert load(SCHEDULES / "models" / f"{name}.yaml") == {
        "model": f"EPFL-VILAB/{model}",
        "sr_model": "EPFL-VILAB/4M-7-SR_L_CC12M",
        "image_size": 224,
        "image_size_metrics": 256,
        **{key: f"EPFL-VILAB/4M_tokenizers_{tokenizer}" for key, tokenizer in tokenizers.items()},
        "text_tok_path": "fourm/utils/tokenizer/trained/text_tokenizer_4m_wordpiece_30k.json",
        "detokenizer_steps": 50,
        "log_wandb": False,
        "wandb_project": "4m-generation",
        "wandb_entity": None,
        "wandb_run_name": "auto",
        "output_dir": "output/auto",
    }


@pytest.mark.parametrize("name", DATA)
def test_data_have_the_values_of_ml4m(name: str) -> None:
    assert load(SCHEDULES / "data" / f"{name}.yaml") == DATA[name]


def test_settings_of_ml4m_have_its_values_and_order() -> None:
    base = load(SCHEDULES / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml")
    super_resolution = load(SCHEDULES / "settings_sr" / "x2CR_mg8_cfg3_t1const.yaml")
    assert list(base.items()) == list(T2CR.items())
    assert list(super_resolution.items()) == list(X2CR.items())


@every_file
def test_a_comment_says_what_the_file_is_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    header = next(index for index, line in enumerate(lines) if not line.startswith("# "))
    assert 1 <= header <= 4
    if path in SETTINGS:
        assert header >= 2
        assert "alues" in " ".join(lines[:header]) or "is T2CR" in " ".join(lines[:header]), "no source is named"


@every_settings
def test_keys_are_complete_and_in_one_order(path: Path) -> None:
    expected = X2CR if path.parent.name == "settings_sr" else T2CR
    assert list(load(path)) == list(expected)


@every_settings
def test_every_column_has_one_value_or_one_per_target(path: Path) -> None:
    values = settings(path)
    count = len(pieces(values["target_domains"]))
    for key in ROW_COLUMNS:
        assert len(pieces(values[key])) in (1, count), key


@every_settings
def test_every_domain_is_a_modality(path: Path) -> None:
    values = settings(path)
    conditions = [name for name in pieces(values["cond_domains"]) if name is not None]
    assert set(conditions) <= set(MODALITIES)
    size = "448" if path.parent.name == "settings_sr" else "224"
    for row in rows(path):
        modality = MODALITIES[row["target_domains"]]
        assert modality.is_target
        assert modality.name.partition("@")[2] in ("", size)
        assert row["autoregression_schemes"] in modality.schemes
        assert int(row["tokens_per_target"]) <= modality.max_tokens
        assert modality.kind == "sequence" or int(row["tokens_per_target"]) == modality.max_tokens
        assert modality.name not in conditions


@every_settings
def test_only_autoregressive_rows_are_without_steps(path: Path) -> None:
    for row in rows(path):
        autoregressive = row["autoregression_schemes"] == "autoregressive"
        assert (row["decoding_steps"] is None) == autoregressive
        assert (row["token_decoding_schedules"] is None) == autoregressive


@every_settings
def test_numbers_are_of_the_type_that_ml4m_reads(path: Path) -> None:
    values = settings(path)
    for key in ("temps", "cfg_scales"):
        for piece in pieces(values[key]):
            assert isinstance(piece, float | dict) or "." in piece, f"{key}: {piece}"
    assert isinstance(values["top_p"], float)
    assert isinstance(values["top_k"], float)


@every_settings
def test_ml4m_can_parse_it_unless_it_says_not(path: Path) -> None:
    structured = any(isinstance(value, list | dict) for value in load(path).values())
    assert structured == (path.stem in OURS)
    assert structured == ("ml-4m cannot read this file" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [p for p in SETTINGS if p.stem.startswith("RGB2")], ids=lambda path: path.stem)
def test_photos_are_read_with_the_values_of_the_notebooks(path: Path) -> None:
    values = settings(path)
    assert (values["cond_domains"], values["top_p"], values["top_k"]) == ("rgb@224", 0.8, 0.0)
    for row in rows(path):
        steps = row["decoding_steps"]
        found = (
            int(row["tokens_per_target"]), row["autoregression_schemes"], steps if steps is None else int(steps),
            float(row["temps"]), float(row["cfg_scales"]),
        )  # fmt: skip
        assert found == FROM_RGB[row["target_domains"]], row["target_domains"]
        assert row["temp_schedules"] == "constant"


def test_rgb_to_all_has_every_target_of_its_notebook_in_order() -> None:
    both = ["RGB2all7_roar1_cfg2_t0.01", "RGB2all21_roar1_cfg2_t0.01"]
    four_m_7, four_m_21 = (
        [row["target_domains"] for row in rows(SCHEDULES / "settings_base" / f"{name}.yaml")] for name in both
    )
    assert four_m_7 == ["tok_clip@224", "tok_depth@224", "tok_normal@224", "tok_semseg@224", "caption", "det"]
    assert four_m_21 == [
        "tok_clip@224", "tok_dinov2@224", "tok_imagebind@224", "tok_depth@224", "tok_normal@224", "tok_semseg@224",
        "tok_canny_edge@224", "tok_sam_edge@224", "caption", "det", "human_poses", "sam_instance", "color_palette",
        "metadata",
    ]  # fmt: skip


def test_caption_and_boxes_to_all_has_the_values_of_the_notebook() -> None:
    values = settings(SCHEDULES / "settings_base" / "TB2all7_roar50-8-25_cfg3-2_t5-3.yaml")
    assert values["cond_domains"] == "caption-det"
    assert values["decoding_steps"] == "50-8-8-8-25"
    assert values["temps"] == "5.0-3.0-3.0-3.0-3.0"
    assert values["temp_schedules"] == "onex:0.5:0.5"
    assert values["cfg_scales"] == "3.0-2.0-2.0-2.0-2.0"
    assert values["top_p"] == 0.8


def test_readme_lists_every_settings_file_and_no_other() -> None:
    readme = (SCHEDULES / "README.md").read_text(encoding="utf-8")
    listed = {line.split("`")[1] for line in readme.splitlines() if line.startswith("| `")}
    starred = {line.split("`")[1] for line in readme.splitlines() if line.startswith("| `") and "` * |" in line}
    assert listed == {path.name for path in (*SETTINGS, *SCHEDULES.glob("demo/*.yaml"))}
    assert starred == {f"{name}.yaml" for name in OURS}
