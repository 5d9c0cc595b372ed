"""Edges: found in photos, told from photos, taken as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fourm_tui.conditions.canny import canny
from fourm_tui.conditions.edges import looks_like_edges
from fourm_tui.conditions.given import parse_conditions
from fourm_tui.conditions.loading import load_condition

IMAGES = Path(__file__).parents[1] / "data" / "conditions"


def naive_canny(grey: np.ndarray, low: int, high: int) -> np.ndarray:
    """The detector pixel by pixel, with floating-point directions instead of shifted integers."""
    height, width = grey.shape
    pixel = lambda y, x: int(grey[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])  # noqa: E731
    gradient = {}
    for y in range(height):
        for x in range(width):
            column = lambda dx: sum(w * pixel(y + dy, x + dx) for dy, w in ((-1, 1), (0, 2), (1, 1)))  # noqa: B023, E731
            row = lambda dy: sum(w * pixel(y + dy, x + dx) for dx, w in ((-1, 1), (0, 2), (1, 1)))  # noqa: B023, E731
            gradient[y, x] = column(1) - column(-1), row(1) - row(-1)
    size = {key: abs(x) + abs(y) for key, (x, y) in gradient.items()}
    kept = {}
    for (y, x), (gx, gy) in gradient.items():
        angle = np.degrees(np.arctan2(abs(gy), abs(gx)))
        if angle < 22.5:
            before, after, strict = (y, x - 1), (y, x + 1), False
        elif angle > 67.5:
            before, after, strict = (y - 1, x), (y + 1, x), False
        else:
            side = 1 if (gx < 0) == (gy < 0) else -1
            before, after, strict = (y - 1, x - side), (y + 1, x + side), True
        here, b, a = size[y, x], size.get(before, 0), size.get(after, 0)
        if here > low and here > b and (here > a if strict else here >= a):
            kept[y, x] = here > high
    edges = np.zeros(grey.shape, np.uint8)
    stack = [key for key, strong in kept.items() if strong]
    while stack:
        y, x = stack.pop()
        if not edges[y, x]:
            edges[y, x] = 255
            stack += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (y + dy, x + dx) in kept]
    return edges


@pytest.mark.parametrize("seed", range(4))
def test_canny_is_what_its_description_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (9, 11), dtype=np.uint8)).resize((44, 37), Image.Resampling.BICUBIC)
    grey = np.asarray(image)
    ours = canny(grey)
    assert 0 < (ours > 0).sum() < ours.size / 3
    assert (ours == naive_canny(grey, 100, 200)).all()


def test_a_step_is_one_line_and_a_flat_picture_none() -> None:
    grey = np.zeros((20, 30), np.uint8)
    assert not canny(grey).any()
    grey[:, 15:] = 200
    found = canny(grey)
    assert (found > 0).sum() == 20 and (found[:, 14] == 255).all()


def test_weak_edges_stay_only_where_they_touch_strong_ones() -> None:
    grey = np.zeros((60, 40), np.uint8)
    grey[:, 20:] = 35  # a gradient of 140
    assert not canny(grey).any()
    grey[30:, 20:] = 120
    found = canny(grey)
    assert (found[:27, 19] == 255).all() and (found[33:, 19] == 255).all()


def drawing() -> Image.Image:
    """Thin white lines on black."""
    image = Image.new("L", (300, 200))
    ImageDraw.Draw(image).ellipse((60, 20, 240, 180), outline=255)
    return image


def load(path: Path, options: str = "", name: str = "tok_canny_edge@224") -> np.ndarray:
    (given,) = parse_conditions([f"{name}={path}{options}"]).values()
    values = load_condition(given).values
    assert values is not None and values.shape == (1, 224, 224) and values.dtype == np.float32
    return values


def test_photos_are_told_from_edges() -> None:
    for name, edges in (
        ("input_images/edge_201x150.png", True), ("images/exif6_641x427.jpg", False), ("images/tiny_5x5.png", False),
        ("images/palette_253x187.png", False), ("images/large_4000x3000.jpg", False),
    ):  # fmt: skip
        assert looks_like_edges(Image.open(IMAGES / name).convert("RGB")) is edges
    grey = Image.open(IMAGES / "images" / "exif6_641x427.jpg").convert("L").convert("RGB")
    assert not looks_like_edges(grey)


def test_a_map_of_edges_is_taken_as_it_is(tmp_path: Path) -> None:
    drawing().save(tmp_path / "e.png")
    values = load(tmp_path / "e.png")
    # One line of the ellipse, not the two sides of it.
    assert (values > 0).mean() < 0.03
    assert (load(tmp_path / "e.png", ",as=edges") == values).all()
    both_sides = load(tmp_path / "e.png", ",as=photo")
    assert (both_sides > 0).sum() > 1.5 * (values > 0).sum()


def test_a_drawing_is_turned_to_white_on_black(tmp_path: Path) -> None:
    drawing().save(tmp_path / "e.png")
    Image.fromarray(255 - np.asarray(drawing())).save(tmp_path / "d.png")
    ours, expected = load(tmp_path / "d.png", ",as=drawing"), load(tmp_path / "e.png")
    assert np.abs(ours - expected).max() <= 2 / 255 + 1e-6
    padded = load(tmp_path / "d.png", ",fit=pad,as=drawing")
    assert (padded[0, 151:] == -1).all()


@pytest.mark.parametrize("name", ["tok_canny_edge@224", "tok_sam_edge@224"])
def test_edges_of_a_photo_are_found(name: str) -> None:
    values = load(IMAGES / "images" / "exif6_641x427.jpg", name=name)
    assert set(np.unique(values)) == {-1, 1}
    assert 0.001 < (values > 0).mean() < 0.4


def test_edges_of_things_are_fewer_than_all_edges(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grey = np.full((224, 224), 60.0)
    grey[:, 112:] = 190
    Image.fromarray(np.clip(grey + rng.normal(0, 25, grey.shape), 0, 255).astype(np.uint8)).save(tmp_path / "p.png")
    things, edges = (load(tmp_path / "p.png", ",as=photo", name) for name in ("tok_sam_edge@224", "tok_canny_edge@224"))
    assert (things > 0).sum() < 0.2 * (edges > 0).sum()
    assert (things[0, :, 108:117] > 0).any(axis=1).mean() > 0.95


def test_the_border_of_the_padding_is_no_edge(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100), "white").save(tmp_path / "w.png")
    assert (load(tmp_path / "w.png", ",fit=pad,as=photo") == -1).all()
