"""The tables of published checkpoints, against what the Hub's pages and ml-4m's model zoo say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fourm_tui.errors import InputError
from fourm_tui.modalities import MODALITIES, TOKENIZER_KEYS
from fourm_tui.published import (
    MODELS,
    TOKENIZERS,
    WEIGHTS_LICENCE,
    find,
    sr_model_for,
    tokenizers_for,
)

TESTS = Path(__file__).parent
READ: dict[str, Any] = json.loads((TESTS / "data" / "published_configs.json").read_text(encoding="utf-8"))
MODELS_CONFIGS = sorted((TESTS.parent / "schedules" / "models").glob("4m-*.yaml"))


def model(name: str) -> Any:
    return MODELS[f"EPFL-VILAB/{name}"]


def test_the_whole_model_zoo_is_there() -> None:
    names = {name.removeprefix("EPFL-VILAB/") for name in (*MODELS, *TOKENIZERS)}
    assert names == set(READ["weights"])
    assert (len(MODELS), len(TOKENIZERS)) == (13, 12)


@pytest.mark.parametrize("name", READ["configs"])
def test_configs_are_those_that_were_read(name: str) -> None:
    assert model(name).config == READ["configs"][name]


@pytest.mark.parametrize("name", READ["config_bytes"])
def test_configs_written_as_published_have_the_published_length(name: str) -> None:
    # The 4M-21 files are indented, the others stand on one line.
    indent = 2 if name.startswith("4M-21") else None
    assert len(json.dumps(model(name).config, indent=indent)) == READ["config_bytes"][name]


@pytest.mark.parametrize("name", READ["architectures"])
def test_widths_are_those_of_the_size(name: str) -> None:
    config = model(name).config
    assert {key: config[key] for key in READ["architectures"][name]} == READ["architectures"][name]


def test_models_of_one_family_differ_in_width_only() -> None:
    widths = {"encoder_depth", "decoder_depth", "dim", "num_heads"}
    for published in MODELS.values():
        first = next(other for other in MODELS.values() if other.family == published.family)
        assert {k: v for k, v in published.config.items() if k not in widths} == {
            k: v for k, v in first.config.items() if k not in widths
        }


def test_a_config_can_be_changed_without_changing_the_table() -> None:
    model("4M-21_B").config["domains_in"].clear()
    assert "caption" in model("4M-21_B").config["domains_in"]


@pytest.mark.parametrize("published", MODELS.values(), ids=lambda published: published.title)
def test_every_domain_is_a_modality(published: Any) -> None:
    config = published.config
    assert {*config["domains_in"], *config["domains_out"]} <= set(MODALITIES)


@pytest.mark.parametrize("name", READ["weights"])
def test_sizes_are_those_that_the_hub_shows(name: str) -> None:
    checkpoint = MODELS.get(f"EPFL-VILAB/{name}") or TOKENIZERS[f"EPFL-VILAB/{name}"]
    number, unit = READ["weights"][name].split()
    shown = float(number) * {"MB": 1e6, "GB": 1e9}[unit]
    assert checkpoint.bytes == pytest.approx(shown, rel=0.005)
    assert checkpoint.licence == WEIGHTS_LICENCE


def test_tokenizers_cover_every_key_once_and_in_its_modalities() -> None:
    assert sorted(tokenizer.key for tokenizer in TOKENIZERS.values()) == sorted(TOKENIZER_KEYS)
    for tokenizer in TOKENIZERS.values():
        keys = {m.tokenizer_key for m in MODALITIES.values() if m.stem in tokenizer.modalities}
        assert keys == {tokenizer.key}
    edges = TOKENIZERS["EPFL-VILAB/4M_tokenizers_edge_8k_224-512"]
    assert set(edges.modalities) == {"tok_canny_edge", "tok_sam_edge"}


@pytest.mark.parametrize("path", MODELS_CONFIGS, ids=lambda path: path.stem)
def test_shipped_models_configs_are_what_a_bare_id_brings(path: Path) -> None:
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    shipped = {key: value for key, value in config.items() if key.endswith("_tok_id")}
    published = {tokenizer.key: tokenizer.id for tokenizer in tokenizers_for(config["model"])}
    super_resolution = sr_model_for(config["model"])
    assert list(shipped.items()) == list(published.items())
    assert super_resolution is not None
    assert super_resolution.id == config["sr_model"]


def test_super_resolution_has_no_further_super_resolution() -> None:
    assert sr_model_for("4M-7-SR_L_CC12M") is None
    assert {t.key for t in tokenizers_for("4M-7-SR_L_CC12M")} == {t.key for t in tokenizers_for("4M-7_B_CC12M")}


@pytest.mark.parametrize("name", ["EPFL-VILAB/4M-21_XL", "4M-21_XL", "epfl-vilab/4m-21_xl", " 4m-21_XL "])
def test_find_takes_any_case_with_or_without_owner(name: str) -> None:
    assert find(name) is model("4M-21_XL")


@pytest.mark.parametrize("name", ["", "4M-21", "other/4M-21_XL", "4M-21_XL_CC12M"])
def test_find_takes_nothing_else(name: str) -> None:
    assert find(name) is None


def test_an_unknown_model_is_named_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"4M-21_XXL is no published 4M model: did you mean EPFL-VILAB/4M-21_XL\?"):
        tokenizers_for("4M-21_XXL")
    with pytest.raises(InputError, match=r"\\x1b\[2J is no published 4M model: published are EPFL-VILAB/4M-7_B_CC12M"):
        sr_model_for("\x1b[2J")


def test_importing_it_stays_light() -> None:
    code = "import sys, fourm_tui.published; print(sorted({'torch', 'numpy', 'yaml', 'textual'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
