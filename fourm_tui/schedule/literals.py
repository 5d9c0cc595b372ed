"""Values as YAML source on one line, and back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import yaml

from fourm_tui.errors import InputError
from fourm_tui.schedule.tree import BREAK, read_source


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, type for type: 1 is neither 1.0 nor True, and NaN is NaN."""
    return repr(one) == repr(other)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if BREAK.search(text) else None)


_Dumper.add_representer(str, _represent_text)


def literal(value: Any) -> str:
    """A value as YAML source on one line that can stand anywhere."""
    dumped = yaml.dump(
        [value], Dumper=_Dumper, default_flow_style=True, width=2**31, allow_unicode=True, sort_keys=False
    )
    return dumped.strip()[1:-1]


def reads_as(text: str, value: Any) -> bool:
    """Whether a text on one line is the source of a value."""
    with suppress(InputError):
        return same(read_source(text).value, value)
    return False
