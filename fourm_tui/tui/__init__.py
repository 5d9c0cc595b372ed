"""The screens. What they show is worked out in `workspace` (the chain being edited) and `run_state` (a run under way),
which know nothing of Textual; panes draw these two, and actions change them."""
