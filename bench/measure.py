"""Measures whole processes: CPU of the process and of its children, and the largest resident set among them."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """CPU seconds (median and best of the runs) and the largest resident set in MB."""

    cpu: float
    best: float
    rss_mb: float
    exit_code: int


def measure(command: list[str], *, cwd: Path, runs: int = 5, warm: int = 1) -> Figure:
    """Runs the command `warm + runs` times, each in a fresh process, and accounts for all that it starts."""
    for _ in range(warm):
        _once(command, cwd)
    samples = [_once(command, cwd) for _ in range(runs)]
    cpus = [sample[0] for sample in samples]
    return Figure(statistics.median(cpus), min(cpus), max(s[1] for s in samples), samples[-1][2])


def row(what: str, figure: Figure, bar: str, peer: str = "") -> str:
    return f"{what:<46} {figure.cpu * 1000:8.0f} ms CPU {figure.rss_mb:7.0f} MB   bar {bar:<18} {peer}"


def tidegate() -> str:
    return str(Path(sys.executable).parent / "tidegate")


_CHILD = """
import json, os, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, done.returncode]))
"""


def _once(command: list[str], cwd: Path) -> tuple[float, float, int]:
    # A middle process of its own, so that RUSAGE_CHILDREN counts this command and everything below it, and no more.
    out = subprocess.run(
        [sys.executable, "-S", "-c", _CHILD, *command], cwd=cwd, capture_output=True, check=True, env=_environment()
    ).stdout
    cpu, rss, code = json.loads(out)
    return cpu, rss, code


def own_peak_mb() -> float:
    """The largest resident set of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _environment() -> dict[str, str]:
    """The environment of a person: compiled modules are kept, as after any installation."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
