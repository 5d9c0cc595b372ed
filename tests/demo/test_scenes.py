"""The world of the model in the box: its geometry, its descriptions, and the scorer that judges pictures of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fourm_tui.demo import scorer
from fourm_tui.demo.scenes import (
    CLASSES,
    COLORS,
    FAR,
    GROUNDS,
    SHAPES,
    SIZE,
    SKIES,
    Scene,
    Thing,
    boxes,
    caption,
    metadata,
    palette,
    render,
    scene,
    scenes,
)

SPHERE = Thing("sphere", "red", "large", 0.0, 5.0, 0.9, 0.0, 1.0)
BOX = Thing("box", "blue", "small", 1.7, 5.0, 0.55, 0.7, 1.0)
TWO = Scene("clear", "grey", (SPHERE, BOX))


def test_a_seed_gives_one_scene_and_one_picture() -> None:
    assert scene(5) == scene(5)
    assert scene(5) != scene(6)
    first, second = render(scene(5)), render(scene(5))
    for name in ("rgb", "depth", "normals", "things", "classes"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_scenes_have_one_to_three_things_side_by_side() -> None:
    counts = set()
    for described in scenes(0, 60):
        counts.add(len(described.things))
        names = [thing.name for thing in described.things]
        assert len(set(names)) == len(names)
        places = [thing.x / thing.z for thing in described.things]
        assert places == sorted(places)
        seen = render(described).things
        assert set(np.unique(seen)) == set(range(len(names) + 2))  # all of them can be seen
    assert counts == {1, 2, 3}


def test_maps_are_aligned_and_in_range() -> None:
    rendered = render(TWO)
    assert rendered.rgb.shape == (SIZE, SIZE, 3)
    assert rendered.rgb.dtype == np.uint8
    sky, ground, sphere, box = (rendered.things == i for i in range(4))
    assert (rendered.depth[sky] == FAR).all()
    assert rendered.depth.min() > 0
    assert np.allclose(np.linalg.norm(rendered.normals, axis=2), 1, atol=1e-4)
    up = rendered.normals[ground]
    assert np.allclose(up, up[0], atol=1e-5)  # the ground is flat
    assert up[0][1] > 0.95
    assert {CLASSES[i] for i in np.unique(rendered.classes)} == {"sky", "ground", "red sphere", "blue box"}
    assert (rendered.classes[sphere] == CLASSES.index("red sphere")).all()
    assert rendered.rgb[sphere][:, 0].mean() > 2 * rendered.rgb[sphere][:, 2].mean()
    assert rendered.rgb[box][:, 2].mean() > 2 * rendered.rgb[box][:, 0].mean()


def test_a_sphere_has_the_size_and_depth_that_optics_give_it() -> None:
    rendered = render(Scene("clear", "grey", (SPHERE,)))
    mask = rendered.things == 2
    # Its middle is 5 m away and 1 m below the eye; the camera looks down by 0.16.
    forward = 5 * np.cos(0.16) + (1.9 - 0.9) * np.sin(0.16)
    assert rendered.depth[mask].min() == pytest.approx(forward - 0.9, rel=0.03)
    width = np.ptp(np.nonzero(mask.any(0))[0]) + 1
    assert width == pytest.approx(2 * 240 * 0.9 / np.sqrt(forward**2 - 0.9**2), rel=0.03)
    assert abs(np.nonzero(mask)[1].mean() - SIZE / 2) < 1


def test_a_thing_hides_what_is_behind_it_and_throws_a_shadow() -> None:
    behind = dataclasses.replace(BOX, x=0.0, z=9.0)
    rendered = render(Scene("clear", "grey", (SPHERE, behind)))
    assert 0 <= (rendered.things == 3).sum() < (render(Scene("clear", "grey", (behind,))).things == 2).sum()
    alone, empty = render(Scene("clear", "grey", (SPHERE,))), render(Scene("clear", "grey", ()))
    ground = (alone.things == 1) & (empty.things == 1)
    darker = empty.rgb.astype(int).sum(2) - alone.rgb.astype(int).sum(2)
    assert (darker[ground] > 60).sum() > 200
    assert (darker[ground] < -10).sum() == 0


def test_captions_say_what_stands_where() -> None:
    assert caption(TWO) == "a large red sphere left of a small blue box on grey ground under a clear sky"
    assert caption(Scene("sunset", "dark", (BOX,))) == "a small blue box on dark ground under a sunset sky"
    others = {caption(TWO, i) for i in range(1, 60)}
    assert len(others) > 10
    for words in others:
        assert "red" in words
        assert "blue" in words
        assert "box" in words or "cube" in words


def test_boxes_palette_and_metadata_describe_the_picture() -> None:
    rendered = render(TWO)
    found = {box.label: box for box in boxes(TWO, rendered)}
    rows, columns = np.nonzero(rendered.things == 2)
    assert found["red sphere"].x0 == columns.min() / SIZE
    assert found["red sphere"].y1 == (rows.max() + 1) / SIZE
    assert found["blue box"].x0 > found["red sphere"].x1
    colors = palette(rendered)
    assert len(colors) == 4
    assert colors[2][0] > 2 * colors[2][1]  # the sphere's
    facts = metadata(TWO, rendered)
    assert facts["n_sam_instances"] == 2
    assert facts["brightness"] == pytest.approx((rendered.rgb.astype(float) @ [0.299, 0.587, 0.114]).mean(), rel=1e-3)


def test_every_sky_and_ground_looks_different() -> None:
    means = {render(Scene(sky, ground, ())).rgb.mean((0, 1)).round().tobytes() for sky in SKIES for ground in GROUNDS}
    assert len(means) == len(SKIES) * len(GROUNDS)


def test_the_scorer_gets_true_pictures_right() -> None:
    named = present = spurious = 0
    for described in scenes(30_000_000, 40):
        found = scorer.score(render(described).rgb, [thing.name for thing in described.things])
        named, present, spurious = named + found.named, present + found.present, spurious + found.spurious
    assert present >= 0.97 * named
    assert spurious <= 2


def test_the_scorer_counts_what_is_missing_and_what_is_too_much() -> None:
    picture = render(TWO).rgb
    assert scorer.score(picture, ["red sphere", "green cone"]) == scorer.Score(2, 1, 1)
    assert scorer.score(picture, []) == scorer.Score(0, 0, 2)
    assert scorer.score(render(Scene("clear", "grey", ())).rgb, ["red sphere"]) == scorer.Score(1, 0, 0)


@pytest.mark.parametrize("color", COLORS)
def test_every_color_and_shape_can_be_told(color: str) -> None:
    for shape in SHAPES:
        thing = Thing(shape, color, "large", 0.0, 5.0, 0.9, 0.8, 1.0)
        for sky in SKIES:
            seen = scorer.things(render(Scene(sky, "sandy", (thing,))).rgb)
            assert [found.name for found in seen][:1] == [f"{color} {shape}"]
