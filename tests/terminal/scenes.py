"""Pictures that the tests draw."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def scene(size: int = 224) -> Image.Image:
    """A sky, mountains, a house and a wire: gradients, edges at all angles and a thin line."""
    image = Image.new("RGB", (2 * size, 2 * size))
    draw = ImageDraw.Draw(image)
    unit = 2 * size / 448
    for row in range(2 * size):
        part = row / unit
        draw.line((0, row, 2 * size, row), fill=(int(90 + part / 6), int(140 + part / 8), int(220 - part / 5)))
    for shape, colour in (
        (((0, 300), (120, 150), (220, 280), (320, 120), (448, 300), (448, 448), (0, 448)), (70, 90, 80)),
        (((0, 330), (448, 330), (448, 448), (0, 448)), (90, 140, 60)),
        (((150, 240), (260, 240), (260, 360), (150, 360)), (170, 60, 50)),
        (((140, 240), (205, 180), (270, 240)), (90, 40, 30)),
    ):
        draw.polygon([(x * unit, y * unit) for x, y in shape], fill=colour)
    draw.ellipse((330 * unit, 30 * unit, 400 * unit, 100 * unit), fill=(255, 220, 90))
    draw.line((0, 120 * unit, 448 * unit, 60 * unit), fill=(20, 20, 20), width=max(1, round(3 * unit)))
    return image.filter(ImageFilter.GaussianBlur(1)).resize((size, size), Image.Resampling.LANCZOS)


def noise(size: int = 224) -> Image.Image:
    """What costs most: no two cells alike."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (size, size, 3), dtype=np.uint8))


def class_map(size: int = 224) -> Image.Image:
    """Four classes, a thin one among them."""
    down, across = np.mgrid[:size, :size] / size
    ids = np.where(down < 0.4, 0, 1)
    ids = np.where((across - 0.7) ** 2 + (down - 0.6) ** 2 < 0.05, 2, ids)
    ids = np.where(abs(across - down) < 0.02, 3, ids)
    table = np.array([(70, 130, 180), (152, 251, 152), (220, 20, 60), (255, 255, 255)], dtype=np.uint8)
    return Image.fromarray(table[ids])
