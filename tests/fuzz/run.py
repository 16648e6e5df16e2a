"""A long run of the rewrite fuzzer: python -m tests.fuzz.run --sequences 1000"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fuzz.oracle import Score, run_sequence


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=100_000, help="the first seed; one for each sequence from here on")
    arguments = parser.parse_args()
    total = Score()
    for seed in range(arguments.seed, arguments.seed + arguments.sequences):
        with tempfile.TemporaryDirectory() as folder:
            total.add(run_sequence(Path(folder), seed))
        if total.sequences % 50 == 0:
            sys.stdout.write(f"{total}\n")
            sys.stdout.flush()
    sys.stdout.write("\n".join([str(total), *total.wrong[:50]]) + "\n")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
