"""Files that are broken, huge, special or meant to harm: one clear sentence each, and nothing hangs or runs."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourm_tui.conditions.loading import load_conditions
from fourm_tui.errors import InputError

PHOTO = Path(__file__).parents[1] / "data" / "conditions" / "images" / "rgba_301x199.png"


def message(name: str, path: object) -> str:
    """What is said about a condition that cannot be used."""
    with pytest.raises(InputError) as error:
        load_conditions({name: str(path)})
    text = str(error.value)
    assert "\n" not in text and text.startswith(f"-i {name}")
    return text


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


class Harm:
    """What runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["rgb@224", "tok_rgb@224", "tok_depth@224", "tok_canny_edge@224"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is an empty file"),
        (b"not a picture at all, but a text\n" * 10, "no picture, or a damaged one: its content is of no known format"),
        (PHOTO.read_bytes()[:9000], "is no picture, or a damaged one"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "its content is of no known format"),
        (png_claiming(200_000, 200_000), "more pixels than can be read safely"),
        (png_claiming(11_000, 11_000), "11000 x 11000 pixels, more than can be read safely"),
        (png_claiming(70_000, 2), "70000 x 2 pixels, more than can be read safely"),
    ],
    ids=["empty", "text", "truncated", "postscript", "bomb", "large", "long"],
)
def test_what_is_no_picture_is_said(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    assert said in message(name, path)
    assert "photo.png" in message(name, path)


@pytest.mark.parametrize("ending", [".png", ".npy"])
def test_special_files_are_not_opened(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{ending}").mkdir()
    os.mkfifo(tmp_path / f"pipe{ending}")
    (tmp_path / f"zero{ending}").symlink_to("/dev/zero")
    assert "is a folder, not a file" in message("tok_rgb@224", tmp_path / f"folder{ending}")
    assert "is a pipe, not a file" in message("tok_rgb@224", tmp_path / f"pipe{ending}")
    assert "is a device, not a file" in message("tok_rgb@224", tmp_path / f"zero{ending}")
    assert "No such file" in message("tok_rgb@224", tmp_path / f"nothing{ending}")


def test_special_files_are_not_opened_as_text(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "is a pipe, not a file" in message("caption", f"@{tmp_path}/pipe.txt")
    assert "is a folder, not a file" in message("caption", f"@{tmp_path}")


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(PHOTO.read_bytes())

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fourm_tui.conditions.files.os.open", denied)
    assert "secret.png cannot be read: Permission denied" in message("rgb@224", path)


def test_escape_sequences_in_names_are_shown_not_run(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b]0;owned\x07\n.png"
    path.write_bytes(b"no picture")
    assert "a\\x1b]0;owned\\x07\\n.png" in message("rgb@224", path)


def test_pickles_in_arrays_are_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    np.save(tmp_path / "harm.npy", np.array([Harm(proof)], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "harm.npz", tokens=np.array([Harm(proof)], dtype=object))
    (tmp_path / "plain.npy").write_bytes(pickle.dumps(Harm(proof)))
    assert "holds Python objects" in message("tok_rgb@224", tmp_path / "harm.npy")
    assert "holds Python objects" in message("tok_rgb@224", tmp_path / "harm.npz")
    assert "is damaged, or no .npy file" in message("tok_rgb@224", tmp_path / "plain.npy")
    assert not proof.exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_finite_numbers_are_refused(bad: float, tmp_path: Path) -> None:
    for name, shape in (("tok_depth@224", (20, 30)), ("tok_clip@224", (512, 14, 14)), ("t5_caption", (3, 4096))):
        values = np.ones(shape, np.float32)
        values.reshape(-1)[7] = bad
        np.save(tmp_path / "bad.npy", values)
        assert "no finite numbers" in message(name, tmp_path / "bad.npy")


def test_values_of_a_float_picture_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    values = np.ones((20, 20), np.float32)
    values[3, 3] = np.nan
    Image.fromarray(values).save(tmp_path / "depth.tiff")
    assert "no finite numbers" in message("tok_depth@224", tmp_path / "depth.tiff")
    assert "no finite numbers" in message("rgb@224", tmp_path / "depth.tiff")


def npy_header(shape: str, kind: str = "<f8") -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy_header("(1000000, 1000000)"), "larger than 512 MiB"),
        (npy_header("(-1, 196)"), "damaged"),
        (npy_header("(196,)") + bytes(100), "is cut off"),
        (npy_header("(196,)").replace(b"{", b"M"), "is damaged"),
        (npy_header("('a',)"), "is damaged"),
        (npy_header("(196,)", "<U9") + bytes(196 * 36), "expected are numbers"),
        (b"\x93NUMPY\x09\x00" + bytes(100), "is damaged"),
        (b"\x93NUM", "is damaged"),
        (b"text", "is damaged"),
    ],
)
def test_arrays_are_not_trusted_about_their_size(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    assert said in message("tok_rgb@224", tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tokens.npy", content)
    assert said in message("tok_rgb@224", tmp_path / "a.npz")


@pytest.mark.parametrize(
    "header",
    [
        b"{}",
        b"[1]",
        b"not json",
        b'{"tokens": 3}',
        b'{"tokens": {"dtype": "I64", "shape": [196], "data_offsets": [0, 9999999999]}}',
        b'{"tokens": {"dtype": "I64", "shape": [196], "data_offsets": [0, 1568]}}',
        b'{"tokens": {"dtype": "I64", "shape": [99999999999], "data_offsets": [0, 799999999992]}}',
        b'{"tokens": {"dtype": "X", "shape": [196], "data_offsets": [0, 1568]}, "__metadata__": 5}',
        b'{"tokens": {"dtype": "I64", "shape": [-1], "data_offsets": [8, 0]}}',
    ],
)
def test_damaged_safetensors_are_refused(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(50))
    assert "a.safetensors" in message("tok_rgb@224", path)
    path.write_bytes(b"\xff" * 8 + header)
    assert "is no safetensors file" in message("tok_rgb@224", path)


def test_texts_that_are_too_large_or_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("a" * (2**20 + 1))
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00caf\xe9")
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(bytes(2**24 + 5)))
    (tmp_path / "torn.json.gz").write_bytes(gzip.compress(b'"caption"')[:-4])
    assert "larger than a text of 1 MiB" in message("caption", f"@{tmp_path}/long.txt")
    assert "is no text in UTF-8" in message("caption", f"@{tmp_path}/bytes.txt")
    assert "larger than a text of 16 MiB" in message("caption", f"@{tmp_path}/bomb.json.gz")
    assert "cannot be read" in message("caption", f"@{tmp_path}/torn.json.gz")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("caption", "{}"),
        ("caption", "[]"),
        ("caption", "[" * 100_000),
        ("det", '{"instances": 3}'),
        ("det", '{"instances": [{"class_name": "dog", "boxes": [0, 0, 1]}]}'),
        ("human_poses", '{"bbox_xyxy": [[0, 0, 1]]}'),
        ("human_poses", '{"pred_smpl_params": {}, "bbox_xyxy": [[0, 0, 1, NaN]]}'),
        ("human_poses", "[1, 2]"),
        ("sam_instance", "[[[0, 0], [1, 1]]]"),
        ("sam_instance", "[[[0, 0], [1e308, 1], [1, 1e308]]]"),
        ("sam_instance", '{"polygons": [[[0, 0], [9, 0], [9, 9]]], "size": [0, 5]}'),
        ("sam_instance", '{"queries": [{"x": 1, "y": 2, "instances": [{"box": [0, 0, 1, 1], "tokens": [1]}]}]}'),
        ("sam_instance", '{"queries": 7}'),
        ("color_palette", '[{"1": 3}]'),
        ("metadata", "[]"),
    ],
)
def test_json_of_another_form_is_refused(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    assert "a.json" in message(name, f"@{tmp_path}/a.json")


def test_a_large_png_takes_little_more_than_its_pixels(tmp_path: Path) -> None:
    image = Image.new("L", (9000, 9000), 128)
    image.putpixel((4500, 4500), 255)
    image.save(tmp_path / "large.png", compress_level=1)
    code = (
        "import resource, sys\nfrom fourm_tui.conditions.loading import load_conditions\n"
        "load_conditions({'rgb@224': sys.argv[2]})\n"  # imports, and Pillow's tables
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "pixels = load_conditions({'rgb@224': sys.argv[1]})['rgb@224'].pixels\nassert pixels.shape == (3, 224, 224)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "large.png"), str(PHOTO)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    kibibytes = int(done.stdout) / (1024 if sys.platform == "darwin" else 1)
    assert kibibytes < 2 * 81_000  # the picture has 81 million bytes


def test_a_large_jpeg_is_made_smaller_while_it_is_decoded(tmp_path: Path) -> None:
    Image.effect_noise((9000, 7000), 30).save(tmp_path / "large.jpg", quality=20)
    pixels = load_conditions({"rgb@224": str(tmp_path / "large.jpg")})
    assert pixels["rgb@224"].view is not None
    assert (pixels["rgb@224"].view.width, pixels["rgb@224"].view.across) == (9000, 7000)


def test_every_cut_of_a_small_picture_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for ending in ("PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        buffer = io.BytesIO()
        Image.linear_gradient("L").resize((20, 10)).convert("RGB").save(buffer, ending)
        content = buffer.getvalue()
        for length in range(1, len(content), max(1, len(content) // 40)):
            path.write_bytes(content[:length])
            try:
                load_conditions({"rgb@224": path})
            except InputError as error:
                assert str(path) in str(error)
