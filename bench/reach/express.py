"""The truth for express: for every function of `lib/`, the test files that really executed it, by V8's own coverage.

One run of mocha for each test file. A unit is an outermost function that is not the module itself, named as it is
assigned ("app.handle"), else by its own name; its lines tell apart what the name does not. Functions that run when the
package is loaded carry "import".
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlparse

from bench.reach.truth import write_json

COMMIT = "a3714473"
_ASSIGNED = re.compile(r"([\w$.]+)\s*=\s*(?:async\s+)?$")


class Unit(NamedTuple):
    """One outermost function: its key, the offsets of its text, and its lines."""

    key: str
    start: int
    end: int
    line: int
    end_line: int


def build_express(clones: Path, out: Path) -> dict[str, Any]:
    """Run every test file of express under V8 coverage, and write `out/express.json`."""
    tree = out / "work" / "express"
    if not tree.exists():
        subprocess.run(["git", "clone", "-q", str(clones / "express"), str(tree)], check=True)
    subprocess.run(["git", "-C", str(tree), "checkout", "-q", "-f", COMMIT], check=True)
    if not (tree / "node_modules").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=tree, check=True)
    files = sorted(
        p.relative_to(tree).as_posix() for top in ("test", "test/acceptance") for p in tree.glob(f"{top}/*.js")
    )
    loaded = run_covered(tree, ["node", "-e", "require('./')"])
    ran = {file: run_covered(tree, _mocha(file)) for file in files}
    units = _units(tree, [loaded, *ran.values()])
    functions: dict[str, dict[str, Any]] = {}
    for unit in units:
        functions[unit.key] = {
            "tests": [index for index, file in enumerate(files) if _runs(ran[file], unit)],
            "import": _runs(loaded, unit),
            "line": unit.line,
            "end_line": unit.end_line,
        }
    head = subprocess.run(["git", "-C", str(tree), "rev-parse", "HEAD"], capture_output=True, check=True, text=True)
    truth = {"project": "express", "commit": head.stdout.strip(), "tests": files, "functions": functions}
    write_json(out / "express.json", truth)
    return truth


Spans = dict[str, dict[tuple[int, int], int]]


def run_covered(tree: Path, command: Sequence[str]) -> Spans:
    """What a command ran: for each file of `lib/`, the functions' offsets and how often each was called."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NODE_V8_COVERAGE": folder}
        subprocess.run(list(command), cwd=tree, env=environment, capture_output=True, check=False)
        spans: Spans = {}
        for file in sorted(Path(folder).glob("*.json")):
            for script in json.loads(file.read_bytes())["result"]:
                path = Path(unquote(urlparse(script["url"]).path))
                if script["url"].startswith("file:") and path.parent == tree / "lib":
                    found = spans.setdefault(path.relative_to(tree).as_posix(), {})
                    for function in script["functions"]:
                        whole = function["ranges"][0]
                        span = (whole["startOffset"], whole["endOffset"])
                        found[span] = found.get(span, 0) + whole["count"]
        return spans


# Private


def _mocha(file: str) -> list[str]:
    return ["node", "node_modules/.bin/mocha", "--require", "test/support/env", "--exit", file]


def _units(tree: Path, runs: Sequence[Spans]) -> list[Unit]:
    spans: dict[str, set[tuple[int, int]]] = {}
    for run in runs:
        for path, found in run.items():
            spans.setdefault(path, set()).update(found)
    units: list[Unit] = []
    for path, found in sorted(spans.items()):
        text = (tree / path).read_text(encoding="utf-8")
        end = -1
        for start, stop in sorted(found, key=lambda span: (span[0], -span[1])):
            if start == 0 or start < end:
                continue
            end = stop
            line, last = text.count("\n", 0, start) + 1, text.count("\n", 0, stop) + 1
            units.append(Unit(f"{path}:{_name(text, start, line)}", start, stop, line, last))
    return units


def _name(text: str, start: int, line: int) -> str:
    assigned = _ASSIGNED.search(text[max(0, start - 200) : start])
    if assigned:
        return assigned[1]
    own = re.match(r"(?:async\s+)?function\s*\*?\s*([\w$]+)", text[start : start + 200])
    return own[1] if own else f"<{line}>"


def _runs(spans: Spans, unit: Unit) -> bool:
    path = unit.key.rpartition(":")[0]
    return spans.get(path, {}).get((unit.start, unit.end), 0) > 0


if __name__ == "__main__":
    built = build_express(Path(sys.argv[1]), Path(sys.argv[2]))
    covered = [f for f in built["functions"].values() if f["tests"] and not f["import"]]
    share = sum(len(f["tests"]) for f in covered) / len(covered) / len(built["tests"])
    print(len(built["tests"]), len(built["functions"]), len(covered), f"{share:.3f}")
