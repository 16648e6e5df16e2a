"""What is held against the truth: functions that say which tests a symbol reaches, and how surely.

A predictor is asked once for a project and then for each function: `predict(tree, commit, recorded)` answers with a
function from "path:Class.method" to probabilities of tests, named as in the truth. `recorded` is an old map or None.
Add one below, and name it in PREDICTORS: it is then chosen with `--predictor NAME`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from tidegate.change.git import open_repository
from tidegate.change.listing import list_tree
from tidegate.reach.affected import find_affected, nodes_of, reached_tests, symbol_of, tests_of
from tidegate.reach.answer import ChangedSymbol, ReachedTest, SymbolId
from tidegate.reach.fallback import tests_that_load
from tidegate.reach.index import Index, read_index
from tidegate.reach.languages import language_of
from tidegate.reach.record.raw import bits
from tidegate.reach.record.validity import files_to_digest, still_valid
from tidegate.reach.record.values import TestMap
from tidegate.reach.recorded import recorded_of, validity_of
from tidegate.reach.store import open_store
from tidegate.reach.trees import read_head_tree, read_kept_tree

Answer: TypeAlias = Callable[[str], Mapping[str, float]]
Predict: TypeAlias = Callable[[Path, str, TestMap | None], Answer]


def predict_all(tree: Path, commit: str, recorded: TestMap | None) -> Answer:  # noqa: ARG001  the signature of all
    """The trivial answer: every test, as it is known from the truth that lies beside."""
    tests = json.loads((tree.parent.parent / f"{tree.name}.json").read_bytes())["tests"]
    return lambda _symbol: dict.fromkeys(tests, 1.0)


def predict_map(tree: Path, commit: str, recorded: TestMap | None) -> Answer:
    """What an old map alone says: who executed the symbol then. Without a map, nothing."""
    if recorded is None:
        return lambda _symbol: {}
    with open_repository(tree) as repository:
        blobs = list_tree(repository, commit).files
        wanted = files_to_digest(recorded, blobs)
        digests = {}
        for path, blob in zip(wanted, repository.read_blobs(blobs[path] for path in wanted), strict=True):
            language = language_of(path)
            if language is not None:
                digests[path] = language.read_digests(blob.content, f".{path.rpartition('.')[2]}")
    masks: dict[str, int] = {}
    for symbol, seen in still_valid(recorded, blobs, digests).seen.items():
        masks[str(symbol)] = seen.tests
    names = [f"{test.defined.path}:{test.symbol.name}" for test in recorded.tests]

    def answer(symbol: str) -> dict[str, float]:
        inside = f"{symbol}."
        mask = 0
        for name, tests in masks.items():
            if name == symbol or name.startswith(inside):
                mask |= tests
        return {names[number]: 1.0 for number in bits(mask)}

    return answer


def predict_reach(tree: Path, commit: str, recorded: TestMap | None) -> Answer:
    """What Tidegate says: `tidegate reach PATH:SYMBOL` at this commit, with the old map where there is one."""
    with open_repository(tree) as repository, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tidegate").mkdir()
        with open_store(Path(folder) / "tidegate" / "reach") as store:
            index = read_index(repository, repository.resolve(f"{commit}^{{tree}}", "tree"), store)
            head = read_head_tree(read_kept_tree(index, store), None)
            validity = validity_of(recorded, index) if recorded is not None else None
            by_lines = _by_lines(tree.parent.parent / f"{tree.name}.json", index)
    tests = tests_of(head)
    names = {str(symbol_of(head.name(node))): symbol_of(head.name(node)) for node in range(len(head))} | by_lines

    def answer(symbol: str) -> dict[str, float]:
        asked = names.get(symbol)
        if asked is None:
            return {}
        changed = [ChangedSymbol(asked, "function", "asked", 1, 1, "head")]
        nodes = nodes_of(head, changed)
        seen = (
            recorded_of(recorded, validity, [asked], head, None)
            if recorded is not None and validity is not None
            else None
        )
        found = reached_tests(find_affected(head, sorted(nodes)), tests, seen)
        if not found:
            found = tests_that_load(head, sorted(nodes), tests)
        return {_in_truth(test): test.probability for test in found}

    renamed = {t.symbol: f"{t.defined.path}:{t.symbol.name}" for t in recorded.tests} if recorded is not None else {}

    def _in_truth(test: ReachedTest) -> str:
        return renamed.get(test.symbol, str(test.symbol))

    return answer


def _by_lines(truth: Path, index: Index) -> dict[str, SymbolId]:
    """The units that the truth tells apart by their lines, as what a change of those lines would be a change of.

    V8 names a function by the text in front of it ("Router.prototype.use", "<30>"), which is nobody's name of a symbol.
    """
    functions = json.loads(truth.read_bytes())["functions"] if truth.exists() else {}
    units = {name: seen for name, seen in functions.items() if "line" in seen}
    files = index.read(sorted({name.rpartition(":")[0] for name in units}))
    found = {}
    for name, seen in units.items():
        path = name.rpartition(":")[0]
        around = [
            (one.end_line - one.line, -number, one.name)
            for number, one in enumerate(files[path].definitions if path in files else ())
            if one.line <= seen["line"] and seen["end_line"] <= one.end_line
        ]
        found[name] = SymbolId(path, min(around)[2] if around else "")
    return found


PREDICTORS: dict[str, Predict] = {"all": predict_all, "map": predict_map, "reach": predict_reach}
