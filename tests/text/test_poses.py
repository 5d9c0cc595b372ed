"""Human poses: numbers to the string and back."""

from __future__ import annotations

import pytest

from fourm_tui.formats.poses import GROUPS, Person, decode, encode
from tests.text.reference import cases

EXAMPLE = cases("formats")["human_poses"]["example"]


def example() -> Person:
    flat = EXAMPLE["instance"]
    return Person(tuple(flat[1:5]), tuple(flat[16:24]), tuple(flat[6:15]), tuple(flat[36:39]), tuple(flat[25:35]))


def test_a_person_becomes_the_reference_string_in_any_order_of_groups() -> None:
    assert encode([example()], ("pose", "global", "shape", "camera")) == EXAMPLE["text"]
    assert encode([example()], ("global", "shape", "camera", "pose")) == EXAMPLE["other_order"]


def test_nobody_is_none() -> None:
    assert encode([]) == "none"
    assert decode("none [EOS]") == ()


@pytest.mark.parametrize("text", [EXAMPLE["text"], EXAMPLE["other_order"]])
def test_numbers_come_back_within_half_a_step(text: str) -> None:
    (person,) = decode(f"[S_1] {text} [EOS]")
    given = example()
    assert person.pose == given.pose
    assert person.box == pytest.approx(given.box, abs=0.5 / 999 + 1e-9)
    assert person.orientation == pytest.approx(given.orientation, abs=0.5 / 499.5 + 1e-9)
    assert person.shape == pytest.approx(given.shape, abs=0.5 / 166.5 + 1e-9)
    camera = [*given.camera[:2], 19.0]  # 25 is beyond the range
    assert person.camera == pytest.approx(camera, abs=0.5 / 49.95 + 1e-9)


def test_what_is_decoded_encodes_to_the_same_string() -> None:
    people = decode(EXAMPLE["text"] + EXAMPLE["other_order"])
    assert len(people) == 2
    assert encode(people, ("pose", "global", "shape", "camera")) == EXAMPLE["text"] * 2


def test_numbers_out_of_range_become_the_end_of_it() -> None:
    person = Person((0, 0, 1, 1), (0,) * 8, (-2.0,) * 9, (-5.0,) * 3, (4.0,) * 10)
    assert encode([person]).split()[14:] == [
        "global", *["v0=0"] * 9, "camera", *["v0=0"] * 3, "shape", *["v0=999"] * 10
    ]  # fmt: skip


def test_a_person_that_is_cut_off_is_left_out() -> None:
    words = EXAMPLE["text"].split()
    assert len(decode(" ".join([*words, *words[:-1]]))) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v3=899", "v2=899"),
        ("v0=401", "v1=600"),  # a token beyond the codebook
        ("v0=417", "v1=417"),
        ("shape", "camera"),
        ("camera", "dog"),
        ("pose", "v0=1 pose"),
        (" v0=999 ", " v0=999 dog "),
    ],
)
def test_a_malformed_person_is_left_out_and_the_next_one_kept(old: str, new: str) -> None:
    broken = EXAMPLE["text"].replace(old, new, 1)
    assert broken != EXAMPLE["text"]
    assert decode(broken + EXAMPLE["text"]) == decode(EXAMPLE["text"])


def test_a_person_has_39_words() -> None:
    assert len(encode([example()], GROUPS).split()) == 39
