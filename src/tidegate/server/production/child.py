"""The trace of an incident in a process of its own: what stands in a mirror is somebody else's.

    python -m tidegate.server.production.child SECONDS MEMORY_MB

reads one `Asked` and writes one `Traced`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.operate.culprit import Traced, Worse
from tidegate.operate.symptoms.values import Span, Symptoms
from tidegate.operate.values import Alert, ErrorReport
from tidegate.rollout.values import Deployment
from tidegate.server.bounded import LARGEST, Bounds, child, run
from tidegate.telemetry.series import Series

BOUNDS = Bounds(60, 2048)
CHILD = child("tidegate.server.production.child")


class Measured(Struct, frozen=True):
    """A series as it travels; None where nothing was measured."""

    name: str
    labels: Mapping[str, str]
    times: tuple[float, ...]
    values: tuple[float | None, ...]


class Asked(Struct, frozen=True, kw_only=True):
    """The symptoms, what was deployed, and the mirrors by the name that deployments give their repository."""

    alert: Alert
    errors: tuple[ErrorReport, ...]
    spans: tuple[Span, ...]
    calls: tuple[tuple[str, str], ...]
    unknowns: tuple[str, ...]
    series: tuple[Measured, ...]
    deployments: tuple[Deployment, ...]
    mirrors: Mapping[str, str]
    worse: tuple[Worse, ...] = ()


def ask(asked: Asked, command: Sequence[str] = CHILD) -> Traced | None:
    """The trace; None where it took more than its bounds, or failed."""
    said = run(command, msgspec.json.encode(asked), BOUNDS)
    return None if said is None else msgspec.json.decode(said, type=Traced)


def packed(series: Sequence[Series]) -> tuple[Measured, ...]:
    """Series as they travel."""
    return tuple(
        Measured(
            name=one.name,
            labels=one.labels,
            times=tuple(one.times.tolist()),
            values=tuple(None if math.isnan(value) else value for value in one.values.tolist()),
        )
        for one in series
    )


def main(arguments: Sequence[str]) -> int:
    from tidegate.change.git import open_repository
    from tidegate.operate.culprit import trace
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Asked)
        with ExitStack() as stack:
            mirrors = {
                name: stack.enter_context(open_repository(Path(path), bare=True))
                for name, path in asked.mirrors.items()
                if Path(path).is_dir()
            }
            symptoms = Symptoms(
                alert=asked.alert,
                errors=asked.errors,
                series=tuple(_unpacked(one) for one in asked.series),
                spans=asked.spans,
                calls=asked.calls,
                unknowns=asked.unknowns,
            )
            said = trace(mirrors, symptoms, asked.deployments, worse=asked.worse)
        sys.stdout.buffer.write(msgspec.json.encode(said))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


def _unpacked(one: Measured) -> Series:
    import numpy as np

    values = np.array([math.nan if value is None else value for value in one.values], dtype=np.float64)
    return Series(name=one.name, labels=one.labels, times=np.array(one.times, dtype=np.float64), values=values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
