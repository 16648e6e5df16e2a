"""The public names of the changed modules of libraries, base against head."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from tidegate.change.values import FileChange
from tidegate.facts import Place, Severity
from tidegate.verify.contracts.python.compare import Lost, Sides, lost_of
from tidegate.verify.contracts.python.world import World
from tidegate.verify.contracts.values import NARROWED, Break, Compared, decoded, head_line, shown
from tidegate.verify.values import Subject

MOST_FILES = 300


def compare_python(subject: Subject) -> Compared:
    """What callers of the repository's libraries lose. Applications, tests and examples promise nothing."""
    files = [
        (file, pair)
        for file, pair in subject.changed("Python")
        if pair.before.endswith(".py") and file.kind == "source"
    ]
    if not files:
        return Compared()
    before, after = World(subject.trees.before), World(subject.trees.after)
    lost: list[Lost] = []
    unread: dict[str, str] = {}
    by_module: dict[str, tuple[FileChange, str]] = {}
    for file, pair in files[:MOST_FILES]:
        root, name = before.dotted(pair.before)
        if not name or _aside(pair.before, name) or not _is_library(before, root):
            continue
        old = before.module(root, name)
        if old is None or (pair.after and after.path_of(root, name) and after.module(root, name) is None):
            unread[shown(pair.path)] = "Python cannot parse it"
            continue
        by_module[name] = (file, pair.after)
        lost += lost_of(Sides(before, after, root), old)
    if len(files) > MOST_FILES:
        unread[shown(files[MOST_FILES][1].path)] = f"of {len(files)} changed Python files {MOST_FILES} were compared"
    return Compared(tuple(_told(_distinct(lost), by_module)), unread)


# Private

_ASIDE = frozenset(
    "tests test tasks docs doc examples example benchmarks benchmark bench scripts script tools tool ci .github "
    "samples sample demo demos".split()
)
_OWN_FILES = frozenset({"setup", "conftest", "manage", "noxfile", "tasks", "fabfile", "__main__", "versioneer"})


def _aside(path: str, name: str) -> bool:
    return bool(_ASIDE.intersection(path.split("/")[:-1])) or name.rpartition(".")[2] in _OWN_FILES


def _is_library(world: World, root: str) -> bool:
    """Whether others install this package: the nearest manifest above it builds a distribution to be published."""
    folder = root
    while True:
        begin = f"{folder}/" if folder else ""
        if f"{begin}manage.py" in world.paths:
            return False
        if f"{begin}pyproject.toml" in world.paths:
            answer = _publishes(world.text(f"{begin}pyproject.toml"))
            if answer is not None:
                return answer
        if f"{begin}setup.py" in world.paths or "[metadata]" in world.text(f"{begin}setup.cfg"):
            return True
        if not folder:
            return False
        folder = folder.rpartition("/")[0]


def _publishes(text: str) -> bool | None:
    """What a pyproject.toml says; None where it says nothing of a project."""
    try:
        data = tomllib.loads(text) if len(text) < 1_000_000 else {}
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    tool = _table(data, "tool")
    uv, poetry = _table(tool, "uv"), _table(tool, "poetry")
    project = data.get("project")
    if isinstance(project, dict):
        if "build-system" not in data or uv.get("package") is False:
            return False
        return not any("Private ::" in str(one) for one in project.get("classifiers") or ())
    if poetry:
        return poetry.get("package-mode") is not False
    return None


def _table(data: dict[str, Any], name: str) -> dict[str, Any]:
    table = data.get(name)
    return table if isinstance(table, dict) else {}


def _distinct(lost: Iterable[Lost]) -> Iterator[Lost]:
    """Each loss once, by the shortest name that callers have for it."""
    best: dict[tuple[tuple[str, str], str], Lost] = {}
    for one in lost:
        key = (one.home, one.what)
        if key not in best or one.name.count(".") < best[key].name.count("."):
            best[key] = one
    gone = {one.name for one in best.values() if one.what == "is gone"}
    for one in best.values():
        if not any(one.name != name and one.name.startswith(f"{name}.") for name in gone):
            yield one


def _told(lost: Iterable[Lost], by_module: dict[str, tuple[FileChange, str]]) -> Iterator[Break]:
    for one in lost:
        file, path = by_module[one.module]
        place = Place(shown(path or decoded(file.path)), head_line(file, one.line))
        severity: Severity = "low" if one.deprecated else one.severity
        announced = ", as was announced" if one.deprecated else ""
        contract = f"the Python API of {one.module.partition('.')[0]}"
        yield Break(contract, f"`{one.name}` {_clause(one.what)}{announced}", place, one.rule, severity, _mend(one))


def _clause(what: str) -> str:
    return re.sub(r"^the module is gone$", "is gone, a module that others can import", what)


def _mend(one: Lost) -> str:
    if one.rule == NARROWED:
        return "Let the old call work beside the new one, with a DeprecationWarning, or raise the major version."
    return "Keep the old name as an alias with a DeprecationWarning, or raise the major version."
