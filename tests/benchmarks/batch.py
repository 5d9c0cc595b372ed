"""How fast bulk generation is: `python -m tests.benchmarks.batch [--samples 64] [--dtype bf16] [--json]`. Figures, no verdicts.

Samples a second with 1, 4 and 16 items made together, by the bundled model with its ordinary schedule, and the share of
the time in which the device waited for samples to be read and for room to save.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.batch.scenes import captions

SIZES = (1, 4, 16)


def measured(size: int, samples: int, dtype: str, folder: Path) -> dict[str, float]:
    """A run in a process of its own."""
    data = captions(folder / "captions.txt", samples)
    words = ["batch", "demo/T2R", "--data", str(data), "--out", str(folder / str(size)), "--batch-size", str(size)]
    words += ["--device", "cpu", "--dtype", dtype, "--json"]
    done = subprocess.run([sys.executable, "-m", "fourm_tui", *words], stdout=subprocess.PIPE, check=True)
    waits = json.loads(done.stdout.splitlines()[-1])["waits"]
    return {
        "samples_per_second": samples / waits["working"],
        "reading_percent": 100 * waits["reading"] / waits["working"],
        "saving_percent": 100 * waits["saving"] / waits["working"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--dtype", default="fp32", help="fp32 or bf16")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {size: measured(size, options.samples, options.dtype, Path(folder)) for size in SIZES}
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for size, figures in found.items():
        faster = figures["samples_per_second"] / found[1]["samples_per_second"]
        print(f"{size:3} together  {figures['samples_per_second']:6.2f} samples/s ({faster:.2f} times)  waiting: "
              f"{figures['reading_percent']:.1f} % reading, {figures['saving_percent']:.1f} % saving")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
