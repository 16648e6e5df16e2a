"""Which ways in a test executes, as far as that is seen: by the graph of calls, or because it asks for the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tidegate.place.code import Code
from tidegate.reach.answer import EntryPoint
from tidegate.reach.trees import MOST_TESTS_ALONE, KeptTree

MOST_LINES = 200_000


def tester(kept: KeptTree, tests: Iterable[Code]) -> Callable[[EntryPoint], bool]:
    """Whether some test executes the handler of an entry point, or asks for its address by the same method."""
    by_graph = _by_graph(kept)
    asked = _asked(tests)

    def tested(point: EntryPoint) -> bool:
        if by_graph(point):
            return True
        pattern = _pattern(point)
        method = point.method.lower()
        return pattern is not None and any(
            method in ("", "*", "any") or not verbs or method in verbs
            for verbs, path in asked
            if pattern.fullmatch(path)
        )

    return tested


# Private

_TEXT = re.compile(r"[\"'`](?:https?://[^/\"'`]+)?((?:\{[^}\"'`]*\}|\$\{[^}\"'`]*\})?/[^\"'`\s]{1,200})[\"'`]")
_VERB = re.compile(r"(?i)\b(get|post|put|patch|delete|head|options)\b\s*[(:,\"'<]")


def _by_graph(kept: KeptTree) -> Callable[[EntryPoint], bool]:
    """By the contexts of the graph: those of the tests come first."""
    tests = list(dict(kept.graph.arrays.tests))
    graph = kept.graph
    count = len(tests)
    if count > MOST_TESTS_ALONE:
        count = len({graph.names[node].partition(":")[0] for node in tests})
    mask = (1 << count) - 1

    def tested(point: EntryPoint) -> bool:
        node = graph.find(f"{point.handler.path}:{point.handler.name}")
        return node is not None and bool(graph.entries_of(node) & mask)

    return tested


def _asked(tests: Iterable[Code]) -> list[tuple[frozenset[str], str]]:
    """The addresses that tests write down, each with the methods that stand beside it."""
    found: set[tuple[frozenset[str], str]] = set()
    seen = 0
    for code in tests:
        for number, line in code.spoken:
            seen += 1
            if seen > MOST_LINES:
                return sorted(found, key=str)
            for match in _TEXT.finditer(line):
                near = " ".join(code.lines[max(0, number - 3) : number])
                verbs = frozenset(one.lower() for one in _VERB.findall(near))
                found.add((verbs, match[1].partition("?")[0].rstrip("/") or "/"))
    return sorted(found, key=str)


def _pattern(point: EntryPoint) -> re.Pattern[str] | None:
    """An address as tests may write it: parameters are anything, and what it lies below may be a variable."""
    parts = [part for part in point.path.split("/") if part and part != "{?}"]
    words = ["[^/]+" if re.search(r"[:<{(*\[]", part) else re.escape(part) for part in parts]
    if not words:
        return re.compile("/") if point.path in ("/", "") and point.kind == "http" else None
    fixed = [at for at, word in enumerate(words) if word != "[^/]+"]
    if not fixed:
        return None
    most = min(2, fixed[-1])
    options = ["/" + "/".join(words[drop:]) for drop in range(most + 1)]
    return re.compile(r"(?:\$?\{[^}]*\})?(?:" + "|".join(options) + ")")
