"""The same labelled changes by peers: checkov (what fails anew) and pyrrho (what it raises), installed for the run.

    python -m bench.infra.peers

A peer raises a change where it would stop it by default: a check that failed after and not before (checkov), a finding
of medium or more (pyrrho reads plans alone). The unchanged stack is what a generated plan is compared with.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

from bench.infra.corpus import folder, share

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "infra-peers"
PINNED = ("checkov==3.3.30", "pyrrho==0.2.1")
UNCHANGED = "g00_no_change"


def main() -> int:
    """The table: each peer's recall of high and critical, and its false alarms on none and low."""
    program = installed()
    items = json.loads((folder() / "labels.json").read_text())["items"]
    peers: tuple[tuple[str, Callable[[dict[str, object]], bool | None]], ...] = (
        ("checkov, new failures", lambda item: _checkov(program / "checkov", item)),
        ("pyrrho, medium or more", lambda item: _pyrrho(program / "pyrrho", item)),
    )
    for name, raised in peers:
        started = time.perf_counter()
        said = [(item, raised(item)) for item in items]
        read = [(item, answer) for item, answer in said if answer is not None]
        grave = [bool(answer) for item, answer in said if item["severity"] in ("high", "critical")]
        quiet = [bool(answer) for item, answer in said if item["severity"] in ("none", "low")]
        print(
            f"{name:26} recall of high and critical {share(grave):12} false alarms {share(quiet):12}"
            f" read {len(read)} of {len(items)}   {time.perf_counter() - started:.0f} s"
        )
    return 0


def installed() -> Path:
    """The folder of the peers' programs, made on first use from the package index."""
    if not (CACHE / "ready").is_file():
        venv.create(CACHE, with_pip=True)
        subprocess.run([CACHE / "bin" / "pip", "install", "-q", *PINNED], check=True)
        (CACHE / "ready").touch()
    return CACHE / "bin"


# Private

_FAILED: dict[Path, frozenset[tuple[str, str]]] = {}


def _checkov(program: Path, item: dict[str, object]) -> bool:
    source = item["source"]
    assert isinstance(source, dict)
    if "dir" in source:
        before, after = (_failures(program, folder() / source["dir"] / side, "-d") for side in ("before", "after"))
        return bool(after - before)
    path = folder() / (source.get("terraform") or source.get("opentofu") or source["plan"])
    known = _failures(program, path.with_name(f"{UNCHANGED}.json"), "-f") if "plan" not in source else frozenset()
    return bool(_failures(program, path, "-f") - known)


def _failures(program: Path, path: Path, how: str) -> frozenset[tuple[str, str]]:
    """The checks that fail, each with its resource."""
    if path not in _FAILED:
        kinds = ("--framework", "terraform_plan") if how == "-f" else ()
        command = [str(program), how, str(path), *kinds, "-o", "json", "--quiet", "--compact"]
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        reports = json.loads(done.stdout or b"[]")
        found = set()
        for report in reports if isinstance(reports, list) else [reports]:
            for check in report.get("results", {}).get("failed_checks", ()):
                found.add((check["check_id"], check["resource"]))
        _FAILED[path] = frozenset(found)
    return _FAILED[path]


def _pyrrho(program: Path, item: dict[str, object]) -> bool | None:
    source = item["source"]
    assert isinstance(source, dict)
    if "dir" in source:
        return None
    path = folder() / (source.get("terraform") or source.get("opentofu") or source["plan"])
    done = subprocess.run([str(program), str(path), "--fail-on", "medium", "--quiet"], capture_output=True, check=False)
    return done.returncode == 1 if done.returncode in (0, 1) else None


if __name__ == "__main__":
    sys.exit(main())
