"""Chained any-to-any generation with 4M models, tuned and run from the terminal.

For notebooks and scripts: `load_model`, `load_schedule`, `load_conditions`, `generate`. They are imported when they are
first used, so that `import fourm_tui` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourm_tui.conditions.loading import load_conditions as load_conditions
    from fourm_tui.engine.library import Generation as Generation
    from fourm_tui.engine.library import generate as generate
    from fourm_tui.model.loading import load_model as load_model
    from fourm_tui.schedule.reading import load_schedule as load_schedule

__version__ = "0.1.0.dev0"

_HOMES = {
    "Generation": "engine.library",
    "generate": "engine.library",
    "load_conditions": "conditions.loading",
    "load_model": "model.loading",
    "load_schedule": "schedule.reading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
