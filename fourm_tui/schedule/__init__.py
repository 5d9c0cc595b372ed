"""Schedules: what the user edits. Rows, settings files in and out, validation, undo."""
