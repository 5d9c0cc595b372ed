"""Settings files are read as ml-4m reads them, or refused with a place; an edited value is all that changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fourm_tui.errors import InputError
from fourm_tui.schedule.document import Document

SHIPPED = sorted((Path(__file__).parents[2] / "schedules").glob("*/*.yaml"))
PLACE = re.compile(r"settings:\d+:\d+: [^\n]+ \([^\n]+\)")
"""How every message about a text begins and ends."""


def parse(text: str) -> Document:
    return Document.parse(text)


def values(document: Document) -> dict[str, Any]:
    return {key: document[key] for key in document.keys()}  # noqa: SIM118


def same(one: Any, other: Any) -> bool:
    """Equal with types and NaN."""
    return repr(one) == repr(other)


# -- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_has_the_values_that_yaml_gives(path: Path) -> None:
    document = Document.read(path)
    assert document.text.encode() == path.read_bytes()
    assert values(document) == yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("3.0", 3.0), ("6.0-0.5", "6.0-0.5"), ("1e-2", "1e-2"), ("1:30", 90), ("on", True), ("0o17", "0o17"),
        ("010", 8), ("~", None), ("", None), (".inf", float("inf")), (".nan", float("nan")), ("'a # b'", "a # b"),
        ('"é\\u00e9"', "éé"), ("[1, [2, {a: b}]]", [1, [2, {"a": "b"}]]), ("!!str 3", "3"), ("&x !!float 3", 3.0),
        ("a\n  b", "a b"), ("|\n  a\n  b\n\n", "a\nb\n"), (">-\n  a\n  b", "a b"), ("\n- 1\n- 2", [1, 2]),
        ("\n  - 1\n  -\n", [1, None]), ("\n  a: 1\n  b: 2", {"a": 1, "b": 2}), ("1_000", 1000), ("0x1f", 31),
    ],
)  # fmt: skip
def test_values_are_those_of_yaml_1_1(source: str, value: Any) -> None:
    text = f"key: {source}\nother: 1\n"
    assert same(parse(text)["key"], value)
    assert same(values(parse(text)), yaml.safe_load(text))


def test_what_a_document_gives_out_can_be_changed_without_changing_it() -> None:
    document = parse("a: [1, 2]\n")
    document["a"].append(3)
    assert document["a"] == [1, 2]


def test_keys_stand_in_the_order_of_the_file() -> None:
    assert parse("b: 1\na: 2\nsr_c: 3\n").keys() == ("b", "a", "sr_c")
    assert parse("base: &b {x: 1}\n<<: *b\ny: 2\n").keys() == ("x", "base", "y")
    assert "x" in parse("<<: {x: 1}\n")
    assert "z" not in parse("<<: {x: 1}\n")


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff", "---\n", "\n\n", "%YAML 1.1\n---\n# x\n...\n", "{}"])
def test_a_file_without_keys_is_an_empty_document(text: str) -> None:
    assert parse(text).keys() == ()
    assert parse(text).text == text


def test_kinds_of_values_look_through_aliases() -> None:
    document = parse("a: &a 1\nb: &b [1]\nc: &c\n  - 1\nd: &d {x: 1}\ne:\nf: *a\ng: *b\nh: *c\ni: *d\n")
    kinds = [document.node_kind(key) for key in document.keys()]  # noqa: SIM118
    assert kinds == ["scalar", "flow", "block", "mapping", "scalar", "scalar", "flow", "block", "mapping"]


def test_places_are_those_an_editor_shows() -> None:
    document = parse(
        "\ufeffa: 6.0-0.5-é\r\nb: [1,\r\n  2]\r\nc:\r\n  - 1 # x\r\n  - &x 2\r\nd: *x\r\ne: '1-2'\r\nf: 3\r\n"
    )
    places = {
        ("a", None): (1, 4), ("a", 0): (1, 4), ("a", 1): (1, 8), ("a", 2): (1, 12), ("a", 3): (1, 4),
        ("b", None): (2, 4), ("b", 1): (3, 3), ("c", None): (5, 3), ("c", 1): (6, 5), ("d", 0): (7, 4),
        ("e", 1): (8, 7), ("f", 0): (9, 4), ("f", 1): (9, 4),
    }  # fmt: skip
    for (key, index), expected in places.items():
        place = document.place(key, index)
        assert (place.line, place.column) == expected, (key, index)


def test_a_place_names_the_file() -> None:
    assert str(Document.parse("a: 1\n", Path("some.yaml")).place("a")) == "some.yaml:1:4"
    with pytest.raises(InputError, match=r"^some\.yaml:2:1: "):
        Document.parse("a: 1\nb\n", Path("some.yaml"))


# -- what cannot be read ----------------------------------------------------------------------------------------

LAUGHS = "a: &a [x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
)
MERGED_LAUGHS = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [*{old}, *{old}, *{old}]}}\n" for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\n---\nb: 2\n", 2, 1, "second YAML document"),
        ("- a\n- b\n", 1, 1, "a list instead of keys"),
        ("just text\n", 1, 1, "a single value instead of keys"),
        ("a: 1\n2: b\n", 2, 1, "the key 2 is no name"),
        ("on: 1\n", 1, 1, "the key True is no name"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "a is there twice"),
        ("a: {x: 1, x: 2}\n", 1, 11, "x is there twice"),
        ("? [a]\n: 1\n", 1, 3, "cannot be a key"),
        ("a: &a [1, *a]\n", 1, 11, "inside its own anchor"),
        ("a: *b\n", 1, 4, "no anchor &b above"),
        ("a: &x 1\nb: &x 2\n", 2, 4, "&x is there twice"),
        ("a: 1\nb: \x07\n", 2, 4, "U+0007 is not allowed"),
        ("a: !!python/object:os.system x\n", 1, 4, "!!python/object:os.system cannot be used"),
        ("a: !mine {b: 1}\n", 1, 4, "the tag !mine"),
        ("a: !!bool maybe\n", 1, 4, "cannot be read as bool"),
        ("a: !!timestamp x\n", 1, 4, "cannot be read as date"),
        ("a: !!int ''\n", 1, 4, "cannot be read as int"),
        ("a: 2020-13-45\n", 1, 4, "cannot be read as date"),
        (f"a: {'9' * 5000}\n", 1, 4, "cannot be read as int"),
        (f"a: 0x{'f' * 900}\n", 1, 4, "cannot be read as int"),
        (f"a: 1{':59' * 50000}\n", 1, 4, "cannot be read as int"),
        ('a: "\\UFFFFFFFF"\n', 1, 7, "beyond what can be held"),
        ("a:\n\tb: 1\n", 2, 1, "a tab"),
        ("a: 1\n b: 2\n", 2, 3, "a colon too many"),
        ("a: b: c\n", 1, 5, "a colon too many"),
        ("a: 'x\nb: 1\n", 1, 4, "a quote opens here"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, 2, "a list in brackets"),
        ("a: [1, 2\n", 1, 4, "a bracket opens here"),
        ("a: 1\nb\nc: 2\n", 2, 1, "no colon"),
        ("a: @x\n", 1, 4, "no value starts with this"),
        ("  a: 1\nb: 2\n", 2, 1, "column"),
        ("<<: 1\n", 1, 5, "<< needs a mapping"),
        ("a: " + "[" * 5000 + "]" * 5000 + "\n", 1, 36, "inside each other"),
        ("".join(" " * i + "a:\n" for i in range(1000)), 33, 33, "inside each other"),
        ("a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 900)), 32, 12, "inside each other"),
        (LAUGHS, 5, 20, "more values than"),
        (MERGED_LAUGHS, 9, 13, "more values than"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"settings:{line}:{column}: ")
    assert PLACE.fullmatch(message)


def test_moderate_use_of_aliases_is_fine_and_stays_small() -> None:
    text = "a: &a [1, 2]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"
    after = parse(text).replace("c", "0")
    assert after.text == "a: &a [1, 2]\nb: &b [*a, *a]\nc: 0\nd: [&c [*b, *b], *c]\n"


# -- one value --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("a:   1   # why\n", "2", "a:   2   # why\n"),
        ("a: 1", "2", "a: 2"),
        ("a: 'x'  \n", "y", "a: y  \n"),
        ("a:\n", "2", "a: 2\n"),
        ("a:  # why\n", "2", "a: 2  # why\n"),
        ("a: 'x'#why\n", "2", "a: 2 #why\n"),
        ("a: one\n  two\nb: 1\n", "2", "a: 2\nb: 1\n"),
        ("a:\n  one\nb: 1\n", "2", "a:\n  2\nb: 1\n"),
        ('a: "one\n\n  two" # c\n', "2", "a: 2 # c\n"),
        ("a: |\n  one\n\n\nb: 1\n", "2", "a: 2\n\n\nb: 1\n"),
        ("a: >-\n  one\n  two", "2", "a: 2"),
        ("a: [1, 2] # c\n", "2", "a: 2 # c\n"),
        ("a: [\n  1,\n  2 # c\n]\nb: 1\n", "[3]", "a: [3]\nb: 1\n"),
        ("a: {x: 1}\n", "[3]", "a: [3]\n"),
        ("a: # c\n  # d\n  - 1\n  - 2\n\nb: 1\n", "2", "a: 2 # c\n  # d\n\nb: 1\n"),
        ("a:\n- 1\n- 2 # c\nb: 1\n", "2", "a: 2\n # c\nb: 1\n"),
        ("a:\n- 1\n- 2", "2", "a: 2\n"),
        ("a: &x # c\n  - 1\n", "2", "a: 2 # c\n"),
        ("a:\n  x: 1\n  y: 2\nb: 1\n", "2", "a: 2\nb: 1\n"),
        ("a: !!str 3\n", "2", "a: 2\n"),
        ("a: &x 3\n", "2", "a: 2\n"),
        ("? a\n: 1\nb: 2\n", "2", "? a\n: 2\nb: 2\n"),
        ("? a # c\n? b\n", "2", "? a # c\n: 2\n? b\n"),
        ("? a\n: - 1\n  - 2\nb: 1\n", "2", "? a\n: 2\nb: 1\n"),
        ("'a' : 1\n", "2", "'a' : 2\n"),
        ("{a: 1, b: 2}", "2", "{a: 2, b: 2}"),
        ('{"a":1,"b":2}\n', "x y", '{"a":x y,"b":2}\n'),
        ("{a, b: 1}", "2", "{a: 2, b: 1}"),
        ("{a: , b: 1}", "2", "{a: 2 , b: 1}"),
        ("{b:[1], a:[1]}", "2", "{b:[1], a: 2}"),
        ("{a: 1, b: 2}", "x, y", "{a: 'x, y', b: 2}"),
        ("a: 1\n", "x: y", "a: {x: y}\n"),
        ("%YAML 1.1\n--- # c\na: 1\n... # d\n", "2", "%YAML 1.1\n--- # c\na: 2\n... # d\n"),
        ("--- {a: 1}\n", "2", "--- {a: 2}\n"),
        ("\ufeffa: 1\r\nb: 2\nc: 3\r", "2", "\ufeffa: 2\r\nb: 2\nc: 3\r"),
        ("   a: 1\n   b: 2\n", "2", "   a: 2\n   b: 2\n"),
        ("a: 1\u2028b: 2\x85", "é😀", "a: é😀\u2028b: 2\x85"),
    ],
)
def test_only_the_value_changes(before: str, value: str, after: str) -> None:
    assert parse(before).replace("a", value).text == after


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("a: &x 3.0\nb: *x\n", "a", "2.0", "a: 2.0\nb: 3.0\n"),
        ("a: &x 3.0\nb: *x\n", "b", "2.0", "a: &x 3.0\nb: 2.0\n"),
        ("a: &x 3.0\nb: *x\n", "a", "3.0", "a: &x 3.0\nb: *x\n"),
        ("a: &x 3.0\nb: *x # c\nc: [*x, 1]\n", "a", "2", "a: 2\nb: &x 3.0 # c\nc: [*x, 1]\n"),
        ("a: &x !!str 3\nb: *x\n", "a", "2", "a: 2\nb: !!str 3\n"),
        ("a: &x\nb: *x\n", "a", "2", "a: 2\nb: null\n"),
        ("a: &x\n  - 1.50\n  - x\nb: *x\n", "a", "2", "a: 2\nb: [1.5, x]\n"),
        ("a: &x x, y\nb: [*x]\n", "a", "2", "a: 2\nb: ['x, y']\n"),
        ("a: [&x 1, *x]\nb: *x\n", "a", "2", "a: 2\nb: 1\n"),
        ("a: &y [&x 1, *x]\nb: *x\nc: *y\n", "a", "2", "a: 2\nb: 1\nc: [&x 1, *x]\n"),
        ("a: &x 1\n*x : 2\n", "a", "2", None),
        ("&k a: 1\nb: *k\n", "a", "2", "&k a: 2\nb: *k\n"),
        ("a: &x {p: 1}\n<<: *x\n", "a", "2", "a: 2\n<<: {p: 1}\n"),
        ("a: &x {p: 1}\n<<: *x\n", "p", "2", "a: &x {p: 1}\np: 2\n<<: *x\n"),
        ("<<: {p: 1}\nsr_p: 2\nq: 3\n", "p", "2", "<<: {p: 1}\nsr_p: 2\nq: 3\np: 2\n"),
        ("a: &x {p: 1}\n<<: [*x, {p: 2, q: 3}]\n", "a", "2", "a: 2\n<<: [{p: 1}, {p: 2, q: 3}]\n"),
    ],
)
def test_other_keys_that_share_a_value_keep_it(before: str, key: str, value: str, after: str | None) -> None:
    if after is None:
        with pytest.raises(InputError, match="settings:2:1: the key 1 is no name"):
            parse(before)
        return
    assert parse(before).replace(key, value).text == after


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("a: 1\nsr_a: 2\n", "b", "a: 1\nb: 9\nsr_a: 2\n"),
        ("sr_a: 1 # c\na: 2\n", "sr_b", "sr_a: 1 # c\nsr_b: 9\na: 2\n"),
        ("a: 1\n# end\n", "sr_b", "a: 1\nsr_b: 9\n# end\n"),
        ("a: 1", "b", "a: 1\nb: 9"),
        ("a:\n  - 1\n  - 2 # c\n# end", "b", "a:\n  - 1\n  - 2 # c\nb: 9\n# end"),
        ("\ufeff  a: 1\r\n", "b", "\ufeff  a: 1\r\n  b: 9\r\n"),
        ("a: |\n  x\n\n", "b", "a: |\n  x\nb: 9\n\n"),
        ("a: |+\n  x\n\n", "b", "b: 9\na: |+\n  x\n\n"),
        ("a: |\n  x", "b", "b: 9\na: |\n  x"),
        ("--- \na: 1\n...\n", "b", "--- \na: 1\nb: 9\n...\n"),
        ("{a: 1, sr_a: 2}", "b", "{a: 1, b: 9, sr_a: 2}"),
        ("{\n  a: 1,  # one\n  c: 2  # two\n}\n", "b", "{\n  a: 1,  # one\n  c: 2,  # two\n  b: 9\n}\n"),
        ("{}", "b", "{b: 9}"),
        ("", "b", "b: 9\n"),
        ("# c", "b", "# c\nb: 9"),
        ("# c\r\n", "b", "# c\r\nb: 9\r\n"),
        ("\ufeff", "b", "\ufeffb: 9\n"),
        ("---\n...\n", "b", "---\nb: 9\n...\n"),
        ("a: 1\n", "on", "a: 1\n'on': 9\n"),
    ],
)
def test_a_new_key_stands_behind_those_of_its_part(before: str, key: str, after: str) -> None:
    assert parse(before).replace(key, "9").text == after


@pytest.mark.parametrize(
    "source", ["", "  ", "1 # c", "1\n", "a: 1\nb: 2", "[1", "*x", "'a", "--- 1", "# c", "&x 1\n", "\t1", "2020-13-45"]
)
def test_what_is_no_value_on_one_line_is_refused(source: str) -> None:
    with pytest.raises(InputError, match="value"):
        parse("a: 1\n").replace("a", source)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1 # c\nb: 2\n", "b: 2\n"),
        ("# x\nb: 2\na: [1,\n 2]", "# x\nb: 2\n"),
        ("a:\n- 1\n- 2\nb: 2\n", "b: 2\n"),
        ("\ufeffa: |\n  x\r\nb: 2\r\n", "\ufeffb: 2\r\n"),
        ("? a\n: 1\nb: 2\n", "b: 2\n"),
        ("a: &x 1\nb: *x\n", "b: 1\n"),
        ("{a: 1, b: 2}", "{b: 2}"),
        ("{b: 2, a: 1}", "{b: 2}"),
        ("{a: 1}", "{}"),
        ("a: 1", ""),
    ],
)
def test_a_removed_key_takes_its_lines_with_it(before: str, after: str) -> None:
    assert parse(before).remove("a").text == after


def test_a_key_that_would_still_be_there_is_not_removed() -> None:
    with pytest.raises(InputError, match="settings:1:9: p comes from <<"):
        parse("<<: {p: 1}\n").remove("p")
    with pytest.raises(InputError, match="without changing more"):
        parse("<<: {p: 1}\np: 2\n").remove("p")
    with pytest.raises(InputError, match="no key q"):
        parse("<<: {p: 1}\n").remove("q")
