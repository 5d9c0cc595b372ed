"""Whatever a file looks like: it is kept byte for byte, and an edit changes nothing but what it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fourm_tui.errors import InputError
from fourm_tui.schedule.document import Document

SCHEDULES = Path(__file__).parents[2] / "schedules"
PLACE = re.compile(r"settings:\d+:\d+: [^\n]+ \([^\n]+\)")
"""How every message about a text begins and ends."""


def parse(text: str) -> Document:
    return Document.parse(text)


def values(document: Document) -> dict[str, Any]:
    return {key: document[key] for key in document.keys()}  # noqa: SIM118


def same(one: Any, other: Any) -> bool:
    """Equal with types and NaN."""
    return repr(one) == repr(other)


@dataclass(frozen=True)
class Written:
    """A generated settings file and, for each key, the part of the text that edits of it may change."""

    text: str
    spans: dict[str, tuple[int, int]]
    shared: frozenset[str]
    """Keys whose value other keys use by an alias."""


KEYS = ["name", "cond_domains", "target_domains", "temps", "top_p", "sr_temps", "sr_top_k", "cfg_scales", "mine"]
words = st.sampled_from(["tok_rgb@224", "roar", "onex:0.5:0.5", "6.0", "0.5", "25", "null", "x y", "é", "196"])
pieces = st.lists(words, min_size=1, max_size=4).map("-".join)
quoted = st.text("ab é😀#:-,[]{}&*!|>%@`", max_size=8).map(lambda text: f"'{text}'")
item = st.one_of(words, quoted, st.sampled_from(["-1.0", "{caption: 2.0}", "[1, 2]", "'it''s'", '"\\x41"']))
comment = st.sampled_from(["", "  # why", " # a: 1", "   ", " #- x"])
between = st.sampled_from(["", "", "\n", "# comment: here\n", "   # odd\n\n"])


@st.composite
def written(draw: st.DrawFn) -> Written:
    indent = draw(st.sampled_from(["", "", "", "  ", "   "]))
    body, spans, anchors, shared = "", {}, [], set()
    for number, key in enumerate(draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1, max_size=6))):
        body += draw(between) + indent + key + ":"
        start = len(body)
        layout = draw(st.sampled_from(["plain", "plain", "quoted", "flow", "lines", "block", "empty", "text", "alias"]))
        anchor = ""
        if layout == "alias" and anchors:
            owner, name = draw(st.sampled_from(anchors))
            shared.add(owner)
            body += f" *{name}"
        elif layout in ("plain", "quoted", "flow", "alias", "lines", "block") and draw(st.booleans()):
            anchor = f" &n{number}"
            anchors.append((key, f"n{number}"))
        if layout in ("plain", "quoted"):
            body += anchor + draw(st.sampled_from([" ", "   "])) + draw(pieces if layout == "plain" else quoted)
        elif layout == "flow":
            gap = draw(st.sampled_from([", ", ",", " , "]))
            body += anchor + " [" + gap.join(draw(st.lists(item, max_size=4))) + draw(st.sampled_from(["]", " ]"]))
        elif layout == "lines":
            body += anchor + " [" + draw(comment)
            body += "".join(
                f"\n {draw(between)}    {draw(item)},{draw(comment)}" for _ in range(draw(st.integers(1, 3)))
            )
            body += f"\n{indent} ]"
        elif layout == "block":
            body += anchor + draw(comment)
            dent = indent + draw(st.sampled_from(["", " ", "    "]))
            for _ in range(draw(st.integers(1, 4))):
                body += f"\n{draw(between)}{dent}-{draw(st.sampled_from([' ', '   ']))}{draw(item)}{draw(comment)}"
            body += "\n"
        elif layout == "text":
            body += f" |\n{indent}  some-text\n{indent}   more"
            spans[key] = (start, len(body))
            body += "\n#"
        elif layout == "alias" and anchor:
            body += anchor + " 3.0"
        spans.setdefault(key, (start, len(body)))
        body += ("" if layout in ("text", "block") else draw(comment)) + ("" if layout == "block" else "\n")
    body += draw(between)
    if draw(st.booleans()):
        body = body.removesuffix("\n")
    head = draw(st.sampled_from(["", "", "\ufeff", "# head\n", "---\n", "%YAML 1.1\n--- # x\n"]))
    text = head + body
    newline = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    at = [0]
    for character in text:  # where each character stands once line breaks are those drawn
        at.append(at[-1] + (len(newline) if character == "\n" else 1))
    ends = {key: (at[len(head) + a], at[min(len(text), len(head) + b)]) for key, (a, b) in spans.items()}
    return Written(text.replace("\n", newline), ends, frozenset(shared))


def readable(file: Written) -> tuple[Document, dict[str, Any]]:
    """The document and what PyYAML makes of the file; a few drawn ones are no YAML, for PyYAML either."""
    try:
        return parse(file.text), yaml.safe_load(file.text)
    except InputError:
        with pytest.raises(yaml.YAMLError):
            yaml.safe_load(file.text)
        assume(False)
        raise


def check_outside(file: Written, key: str, after: Document, before: dict[str, Any]) -> None:
    """Nothing changed but the span of the key, and no value but its own."""
    loaded = yaml.safe_load(after.text)
    assert same({k: v for k, v in loaded.items() if k != key}, {k: v for k, v in before.items() if k != key})
    assert same(values(after), loaded)
    if key not in file.shared:
        start, end = file.spans[key]
        assert after.text.startswith(file.text[:start])
        assert after.text.endswith(file.text[end:])


many = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
source = st.one_of(pieces, quoted, item, st.sampled_from(["1, 2", "[]", "a: b", "~", "2020-10-11"]))


@many
@given(written())
def test_a_file_that_is_read_and_written_is_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, file: Written
) -> None:
    document, loaded = readable(file)
    path = tmp_path_factory.getbasetemp() / "same.yaml"
    document.write(path)
    assert path.read_bytes() == file.text.encode()
    assert Document.read(path).text == file.text
    assert same(values(document), loaded)


@many
@given(written(), source, st.data())
def test_replacing_any_value_changes_nothing_else(file: Written, value: str, data: st.DataObject) -> None:
    document, before = readable(file)
    key = data.draw(st.sampled_from(sorted(before)))
    after = document.replace(key, value)
    assert same(after[key], yaml.safe_load(value))
    check_outside(file, key, after, before)


def split(value: Any) -> list[Any]:
    return value.split("-") if isinstance(value, str) else value if isinstance(value, list) else [value]


@settings(many, max_examples=600)
@given(written(), item, st.sampled_from(["replace", "insert", "remove", "move"]), st.data())
def test_editing_any_item_changes_nothing_else(file: Written, value: str, kind: str, data: st.DataObject) -> None:
    document, before = readable(file)
    key = data.draw(st.sampled_from(sorted(before)))
    old = split(before[key])
    index, to = data.draw(st.integers(0, len(old))), data.draw(st.integers(0, max(0, len(old) - 1)))
    comments = sorted(re.findall("# (?:why|a: 1|comment: here|odd|head)", document.text))
    try:
        if kind == "replace":
            after = document.replace_item(key, index, value)
            new = [*old[:index], yaml.safe_load(value), *old[index + 1 :]]
        elif kind == "insert":
            after = document.insert_item(key, index, value)
            new = [*old[:index], yaml.safe_load(value), *old[index:]]
        elif kind == "remove":
            after = document.remove_item(key, index)
            new = [*old[:index], *old[index + 1 :]]
        else:
            after = document.move_item(key, index, to)
            new = [*old[:index], *old[index + 1 :]]
            new.insert(to, old[index])
    except InputError as error:
        assert re.search(r"has \d+ value|single value|hyphenated string", str(error))
        return
    check_outside(file, key, after, before)
    if isinstance(before[key], list):
        assert same(after[key], new)
        if kind in ("replace", "move") and key not in file.shared and "*" not in file.text:
            assert sorted(re.findall("# (?:why|a: 1|comment: here|odd|head)", after.text)) == comments
    elif kind == "replace" and len(old) == 1:
        assert same(after[key], new[0])
    elif before[key] not in ("", None) and str(before[key]).strip():
        assert len(split(after[key])) == len(new)


@many
@given(written(), st.sampled_from(["new", "sr_new"]), source)
def test_adding_a_key_leaves_every_byte(file: Written, key: str, value: str) -> None:
    document, before = readable(file)
    after = document.replace(key, value)
    loaded = yaml.safe_load(after.text)
    assert loaded.keys() == {*before, key}
    assert same({name: loaded[name] for name in (*before, key)}, {**before, key: yaml.safe_load(value)})
    same_until = next(
        (at for at, pair in enumerate(zip(file.text, after.text, strict=False)) if pair[0] != pair[1]), len(file.text)
    )
    rest = file.text[same_until:]
    assert after.text.endswith(rest)
    assert key in after.text[max(0, same_until - 4) : len(after.text) - len(rest)]


@many
@given(written(), st.data())
def test_removing_a_key_leaves_the_others(file: Written, data: st.DataObject) -> None:
    document, before = readable(file)
    key = data.draw(st.sampled_from(sorted(before)))
    after = document.remove(key)
    assert same(values(after), {k: v for k, v in before.items() if k != key})
    if key not in file.shared:
        start, end = file.spans[key]
        assert after.text.startswith(file.text[: start - len(key) - 1].rstrip(" "))
        if file.text[end - 1] not in "\r\n":
            end = re.compile("\r\n|\r|\n|$").search(file.text, end).end()
        assert after.text.endswith(file.text[end:])


LISTS = "a:\n  # head\n  - 1.0  # one\n\n  - 2.0 # two\n  # tail\nb: [ # head\n  1.0,  # one\n  2.0   # two\n] # tail\n"
SHIPPED = next(SCHEDULES.glob("*/T2CR_roar49*.yaml")).read_text(encoding="utf-8")
NOISE = ["-", "?", ":", ",", "[", "]", "{", "}", "#", "&a ", "*a", "!", "|", ">", "'", '"', "%", "@", "`", " ", "\n",
         "\r\n", "\t", "\\", "<<: ", "- ", ": ", "---\n", "...\n", "\x00", "\x85", "\ufeff", "!!int ", "!!set ", "=",
         "2020-13-45", "9" * 400, "\n  ", "😀"]  # fmt: skip


@st.composite
def broken(draw: st.DrawFn) -> str:
    """A valid file with something deleted, inserted or doubled."""
    text = draw(st.sampled_from([LISTS, SHIPPED]) | written().map(lambda w: w.text))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 9)))
        middle = draw(st.sampled_from(["", text[start:end] * 2, *NOISE]))
        text = text[:start] + middle + text[end:]
    return text


@settings(many, max_examples=1500)
@given(broken() | st.text(max_size=60) | st.lists(st.sampled_from(NOISE), max_size=20).map("".join))
def test_any_text_is_a_document_or_refused_with_a_place(text: str) -> None:
    try:
        document = parse(text)
    except InputError as error:
        assert PLACE.fullmatch(str(error))
        return
    assert same(values(document), yaml.safe_load(text) or {})
    for key in document.keys():  # noqa: SIM118
        assert document.place(key, 1).line
        assert document.node_kind(key)


@many
@given(broken(), source, st.data())
def test_odd_files_are_edited_rightly_or_not_at_all(text: str, value: str, data: st.DataObject) -> None:
    try:
        document = parse(text)
    except InputError:
        return
    before = yaml.safe_load(text) or {}
    key = data.draw(st.sampled_from([*document.keys(), "new"]))
    try:
        after = document.replace(key, value)
    except InputError as error:
        assert "without changing more" in str(error)
        return
    assert same(yaml.safe_load(after.text)[key], yaml.safe_load(value))
    rest = {k: v for k, v in yaml.safe_load(after.text).items() if k != key}
    assert same(sorted(rest.items()), sorted((k, v) for k, v in before.items() if k != key))
