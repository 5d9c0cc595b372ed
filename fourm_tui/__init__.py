"""Chained any-to-any generation with 4M models, tuned and run from the terminal."""

__version__ = "0.1.0.dev0"
