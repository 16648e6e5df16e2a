"""Invented and undeclared packages put into real projects, and what is said of the projects as they are.

    python -m bench.verify.dependencies CLONE...

Seeded: in turn an import of an invented module, of a real but undeclared one, and a requirement of an invented package,
at random commits of the clones; the seed is fixed. As they are: every file of each newest tree as if it were added.
Each import that is said to be undeclared is listed by file and module, for a person to judge (bar: 1 % false).
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from tidegate.change.git import Repository, open_repository
from tidegate.change.trees import GitTree, Pair, Tree, Trees
from tidegate.change.values import Change, FileChange, Hunk
from tidegate.facts import Intent
from tidegate.settings import Settings
from tidegate.verify.dependencies.check import check
from tidegate.verify.dependencies.head import Head
from tidegate.verify.dependencies.imports import javascript, python
from tidegate.verify.dependencies.imports.python_world import declares, own_modules
from tidegate.verify.dependencies.values import normal_name
from tidegate.verify.values import Part, Subject

SEEDS = 200
BASES = "requests flask numpy redis pandas celery django boto yaml json http async cache retry token stripe".split()
ENDS = "helper-plus toolkit-pro utilsx client-extra quickkit easy-wrapper smart-core fastbridge autoconf-lite".split()
OTHERS = {
    "py": "lodash cheerio expressjs rxjs zodpy".split(),
    "js": "beautifulsoup4 sqlalchemy numpy-lite pydantic".split(),
}
UNDECLARED = {"py": "pandas boto3 celery redis stripe".split(), "js": "lodash moment axios request bluebird".split()}
BUILTIN = {"py": (".py",), "js": (".js", ".ts")}


class Laid(msgspec.Struct):
    """A tree with some contents laid over it."""

    under: Tree
    over: dict[str, bytes]

    def paths(self) -> tuple[str, ...]:
        return self.under.paths()

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(paths)
        return {**self.under.read(wanted), **{path: self.over[path] for path in wanted if path in self.over}}


def main() -> None:
    clones = [Path(one) for one in sys.argv[1:]]
    random_ = random.Random(2406)
    found, missed, spent = 0, [], 0.0
    for number in range(SEEDS):
        clone = clones[number % len(clones)]
        with open_repository(clone) as repository:
            start = time.process_time()
            what, hit = seeded(repository, ("invented", "undeclared", "requirement")[number % 3], random_)
            spent += time.process_time() - start
        found += hit
        missed += [] if hit else [f"{clone.name}: {what}"]
    print(f"seeded: {found} of {SEEDS} found (bar: all), {spent / SEEDS:.2f} CPU s each, reading the tree included")
    print("".join(f"  missed {one}\n" for one in missed), end="")
    for clone in clones:
        with open_repository(clone) as repository:
            as_it_is(clone.name, repository)


def seeded(repository: Repository, kind: str, random_: random.Random) -> tuple[str, bool]:
    """One seed: what was put where, and whether the check finds it."""
    commits = repository.run("rev-list", "-n", "100", "HEAD").decode().split()
    tree = GitTree(repository, repository.resolve(random_.choice(commits), "tree"))
    paths = tree.paths()
    side = "py" if any(path.endswith(".py") for path in paths) and "pyproject.toml" in paths else "js"
    name = named(kind, side, tree, random_)
    if kind == "requirement":
        path = "pyproject.toml" if side == "py" else "package.json"
        anchor, line = (
            (b"dependencies = [", f'"{name}",') if side == "py" else (b'ependencies": {', f'"{name}": "^1.0.0",')
        )
        before = tree.read([path]).get(path, b"")
        if anchor not in before:
            path, anchor, line = "requirements.txt", b"", name
            before = b"\n"
        after = before.replace(anchor, anchor + b"\n" + line.encode(), 1) if anchor else line.encode() + b"\n" + before
    else:
        sources = [
            one for one in paths if one.endswith(BUILTIN[side]) and "fixtures" not in one and "vendor" not in one
        ]
        path = random_.choice(sources)
        module = name.replace("-", "_")
        line = f"import {module}" if side == "py" else f'const seeded = require("{name}");'
        before = tree.read([path]).get(path, b"")
        after = line.encode() + b"\n" + before
    part = judged(tree, path, before, after)
    if kind == "requirement":
        unknown = part.fields.get("unknown_dependencies", ())
        return f"{name} in {path}", name in unknown or normal_name("pypi", name) in unknown
    return f"{line} in {path}", any(one.rule == "import-undeclared" and one.place.line == 1 for one in part.findings)


def named(kind: str, side: str, tree: Tree, random_: random.Random) -> str:
    """A name of one of the shapes that models invent, or a real one that the tree does not declare."""
    if kind == "undeclared":
        head = Head(tree)
        here = head.python_declared if side == "py" else {a.name for o in head.listings.values() for a in o.asked}
        free = [one for one in UNDECLARED[side] if not declares(one, here) and one not in own_modules(tree.paths(), ())]
        return random_.choice(free)
    base, end = random_.choice(BASES), random_.choice(ENDS)
    shapes = (f"{base}-{end}", f"{base}{end.replace('-', '')}", f"{end.replace('-', '_')}-{base}", f"{base}x{base}")
    return random_.choice((*shapes, f"{random_.choice(OTHERS[side])}-{end}"))


def judged(tree: Tree, path: str, before: bytes, after: bytes) -> Part:
    raw = path.encode("utf-8", "surrogateescape")
    old = set(before.split(b"\n"))
    at, added = next((n, one) for n, one in enumerate(after.split(b"\n"), 1) if one not in old)
    hunk = Hunk(at - 1, 0, at, 1, (), (added,))
    file = FileChange(raw, raw, "modified", 0o100644, 0o100644, "", "", 100, 1, 0, False, True, (hunk,))
    trees = Trees(Laid(tree, {path: before}), Laid(tree, {path: after}), (Pair(path, path),))
    change = msgspec.structs.replace(_EMPTY, files=(file,))
    return check(Subject(change=change, trees=trees, settings=Settings()))


def as_it_is(name: str, repository: Repository) -> None:
    """The newest tree as if all of it were new: how many imports there are, and which are said to be undeclared."""
    tree = GitTree(repository, repository.resolve("HEAD", "tree"))
    files, imports = [], 0
    paths = [path for path in tree.paths() if path.endswith((".py", *javascript.SUFFIXES))]
    for path, content in tree.read(paths).items():
        lines = tuple(content.split(b"\n"))
        read = python.read_python_imports(content) if path.endswith(".py") else None
        imports += len(read if read is not None else javascript.read_javascript_imports(path, content) or ())
        raw = path.encode("utf-8", "surrogateescape")
        hunk = Hunk(0, 0, 1, len(lines), (), lines)
        files.append(FileChange(raw, raw, "added", 0, 0o100644, "", "", 0, len(lines), 0, False, True, (hunk,)))
    pairs = tuple(Pair("", path) for path in paths)
    change = msgspec.structs.replace(_EMPTY, files=tuple(files))
    start = time.process_time()
    part = check(Subject(change=change, trees=Trees(tree, tree, pairs), settings=Settings()))
    said = [one for one in part.findings if one.rule == "import-undeclared"]
    spent = time.process_time() - start
    notes = sum(one.severity == "note" for one in said)
    print(f"{name}: {imports} imports, {len(said)} said to be undeclared ({notes} of them notes), {spent:.2f} CPU s")
    for one in said:
        if one.severity != "note":
            print(f"  {one.place} {one.message.partition(' ')[0]} ({one.severity})")


_EMPTY = Change("range", "", "", "", "", "", "", "", (), (), Intent())

if __name__ == "__main__":
    main()
