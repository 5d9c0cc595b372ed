"""A chain put together: settings, models and conditions read, checked, costed, and made into the record of a run.

What the command line and the screens do alike. Without torch and without a terminal.
"""
