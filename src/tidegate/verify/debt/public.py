"""Public functions and classes that come without a description, where descriptions are the habit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from tidegate.verify.debt.source import Changed, Site, Source

RULE = "undocumented-api"
HABIT, FEWEST = 0.8, 5
NEIGHBOURS = 12


def undescribed(one: Changed) -> list[Site]:
    """What is public and new in a file and has no description."""
    if one.after.language not in ("Python", "Go"):
        return []
    bare = [(name, line) for name, line, said in _api(one.after) if not said and line in one.added]
    before = {name for name, _, _ in _api(one.before)} if bare else set()
    mend = "say in a sentence what it answers"
    return [
        Site(RULE, "note", line, f"public {name}", f"{name} is public and new, and has no description", mend)
        for name, line in bare
        if name not in before
    ]


def is_habit(before: Source, neighbours: Sequence[Source]) -> bool:
    """Whether at least 80 % of five or more public things had a description before the change.

    In the file itself; where it has too few, in the files beside it too.
    """
    said = [said for _, _, said in _api(before)]
    for source in neighbours:
        if len(said) >= 3 * FEWEST:
            break
        said += [one for _, _, one in _api(source)]
    return len(said) >= FEWEST and sum(said) / len(said) >= HABIT


def neighbours_of(path: str, paths: Sequence[str]) -> tuple[str, ...]:
    """The files of the same folder and kind, at most a dozen."""
    folder, _, name = path.rpartition("/")
    extension = name.rpartition(".")[2]
    start = f"{folder}/" if folder else ""
    beside = (
        other
        for other in paths
        if other != path
        and "test" not in other
        and other.startswith(start)
        and "/" not in other[len(start) :]
        and other.endswith(extension)
    )
    return tuple(beside)[:NEIGHBOURS]


# Private

_GO = re.compile(
    r"^func (?:\((?:\w+ )?\*?[A-Z][^)]*\) )?(?!(?:Error|String|Len|Less|Swap|Unwrap)\b)([A-Z]\w*)[\[(]"
    r"|^type ([A-Z]\w*) ",
    re.MULTILINE,
)


def _api(source: Source) -> Iterator[tuple[str, int, bool]]:
    if source.language == "Go":
        for match in _GO.finditer(source.text):
            line = source.text.count("\n", 0, match.start()) + 1
            yield match[1] or match[2], line, source.line(line - 1).startswith(("//", "*/", " */"))
    elif source.python is not None and not re.search(r"(?:^|/)_[^_]", source.path):
        yield from _python(source.python.body, "")


def _python(body: Sequence[ast.stmt], above: str) -> Iterator[tuple[str, int, bool]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not _told_elsewhere(node):
                yield above + node.name, node.lineno, ast.get_docstring(node, clean=False) is not None
            if isinstance(node, ast.ClassDef):
                yield from _python(node.body, f"{above}{node.name}.")


def _told_elsewhere(node: ast.stmt) -> bool:
    """Overrides and overloads are described where they come from; a setter at its property."""
    for one in getattr(node, "decorator_list", []):
        name = one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "")
        if name in ("overload", "override", "setter", "deleter"):
            return True
    return False
