"""Every benchmark of the project, one after the other: figure, bar, and a peer measured in the same run."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("bench.startup", "bench.check", "bench.codeowners", "bench.notes", "bench.reach_query")


def main() -> int:
    return max(importlib.import_module(name).main() for name in BENCHMARKS)


if __name__ == "__main__":
    sys.exit(main())
