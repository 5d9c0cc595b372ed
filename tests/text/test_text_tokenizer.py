"""What a text becomes for the model, what people read, and text that arrives token by token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourm_tui.errors import InputError
from fourm_tui.formats.vocabulary import CONTROL_WORDS, EOS, S_0
from fourm_tui.tokenizers.text import LONGEST, TextStream, TextTokenizer, span_ends
from tests.test_imports import modules_after
from tests.text.reference import write_tiny_tokenizer

S_1, S_2 = S_0 + 1, S_0 + 2


def test_importing_it_loads_neither_the_library_nor_torch() -> None:
    loaded = modules_after("import fourm_tui.tokenizers.text, fourm_tui.formats.native")
    assert not {"tokenizers", "huggingface_hub", "torch", "numpy"} & loaded


def test_a_finished_caption_ends_in_eos(tiny: TextTokenizer) -> None:
    assert tiny.caption_ids("a red cup") == [*tiny.encode("a red cup"), EOS]


def test_an_eos_that_is_written_is_not_doubled(tiny: TextTokenizer) -> None:
    assert tiny.caption_ids("a red cup [EOS]") == tiny.encode("a red cup [EOS]")


def test_an_empty_caption_is_eos_alone(tiny: TextTokenizer) -> None:
    assert tiny.caption_ids("") == [EOS]


def test_a_caption_with_a_sentinel_stands_as_written(tiny: TextTokenizer) -> None:
    assert tiny.caption_ids("a red cup [S_1]") == [*tiny.encode("a red cup"), S_1]


@pytest.mark.parametrize("text", ["a[S_1]b", "a [s_1] b", "a [S_200]", "a [S_01]"])
def test_a_sentinel_that_would_fall_apart_is_refused(tiny: TextTokenizer, text: str) -> None:
    assert S_1 not in tiny.encode(text)
    with pytest.raises(InputError, match=r"caption: \[[sS]_\d+\] is no sentinel"):
        tiny.caption_ids(text)


@pytest.mark.parametrize("text", ["[S_1][S_2]", "a [S_1], [S_2]!"])
def test_sentinels_may_touch_marks_and_each_other(tiny: TextTokenizer, text: str) -> None:
    assert [token for token in tiny.caption_ids(text) if token in (S_1, S_2)] == [S_1, S_2]


def test_a_caption_longer_than_the_positions_is_refused(tiny: TextTokenizer) -> None:
    assert len(tiny.caption_ids("a " * (LONGEST - 1))) == LONGEST
    with pytest.raises(InputError, match=f"-i caption: the text has {LONGEST + 1} tokens"):
        tiny.caption_ids("a " * LONGEST, "-i caption")


def test_text_that_is_no_unicode_is_refused(tiny: TextTokenizer) -> None:
    with pytest.raises(InputError, match=r"\\udcff.*no text in UTF-8"):
        tiny.encode("a \udcff b")


def test_people_read_neither_padding_nor_sentinels_but_names_of_things(tiny: TextTokenizer) -> None:
    ids = tiny.encode("[S_1] a cup of tea [EOS] [S_2] [PAD] [SOS]")
    assert tiny.decode_text(ids) == "a cup of tea"
    assert tiny.decode(ids, skip_special_tokens=True) == "a of tea"


def test_generation_starts_at_the_first_sentinel_and_stops_after_the_last(tiny: TextTokenizer) -> None:
    assert span_ends(tiny.encode("a [S_1] on a [S_4] beach")) == (S_1, S_0 + 5)
    assert span_ends(tiny.encode("a beach")) is None


def test_a_stream_gives_the_text_so_far(tiny: TextTokenizer) -> None:
    stream = TextStream(tiny)
    ids = tiny.encode("[S_1] a sunset, on the beach [EOS] [S_2]")
    assert [stream.add(token) for token in ids] == [
        "", "a", "a sun", "a sunset", "a sunset,", "a sunset, on", "a sunset, on the", "a sunset, on the beach",
        "a sunset, on the beach", "a sunset, on the beach",
    ]  # fmt: skip


def test_a_stream_parts_what_belongs_to_several_sentinels(tiny: TextTokenizer) -> None:
    stream = TextStream(tiny)
    assert stream.add(*tiny.encode("[S_1] red dog [S_2] beach [S_3]")) == "red dog … beach"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.json: there is no such text tokenizer"):
        TextTokenizer(tmp_path / "nothing.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"{", b"\xff\xfe\x00", b"[1, 2]"])
def test_a_corrupt_file_is_bad_input(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "text_tokenizer.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"text_tokenizer\.json: is no text tokenizer"):
        TextTokenizer(file)


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    other = (*CONTROL_WORDS[:3], "[SEP]", *CONTROL_WORDS[3:])
    with pytest.raises(InputError, match="no text tokenizer of a 4M model"):
        TextTokenizer(write_tiny_tokenizer(tmp_path / "other.json", other))


def test_truncation_and_padding_saved_in_a_file_have_no_effect(tiny_file: Path, tmp_path: Path) -> None:
    content = json.loads(tiny_file.read_text())
    content["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    file = tmp_path / "text_tokenizer.json"
    file.write_text(json.dumps(content))
    assert len(TextTokenizer(file).encode("a red cup on the beach")) == 6
