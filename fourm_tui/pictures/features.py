"""Feature maps as colours: their first three principal components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.pictures.images import nearest_to, picture


def project(features: NDArray[np.floating], components: int = 3) -> NDArray[np.float64]:
    """Principal components of a feature map.

    The sign of a component is free; here the cubes of its loadings add up to more than zero. That does not depend on
    the solver, and unlike a rule about the largest loading it does not flip when two of them swap places.

    Args:
        features: `[C, h, w]`; what is not finite counts as 0.

    Returns:
        `[h, w, components]`, centred, by falling variance; zeros where the map has fewer directions.
    """
    channels, height, width = features.shape
    values = np.nan_to_num(np.asarray(features, dtype=np.float64), posinf=0.0, neginf=0.0)
    values = values.reshape(channels, -1).T  # [N, C]
    values = values - values.mean(axis=0)
    wide = len(values) < channels
    gram = values @ values.T if wide else values.T @ values
    variances, vectors = np.linalg.eigh(gram)
    order = np.argsort(variances)[::-1][:components]
    largest = max(float(variances[order[0]]), 0.0)
    result = np.zeros((len(values), components))
    for column, index in enumerate(order):
        if variances[index] <= largest * 1e-12:
            break
        loadings = values.T @ vectors[:, index] if wide else vectors[:, index]
        loadings = loadings / np.linalg.norm(loadings)
        sign = 1.0 if (loadings**3).sum() >= 0 else -1.0
        result[:, column] = sign * (values @ loadings)
    return result.reshape(height, width, components)


def unit_colors(projected: NDArray[np.floating]) -> NDArray[np.float32]:
    """Components `[h, w, 3]` stretched to 0 to 1 by the range of all three together; a constant map is grey."""
    low, high = float(projected.min()), float(projected.max())
    if not high > low:
        return np.full(projected.shape, 0.5, dtype=np.float32)
    return ((projected - low) / (high - low)).astype(np.float32)


def colored(features: NDArray[np.floating], size: int = 224) -> Image.Image:
    """A feature map `[C, h, w]` as colours, its cells enlarged until the picture is about `size` wide."""
    return nearest_to(picture(unit_colors(project(features))), size)


def embedding(array: NDArray[np.floating]) -> NDArray[np.float32]:
    """A global embedding without its axes of length 1: `[D, 1, 1]` or `[1, D]` as `[D]`. It is not normalised."""
    return np.squeeze(np.asarray(array, dtype=np.float32))
