"""Conditions from files and texts: what is read, how it is placed, and what is said of what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from fourm_tui.conditions.given import Given, parse_conditions
from fourm_tui.conditions.loading import Condition, load_condition, load_conditions
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError
from fourm_tui.modalities import MODALITIES, with_overrides

TOKENS = np.arange(196) * 3


def load(argument: str, **others: Any) -> Condition:
    name = argument.partition("=")[0]
    return load_conditions({**others, **parse_conditions([argument])})[name]


def said(argument: str) -> str:
    with pytest.raises(InputError) as error:
        load(argument)
    return str(error.value)


def values(condition: Condition) -> np.ndarray:
    assert condition.values is not None and condition.tokens is None and condition.needs_tokens
    return condition.values


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def photo(width: int = 64, height: int = 40) -> Image.Image:
    """Left red, right green, with a blue line at the top."""
    image = Image.new("RGB", (width, height), (255, 0, 0))
    image.paste((0, 255, 0), (width // 2, 0, width, height))
    image.paste((0, 0, 255), (0, 0, width, 2))
    return image


# What is given.


def test_options_stand_behind_a_path_that_may_hold_commas() -> None:
    (given,) = parse_conditions(["tok_canny_edge@224=a,b=c.png,mask=m,1.png,fit=pad,as=photo"]).values()
    assert given == Given(
        "tok_canny_edge@224", path=Path("a,b=c.png"), mask=Path("m,1.png"), fit="pad", reading="photo"
    )
    assert not given.complete


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("rgb@224=a.png,fit=stretch", "fit=stretch is to be one of crop, pad"),
        ("rgb@224=a.png,mask=b.png", "takes no mask"),
        ("rgb@224=a.png,as=photo", "takes no `as=`"),
        ("tok_rgb@224=a.png,ids=coco", "takes no `ids=`"),
        ("tok_rgb@224=a.png,mask=", "names no file"),
        ("tok_rgb@224=", "names no file"),
        ("tok_rgb@224=a.png,fit=pad,fit=crop", "given twice"),
        ("caption", "is to be NAME=VALUE"),
        ("tok_rgb=a.png", "did you mean tok_rgb@224?"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(argument: str, sentence: str) -> None:
    assert sentence in said(argument)


# Pictures.


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("1", {"format": "PNG"}), ("L", {"format": "PNG"}), ("LA", {"format": "PNG"}), ("P", {"format": "GIF"}),
        ("RGB", {"format": "BMP"}), ("RGBA", {"format": "WEBP", "lossless": True}), ("CMYK", {"format": "JPEG"}),
        ("CMYK", {"format": "TIFF"}), ("I;16", {"format": "PNG"}), ("F", {"format": "TIFF"}), ("YCbCr", {"format": "TIFF"}),
    ],
)  # fmt: skip
def test_every_colour_mode_becomes_a_photo(mode: str, options: dict[str, Any], tmp_path: Path) -> None:
    grey = Image.new("L", (40, 30), 255)
    grey.paste(0, (0, 0, 20, 30))
    if mode == "I;16":
        grey = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode == "F":
        grey = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    else:
        grey = grey.convert("RGB").convert(mode)
    pixels = values(load(f"tok_rgb@224={saved(grey, tmp_path / 'x', **options)}"))
    assert pixels.shape == (3, 224, 224) and pixels.dtype == np.float32
    assert np.allclose(pixels[:, 112, 20], -1, atol=0.1) and np.allclose(pixels[:, 112, 200], 1, atol=0.1)


def test_of_an_animation_the_first_frame_counts(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    pixels = values(load(f"tok_rgb@224={tmp_path / 'a.gif'}"))
    assert (pixels[0] > 0.9).all() and (pixels[2] < -0.9).all()


def test_tokenizers_and_the_model_take_differently_normalised_pixels(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (8, 8), (255, 0, 128)), tmp_path / "x.png")
    tokens, pixels = values(load(f"tok_rgb@448={path}")), load(f"rgb@448={path}").pixels
    assert pixels is not None and tokens.shape == pixels.shape == (3, 448, 448)
    assert tokens[:, 0, 0].tolist() == pytest.approx([1, -1, 128 / 127.5 - 1], abs=1e-6)
    assert pixels[:, 0, 0].tolist() == pytest.approx([(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225])


def test_padding_keeps_all_of_a_picture_and_can_be_taken_off_again(tmp_path: Path) -> None:
    path = saved(photo(64, 32), tmp_path / "x.png")
    cropped, padded = load(f"tok_rgb@224={path}"), load(f"tok_rgb@224={path},fit=pad")
    assert cropped.view == View(64, 32, 16, 0, 32, 32) and padded.view == View(64, 32, 0, 0, 64, 64)
    pixels = values(padded)
    assert (pixels[:, 114:] == -1).all()
    shown = padded.view.unpad(pixels)
    assert shown.shape == (3, 112, 224)
    assert shown[0, 60, 20] == pytest.approx(1, abs=0.05) and shown[1, 60, 200] == pytest.approx(1, abs=0.05)
    assert cropped.view.unpad(values(cropped)).shape == (3, 224, 224)


def test_unpadding_a_mirrored_tall_picture_takes_its_own_side() -> None:
    view = View(20, 40, 0, 0, 40, 40, flip=True)
    assert view.content(224, 224) == (112, 0, 224, 224)
    assert View(20, 40, 0, 0, 40, 40).content(224, 224) == (0, 0, 112, 224)


def test_feature_modalities_take_no_picture(tmp_path: Path) -> None:
    path = saved(photo(), tmp_path / "x.png")
    assert "x.png is a picture; CLIP features are given as features or tokens" in said(f"tok_clip@224={path}")


# Depth, normals, segmentation.


def test_depth_is_the_same_from_a_picture_and_an_array(tmp_path: Path) -> None:
    depth = np.linspace(0, 65535, 50 * 60).reshape(50, 60).astype(np.uint16)
    np.save(tmp_path / "d.npy", depth)
    np.save(tmp_path / "m.npy", depth.astype(np.float32) / 65535 * 80)  # metres
    picture = values(load(f"tok_depth@224={saved(Image.fromarray(depth), tmp_path / 'd.png')}"))
    for name in ("d.npy", "m.npy"):
        assert np.allclose(values(load(f"tok_depth@224={tmp_path / name}")), picture, atol=2e-3)
    assert picture.shape == (1, 224, 224)
    middle = np.sort(picture.reshape(-1))[5017:-5017]
    assert abs(middle.mean()) < 1e-3 and abs(middle.std() - 1) < 1e-2


def test_padding_of_depth_is_not_counted(tmp_path: Path) -> None:
    depth = np.tile(np.linspace(0.2, 0.8, 60, dtype=np.float32), (30, 1))
    np.save(tmp_path / "d.npy", depth)
    padded = values(load(f"tok_depth@224={tmp_path / 'd.npy'},fit=pad"))
    assert (padded[0, 112:] == 0).all()
    assert abs(padded[0, :112].mean()) < 1e-3


def test_a_coloured_picture_is_no_depth_and_a_grey_one_no_normals(tmp_path: Path) -> None:
    colours, grey = saved(photo(), tmp_path / "c.png"), saved(photo().convert("L"), tmp_path / "g.png")
    assert "c.png is a picture in colours; expected is a depth map" in said(f"tok_depth@224={colours}")
    assert "g.png is a grey picture; expected are surface normals" in said(f"tok_normal@224={grey}")
    assert "c.png is a picture in RGB; expected are class ids" in said(f"tok_semseg@224={colours}")


def test_normals_may_be_an_array_of_unit_vectors(tmp_path: Path) -> None:
    normals = np.zeros((3, 30, 30), np.float32)
    normals[2] = -1
    np.save(tmp_path / "n.npy", normals)
    pixels = values(load(f"tok_normal@224={tmp_path / 'n.npy'}"))
    assert np.allclose(pixels[:, 100, 100], [0, 0, -1], atol=0.01)
    np.save(tmp_path / "n.npy", normals * 5)
    assert "normals are from -1 to 1" in said(f"tok_normal@224={tmp_path / 'n.npy'}")


def test_classes_are_counted_as_coco_does_unless_said_otherwise(tmp_path: Path) -> None:
    classes = np.zeros((40, 40), np.uint8)
    classes[:, 20:] = 17
    classes[:10] = 255
    path = saved(Image.fromarray(classes), tmp_path / "s.png")
    np.save(tmp_path / "s.npy", classes)
    for given in (path, tmp_path / "s.npy"):
        found = values(load(f"tok_semseg@224={given}"))
        assert found.shape == (224, 224) and found.dtype == np.int64
        assert [found[5, 5], found[200, 5], found[200, 200]] == [0, 1, 18]
    own = np.where(classes == 255, 0, classes)
    path = saved(Image.fromarray(own), tmp_path / "own.png")
    assert values(load(f"tok_semseg@224={path},ids=model"))[200, 200] == 17
    np.save(tmp_path / "s.npy", np.full((40, 40), 140))
    assert "class id 140; expected are 0 to 132" in said(f"tok_semseg@224={tmp_path / 's.npy'}")


def test_a_model_with_its_own_classes_counts_them_itself(tmp_path: Path) -> None:
    table = with_overrides({"tok_semseg@224": {"classes": ["ground", "ball"]}})
    path = saved(Image.new("L", (9, 9), 1), tmp_path / "s.png")
    found = load_condition(Given("tok_semseg@224", path=path), table)
    assert (values(found) == 1).all()
    saved(Image.new("L", (9, 9), 2), path)
    with pytest.raises(InputError, match="class id 2; expected are 0 to 1"):
        load_condition(Given("tok_semseg@224", path=path), table)


def test_the_palette_of_an_index_picture_does_not_matter(tmp_path: Path) -> None:
    image = Image.new("P", (9, 9), 5)
    image.putpalette([200, 100, 50] * 256)
    assert (values(load(f"tok_semseg@224={saved(image, tmp_path / 's.png')}")) == 6).all()


# Features and tokens.


def test_features_go_to_their_tokenizer(tmp_path: Path) -> None:
    for name, shape in (
        ("tok_clip@224", (512, 14, 14)), ("tok_clip@448", (512, 28, 28)), ("tok_dinov2@224", (768, 16, 16)),
        ("tok_imagebind@224", (1280, 16, 16)), ("tok_dinov2_global", (768, 1, 1)), ("tok_imagebind_global", (1280, 1, 1)),
    ):  # fmt: skip
        np.save(tmp_path / "f.npy", np.ones((1, *shape), np.float16))
        found = values(load(f"{name}={tmp_path / 'f.npy'}"))
        assert found.shape == shape and found.dtype == np.float32
    np.save(tmp_path / "f.npy", np.ones(768, np.float32))
    assert values(load(f"tok_dinov2_global={tmp_path / 'f.npy'}")).shape == (768, 1, 1)
    np.save(tmp_path / "f.npy", np.ones((768, 14, 14), np.float32))
    assert "shape [768, 14, 14]; expected are 196 token ids, or features of the shape [512, 14, 14]" in said(
        f"tok_clip@224={tmp_path / 'f.npy'}"
    )


@pytest.mark.parametrize("shape", [(196,), (1, 196), (14, 14), (1, 14, 14)])
def test_tokens_may_have_the_shape_of_their_grid(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", TOKENS.reshape(shape).astype(np.int16))
    found = load(f"tok_rgb@224={tmp_path / 't.npy'}")
    assert found.tokens is not None and (found.tokens == TOKENS).all() and found.complete and not found.needs_tokens


def test_of_the_tokens_of_several_crops_one_counts(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.stack([TOKENS, TOKENS + 1]))
    path = tmp_path / "t.npy"
    second = load_condition(Given("tok_rgb@224", path=path, index=1)).tokens
    assert second is not None and second[0] == 1
    with pytest.raises(InputError, match="tokens of 2 crops; number 3 is asked for"):
        load_condition(Given("tok_rgb@224", path=path, index=2))


def test_tokens_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    np.save(path, TOKENS[:100])
    assert "int64 values of the shape [100]; expected are 196 token ids" in said(f"tok_rgb@224={path}")
    np.save(path, TOKENS + 20_000)
    assert "token ids from 20000 to 20585; expected are 0 to 16383" in said(f"tok_rgb@224={path}")
    np.save(path, TOKENS / 2)
    assert "float64 values of the shape [196]; expected are token ids" in said(f"tok_rgb@224={path}")


def test_a_runs_own_token_file_says_what_is_open(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    step = np.zeros(196, np.int16)
    arrays = {"tokens": TOKENS.astype(np.int32), "step": step, "confidence": np.ones(196, np.float32)}
    facts = {"schema": "1", "modality": "tok_rgb@224", "row": "1", "seed": "0"}
    save_file(arrays, path, facts)
    whole = load(f"tok_rgb@224={path}")
    assert whole.complete and whole.known is None
    step[:50] = -2
    save_file(arrays, path, facts)
    part = load(f"tok_rgb@224={path}")
    assert not part.complete and part.known is not None and part.known.tolist() == [False] * 50 + [True] * 146
    assert "holds tokens of tok_rgb@224; expected are those of tok_depth@224" in said(f"tok_depth@224={path}")


def test_arrays_need_no_file() -> None:
    found = load_conditions({"tok_rgb@224": TOKENS, "tok_clip@224": np.zeros((512, 14, 14), np.float32)})
    assert found["tok_rgb@224"].tokens is not None and found["tok_clip@224"].needs_tokens
    encoded = found["tok_clip@224"].with_tokens(TOKENS.reshape(1, 14, 14))
    assert encoded.tokens is not None and encoded.tokens.shape == (196,) and not encoded.needs_tokens
    with pytest.raises(InputError, match="no finite numbers"):
        load_conditions({"tok_clip@224": np.full((512, 14, 14), np.nan)})


# Masks.


def half(width: int, height: int) -> Image.Image:
    """White in the left half."""
    image = Image.new("L", (width, height), 0)
    image.paste(255, (0, 0, width // 2, height))
    return image


def test_white_is_generated_whatever_the_size_of_the_mask(tmp_path: Path) -> None:
    path = saved(photo(64, 40), tmp_path / "x.png")
    for size in ((64, 40), (640, 400), (33, 33)):
        mask = saved(half(*size), tmp_path / "m.png")
        found = load(f"tok_rgb@224={path},mask={mask}")
        assert found.known is not None and found.needs_tokens and not found.complete
        assert (found.known.reshape(14, 14) == (np.arange(14) >= 7)).all()


def test_a_mask_moves_with_the_crop_of_its_picture(tmp_path: Path) -> None:
    path, mask = saved(photo(80, 40), tmp_path / "x.png"), Image.new("L", (80, 40), 0)
    mask.paste(255, (40, 0, 60, 20))
    found = load(f"tok_rgb@224={path},mask={saved(mask, tmp_path / 'm.png')}")
    assert found.known is not None
    opened = ~found.known.reshape(14, 14)
    assert opened[:7, 7:].all() and opened.sum() == 49


def test_padding_is_generated_with_a_mask(tmp_path: Path) -> None:
    path, mask = saved(photo(64, 32), tmp_path / "x.png"), Image.new("L", (64, 32), 0)
    mask.paste(255, (0, 0, 32, 32))
    found = load(f"tok_rgb@224={path},fit=pad,mask={saved(mask, tmp_path / 'm.png')}")
    assert found.known is not None
    known = found.known.reshape(14, 14)
    assert known[:7, 7:].all() and known.sum() == 49


def test_masks_go_with_tokens_too(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", TOKENS)
    found = load(f"tok_rgb@224={tmp_path / 't.npy'},mask={saved(half(50, 50), tmp_path / 'm.png')}")
    assert found.tokens is not None and found.known is not None and found.known.sum() == 98


def test_masks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = saved(photo(64, 40), tmp_path / "x.png")
    long = saved(half(100, 20), tmp_path / "long.png")
    assert "100 x 20 pixels, its picture 64 x 40; expected is the same shape" in said(f"tok_rgb@224={path},mask={long}")
    for colour, what in ((0, "all black"), (255, "all white")):
        mask = saved(Image.new("L", (64, 40), colour), tmp_path / "m.png")
        assert what in said(f"tok_rgb@224={path},mask={mask}")


# Texts.


@pytest.mark.parametrize(
    ("content", "ending", "text"),
    [
        ("a red fox\n", ".txt", "a red fox"),
        ("\ufeffa red fox", ".txt", "a red fox"),
        ('"a red fox"', ".json", "a red fox"),
        ('["a red fox", "another"]', ".json", "a red fox"),
        ('[{"caption": "a red fox"}]', ".json", "a red fox"),
        ('{"caption": "a red fox"}', ".json", "a red fox"),
    ],
)
def test_captions_are_read_from_files(content: str, ending: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"c{ending}"
    path.write_text(content, encoding="utf-8")
    assert load(f"caption=@{path}").text == text


def test_a_caption_is_taken_literally() -> None:
    assert load('caption=[a] {"caption": "fox"}').text == '[a] {"caption": "fox"}'
    assert not load("caption=a red [S_1]").complete
    with pytest.raises(InputError, match="is no sentinel as it stands"):
        load("caption=a[S_1]b")


def test_boxes_move_with_the_picture_that_is_given_too(tmp_path: Path) -> None:
    picture = {"rgb@224": str(saved(photo(80, 40), tmp_path / "x.png"))}
    assert load("det=dog 20 0 60 40", **picture).text == "v0=0 v1=0 v2=999 v3=999 dog"
    assert load("det=dog 0.5 0.5 1 1", **picture).text == "v0=500 v1=500 v2=999 v3=999 dog"
    padded = {"rgb@224": f"{tmp_path / 'x.png'},fit=pad"}
    assert load("det=dog 0 0 80 40", **padded).text == "v0=0 v1=0 v2=999 v3=500 dog"
    native = "v0=1 v1=2 v2=3 v3=4 dog"
    assert load(f"det={native}", **picture).text == native
    with pytest.raises(InputError, match="none of the boxes lies in the part of the picture that is shown"):
        load("det=dog 0 0 10 10", **picture)


def test_boxes_in_pixels_need_their_picture() -> None:
    assert "the size of their picture is not known" in said("det=dog 20 0 60 40")
    assert load("det=dog 0.5 0.5 1 1").text == "v0=500 v1=500 v2=999 v3=999 dog"


def test_the_order_in_which_conditions_are_named_does_not_matter(tmp_path: Path) -> None:
    path = str(saved(photo(80, 40), tmp_path / "x.png"))
    first = load_conditions({"det": "dog 20 0 60 40", "tok_depth@224": TOKENS, "rgb@224": path})
    assert list(first) == ["det", "tok_depth@224", "rgb@224"]
    assert first["det"].text == "v0=0 v1=0 v2=999 v3=999 dog"


def test_metadata_and_palettes_are_written_as_people_do() -> None:
    assert load("metadata=original_width: 1024, n_humans: 2").text == "v1=0 v0=32 v1=5 v0=2"
    assert load("color_palette=#ff0000 #0f0").text == "v1=2 v0=255 v0=0 v0=0 v0=0 v0=255 v0=0"


def test_instances_wait_for_their_tokens(tmp_path: Path) -> None:
    polygons = [[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]], [[0, 0], [0.2, 0], [0.1, 0.2]]]
    (tmp_path / "s.json").write_text(json.dumps(polygons))
    found = load(f"sam_instance=@{tmp_path / 's.json'}")
    assert found.text is None and found.needs_tokens and found.values is not None
    assert found.values.shape == (2, 1, 64, 64) and set(np.unique(found.values)) == {0, 1}
    assert found.values[0].all() and not found.values[1].all()
    text = found.with_tokens(np.arange(32).reshape(2, 16)).text
    assert text is not None
    assert text.startswith("point v0=112 v1=112 polygon v0=56 v1=56 v2=168 v3=168 v0=0 v0=1 ")
    assert text.count("polygon") == 2


def test_instances_that_are_encoded_already_need_no_tokenizer(tmp_path: Path) -> None:
    query = {"x": 10, "y": 20, "instances": [{"box": [0, 0, 30, 40], "tokens": list(range(600, 616))}]}
    (tmp_path / "s.json").write_text(json.dumps({"queries": [query, {"x": 1, "y": 2, "instances": []}]}))
    found = load(f"sam_instance=@{tmp_path / 's.json'}")
    assert not found.needs_tokens and found.text is not None
    assert found.text.startswith("point v0=20 v1=10 polygon v0=0 v1=0 v2=30 v3=40 v1=88 ")
    assert found.text.endswith("point v0=2 v1=1 none")


# T5.


def test_t5_embeddings_end_where_their_mask_says(tmp_path: Path) -> None:
    vectors = np.ones((2, 6, 4096), np.float16)
    np.savez(tmp_path / "t.npz", emb=vectors, mask_valid=np.array([[1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]]))
    found = load(f"t5_caption={tmp_path / 't.npz'}").vectors
    assert found is not None and found.shape == (3, 4096) and found.dtype == np.float32
    vectors[:, 4:] = 0
    np.savez(tmp_path / "t.npz", emb=vectors[0])
    found = load(f"t5_caption={tmp_path / 't.npz'}").vectors
    assert found is not None and len(found) == 4


def test_t5_embeddings_may_be_bfloat16(tmp_path: Path) -> None:
    halves = np.full((5, 4096), 0x3FC0, np.uint16)  # 1.5
    header = json.dumps({"emb": {"dtype": "BF16", "shape": [5, 4096], "data_offsets": [0, halves.nbytes]}}).encode()
    (tmp_path / "t.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + halves.tobytes())
    found = load(f"t5_caption={tmp_path / 't.safetensors'}").vectors
    assert found is not None and found.shape == (5, 4096) and (found == 1.5).all()


def test_a_text_for_t5_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    assert "need the extra t5 (pip install 'fourm-tui[t5]')" in said("t5_caption=a red fox")


def test_a_text_for_t5_is_embedded_by_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    class States:
        def __init__(self, text: str) -> None:
            self.last_hidden_state = [self]
            self.array = np.full((len(text.split()), 4096), 2.0, np.float32)

        def float(self) -> States:
            return self

        def cpu(self) -> States:
            return self

        def numpy(self) -> np.ndarray:
            return self.array

    class Loader:
        def __init__(self, result: Any) -> None:
            self.result = result

        def from_pretrained(self, *_: Any, **__: Any) -> Any:
            return self.result

    class Encoder:
        def eval(self) -> Encoder:
            return self

        def requires_grad_(self, _: bool) -> Encoder:
            return self

        def __call__(self, text: str) -> States:
            return States(text)

    class Transformers:
        AutoTokenizer = Loader(lambda text, **_: {"text": text})
        T5EncoderModel = Loader(Encoder())

    monkeypatch.setitem(__import__("sys").modules, "transformers", Transformers)
    found = load("t5_caption=a red fox").vectors
    assert found is not None and found.shape == (3, 4096)


def test_every_modality_says_what_it_expects_of_a_wrong_array(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 5, 2, 2), np.float32))
    for name, modality in MODALITIES.items():
        if modality.kind != "sequence":
            assert f"-i {name}: {tmp_path / 'a.npy'}" in said(f"{name}={tmp_path / 'a.npy'}")
