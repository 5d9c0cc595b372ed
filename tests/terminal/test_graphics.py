"""Sixel and kitty's protocol: what a terminal makes of it, and how many bytes it takes."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fourm_tui.terminal.graphics import delete_kitty, kitty, sixel
from tests.terminal.scenes import class_map, noise, scene

CELL = (10, 20)


def decoded_sixels(text: str) -> tuple[np.ndarray, int]:
    """The pixels and the number of colours, as a terminal reads them to which a definition selects nothing."""
    found = re.fullmatch(r'\x1b7\x1bP[\d;]*q"1;1;(\d+);(\d+)(.*)\x1b\\\x1b8', text, re.S)
    assert found
    width, height = int(found[1]), int(found[2])
    pixels = np.full((height + 6, width, 3), -1.0)
    registers: dict[int, list[float]] = {}
    x = y = 0
    current = None
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([$-])|([?-~])", found[3]):
        if token[2]:
            registers[int(token[1])] = [int(token[place]) * 2.55 for place in (2, 3, 4)]
        elif token[1]:
            current = int(token[1])
        elif token[7]:
            x, y = 0, y + 6 * (token[7] == "-")
        else:
            count, bits = (int(token[5]), ord(token[6]) - 63) if token[5] else (1, ord(token[8]) - 63)
            for row in range(6):
                if bits >> row & 1:
                    assert current is not None
                    pixels[y + row, x : x + count] = registers[current]
            x += count
    assert (pixels[height:] == -1).all()
    return pixels[:height], len(registers)


def decoded_kitty(text: str) -> tuple[list[dict[str, str]], Image.Image]:
    """The keys of each piece, and the picture they add up to."""
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in pieces) == text
    assert all(len(data) <= 4096 for _, data in pieces)
    picture = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in pieces))))
    return [dict(key.split("=") for key in keys.split(",")) for keys, _ in pieces], picture


def test_sixels_show_the_picture_in_its_cells() -> None:
    pixels, colours = decoded_sixels(sixel(scene(), 28, 14, CELL))
    assert pixels.shape == (276, 280, 3)  # whole lines of six pixels within 14 rows of 20
    assert colours <= 64
    want = np.asarray(scene().resize((280, 276), Image.Resampling.BICUBIC), dtype=float)
    assert np.abs(pixels - want).mean() < 4


def test_sixels_of_a_label_map_have_its_colours_and_no_others() -> None:
    pixels, colours = decoded_sixels(sixel(class_map(), 28, 14, CELL, crisp=True))
    assert colours == 4
    want = np.asarray(class_map().resize((280, 276), Image.Resampling.NEAREST), dtype=float)
    assert np.abs(pixels - want).max() < 1.5  # sixel counts colours in percent


@pytest.mark.parametrize("cell", [(10, 20), (9, 17), (7, 15), (16, 32)])
def test_sixels_never_reach_below_their_rows(cell: tuple[int, int]) -> None:
    for rows in (1, 2, 3, 7):
        pixels, _ = decoded_sixels(sixel(scene(40), 5, rows, cell))
        assert pixels.shape[1] == 5 * cell[0]
        assert rows * cell[1] - 6 < pixels.shape[0] <= rows * cell[1]


def test_bytes_of_40_by_20_cells() -> None:
    assert len(sixel(scene(), 40, 20, CELL)) < 100_000
    assert len(kitty(scene(), 40, 20, CELL)) < 130_000
    assert len(kitty(noise(1000), 40, 20, CELL)) < 140_000
    assert len(sixel(noise(), 40, 20, CELL)) < 250_000  # incompressible, in fewer colours


def test_kitty_takes_the_picture_at_its_own_resolution() -> None:
    keys, picture = decoded_kitty(kitty(scene(), 40, 20, CELL, number=77))
    assert picture.size == (224, 224)
    assert picture.mode == "P"
    first = keys[0]
    assert (first["a"], first["f"], first["i"], first["c"], first["r"], first["C"]) == (
        "T",
        "100",
        "77",
        "40",
        "20",
        "1",
    )
    assert [piece["m"] for piece in keys] == ["1"] * (len(keys) - 1) + ["0"]
    assert {piece["q"] for piece in keys} == {"2"}  # no answer that could be taken for a key
    assert np.abs(np.asarray(picture.convert("RGB"), dtype=float) - np.asarray(scene())).mean() < 4


def test_kitty_gets_no_more_pixels_than_it_can_show_and_label_maps_at_full_size() -> None:
    assert decoded_kitty(kitty(scene(500), 10, 5, CELL))[1].size == (100, 100)
    _, picture = decoded_kitty(kitty(class_map(14), 28, 14, CELL, crisp=True))
    assert picture.size == (280, 280)
    assert {colour for _, colour in picture.convert("RGB").getcolors()} == {c for _, c in class_map(14).getcolors()}


def test_two_pictures_do_not_replace_each_other() -> None:
    numbers = {decoded_kitty(kitty(scene(20), 2, 1, CELL))[0][0]["i"] for _ in range(20)}
    assert len(numbers) == 20


def test_deleting_names_the_picture_and_frees_it() -> None:
    assert delete_kitty(5) == "\x1b_Ga=d,d=I,i=5,q=2\x1b\\"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_any_mode_of_a_picture_can_be_sent(mode: str) -> None:
    assert decoded_sixels(sixel(scene(40).convert(mode), 4, 2, CELL))[0].min() >= 0
    decoded_kitty(kitty(scene(40).convert(mode), 4, 2, CELL))


def test_neither_textual_nor_torch_comes_with_it() -> None:
    code = (
        "import sys; from PIL import Image; from fourm_tui.terminal import choice, preview, probe, seed\n"
        "from fourm_tui.terminal.graphics import sixel; sixel(Image.new('RGB', (9, 9)), 2, 1, (10, 20))\n"
        "seed.seed(choice.Choice('blocks'))\n"
        "sys.exit(bool({'textual', 'torch'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
