"""`tidegate check` on a 50-file change of a repository with 50,000 files, warm, whole process: under 1 s CPU, 200 MB.

The repository is generated: 50,000 files in 500 folders, 200 commits of history, a branch of 12 commits that changes 50
files (with notes, trailers and undeclared lines), CODEOWNERS with 300 rules. Beside it: what git alone needs for the
same range (`diff --stat`, `log -p`), run by hand.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.measure import measure, row, tidegate
from bench.repository import generate

BAR_SECONDS, BAR_MB = 1.0, 200.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        repository = generate(Path(folder) / "large", files=50_000, changed=50)
        peer = measure(["git", "log", "-p", "-U0", "main..feature"], cwd=repository).cpu
        peer += measure(["git", "diff", "--stat", "-M", "main...feature"], cwd=repository).cpu
        figure = measure([tidegate(), "check", "main..feature"], cwd=repository)
        print(row("check: 50 of 50,000 files", figure, "1000 ms, 200 MB", f"git log -p and diff: {peer * 1000:.0f} ms"))
        if figure.exit_code not in (0, 1):
            print(f"check failed with exit code {figure.exit_code}")
            return 1
    return 1 if figure.cpu > BAR_SECONDS or figure.rss_mb > BAR_MB else 0


if __name__ == "__main__":
    sys.exit(main())
