"""Outputs written: which files, with what in them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourm_tui.errors import FourmError, InputError
from fourm_tui.formats import boxes as box_format
from fourm_tui.formats import palette
from fourm_tui.modalities import MODALITIES, with_overrides
from fourm_tui.pictures.instances import instances_of
from fourm_tui.pictures.panels import panel_of
from fourm_tui.pictures.placed import padded
from fourm_tui.pictures.png import PREFIX, png_bytes
from fourm_tui.pictures.save import Output, output_files, output_picture, read_facts, save_output
from tests.pictures.reference import arrays, by_id, noise

FACTS = {"schedule": "cond_domains: caption\n# für – ⚙\n" * 40, "seed": "18446744073709551615"}
POSES = by_id("human_poses")["decode_full"]["text"]
SAM = by_id("sam_instances")["sam_two"]["text"]
PHOTO = Image.fromarray((noise("photo", (224, 224, 3), 0, 1) * 255).astype(np.uint8))
WIDE = padded(1600, 800)
"""The middle half of the square."""


def output(name: str, **changes) -> Output:
    """Something that could have been decoded."""
    modality = MODALITIES[name]
    values: dict = {"modality": modality}
    size, stem = modality.input_size or 224, modality.stem
    if stem in ("tok_rgb", "tok_normal"):
        values["array"] = noise(name, (3, size, size), -1.2, 1.2)
    elif stem in ("tok_canny_edge", "tok_sam_edge", "tok_depth"):
        values["array"] = noise(name, (1, size, size), -1.2, 1.2)
    elif stem == "tok_semseg":
        values["array"] = (noise(name, (size, size), 0, 134)).astype(np.int64)
    elif stem.endswith("_global"):
        values["array"] = noise(name, (768, 1, 1), -1, 1)
    elif modality.kind == "pixels":
        values["array"] = noise(name, (3, size, size), -2, 2)
    elif modality.kind == "image":
        values["array"] = noise(name, (64, size // 14, size // 14), -1, 1)
    else:
        values["text"] = {
            "caption": "a dog on the beach [EOS]",
            "det": "v0=100 v1=200 v2=800 v3=900 dog [EOS]",
            "color_palette": "v1=2 v0=255 v0=128 v0=0 v0=1 v0=2 v0=3 [EOS]",
            "metadata": "v1=0 v0=32 v1=13 v0=30 [EOS]",
            "human_poses": POSES,
            "sam_instance": SAM,
        }[name]
        if name == "human_poses":
            values["array"] = noise(name, (3, 23, 3, 3), -1, 1)
        if name == "sam_instance":
            tokens = [instance.tokens[0] for instance in instances_of(SAM)]
            values["array"] = arrays("sam_instances")["mask_logits"][np.array(tokens) % 8]
    return Output(**(values | changes))


FILES = {
    "tok_rgb@224": {".png"},
    "tok_rgb@448": {".png"},
    "tok_normal@224": {".png"},
    "tok_canny_edge@224": {".png"},
    "tok_sam_edge@224": {".png"},
    "tok_depth@224": {".png", "_16bit.png"},
    "tok_semseg@224": {".png", "_classes.png", "_legend.png"},
    "tok_clip@224": {".png", ".npy"},
    "tok_dinov2@224": {".png", ".npy"},
    "tok_imagebind@224": {".png", ".npy"},
    "tok_dinov2_global": {".npy"},
    "tok_imagebind_global": {".npy"},
    "caption": {".png"},
    "det": {".png", ".json"},
    "color_palette": {".png", ".json"},
    "metadata": {".png", ".json"},
    "human_poses": {".png", ".json"},
    "sam_instance": {".png", ".npz"},
}


@pytest.mark.parametrize("name", FILES)
def test_every_target_has_its_files_and_every_png_its_facts(name: str, tmp_path: Path) -> None:
    stem = tmp_path / "samples" / "000" / f"01_{name}"
    names = save_output(output(name, over=PHOTO), stem, FACTS)
    assert set(names) == {stem.name + ending for ending in FILES[name]}
    assert {path.name for path in stem.parent.iterdir()} == set(names)
    for path in stem.parent.glob("*.png"):
        assert FACTS.items() <= read_facts(path).items()
        with Image.open(path) as picture:
            picture.load()


def test_all_published_targets_are_known() -> None:
    stems = {MODALITIES[name].stem for name in FILES}
    assert stems == {modality.stem for modality in MODALITIES.values() if modality.is_target}


def test_the_picture_of_a_condition() -> None:
    assert output_picture(output("rgb@224")).size == (224, 224)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    save_output(output("caption"), tmp_path / "a")
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(FourmError, match="is there already"):
        save_output(output("caption", text="something else"), tmp_path / "a")
    assert (tmp_path / "a.png").read_bytes() == before


def test_depth_in_16_bits_carries_its_range() -> None:
    depth = output("tok_depth@224")
    content = output_files(depth)["_16bit.png"]
    facts = read_facts(content)
    levels = np.asarray(Image.open(io.BytesIO(content))).astype(np.float64)
    values = float(facts["depth_minimum"]) + levels * float(facts["depth_step"])
    np.testing.assert_allclose(values, depth.array[0], atol=float(facts["depth_step"]))


def test_ids_of_a_segmentation_come_back_with_their_names() -> None:
    segmentation = output("tok_semseg@224")
    content = output_files(segmentation)["_classes.png"]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), segmentation.array)
    assert json.loads(read_facts(content)["classes"])["17"] == "dog"


def test_a_model_with_its_own_classes() -> None:
    own = with_overrides({"tok_semseg@224": {"classes": ["none", "sky", "cone"]}})["tok_semseg@224"]
    content = output_files(Output(own, np.arange(9).reshape(3, 3) % 3))["_classes.png"]
    assert json.loads(read_facts(content)["classes"]) == {"0": "none", "1": "sky", "2": "cone"}


def test_feature_maps_come_back_whole() -> None:
    features = output("tok_clip@224", placed=WIDE)
    files = output_files(features)
    np.testing.assert_array_equal(np.load(io.BytesIO(files[".npy"])), features.array)
    assert Image.open(io.BytesIO(files[".png"])).size == (224, 112)


def test_an_embedding_comes_back_flat() -> None:
    embedding = output("tok_dinov2_global")
    values = np.load(io.BytesIO(output_files(embedding)[".npy"]))
    np.testing.assert_array_equal(values, embedding.array.reshape(768))


def test_what_can_be_given_again_can_be_read() -> None:
    read = box_format.read(output_files(output("det"))[".json"].decode(), "det.json")
    assert read[0].label == "dog"
    assert palette.read(output_files(output("color_palette"))[".json"].decode(), "p.json")[0] == (255, 128, 0)
    values = json.loads(output_files(output("metadata"))[".json"])
    assert values["original_width"]["text"] == "1024 px"
    assert len(json.loads(output_files(output("human_poses"))[".json"])) == 3


def test_masks_come_back() -> None:
    with np.load(io.BytesIO(output_files(output("sam_instance"))[".npz"])) as file:
        assert file["masks"].shape == (3, 224, 224) and file["masks"].dtype == bool
        assert file["boxes"].shape == (3, 4)
    with np.load(io.BytesIO(output_files(output("sam_instance", text="", array=None))[".npz"])) as file:
        assert file["masks"].shape == (0, 224, 224)


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith("_global")])
def test_what_was_padded_is_cut_off(name: str) -> None:
    picture = output_picture(output(name, placed=WIDE, over=PHOTO))
    if name in ("caption", "color_palette", "metadata"):
        assert picture.width == picture.height
    else:
        assert picture.width == 2 * picture.height


def test_padding_does_not_count_for_the_range_of_depth() -> None:
    depth = noise("d", (1, 224, 224), 0, 1)
    depth[:, :56] = 100
    facts = read_facts(output_files(output("tok_depth@224", array=depth, placed=WIDE))["_16bit.png"])
    assert float(facts["depth_step"]) < 1 / 65_000


def test_masks_and_boxes_are_cut_alike() -> None:
    whole = np.load(io.BytesIO(output_files(output("sam_instance"))[".npz"]))
    part = np.load(io.BytesIO(output_files(output("sam_instance", placed=WIDE))[".npz"]))
    np.testing.assert_array_equal(part["masks"], whole["masks"][:, 56:168])
    np.testing.assert_array_equal(part["boxes"], whole["boxes"] - [0, 56, 0, 56])


@pytest.mark.parametrize("name", ["human_poses", "sam_instance"])
def test_arrays_that_do_not_fit_the_text_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="for 3"):
        output_files(output(name, array=np.zeros((2, 23, 3, 3))))


def test_a_missing_array_is_named() -> None:
    with pytest.raises(ValueError, match="tok_rgb@224"):
        output_files(output("tok_rgb@224", array=None))


def test_facts_of_other_programs_are_not_ours(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_text("Software", "another")
    chunks.add_text(PREFIX + "seed", "7")
    PHOTO.save(tmp_path / "a.png", pnginfo=chunks)
    assert read_facts(tmp_path / "a.png") == {"seed": "7"}
    assert read_facts(png_bytes(PHOTO)) == {}


@pytest.mark.parametrize("text", ["", "a\nb\tc", "ß–⚙\u202e", "\ud800", "x" * 100_000])
def test_facts_of_any_kind_come_back(text: str) -> None:
    assert read_facts(png_bytes(PHOTO, {"fact": text})) == {"fact": "\\ud800" if text == "\ud800" else text}


def test_what_is_no_png_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no PNG"):
        read_facts(tmp_path / "a.png")
    with pytest.raises(InputError, match="no such file"):
        read_facts(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"no PNG|cannot be read"):
        read_facts(png_bytes(PHOTO, FACTS)[:60])
    with pytest.raises(InputError, match="cannot be read"):
        read_facts(tmp_path)


def test_pictures_need_neither_torch_nor_textual() -> None:
    script = (
        "import sys, fourm_tui.pictures.save, fourm_tui.pictures.contact\n"
        "print(sorted({'torch', 'textual', 'matplotlib', 'cv2', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_panels_say_what_a_picture_does_not() -> None:
    caption = panel_of(output("caption"), "given")
    assert (caption.title, caption.picture, caption.text) == ("Caption", None, "a dog on the beach")
    embedding = panel_of(output("tok_dinov2_global", array=np.ones((4, 1, 1))))
    assert (embedding.picture, embedding.text) == (None, "4 numbers, length 2")
    ids = np.array([[17, 17], [17, 120]])
    assert panel_of(output("tok_semseg@224", array=ids)).text == "dog 75%, sky-other-merged 25%"
    assert panel_of(output("tok_rgb@224"), note="8 steps").picture.size == (224, 224)
