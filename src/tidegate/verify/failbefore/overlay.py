"""The trees that tests run in: the head, and the base's sources with the head's tests laid over them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

from tidegate.change.values import Change, FileChange
from tidegate.verify.failbefore.values import Added
from tidegate.verify.runner import Entry

_TEST_FOLDERS = frozenset(
    "tests test testing __tests__ __snapshots__ spec specs e2e fixtures testdata test-data test_data".split()
)
_RUNNER_SETTINGS = frozenset({"pytest.ini", ".pytest.ini", "pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg"})
_COMPILED = (".c", ".cc", ".cpp", ".h", ".hpp", ".pyx", ".pxd", ".pxi", ".rs", ".f90", ".f")


def goes_with_tests(file: FileChange) -> bool:
    """Whether a changed file goes with the tests: a test, data in a folder of tests, or settings of their runner.

    A marker or a mode that the change adds to pytest's settings is no behaviour of the sources.
    """
    *parts, name = file.path.decode("utf-8", "surrogateescape").split("/")
    if file.kind == "test" or name in _RUNNER_SETTINGS or name.startswith(("jest.config.", "vitest.config.")):
        return True
    return file.kind in ("data", "config", "docs", "binary", "symlink") and bool(_TEST_FOLDERS.intersection(parts))


def without_change(change: Change, base: Mapping[str, Entry], head: Mapping[str, Entry]) -> dict[str, Entry]:
    """The base's files with the head's tests: what the tests of the change run on as if it had not been made."""
    listing = dict(base)
    for file in change.files:
        if not goes_with_tests(file):
            continue
        path, old_path = (name.decode("utf-8", "surrogateescape") for name in (file.path, file.old_path))
        # Of a file that was a source before it became a test, the source stays.
        if file.status not in ("added", "copied") and (old_path == path or _by_name(old_path)):
            listing.pop(old_path, None)
        if path in head and file.status != "deleted":
            listing[path] = head[path]
    return listing


def changes_source(change: Change) -> bool:
    """Whether the change adds or changes source that people write; a file that only goes away does not."""
    return any(f.kind == "source" and f.by_hand and f.added and f.status != "deleted" for f in change.files)


def changes_compiled(change: Change) -> tuple[str, ...]:
    """Changed sources that have to be compiled before Python sees them."""
    paths = (f.path.decode("utf-8", "backslashreplace") for f in change.files if f.kind == "source")
    return tuple(path for path in paths if path.endswith(_COMPILED))


def added_by(change: Change, head: Collection[str], roots: Iterable[str]) -> Added:
    """What the change adds to the sources, as names that an exception without the change may speak of."""
    identifiers: set[str] = set()
    modules: set[str] = set()
    for file in change.files:
        if goes_with_tests(file):
            continue
        for hunk in file.hunks:
            for line in hunk.added:
                identifiers.update(_WORD.findall(line.decode("utf-8", "replace")))
        path = file.path.decode("utf-8", "surrogateescape")
        if file.status in ("added", "renamed", "copied") and path.endswith(".py"):
            modules.update(_modules(path, roots))
    return Added(frozenset(identifiers), frozenset(modules), first_names(head, roots))


def first_names(paths: Iterable[str], roots: Iterable[str]) -> frozenset[str]:
    """The first names of the modules that these roots hold."""
    ordered = sorted(set(roots), key=len, reverse=True)
    found = set()
    for path in paths:
        if path.endswith((".py", ".pyi", ".so", ".pyx")):
            root = next((root for root in ordered if not root or path.startswith(f"{root}/")), None)
            if root is not None:
                first = path[len(root) + 1 if root else 0 :].split("/")[0]
                found.add(first.partition(".")[0])
    return frozenset(found)


def bring_along(
    work_tree: Path, listing: Mapping[str, Entry], folders: Iterable[Path], installed: Iterable[str]
) -> tuple[str, ...]:
    """Put what git does not hold and the tests need into both folders; answers what was brought, in words.

    Extension modules that were built in place and installed JavaScript packages come from the working tree; a version
    file that a build writes (setuptools-scm, hatch-vcs) from there or from where the project is installed.
    """
    notes: list[str] = []
    for path in _built(work_tree, listing):
        _copy(work_tree / path, path, folders)
        notes.append(f"{path} was built in the working tree and is used as it is")
    for path in _version_files(work_tree, folders):
        if path in listing:
            continue
        relative = path.removeprefix("src/").removeprefix("lib/")
        places = [work_tree / path, *(Path(folder) / relative for folder in installed)]
        source = next((place for place in places if place.is_file()), None)
        if source is not None:
            _copy(source, path, folders)
            notes.append(f"{path} is written by the build: taken from {source.parent}")
    for path in _node_modules(work_tree, listing):
        for folder in folders:
            place = folder / path
            if place.parent.is_dir() and not os.path.lexists(place):
                place.symlink_to(work_tree / path)
        notes.append(f"{path} of the working tree is used")
    return tuple(notes)


# Private

_WORD = re.compile(r"[A-Za-z_]\w*")
_VERSION_FILE = re.compile(
    r"""^\s*["']?(?:[\w-]+\.)*(?:version[-_]file|write_to|version_file|build_hook_version_file)["']?\s*[=:]\s*"""
    r"""["']([\w./-]+\.py)["']""",
    re.MULTILINE,
)
_MOST_FOLDERS = 2000


def _by_name(path: str) -> bool:
    name = path.rpartition("/")[2]
    return bool(_TEST_FOLDERS.intersection(path.split("/")[:-1])) or "test" in name.lower() or name == "conftest.py"


def _modules(path: str, roots: Iterable[str]) -> list[str]:
    found = []
    for root in roots:
        if not root or path.startswith(f"{root}/"):
            parts = path[len(root) + 1 if root else 0 :].removesuffix(".py").removesuffix("/__init__").split("/")
            found.append(".".join(parts))
    return found


def _built(work_tree: Path, listing: Mapping[str, Entry]) -> list[str]:
    folders = sorted({str(PurePosixPath(path).parent) for path in listing if path.endswith((".py", ".pyx", ".c"))})
    found = []
    for folder in folders[:_MOST_FOLDERS]:
        try:
            names = sorted(os.listdir(work_tree / folder))  # noqa: PTH208 names are all that is wanted
        except OSError:
            continue
        paths = (name if folder == "." else f"{folder}/{name}" for name in names if name.endswith((".so", ".pyd")))
        found += [path for path in paths if path not in listing]
    return found


def _version_files(work_tree: Path, folders: Iterable[Path]) -> list[str]:
    """The files that the settings of the build, as the trees hold them, say that it writes."""
    found: list[str] = []
    for folder in (*folders, work_tree):
        for name in ("pyproject.toml", "setup.cfg", "setup.py"):
            try:
                text = (folder / name).read_text(encoding="utf-8", errors="replace")[: 1 << 20]
            except OSError:
                continue
            found += [path for path in _VERSION_FILE.findall(text) if ".." not in path.split("/") and path[0] != "/"]
    return list(dict.fromkeys(found))


def _node_modules(work_tree: Path, listing: Mapping[str, Entry]) -> list[str]:
    folders = sorted({path.removesuffix("package.json") for path in listing if path.split("/")[-1] == "package.json"})
    return [f"{folder}node_modules" for folder in folders if (work_tree / folder / "node_modules").is_dir()]


def _copy(source: Path, path: str, folders: Iterable[Path]) -> None:
    for folder in folders:
        place = folder / path
        if place.parent.is_dir() and not os.path.lexists(place):
            shutil.copyfile(source, place)
