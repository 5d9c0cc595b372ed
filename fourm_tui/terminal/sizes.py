"""How many cells a picture takes."""

from __future__ import annotations


def fitted(size: tuple[int, int], columns: int, rows: int, cell: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows, at least 1 each, of a picture that keeps its proportions in a room of cells.

    Args:
        size: width and height of the picture in pixels.
        columns, rows: the room.
        cell: width and height of a cell in pixels.
    """
    width, height = max(size[0], 1) / cell[0], max(size[1], 1) / cell[1]  # in cells, at one pixel a pixel
    scale = min(max(columns, 1) / width, max(rows, 1) / height)
    return (
        min(max(round(width * scale), 1), max(columns, 1)),
        min(max(round(height * scale), 1), max(rows, 1)),
    )
