"""The text tokenizer of the sequence modalities: a WordPiece vocabulary of 30,000 words, read by `tokenizers`.

Without torch. The forms a text takes for the model:
- A finished text is its tokens and a visible [EOS], as in training and in ml-4m's data sets (run_generation.py), so
  that the model knows that nothing is missing. ml-4m's notebooks give it without [EOS] (`custom_text`).
- A text with sentinels (`a red fox [S_1]`) stands as written, without [EOS]: it says which parts are open. As a target
  these are generated; as a mere condition they stay open, and the model knows that there could be more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from fourm_tui.download import download
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.formats.reading import check_sentinels
from fourm_tui.formats.vocabulary import CONTROL_WORDS, EOS, SENTINELS, UNSEEN
from fourm_tui.hub import named
from fourm_tui.published import TEXT_TOKENIZER_FILE, TEXT_TOKENIZER_REPO

BESIDE_MODEL = "text_tokenizer.json"
"""Name of a model's own text tokenizer in its folder."""

LONGEST = 512
"""Positions that a model has for the tokens of a sequence that it sees."""

# Where ml-4m's repository keeps the file. Its models configs name it relative to their root, which is elsewhere here.
_IN_ML_4M = f"fourm/utils/tokenizer/trained/{TEXT_TOKENIZER_FILE}"
_HUB_ID = re.compile(r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w.-]+))?(?P<file>/.+)?")


class TextTokenizer:
    """Text to ids and back.

    Args:
        file: a tokenizer in the JSON format of the `tokenizers` library.

    Raises:
        InputError: there is no such file, it is no tokenizer, or its control tokens and sentinels have other ids than
            those that sampling relies on.
    """

    def __init__(self, file: Path) -> None:
        from tokenizers import Tokenizer

        if not file.is_file():
            raise InputError(f"{printable(file)}: there is no such text tokenizer")
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing more specific
            raise InputError(f"{printable(file)}: is no text tokenizer: {printable(error)}") from None
        tokenizer.no_truncation()
        tokenizer.no_padding()
        if tokenizer.encode(" ".join(CONTROL_WORDS)).ids != list(range(len(CONTROL_WORDS))):
            last = len(CONTROL_WORDS) - 1
            raise InputError(
                f"{printable(file)}: is no text tokenizer of a 4M model: [PAD], [UNK], [SOS], [EOS] and the sentinels "
                f"[S_0] to {CONTROL_WORDS[-1]} are to be its tokens 0 to {last}"
            )
        self._tokenizer = tokenizer

    @property
    def vocab_size(self) -> int:
        """Ids run from 0 to this, without it."""
        return self._tokenizer.get_vocab_size()

    def token_to_id(self, token: str) -> int | None:
        """The id of a token as it stands in the vocabulary; None if it is not there."""
        return self._tokenizer.token_to_id(token)

    def encode(self, text: str) -> list[int]:
        """Ids of a text as it stands, nothing added.

        Raises:
            InputError: the text cannot be expressed in UTF-8.
        """
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise InputError(f"{printable(text, 60)!r}: is no text in UTF-8") from None
        return list(self._tokenizer.encode(text).ids)

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False) -> str:
        """The text of ids, lower case, words parted by one blank.

        With `skip_special_tokens` control tokens, sentinels and values are missing, but names of object classes too:
        `a cup of tea` comes back as `a of tea`. For people take `decode_text`.
        """
        return self._tokenizer.decode([int(token) for token in ids], skip_special_tokens=skip_special_tokens)

    def decode_text(self, ids: Sequence[int]) -> str:
        """The text for people: without padding, start, end and sentinels, with everything else."""
        return self.decode([token for token in ids if token not in UNSEEN])

    def caption_ids(self, text: str, where: str = "caption") -> list[int]:
        """What the encoder sees of a caption, or of the string of another sequence modality, that is given.

        A text without sentinels is finished and gets an [EOS] unless it ends in one; one with sentinels stands as
        written. An empty text is an empty caption, [EOS] alone.

        Raises:
            InputError: the text is too long, or something in it looks like a sentinel and is none.
        """
        check_sentinels(text, where)
        ids = self.encode(text)
        if span_ends(ids) is None and ids[-1:] != [EOS]:
            ids.append(EOS)
        if len(ids) > LONGEST:
            raise InputError(f"{where}: the text has {len(ids)} tokens; a model sees {LONGEST} at the most")
        return ids


class TextStream:
    """The text of a sequence while its tokens arrive.

    What was added before may change with the next token (`sun` becomes `sunset`), so it is always given as a whole.
    The parts generated for several sentinels stand in their order with ` … ` between them.
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self._spans: list[list[int]] = [[]]

    def add(self, *tokens: int) -> str:
        """The text so far, these tokens included."""
        for token in tokens:
            if token in SENTINELS:
                self._spans.append([])
            elif token not in UNSEEN:
                self._spans[-1].append(token)
        return self.text

    @property
    def text(self) -> str:
        return " … ".join(self._tokenizer.decode(span) for span in self._spans if span)


def span_ends(ids: Sequence[int]) -> tuple[int, int] | None:
    """From which token the generation of a text's open parts starts and at which it stops: its first sentinel, and the
    one after its last (training ends every target so); None if no part is open."""
    sentinels = [token for token in ids if token in SENTINELS]
    return (sentinels[0], min(max(sentinels) + 1, SENTINELS[-1])) if sentinels else None


def find_text_tokenizer(near: Path | None = None, given: str | None = None, relative_to: Path | None = None) -> Path:
    """The file of a text tokenizer: the one given, else the model's own, else the published one, which is looked for
    in the Hub's cache and then downloaded.

    Args:
        near: the model's folder or weights, beside which `text_tokenizer.json` may lie.
        given: `text_tok_path` of a models config: a file, a folder with one, a Hub id `owner/name[@revision]`, or such
            an id with a path in it. ml-4m's own configs name a path in its repository; where that is not there, this
            counts as not given.
        relative_to: folder of the config; paths are tried there after the working directory.

    Raises:
        InputError: a file is given and is not there.
        FourmError: it is neither on this machine nor to be had from the Hub.
    """
    if given:
        found = find_local(Path(given).expanduser(), relative_to)
        if found:
            return found
        if Path(given).is_absolute() or Path(given).as_posix() != _IN_ML_4M:
            return _given_on_hub(given)
    folder = near if near is None or near.is_dir() else near.parent
    found = find_local(folder) if folder else None
    if found:
        return found
    try:
        return _from_hub(TEXT_TOKENIZER_REPO, (TEXT_TOKENIZER_FILE,))
    except FourmError as error:
        place = (
            f"put it beside the model as {printable(folder / BESIDE_MODEL)}, or" if folder else "put it anywhere and"
        )
        raise FourmError(
            f"the text tokenizer is not on this machine: {TEXT_TOKENIZER_FILE} of the Hub's Space "
            f"{TEXT_TOKENIZER_REPO} could not be downloaded ({error}); {place} name it in the models config as "
            "text_tok_path"
        ) from None


def find_local(path: str | Path, relative_to: Path | None = None) -> Path | None:
    """The file at a path, or the tokenizer in a folder; None if neither is there."""
    path = Path(path).expanduser()
    for place in dict.fromkeys([path] if relative_to is None else [path, relative_to / path]):
        try:
            candidates = [place / BESIDE_MODEL, place / TEXT_TOKENIZER_FILE] if place.is_dir() else [place]
            found = next((candidate for candidate in candidates if candidate.is_file()), None)
        except (OSError, ValueError) as error:
            raise InputError(f"{printable(path)}: cannot be looked at: {printable(error)}") from None
        if found:
            return found
    return None


def _given_on_hub(given: str) -> Path:
    match = _HUB_ID.fullmatch(given)
    if not match or (given.endswith(".json") and not match["file"]):
        raise InputError(f"{printable(given)}: there is no such text tokenizer (text_tok_path)")
    names = (match["file"].lstrip("/"),) if match["file"] else (BESIDE_MODEL, TEXT_TOKENIZER_FILE)
    try:
        return _from_hub(match["repo"], names, match["revision"])
    except FourmError as error:
        raise FourmError(
            f"{printable(given)}: the text tokenizer (text_tok_path) is not here and could not be downloaded: {error}"
        ) from None


def _from_hub(repo: str, names: Sequence[str], revision: str | None = None) -> Path:
    """The first of these files of a repository, from the cache if any of them is there.

    Raises:
        FourmError: none can be had; its message is only the reason.
    """
    from huggingface_hub import try_to_load_from_cache

    kind: Literal["model", "space"] = "space" if repo == TEXT_TOKENIZER_REPO else "model"
    for name in names:
        file = try_to_load_from_cache(repo, name, repo_type=kind, revision=revision)
        if isinstance(file, str):  # else the cache does not have it
            return Path(file)
    reason: FourmError | None = None
    for name in names:
        source = replace(named(repo), revision=revision, files=(name,))
        try:
            return download(source) / name
        except FourmError as error:
            reason = FourmError(str(error).removeprefix(f"{source}: "))
    assert reason is not None
    raise reason
