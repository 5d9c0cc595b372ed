"""What can be had from the Hugging Face Hub by name, and what of it lies in the Hub's cache. Without the network.

The cache's layout is the Hub client's: `models--OWNER--NAME/` with `blobs/` (contents, named by their hash),
`snapshots/COMMIT/` (links to them) and `refs/` (which commit a branch or tag means). Unfinished downloads are
`blobs/*.incomplete`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fourm_tui.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.published import (
    MODELS,
    OWNER,
    TEXT_TOKENIZER_FILE,
    TEXT_TOKENIZER_REPO,
    TOKENIZERS,
    find,
    sr_model_for,
    tokenizers_for,
)

if TYPE_CHECKING:
    from huggingface_hub import DeleteCacheStrategy

ALL_OF = "all-of"
"""Before a model's name: the model and everything published that it works with."""
TEXT_TOKENIZER = "text_tokenizer"
"""Name of the published text tokenizer in commands."""

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)*")


@dataclass(frozen=True)
class Source:
    """Files of one repository on the Hub that belong together."""

    name: str
    """For commands and people: bare if published, else the Hub id."""
    repo: str
    kind: Literal["model", "tokenizer", "text tokenizer", "data", "other"]
    files: tuple[str, ...] = (CONFIG_FILE, WEIGHTS_FILE)
    revision: str | None = None
    """Branch, tag or commit; None: main."""
    bytes: int | None = None
    """Of the download; None if unknown before the Hub is asked."""

    @property
    def repo_type(self) -> Literal["model", "dataset", "space"]:
        return "space" if self.kind == "text tokenizer" else "dataset" if self.kind == "data" else "model"

    @property
    def folder(self) -> Path:
        """Its place in the cache, whether or not it is there."""
        return hub_cache() / f"{self.repo_type}s--{self.repo.replace('/', '--')}"

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}" if self.revision else self.name


@dataclass(frozen=True)
class CachedRevision:
    """One commit of a repository in the cache."""

    commit: str
    refs: tuple[str, ...]
    """Branches and tags that mean it, as far as the cache knows."""
    folder: Path
    missing: tuple[str, ...]
    """Files of the source that are not there (yet)."""
    bytes: int
    """Of all files in it; contents may be shared with another revision."""


@dataclass(frozen=True)
class Cached:
    """What the cache has of a source."""

    folder: Path
    revisions: tuple[CachedRevision, ...]
    partial_bytes: int
    """Of unfinished downloads."""
    bytes: int
    """On disk altogether."""

    @property
    def complete(self) -> tuple[CachedRevision, ...]:
        """Revisions that can be used."""
        return tuple(revision for revision in self.revisions if not revision.missing)


@dataclass(frozen=True)
class Removal:
    """What removing a source would free."""

    source: Source
    bytes: int
    _strategy: DeleteCacheStrategy | None
    _partial: tuple[Path, ...]

    def execute(self) -> None:
        """Removes it.

        Raises:
            FourmError: something could not be removed.
        """
        try:
            for path in self._partial:
                path.unlink(missing_ok=True)
            if self._strategy is not None:
                self._strategy.execute()
        except OSError as error:
            raise FourmError(f"{self.source}: cannot be removed: {printable(error.strerror or error)}") from None
        if self._strategy is not None:
            # The Hub's client only logs what it cannot remove.
            kept = [path for path in (*self._strategy.repos, *self._strategy.snapshots) if path.exists()]
            if kept:
                raise FourmError(f"{self.source}: could not be removed: {printable(kept[0])}")


def hub_cache() -> Path:
    """The Hub's cache (`$HF_HUB_CACHE`, `$HF_HOME/hub`, `~/.cache/huggingface/hub`)."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def is_offline() -> bool:
    """Whether the user forbids asking the Hub (`$HF_HUB_OFFLINE`)."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def size_text(size: int | None) -> str:
    """`1.78 GB`, `874 MB`, `12 kB`; `–` if unknown."""
    if size is None:
        return "–"
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= 0.9995 * unit:
            value = size / unit
            return f"{value:.2f} {name}" if value < 9.995 and name == "GB" else f"{value:.3g} {name}"
    return f"{size} B"


# -- names ------------------------------------------------------------------------------------------------------


@cache
def published_sources() -> Mapping[str, Source]:
    """All that is published, by name: models, tokenizers, the text tokenizer."""
    sources = [Source(_bare(model.id), model.id, "model", bytes=model.bytes) for model in MODELS.values()]
    sources += [Source(_bare(tok.id), tok.id, "tokenizer", bytes=tok.bytes) for tok in TOKENIZERS.values()]
    sources.append(Source(TEXT_TOKENIZER, TEXT_TOKENIZER_REPO, "text tokenizer", (TEXT_TOKENIZER_FILE,)))
    return {source.name: source for source in sources}


def _bare(repo: str) -> str:
    return repo.removeprefix(f"{OWNER}/")


def named(name: str) -> Source:
    """The source of a name: a published one with or without `EPFL-VILAB/` and in any case, or any Hub id, either with
    an optional `@revision`.

    Raises:
        InputError: it is neither, or the revision is none.
    """
    repo, at, revision = name.strip().partition("@")
    if at and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise InputError(f"{printable(name)}: {printable(revision, 60)!r} is no revision (branch, tag or commit)")
    by_name = {key.lower(): source for key, source in published_sources().items()}
    by_name |= {source.repo.lower(): source for source in published_sources().values()}
    source = by_name.get(repo.lower())
    if source is None:
        if not _REPO.fullmatch(repo) or "--" in repo or ".." in repo:
            raise InputError(f"{printable(name)}: {_what_was_meant(repo, by_name)}")
        source = Source(repo, repo, "other")
    return replace(source, revision=revision or None)


def _what_was_meant(name: str, by_name: Mapping[str, Source]) -> str:
    close = get_close_matches(name.lower(), by_name, n=1, cutoff=0.6)
    if close:
        return f"nothing of this name is published; did you mean {by_name[close[0]].name}?"
    return "nothing of this name is published, and it is no Hub id (owner/name); `fourm-tui models` lists the names"


def expand(names: Sequence[str], *, with_sr: bool = False) -> tuple[Source, ...]:
    """The sources that a command's names mean; `all-of MODEL` means a model and everything it works with, with
    `with_sr` also the super-resolution model. Each comes once, in order.

    Raises:
        InputError: a name is unknown, or `all-of` stands before something that is no published model.
    """
    found: list[Source] = []
    rest = iter(names)
    for name in rest:
        if name != ALL_OF:
            found.append(named(name))
            continue
        model = next(rest, None)
        if model is None:
            raise InputError(f"{ALL_OF}: the name of a model is to follow, such as {ALL_OF} 4M-7_B_CC12M")
        found += _all_of(named(model), with_sr)
    if with_sr and ALL_OF not in names:
        raise InputError(f"--sr: only goes with {ALL_OF} MODEL")
    return tuple(dict.fromkeys(found))


def _all_of(model: Source, with_sr: bool) -> Iterable[Source]:
    if find(model.repo) is None:
        raise InputError(f"{ALL_OF} {model.name}: is no published model, so what belongs to it is not known")
    yield model
    sr_model = sr_model_for(model.repo) if with_sr else None
    wanted = [model.repo, *([sr_model.id] if sr_model else [])]
    if sr_model:
        yield named(sr_model.id)
    for tokenizer in dict.fromkeys(tokenizer for repo in wanted for tokenizer in tokenizers_for(repo)):
        yield named(tokenizer.id)
    yield published_sources()[TEXT_TOKENIZER]


# -- the cache --------------------------------------------------------------------------------------------------


def cached(source: Source) -> Cached | None:
    """What the cache has of a source, all revisions; None if nothing."""
    folder = source.folder
    try:
        if not folder.is_dir():
            return None
        blobs = [path for path in _entries(folder / "blobs") if path.is_file()]
        partial = sum(path.stat().st_size for path in blobs if path.suffix == ".incomplete")
        refs = _refs(folder / "refs")
        revisions = tuple(
            _revision(path, tuple(sorted(ref for ref, commit in refs.items() if commit == path.name)), source.files)
            for path in sorted(_entries(folder / "snapshots"))
            if path.is_dir()
        )
        whole = sum(path.stat().st_size for path in blobs if path.suffix != ".incomplete")
    except OSError as error:
        raise FourmError(f"{printable(folder)}: cannot be read: {error.strerror or error}") from None
    if not revisions and not partial:
        return None
    # Where links are not possible contents lie in the snapshots themselves.
    loose = sum(path.stat().st_size for rev in revisions for path in _files(rev.folder) if not path.is_symlink())
    return Cached(folder, revisions, partial, whole + loose + partial)


def _revision(folder: Path, refs: tuple[str, ...], files: Sequence[str]) -> CachedRevision:
    missing = tuple(name for name in files if not (folder / name).is_file())
    size = sum(path.stat().st_size for path in _files(folder))
    return CachedRevision(folder.name, refs, folder, missing, size)


def _refs(folder: Path) -> dict[str, str]:
    """Commits by branch or tag."""
    commits = {}
    for path in _files(folder):
        if path.stat().st_size <= 200:
            commits[path.relative_to(folder).as_posix()] = path.read_text("utf-8", "replace").strip()
    return commits


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def removal(source: Source) -> Removal:
    """What there is to remove of a source: one revision if it names one, else all of it.

    Raises:
        InputError: it is not in the cache.
        FourmError: the cache cannot be read.
    """
    from huggingface_hub import scan_cache_dir

    found = cached(source)
    if found is None:
        raise InputError(f"{source}: is not in the cache ({printable(hub_cache())})")
    partial = [path for path in _entries(found.folder / "blobs") if path.suffix == ".incomplete"]
    commits = [
        revision.commit for revision in found.revisions if source.revision in (None, revision.commit, *revision.refs)
    ]
    if source.revision and not commits:
        raise InputError(f"{source}: this revision is not in the cache")
    if source.revision and len(commits) < len(found.revisions):
        partial = []  # they may belong to the other revisions
    size = sum(path.stat().st_size for path in partial)
    if not commits:
        return Removal(source, size, None, tuple(partial))
    info = scan_cache_dir(hub_cache())
    # Only this repository: a copy of it elsewhere may have commits of the same name.
    repos = frozenset(repo for repo in info.repos if Path(repo.repo_path).name == found.folder.name)
    if not repos:
        raise FourmError(f"{printable(found.folder)}: is no sound cache folder; remove it by hand")
    strategy = replace(info, repos=repos).delete_revisions(*commits)
    return Removal(source, size + strategy.expected_freed_size, strategy, tuple(partial))
