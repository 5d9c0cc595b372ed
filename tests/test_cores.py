"""How many cores are ours: affinity, and what control groups of either version allow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fourm_tui import cores
from fourm_tui.cores import computing_threads, multiplies_bf16, processor_maker, usable_cores

LAUNCHED = {"TORCHELASTIC_RUN_ID": "none", "OMP_NUM_THREADS": "1"}


@pytest.fixture(autouse=True)
def _sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)


def groups(folder: Path, own: str, **files: str) -> tuple[Path, Path]:
    """A mount with some files, `__` for each slash in their names, and the file that says which group is ours."""
    for name, text in files.items():
        file = folder / "mount" / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    folder.mkdir(exist_ok=True)
    (folder / "own").write_text(own)
    return folder / "mount", folder / "own"


def allowed(folder: Path, own: str, **files: str) -> int:
    written = {name.replace("cpu_max", "cpu.max").replace("quota", "cpu.cfs_quota_us").replace("period", "cpu.cfs_period_us"): text
               for name, text in files.items()}  # fmt: skip
    return usable_cores(*groups(folder, own, **written))


def test_without_limits_all_cores_are_usable(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, tmp_path / "none") == 16
    assert allowed(tmp_path, "0::/\n", cpu_max="max 100000\n") == 16
    assert allowed(tmp_path, "1:cpu:/\n", cpu__quota="-1\n", cpu__period="100000\n") == 16


def test_a_container_that_may_use_four_cores_time(tmp_path: Path) -> None:
    assert allowed(tmp_path, "0::/\n", cpu_max="400000 100000\n") == 4


def test_a_share_of_a_core_counts_as_one(tmp_path: Path) -> None:
    assert allowed(tmp_path, "0::/\n", cpu_max="50000 100000\n") == 1
    assert allowed(tmp_path, "0::/\n", cpu_max="250000 100000\n") == 3


def test_the_narrowest_group_around_us_decides(tmp_path: Path) -> None:
    found = allowed(tmp_path, "0::/slurm/job/step\n", slurm__cpu_max="800000 100000\n",
                    slurm__job__cpu_max="600000 100000\n", slurm__job__step__cpu_max="max 100000\n")  # fmt: skip
    assert found == 6


def test_the_older_interface(tmp_path: Path) -> None:
    own = "5:memory:/\n3:cpu,cpuacct:/docker/abc\n0::/\n"
    assert allowed(tmp_path, own, cpu__docker__abc__quota="200000\n", cpu__docker__abc__period="100000\n") == 2
    # In a container the path is one of the host, and the mount is the group itself.
    assert allowed(tmp_path / "inside", own, cpu__quota="300000\n", cpu__period="100000\n") == 3


def test_a_choice_of_the_user_stays() -> None:
    assert computing_threads(env={"OMP_NUM_THREADS": "3"}) is None
    assert computing_threads(ranks=2, env={"OMP_NUM_THREADS": "1"}) is None
    assert computing_threads(ranks=2, env={**LAUNCHED, "OMP_NUM_THREADS": "5"}) is None
    assert computing_threads(env=LAUNCHED) is None


def test_ranks_share_the_cores_instead_of_the_launchers_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: 16)
    assert computing_threads(ranks=4, env=LAUNCHED) == 4
    assert computing_threads(ranks=32, env=LAUNCHED) == 1
    assert computing_threads(env={}) == 16


@pytest.mark.parametrize(("there", "threads"), [(1, 1), (2, 2), (3, 2), (16, 15)])
def test_a_core_is_spared_where_there_are_more_than_two(
    monkeypatch: pytest.MonkeyPatch, there: int, threads: int
) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: there)
    assert computing_threads(spare=1, env={}) == threads


INTEL = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu avx512f{more}\n\nprocessor\t: 1\n"


@pytest.mark.parametrize(
    ("facts", "maker", "has_bf16"),
    [
        (INTEL.format(more=""), "GenuineIntel", False),
        (INTEL.format(more=" amx_bf16 amx_tile"), "GenuineIntel", True),
        (INTEL.format(more=" avx512_bf16").replace("GenuineIntel", "AuthenticAMD"), "AuthenticAMD", True),
        ("processor\t: 0\nFeatures\t: fp asimd sve bf16\nCPU part\t: 0xd40\n", "", True),
        ("", "", False),
    ],
)
def test_the_processor_says_what_it_is(tmp_path: Path, facts: str, maker: str, has_bf16: bool) -> None:
    (tmp_path / "cpuinfo").write_text(facts)
    assert processor_maker(tmp_path / "cpuinfo") == maker
    assert multiplies_bf16(tmp_path / "cpuinfo") == has_bf16
    assert processor_maker(tmp_path / "none") == ""
