"""CPU and memory of `tidegate infra` on plans, process start included, with checkov beside it where it is installed.

python -m bench.infra.speed
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.infra.corpus import folder
from bench.infra.peers import CACHE
from bench.infra.plans import made_plan
from bench.measure import measure, row, tidegate


def main() -> int:
    """One row for the 51 resources of the corpus (all destroyed), one for 5,000 made ones of which a few change."""
    small = folder() / "generated" / "plans_tofu" / "g29_destroy_all.json"
    with tempfile.TemporaryDirectory() as scratch:
        large = Path(scratch) / "large.json"
        large.write_bytes(made_plan(5_000))
        print(row("infra, 51 resources", measure([tidegate(), "infra", str(small)], cwd=Path(scratch)), "250 ms"))
        figure = measure([tidegate(), "infra", str(large)], cwd=Path(scratch), runs=3)
        print(row(f"infra, 5,000 resources, {large.stat().st_size / 1e6:.0f} MB", figure, "3,000 ms, 250 MB"))
        checkov = CACHE / "bin" / "checkov"
        if checkov.is_file():
            command = [str(checkov), "-f", str(small), "--framework", "terraform_plan", "--quiet", "--compact"]
            print(row("checkov, 51 resources", measure(command, cwd=Path(scratch), runs=3), "-"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
