"""Start-up, where users feel it first: `tidegate --version` and `--help` under 150 ms CPU. Beside: bare Python."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.measure import measure, row, tidegate

BAR_SECONDS = 0.150


def main() -> int:
    here = Path.cwd()
    bare = measure([sys.executable, "-c", "pass"], cwd=here, runs=9)
    failed = False
    for arguments in (["--version"], ["--help"], ["check", "--help"]):
        figure = measure([tidegate(), *arguments], cwd=here, runs=9)
        failed |= figure.cpu > BAR_SECONDS
        print(row("tidegate " + " ".join(arguments), figure, "150 ms", f"python -c pass: {bare.cpu * 1000:.0f} ms"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
