"""Debt on real commits: what each rule says, and the CPU that a check costs; and complexity beside a peer.

    python -m bench.verify.debt --commits 30 CLONE...
    python -m bench.verify.debt --peer PYTHON CLONE...

The first prints the findings of a fixed sample of commits by rule, and with --show every one with its line, to be read.
The second compares the cognitive complexity of every Python function with that of the package `cognitive_complexity`,
which must be installed for the interpreter that is named.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.errors import InputError
from tidegate.facts import Finding
from tidegate.settings import Settings
from tidegate.verify.debt.check import check
from tidegate.verify.debt.growth import functions
from tidegate.verify.debt.source import Source
from tidegate.verify.values import Subject

SEED, MOST_FILES, CPU_SECONDS = 1, 60, 0.1
PEER = """
import ast, json, sys
from cognitive_complexity.api import get_cognitive_complexity
for path in json.load(sys.stdin):
    for node in ast.walk(ast.parse(open(path, encoding="utf-8").read())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            print(json.dumps([path, node.lineno, get_cognitive_complexity(node)]))
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("clones", type=Path, nargs="+")
    parser.add_argument("--commits", type=int, default=30)
    parser.add_argument("--show", action="store_true", help="print every finding")
    parser.add_argument("--peer", help="a Python that has cognitive_complexity")
    asked = parser.parse_args()
    if asked.peer:
        return compare(asked.peer, asked.clones)
    rules: Counter[str] = Counter()
    costs: list[float] = []
    for clone in asked.clones:
        for commit, cost, findings in sampled(clone, asked.commits):
            costs.append(cost)
            rules.update(finding.rule for finding in findings)
            for finding in findings if asked.show else ():
                where = f"{clone.name} {commit[:12]} {finding.place.path}:{finding.place.line}"
                sys.stdout.write(f"{finding.rule} {finding.severity} {where} {finding.message}\n")
    for rule, count in rules.most_common():
        sys.stdout.write(f"{rule:24}{count:6}\n")
    median = statistics.median(costs)
    verdict = f"median {median:.3f} CPU s a commit (bar {CPU_SECONDS}), most {max(costs):.3f}"
    sys.stdout.write(f"{len(costs)} commits, {rules.total()} findings, {verdict}\n")
    return int(median > CPU_SECONDS)


def sampled(clone: Path, count: int) -> list[tuple[str, float, tuple[Finding, ...]]]:
    """The check of so many commits that touch source, drawn from the last 3,000, each with its CPU seconds."""
    rows: list[tuple[str, float, tuple[Finding, ...]]] = []
    with open_repository(clone, bare=True) as repository:
        commits = repository.run("log", "--no-merges", "--format=%H", "-n", "3000", "HEAD").decode().split()
        random.Random(SEED).shuffle(commits)
        for commit in commits:
            if len(rows) == count:
                break
            try:
                change = read_change(read_ends(Question(change=commit), repository), repository, Settings())
            except InputError:  # the first commit of a clone that is cut off
                continue
            if len(change.files) > MOST_FILES or not any(file.kind == "source" for file in change.files):
                continue
            before, after = (GitTree(repository, tree) for tree in (change.base_tree, change.head_tree))
            used = time.process_time()
            part = check(Subject(change, Trees(before, after, pairs_of(change)), Settings()))
            rows.append((commit, time.process_time() - used, part.findings))
    return rows


def compare(python: str, folders: list[Path]) -> int:
    """How many functions have the peer's complexity, and where the two differ most."""
    paths = [str(path) for folder in folders for path in sorted(folder.rglob("*.py"))]
    ours: dict[tuple[str, int], int] = {}
    for path in paths:
        source = Source(path, "Python", Path(path).read_bytes())
        ours |= {(path, one.line): one.complexity for one in functions(source)}
    done = subprocess.run([python, "-c", PEER], input=json.dumps(paths), capture_output=True, text=True, check=True)
    theirs = {(path, line): found for path, line, found in map(json.loads, done.stdout.splitlines())}
    both = [(abs(ours[key] - theirs[key]), key) for key in ours.keys() & theirs.keys()]
    same = sum(not difference for difference, _ in both)
    sys.stdout.write(f"{same} of {len(both)} functions alike ({same / len(both):.1%})\n")
    for difference, (path, line) in sorted(both)[-5:]:
        sys.stdout.write(f"{difference:4} {path}:{line} ours {ours[path, line]}, theirs {theirs[path, line]}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
