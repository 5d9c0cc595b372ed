"""PyYAML's complaints in words for the writer of a settings file."""

from __future__ import annotations

import yaml

from fourm_tui.errors import printable

# Part of PyYAML's problem, whether the place to look at is where the construct began, what is wrong, what to do.
_MEANINGS: tuple[tuple[str, bool, str, str], ...] = (
    ("found unexpected end of stream", True, "a quote opens here and never closes", "close it"),
    ("found unexpected document separator", True, "a quote opens here and never closes", "close it"),
    ("but got '<stream end>'", True, "a bracket opens here and never closes", "close it"),
    ("expected ',' or ']'", False, "a list in brackets goes wrong here", "put a comma between items and ] at the end"),
    ("expected ',' or '}'", False, "a mapping in braces goes wrong here", "write {key: value, key: value}"),
    ("mapping values are not allowed", False, "there is a colon too many", "put a value that contains ': ' in quotes"),
    ("could not find expected ':'", True, "this line has no colon", "write key: value"),
    ("found character '\\t'", False, "there is a tab where YAML allows only spaces", "use spaces"),
    ("cannot start any token", False, "no value starts with this character", "put the value in quotes"),
    ("unknown escape character", False, "this backslash means nothing", "use single quotes, or write it twice"),
    ("sequence entries are not allowed", False, "no list can start here", "write each - on a line of its own"),
    ("expected <block end>", False, "this does not fit the lines above", "start all keys in the same column"),
    ("expected the node content", False, "a value is missing here", "write null"),
    ("expected '<document start>'", False, "this does not go on from the lines above", "start all keys in column 1"),
)


def explain(error: yaml.MarkedYAMLError) -> tuple[yaml.Mark | None, str, str]:
    """Where to look, what is wrong, and what to do."""
    problem = error.problem or "it is not well formed"
    for part, at_start, meaning, fix in _MEANINGS:
        if part in problem:
            mark = error.context_mark if at_start and error.context_mark else error.problem_mark
            return mark, meaning, fix
    mark = error.problem_mark or error.context_mark
    return mark, f"this is no YAML: {printable(problem)}", "correct it, or put the value in quotes"
