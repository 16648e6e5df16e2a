"""Records which function called which while the tests ran. PYTEST_DONT_REWRITE

For fitting the probabilities of edges only: it is no part of the product, and slower than its recorder. A caller is the
nearest frame of the repository below the function that starts; "direct" when nothing else stands between them. It runs
in the project's own Python (3.12 or later) and needs the standard library alone. Environment: GT_EDGES is the file to
write, GT_ROOT the repository's top folder.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import types
from typing import Any

DEPTH = 80


def pytest_addoption() -> None:
    """Begin before any conftest is imported."""
    file = os.environ.pop("GT_EDGES", "")
    if file:
        _listen(file, os.path.realpath(os.environ["GT_ROOT"]) + os.sep)


def _listen(file: str, root: str) -> None:
    monitoring = sys.monitoring
    paths: dict[str, str] = {}
    kept: dict[int, types.CodeType] = {}
    pairs: set[tuple[int, int, bool]] = set()

    def path_of(filename: str) -> str:
        path = paths.get(filename)
        if path is None:
            real = os.path.realpath(filename)
            inside = real.startswith(root) and real.endswith(".py") and "site-packages" not in real
            path = paths[filename] = real[len(root) :] if inside else ""
        return path

    def started(code: types.CodeType, _offset: int) -> Any:
        if not path_of(code.co_filename):
            return monitoring.DISABLE
        frame = sys._getframe(1).f_back  # noqa: SLF001  as documented for monitoring
        direct = True
        for _ in range(DEPTH):
            if frame is None:
                return None
            caller = frame.f_code
            if path_of(caller.co_filename):
                kept[id(code)], kept[id(caller)] = code, caller
                pairs.add((id(caller), id(code), direct))
                return None
            direct = False
            frame = frame.f_back
        return None

    def write() -> None:
        monitoring.set_events(4, 0)
        names = {key: [paths[c.co_filename], c.co_firstlineno, c.co_qualname] for key, c in kept.items()}
        found = sorted((names[a], names[b], direct) for a, b, direct in pairs)
        with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123
            json.dump(found, out)

    monitoring.use_tool_id(4, "reach-edges")
    monitoring.register_callback(4, monitoring.events.PY_START, started)
    monitoring.register_callback(4, monitoring.events.PY_RESUME, started)
    monitoring.set_events(4, monitoring.events.PY_START | monitoring.events.PY_RESUME)
    atexit.register(write)
