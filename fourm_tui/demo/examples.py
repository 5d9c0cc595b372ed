"""`python -m fourm_tui.demo.examples FOLDER`: one scene in files, so that every kind of condition can be tried."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from fourm_tui.demo.scenes import CLASSES, FAR, boxes, caption, metadata, palette, render, scene
from fourm_tui.formats.palette import to_hex
from fourm_tui.pictures.labels import color_of

SEED = 10_000_020
"""Of a scene that is not trained on."""


def write(folder: Path, seed: int = SEED) -> None:
    """Writes the picture, maps and texts of a scene."""
    folder.mkdir(parents=True, exist_ok=True)
    described = scene(seed)
    rendered = render(described)
    Image.fromarray(rendered.rgb).save(folder / "photo.png", optimize=True)
    depth = np.round(rendered.depth / FAR * 65535).astype(np.uint16)
    Image.fromarray(depth).save(folder / "depth.png", optimize=True)
    normals = np.round((rendered.normals + 1) * 127.5).astype(np.uint8)
    Image.fromarray(normals).save(folder / "normals.png", optimize=True)
    classes = Image.fromarray(rendered.classes)
    classes.putpalette([channel for i in range(len(CLASSES)) for channel in color_of(i, CLASSES)])
    classes.save(folder / "classes.png", optimize=True)
    Image.fromarray(rendered.edges).save(folder / "edges.png", optimize=True)
    mask = np.zeros(rendered.classes.shape, np.uint8)
    mask[rendered.things == 2] = 255
    Image.fromarray(mask).save(folder / "mask.png", optimize=True)
    lines = {
        "caption.txt": [caption(described)],
        "boxes.txt": [f"{b.label} {b.x0:.3f} {b.y0:.3f} {b.x1:.3f} {b.y1:.3f}" for b in boxes(described, rendered)],
        "palette.txt": [to_hex(color) for color in palette(rendered)],
        "metadata.txt": [f"{name}: {value:.4g}" for name, value in metadata(described, rendered).items()],
    }
    for name, text in lines.items():
        (folder / name).write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
