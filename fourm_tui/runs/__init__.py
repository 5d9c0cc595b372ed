"""The run folder, the truth about a run: write, read, list, reopen, branch."""

from fourm_tui.runs.files import replace_file, write_new
from fourm_tui.runs.folder import Run, branch_off, copy_rows, create_run, open_run
from fourm_tui.runs.listing import LATEST, Listing, each_run, find_run, list_runs
from fourm_tui.runs.record import (
    ConditionRecord,
    ModelRecord,
    ParentRecord,
    RowRecord,
    RowState,
    RunRecord,
    SampleRecord,
    SettingsText,
    Status,
    Variations,
    changed_conditions,
    condition_record,
    fingerprint,
    is_bulk,
    without,
)
from fourm_tui.runs.seeds import decoding_seed, effective_seed
from fourm_tui.runs.tokens import GIVEN, LEFT_OPEN, TargetTokens, read_tokens, token_bytes, write_tokens

__all__ = [
    "GIVEN",
    "LATEST",
    "LEFT_OPEN",
    "ConditionRecord",
    "Listing",
    "ModelRecord",
    "ParentRecord",
    "RowRecord",
    "RowState",
    "Run",
    "RunRecord",
    "SampleRecord",
    "SettingsText",
    "Status",
    "TargetTokens",
    "Variations",
    "branch_off",
    "changed_conditions",
    "condition_record",
    "copy_rows",
    "create_run",
    "decoding_seed",
    "each_run",
    "effective_seed",
    "find_run",
    "fingerprint",
    "is_bulk",
    "list_runs",
    "open_run",
    "read_tokens",
    "replace_file",
    "token_bytes",
    "without",
    "write_new",
    "write_tokens",
]
