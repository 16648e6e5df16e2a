"""Which mutants of a change are tried: those on its added lines of Python that somebody did not dismiss before."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tidegate.change.values import FileChange
from tidegate.verify.mutate.dismissals import read_dismissals
from tidegate.verify.mutate.engine import mutants_of, pick
from tidegate.verify.mutate.values import Mutant
from tidegate.verify.values import Subject, added_lines

MOST = 100
"""So many mutants tell nearly as much as all: most lines of a function share one fate (Petrovic et al., ICSE 2021)."""


class Plan(Struct, frozen=True):
    """What is tried. `contents` are the files at the head, `critical` those of critical domains."""

    mutants: tuple[Mutant, ...]
    contents: Mapping[str, bytes]
    critical: frozenset[str]
    dismissed: int
    untried: int
    unread: tuple[str, ...]


def plan(subject: Subject, most: int = MOST) -> Plan:
    """The mutants of a change; `unread` says of each file that could not be read why."""
    changed = subject.changed("Python")
    files = {pair.after: file for file, pair in changed if pair.after and is_mutated(file, pair.after)}
    listed = frozenset(subject.trees.after.paths()) if files else frozenset()
    packages = _packages_in(listed)
    files = {path: file for path, file in files.items() if file.critical or _is_imported(path, packages)}
    contents = dict(subject.trees.after.read(files))
    dismissals = read_dismissals(subject.trees.before)
    found: list[Mutant] = []
    unread: list[str] = []
    for path, file in sorted(files.items()):
        if path not in contents or not file.lines_known:
            unread.append(f"{path}: its changed lines could not be read")
            continue
        try:
            found += mutants_of(path, contents[path], added_lines(file))
        except (SyntaxError, ValueError, RecursionError) as error:
            unread.append(f"{path}: cannot be read as Python ({type(error).__name__})")
    kept = [mutant for mutant in found if not dismissals.cover(mutant.path, mutant.key)]
    chosen = pick(kept, most)
    return Plan(
        mutants=chosen,
        contents=contents,
        critical=frozenset(path for path, file in files.items() if file.critical),
        dismissed=len(found) - len(kept),
        untried=len(kept) - len(chosen),
        unread=tuple(unread),
    )


def is_mutated(file: FileChange, path: str) -> bool:
    """Sources that are imported: no tests, no scripts that build, document or show the project."""
    parts = path.split("/")
    return (
        file.kind == "source"
        and path.endswith(".py")
        and not _NOT_SOURCE.intersection(parts[:-1])
        and parts[-1] not in _SCRIPTS
    )


# Private


def _packages_in(listed: frozenset[str]) -> frozenset[str]:
    """The folders that are marked as packages."""
    return frozenset(path.rpartition("/")[0] for path in listed if path.endswith("/__init__.py"))


def _is_imported(path: str, packages: frozenset[str]) -> bool:
    """Whether it is a module that others can import by its usual name, and no tool in a folder beside the packages.

    Where nothing below its topmost folder is marked as a package, the folders are namespace packages.
    """
    folders = path.split("/")[:-1]
    if not folders or not _ROOTS.isdisjoint(folders):
        return True
    if not any(one == folders[0] or one.startswith(f"{folders[0]}/") for one in packages):
        return True
    tops = {one.split("/")[0] for one in packages if one.count("/") == 1}
    return _ROOTS.isdisjoint(tops) and "/".join(folders) in packages


_ROOTS = frozenset({"src", "lib", "python"})
_NOT_SOURCE = frozenset(
    "docs doc examples example benchmarks benchmark bench performance perf scripts tools tasks asv_bench tests test "
    "testing".split()
)
_SCRIPTS = frozenset(
    {"setup.py", "noxfile.py", "conftest.py", "tasks.py", "fabfile.py", "release.py", "__main__.py", "_version.py"}
)
