"""What training costs: 10,000 commits with their forward blocks and calibration, in CPU seconds and memory.

    python -m bench.risk.training

Bars: under 20 CPU seconds and 500 MB; one change scored and explained under 20 ms; the file under 2 MB and the same
bytes on a second run.
"""

from __future__ import annotations

import resource
import sys
import time

from bench.risk.protocol import verdict
from bench.risk.tables import commit_guru
from tidegate.risk.model.model import Model, decode_model, encode_model
from tidegate.risk.model.train import train

ROWS = 10_000


def main() -> int:
    project = max(commit_guru(), key=lambda one: len(one.frame.ids)).first(ROWS)
    now = int(project.frame.at[-1])
    seconds, data = [], []
    for _ in range(2):
        start = time.process_time()
        model = train(project.frame, project.targets, now).model
        seconds.append(time.process_time() - start)
        data.append(encode_model(model))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cold = _milliseconds(data[0], project.frame.names, project.frame.values[-1].tolist())
    size = len(data[0]) / 1e6
    return verdict(
        [
            ("CPU seconds for 10,000 commits", max(seconds), 20.0, max(seconds) < 20.0),
            ("memory in MB", memory, 500.0, memory < 500.0),
            ("milliseconds to read the file and score a change", cold, 40.0, cold < 40.0),
            ("size of the file in MB", size, 2.0, size < 2.0),
            ("runs that gave other bytes", float(data[0] != data[1]), 0.0, data[0] == data[1]),
        ]
    )


def _milliseconds(data: bytes, names: tuple[str, ...], values: list[float]) -> float:
    found = []
    for _ in range(5):
        start = time.process_time()
        model: Model = decode_model(data)
        model.score(names, values)
        found.append((time.process_time() - start) * 1000)
    return min(found)


if __name__ == "__main__":
    sys.exit(main())
