"""Fits what each kind of edge costs on the recorded truth of the design half, and writes `reach/fitted.py`.

    python -m bench.reach.fit --repos DIR --truth DIR            fits on all of the design half, writes the file
    python -m bench.reach.fit --repos DIR --truth DIR --try      each project scored with costs fitted on the others

Logistic regression of "this test executes this function" on the edges of the strongest path and on the share of all
tests that can execute the function at all; every function counts alike, every project counts alike. The strongest
paths are found again with the new costs until they stay. Nothing of the report half is read.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.reach.projects import DESIGN
from tidegate.change.git import open_repository
from tidegate.reach import costs, fitted
from tidegate.reach.affected import _RUNS, _contexts, entries_of, symbol_of, tests_of
from tidegate.reach.costs import BRANCHES, FLOOR, WIDTHS, cost_table
from tidegate.reach.index import read_index
from tidegate.reach.rules import RULES
from tidegate.reach.search import search
from tidegate.reach.store import open_store
from tidegate.reach.trees import HeadTree, read_head_tree, read_kept_tree

ROUNDS, STEPS, PAIRS = 4, 400, 60
SLOTS = len(RULES) * BRANCHES * WIDTHS
CUTS = (0.0, 0.001, 0.002, 0.003, 0.005, 0.008, 0.015, 0.03, 0.05, 0.1)
FILE = Path(fitted.__file__)


@dataclass
class Case:
    """One design project: its graph, and for each scored function its nodes and the tests that executed it."""

    name: str
    tree: HeadTree
    functions: list[tuple[str, int, set[int]]]
    test_nodes: dict[int, int]
    contexts: dict[int, list[int]]


def main() -> int:
    asked = _parser().parse_args()
    cases = [_case(name, asked.repos / name, asked.truth / f"{name}.json") for name in DESIGN]
    if asked.leave_one_out:
        for left in cases:
            _fit([case for case in cases if case is not left], quiet=True)
            _report(left)
        return 0
    _fit(cases)
    _write()
    for case in cases:
        _report(case)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Fit the costs of edges on the design half.")
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--try", dest="leave_one_out", action="store_true")
    return parser


def _case(name: str, clone: Path, truth: Path) -> Case:
    known: dict[str, Any] = json.loads(truth.read_bytes())
    with open_repository(clone) as repository, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tidegate").mkdir()
        with open_store(Path(folder) / "tidegate" / "reach") as store:
            index = read_index(repository, repository.resolve(f"{known['commit']}^{{tree}}", "tree"), store)
            tree = read_head_tree(read_kept_tree(index, store), None)
    names = {name: number for number, name in enumerate(known["tests"])}
    test_nodes = {
        node: names[str(symbol_of(tree.name(node)))]
        for node in tests_of(tree)
        if str(symbol_of(tree.name(node))) in names
    }
    functions = []
    for function, seen in known["functions"].items():
        node = tree.find(function)
        if node is not None and seen["tests"] and not seen["import"]:
            functions.append((function, node, set(seen["tests"])))
    return Case(name, tree, functions, test_nodes, _contexts(tree))


def _fit(cases: Sequence[Case], *, quiet: bool = False) -> None:
    """Fits in place: `fitted.COSTS`, and the bias and the weight of the radius in `costs`."""
    vector = np.array(cost_table(), float)
    bias, radius = costs.BIAS, costs.RADIUS
    for turn in range(ROUNDS):
        parts = [_examples(case, turn) for case in cases]
        paths = np.concatenate([part[0] for part in parts])
        said = np.concatenate([part[1] for part in parts])
        weight = np.concatenate([part[2] / part[2].sum() for part in parts])
        reach = np.concatenate([part[3] for part in parts])
        used = np.flatnonzero(paths.sum(axis=0))
        vector[used], bias, radius, loss = _regress(paths[:, used], said, weight, reach, (vector[used], bias, radius))
        _take(vector, used, bias, radius)
        if not quiet:
            print(f"round {turn}: loss {loss:.4f}, bias {bias:.3f}, radius {radius:.3f}, {len(said)} pairs", flush=True)


def _take(vector: Any, used: Any, bias: float, radius: float) -> None:
    for slot in used.tolist():
        rule, rest = divmod(slot, BRANCHES * WIDTHS)
        branch, width = divmod(rest, WIDTHS)
        fitted.COSTS[RULES[rule].name, branch, width] = round(float(vector[slot]), 3)
    costs.BIAS, costs.RADIUS = bias, radius
    cost_table.cache_clear()


def _pairs(case: Case, node: int) -> tuple[Any, float, list[tuple[int, int]]]:
    """The paths to a node, its radius, and the tests (node, number) that can execute it."""
    found = search(case.tree.graph, {node: 0.0}, 60.0, (), 0, _RUNS)
    bits = entries_of(case.tree, node)
    reached = np.isfinite(found.cost).tolist()
    able = [
        (test, number)
        for test, number in case.test_nodes.items()
        if reached[test] and any(bits >> entry & 1 for entry in case.contexts.get(test, ()))
    ]
    return found, bits.bit_count() / len(case.tree.graph.arrays.entries), able


def _examples(case: Case, seed: int) -> tuple[Any, Any, Any, Any]:
    chosen = random.Random(seed)
    rows, said, weight, reach = [], [], [], []
    steps = case.tree.graph.steps.tolist()
    for _, node, truth in case.functions:
        found, radius, able = _pairs(case, node)
        toward, edge = found.toward.tolist(), found.edge.tolist()
        picked = able if len(able) <= PAIRS else chosen.sample(able, PAIRS)
        for test, number in picked:
            row = np.zeros(SLOTS, np.float32)
            at = test
            while toward[at] >= 0:
                row[steps[edge[at]]] += 1
                at = toward[at]
            rows.append(row)
            said.append(number in truth)
            weight.append(1 / len(picked))
            reach.append(np.log(radius + FLOOR))
    return np.array(rows), np.array(said, float), np.array(weight), np.array(reach)


def _regress(
    paths: Any, said: Any, weight: Any, reach: Any, start: tuple[Any, float, float]
) -> tuple[Any, float, float, float]:
    """Adam on the logistic loss; costs stay positive and are drawn lightly to zero."""
    vector, bias, radius = start[0].copy(), start[1], start[2]
    weight = weight / weight.sum()
    mean = np.zeros(len(vector) + 2)
    square = np.zeros(len(vector) + 2)
    for turn in range(1, STEPS + 1):
        likely = 1 / (1 + np.exp(-(bias - paths @ vector + radius * reach)))
        off = (likely - said) * weight
        slope = np.concatenate([-(paths.T @ off) + 1e-3 * vector / len(vector), [off.sum()], [(off * reach).sum()]])
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope * slope
        step = 0.05 * (mean / (1 - 0.9**turn)) / (np.sqrt(square / (1 - 0.999**turn)) + 1e-9)
        vector = np.maximum(vector - step[:-2], 0.002)
        bias, radius = bias - step[-2], radius - step[-1]
    likely = np.clip(1 / (1 + np.exp(-(bias - paths @ vector + radius * reach))), 1e-9, 1 - 1e-9)
    loss = -(weight * (said * np.log(likely) + (1 - said) * np.log(1 - likely))).sum()
    return vector, float(bias), float(radius), float(loss)


def _write() -> None:
    text = FILE.read_text()
    lines = [
        f'    ("{rule}", {branch}, {width}): {cost:.3f},'
        for (rule, branch, width), cost in sorted(fitted.COSTS.items())
    ]
    body = "COSTS: dict[tuple[str, int, int], float] = {\n" + "\n".join(lines) + "\n}\n"
    FILE.write_text(text[: text.index("COSTS:")] + f"{body}BIAS = {costs.BIAS:.3f}\nRADIUS = {costs.RADIUS:.3f}\n")


def _report(case: Case) -> None:
    """Recall, precision, F1 and safe share at several cuts."""
    sums = {cut: np.zeros(4) for cut in CUTS}
    for _, node, truth in case.functions:
        found, radius, able = _pairs(case, node)
        likely = [(costs.probability(float(found.cost[test]), radius), number) for test, number in able]
        for cut in CUTS:
            said = {number for value, number in likely if value >= cut}
            right = len(said & truth)
            recall = right / len(truth)
            precision = right / len(said) if said else 0.0
            f1 = 2 * recall * precision / (recall + precision) if right else 0.0
            sums[cut] += (recall, precision, f1, recall == 1)
    for cut in CUTS:
        recall, precision, f1, safe = sums[cut] / len(case.functions)
        print(f"{case.name:10} cut {cut:<6} recall {recall:.3f} precision {precision:.3f} F1 {f1:.3f} safe {safe:.3f}")


if __name__ == "__main__":
    raise SystemExit(main())
