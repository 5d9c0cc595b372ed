"""Datasets: the samples of a bulk run, from folders, tar shards, tables and lists. No torch here."""

from fourm_tui.datasets.dataset import Dataset, subset
from fourm_tui.datasets.opening import open_dataset

__all__ = ["Dataset", "open_dataset", "subset"]
