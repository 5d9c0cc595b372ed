"""Generated spans take the places of their sentinels."""

from __future__ import annotations

from typing import Any

import pytest

from fourm_tui.sampling.spans import merge_spans
from tests.text.reference import cases


@pytest.mark.parametrize("case", cases("merge_cases"), ids=lambda case: f"{case['input']} + {case['generated']}")
def test_spans_are_merged_as_by_the_reference(case: dict[str, Any]) -> None:
    assert merge_spans(case["input_ids"], case["generated_ids"]) == case["merged_ids"]
