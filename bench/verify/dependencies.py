"""Invented, mistyped, undeclared and unused packages in real projects, and what is said of the projects as they are.

    python -m bench.verify.dependencies seeds CLONE...     200 seeds at random commits (bar: all found), deptry beside
    python -m bench.verify.dependencies clean CLONE...     newest trees against nothing, and their last 30 commits (1 %)
    python -m bench.verify.dependencies unused CLONE...    commits that add packages: which are said to be unused
    python -m bench.verify.dependencies cost CLONE         a lock of 50 MB, and 50 changed files of a large repository

Split, fixed before any figure: the rules were written on the projects that the tables were counted over (none of which
is below). Measured once on projects that nobody had looked at: celery, scrapy, mkdocs, black, textual, mitmproxy of
Python, fastify, cheerio, excalidraw, socket.io of JavaScript; for `unused` also lazygit (Go) and bat (Rust). Kept back
for a second measurement after a mend: jupyterhub, locust, poetry, wagtail, prettier, mocha; chosen after the second:
httpie, nock, streamlink, date-fns.

The first run of `clean` and `seeds` broke off at a lock without packages; that alone was mended before their first
figures. The first ten and the six are no hold-out any more: rules were mended after looking at what was said of them.
A mistyped name of npm may be put into a requirements file where a project has more scripts than Python and no
`package.json` at its root; it is then found as unknown, and counted as missed.

Seeds are in turn an import of an invented module, of a real but undeclared one, of a mistyped one, a requirement of an
invented and of a mistyped package; the seed of chance is fixed. What is said of clean projects is listed, for a person
to judge. No registry is asked for any name.
"""

from __future__ import annotations

import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from tidegate.change.git import Repository, open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Given, Pair, Tree, Trees, given, pairs_of
from tidegate.change.values import Change, FileChange, Hunk
from tidegate.errors import TidegateError
from tidegate.facts import DependencyFact, Finding, Intent
from tidegate.settings import Settings
from tidegate.verify.dependencies.check import check
from tidegate.verify.dependencies.compare import ASIDE, counts
from tidegate.verify.dependencies.head import Head
from tidegate.verify.dependencies.imports import javascript, python
from tidegate.verify.dependencies.imports.python_world import declares, own_modules
from tidegate.verify.dependencies.manifests.registry import is_lock
from tidegate.verify.dependencies.near import well_known
from tidegate.verify.dependencies.values import normal_name
from tidegate.verify.values import Part, Subject

SEEDS = 200
MOST_COMMITS = 50
PEER = "deptry==0.25.1"
PEERS = Path(__file__).parents[2] / ".cache" / "dependency-peers"
KINDS = ("invented import", "undeclared import", "mistyped import", "invented requirement", "mistyped requirement")
BASES = "requests flask numpy redis pandas celery django boto yaml json http async cache retry token stripe".split()
ENDS = "helper-plus toolkit-pro utilsx client-extra quickkit easy-wrapper smart-core fastbridge autoconf-lite".split()
OTHERS = {
    "py": "lodash cheerio expressjs rxjs zodpy".split(),
    "js": "beautifulsoup4 sqlalchemy numpy-lite pydantic".split(),
}
UNDECLARED = {
    "py": "pandas boto3 sqlalchemy redis stripe paramiko".split(),
    "js": "lodash moment axios request bluebird mongoose".split(),
}
FAMOUS = {
    "py": "requests numpy pandas sqlalchemy cryptography pydantic aiohttp matplotlib beautifulsoup4 scikit-learn "
    "python-dateutil tensorflow setuptools websockets".split(),
    "js": "lodash express react-dom typescript webpack commander mongoose cross-env body-parser socket.io-client "
    "styled-components prettier".split(),
}
BESIDE = {"a": "s", "e": "r", "i": "o", "o": "p", "s": "d", "t": "y", "r": "t", "n": "m", "l": "k", "c": "v"}
SUFFIXES = {"py": (".py",), "js": (".js", ".ts", ".tsx")}


class Laid(msgspec.Struct):
    """A tree with some contents laid over it."""

    under: Tree
    over: dict[str, bytes]

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted({*self.under.paths(), *self.over}))

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(paths)
        return {**self.under.read(wanted), **{path: self.over[path] for path in wanted if path in self.over}}


class Seed(msgspec.Struct):
    """One line that is put into one file of a tree."""

    kind: str
    side: str
    name: str
    path: str
    before: bytes
    after: bytes


def main() -> None:
    mode, clones = sys.argv[1], [Path(one) for one in sys.argv[2:]]
    {"seeds": measure_seeds, "clean": measure_clean, "unused": measure_unused, "cost": measure_cost}[mode](clones)


def measure_seeds(clones: list[Path]) -> None:
    random_ = random.Random(8841)
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    peer: Counter[str] = Counter()
    peer_asked: Counter[str] = Counter()
    spent = 0.0
    for number in range(SEEDS):
        clone = clones[number % len(clones)]
        with open_repository(clone, bare=not (clone / ".git").exists()) as repository:
            commits = repository.run("rev-list", "-n", "200", "HEAD").decode().split()
            commit = random_.choice(commits)
            tree = GitTree(repository, repository.resolve(commit, "tree"))
            seed = planted(tree, KINDS[number // len(clones) % len(KINDS)], random_)
            start = time.process_time()
            hit = is_found(seed, judged(tree, seed))
            spent += time.process_time() - start
            asked[seed.kind] += 1
            found[seed.kind] += hit
            if not hit:
                print(f"  missed {clone.parent.name} {commit[:8]}: {seed.kind} {seed.name} in {seed.path}")
            if seed.side == "py":
                peer_asked[seed.kind] += 1
                peer[seed.kind] += peer_finds(tree, seed)
    for kind in KINDS:
        print(f"{kind}: {found[kind]} of {asked[kind]}; in Python {PEER} {peer[kind]} of {peer_asked[kind]}")
    print(f"seeds: {found.total()} of {SEEDS} found (bar: all), {spent / SEEDS:.2f} CPU s each, reading included")


def measure_clean(clones: list[Path]) -> None:
    """What is said of whole trees and of ranges: imports, of which how many are called undeclared, and the rest."""
    imports = accused = 0
    for clone in clones:
        with open_repository(clone, bare=not (clone / ".git").exists()) as repository:
            for what, subject in (("tree", whole(repository)), ("30 commits", last(repository))):
                start = time.process_time()
                part = check(subject)
                spent = time.process_time() - start
                count = sum(count_imports(file) for file in subject.change.files)
                said = [one for one in part.findings if one.rule == "import-undeclared" and one.severity != "note"]
                imports, accused = imports + count, accused + len(said)
                rules = Counter(f"{one.rule}:{one.severity}" for one in part.findings)
                unknown = part.fields.get("unknown_dependencies", ())
                print(
                    f"{clone.parent.name} ({what}): {count} imports, {len(said)} called undeclared, {spent:.2f} CPU s"
                )
                print(f"  {dict(sorted(rules.items()))}; unknown: {', '.join(map(str, unknown)) or 'none'}")
                show(
                    one
                    for one in part.findings
                    if one.rule not in ("dependency-unknown", "version-loosened", "major-changed")
                )
    print(f"clean: {accused} of {imports} imports said to be undeclared, {accused / max(imports, 1):.2%} (bar: 1 %)")


def measure_unused(clones: list[Path]) -> None:
    """Commits that ask for a package that was not asked for: how many of those are said to be unused."""
    added = said = commits = 0
    for clone in clones:
        with open_repository(clone, bare=not (clone / ".git").exists()) as repository:
            tree = GitTree(repository, repository.resolve("HEAD", "tree"))
            paths = [path for path in tree.paths() if counts(path) and not is_lock(path)][:200]
            listed = adding(repository, paths)
            here = Counter[str]()
            for commit in listed:
                part = of_commit(repository, commit)
                facts = [one for one in part.fields.get("dependencies", ()) if isinstance(one, DependencyFact)]
                new = [one for one in facts if one.change == "added" and not one.development]
                accusations = [one for one in part.findings if one.rule == "dependency-unused"]
                here.update(commits=bool(new), added=len(new), said=len(accusations))
                for one in accusations:
                    print(f"  {clone.parent.name} {commit[:10]} {one.place} {one.message.partition(' ')[0]}")
            print(
                f"{clone.parent.name}: {len(listed)} read, {here['commits']} add {here['added']}, {here['said']} unused"
            )
            added, said, commits = added + here["added"], said + here["said"], commits + here["commits"]
    print(f"unused: {said} of {added} packages that {commits} commits add, {said / max(added, 1):.2%}")


def measure_cost(clones: list[Path]) -> None:
    """A lock of 50 MB that grows by one package, and 50 files that import it in a large repository."""
    packages = [
        f'"node_modules/package-{number}": {{"version": "1.0.{number}", "resolved": '
        f'"https://registry.npmjs.org/package-{number}/-/package-{number}-1.0.{number}.tgz", '
        f'"integrity": "sha512-{number:086d}==", "dependencies": {{"package-{number - 1}": "^1.0.0"}}}}'
        for number in range(1, 190_000)
    ]
    locks = ['{"lockfileVersion": 3, "packages": {\n' + ",\n".join(part) + "\n}}" for part in (packages[:-1], packages)]
    before, after = ({"package-lock.json": lock.encode(), "package.json": b"{}"} for lock in locks)
    spent(f"a lock of {len(locks[1]) / 1e6:.0f} MB in memory", Subject(_EMPTY, given(before, after), Settings()))
    half = [
        '{"lockfileVersion": 3, "packages": {\n' + ",\n".join(part) + "\n}}"
        for part in (packages[:69_999], packages[:70_000])
    ]
    before, after = ({"package-lock.json": lock.encode(), "package.json": b"{}"} for lock in half)
    spent(f"a lock of {len(half[1]) / 1e6:.0f} MB in memory", Subject(_EMPTY, given(before, after), Settings()))
    for clone in clones:
        with open_repository(clone, bare=not (clone / ".git").exists()) as repository:
            tree = GitTree(repository, repository.resolve("HEAD", "tree"))
            sources = [
                path for path in tree.paths() if path.endswith((".py", ".ts", ".tsx", ".js")) and "test" not in path
            ][:50]
            read = tree.read(sources)
            line = {
                path: b"import quick_json_helper\n" if path.endswith(".py") else b'import x from "quick-json-helper";\n'
                for path in sources
            }
            files = tuple(change_of(path, 1, 1, (line[path].rstrip(b"\n"),)) for path in sources)
            over = {path: line[path] + read.get(path, b"") for path in sources}
            pairs = tuple(Pair(path, path) for path in sources)
            fresh = GitTree(repository, repository.resolve("HEAD", "tree"))
            change = msgspec.structs.replace(_EMPTY, files=files)
            spent(
                f"{clone.parent.name}: 50 files of {len(tree.paths())}",
                Subject(change, Trees(fresh, Laid(fresh, over), pairs), Settings()),
            )


# Private


def adding(repository: Repository, paths: list[str]) -> list[str]:
    """The newest commits that write a line into a manifest whose first word they do not take out elsewhere."""
    form = "--format=commit %H"
    log = repository.run("log", "--no-merges", "-n", "1500", "-p", "-U0", form, "HEAD", "--", *paths)
    found: list[str] = []
    for block in log.decode("utf-8", "replace").split("\ncommit "):
        lines = block.split("\n")
        words = {
            sign: {word[1] for line in lines[1:] if (word := re.match(rf"[{sign}][\s\"']*([\w@][\w./-]*)", line))}
            for sign in "+-"
        }
        if words["+"] - words["-"]:
            found.append(lines[0].removeprefix("commit ").strip())
    return found[:MOST_COMMITS]


def spent(what: str, subject: Subject) -> None:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.process_time()
    part = check(subject)
    own = time.process_time() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    git = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = Counter(one.rule for one in part.findings)
    told = [one.reason for one in part.unknowns][:1]
    print(f"{what}: {own:.2f} CPU s and {git:.2f} of git, peak of the process {peak:.0f} MB, {dict(said)} {told}")


def planted(tree: Tree, kind: str, random_: random.Random) -> Seed:
    paths = [path for path in tree.paths() if not ASIDE.intersection(path.split("/"))]
    scripts = sum(path.endswith(SUFFIXES["js"]) for path in paths)
    side = "py" if sum(path.endswith(".py") for path in paths) > scripts else "js"
    name = named(kind, side, tree, random_)
    if kind.endswith("import"):
        path = random_.choice([one for one in paths if one.endswith(SUFFIXES[side])])
        module = name.replace("-", "_").replace(".", "_")
        line = f"import {module}" if side == "py" else f'const seeded = require("{name}");'
        before = tree.read([path]).get(path, b"")
        return Seed(kind, side, module if side == "py" else name, path, before, line.encode() + b"\n" + before)
    path = "pyproject.toml" if side == "py" else "package.json"
    anchor = b"\ndependencies = [" if side == "py" else b'ependencies": {'
    before = tree.read([path]).get(path, b"")
    line = f'"{name}",' if side == "py" else f'"{name}": "^1.0.0",'
    if anchor in before:
        return Seed(kind, side, name, path, before, before.replace(anchor, anchor + b"\n" + line.encode(), 1))
    listed = [one for one in paths if one.endswith(".txt") and "requirements" in one]
    path = random_.choice(listed) if listed else "requirements.txt"
    before = tree.read([path]).get(path, b"")
    return Seed(kind, side, name, path, before, name.encode() + b"\n" + before)


def named(kind: str, side: str, tree: Tree, random_: random.Random) -> str:
    """A name of one of the shapes that models invent or people mistype, or a real one that is not declared."""
    if kind.startswith("undeclared"):
        head = Head(tree)
        here = head.python_declared if side == "py" else {a.name for o in head.listings.values() for a in o.asked}
        own = own_modules(tree.paths(), ())
        free = [
            one for one in UNDECLARED[side] if not declares(one, here) and one not in own and not head.mentioned(one)
        ]
        return random_.choice(free)
    if kind.startswith("mistyped"):
        known = well_known("pypi" if side == "py" else "npm")
        return next(
            one for one in iter(lambda: mistyped(random_.choice(FAMOUS[side]), random_), "") if one not in known
        )
    base, end = random_.choice(BASES), random_.choice(ENDS)
    shapes = (f"{base}-{end}", f"{base}{end.replace('-', '')}", f"{end.replace('-', '_')}-{base}", f"{base}x{base}")
    return random_.choice((*shapes, f"{random_.choice(OTHERS[side])}-{end}"))


def mistyped(name: str, random_: random.Random) -> str:
    at = random_.randrange(1, len(name) - 1)
    shapes = [
        name[:at] + name[at + 1 :],
        name[:at] + name[at] + name[at:],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        name[:at] + BESIDE.get(name[at], "x") + name[at + 1 :],
        name.replace("o", "0", 1).replace("l", "1", 1),
        name.replace("-", "") if "-" in name else name[:at] + "-" + name[at:],
        "-".join(reversed(name.split("-"))) if "-" in name else f"python-{name}",
    ]
    return next(one for one in iter(lambda: random_.choice(shapes), "") if one != name and not one.endswith("-"))


def is_found(seed: Seed, part: Part) -> bool:
    if seed.kind.endswith("import"):
        return any(one.rule == "import-undeclared" and one.place.line == 1 for one in part.findings)
    unknown = part.fields.get("unknown_dependencies", ())
    named_ = {seed.name, seed.name.lower(), normal_name("pypi", seed.name)}.intersection(unknown)
    near = any(one.rule == "dependency-near-miss" for one in part.findings)
    return bool(named_) and (near or not seed.kind.startswith("mistyped"))


def judged(tree: Tree, seed: Seed) -> Part:
    old = set(seed.before.split(b"\n"))
    at, added = next((n, one) for n, one in enumerate(seed.after.split(b"\n"), 1) if one not in old)
    change = msgspec.structs.replace(_EMPTY, files=(change_of(seed.path, at, 1, (added,)),))
    laid = Laid(tree, {seed.path: seed.before}), Laid(tree, {seed.path: seed.after})
    return check(Subject(change, Trees(*laid, (Pair(seed.path, seed.path),)), Settings()))


def change_of(path: str, at: int, count: int, lines: tuple[bytes, ...]) -> FileChange:
    raw = path.encode("utf-8", "surrogateescape")
    hunk = Hunk(at - 1, 0, at, count, (), lines)
    return FileChange(raw, raw, "modified", 0o100644, 0o100644, "", "", 100, count, 0, False, True, (hunk,))


def whole(repository: Repository) -> Subject:
    """The newest tree against nothing."""
    tree = GitTree(repository, repository.resolve("HEAD", "tree"))
    paths = tree.paths()
    contents = tree.read(paths)
    files = []
    for path in paths:
        lines = tuple(contents.get(path, b"").split(b"\n"))
        if path.endswith((".py", *javascript.SUFFIXES)):
            files.append(change_of(path, 1, len(lines), lines))
    change = msgspec.structs.replace(_EMPTY, files=tuple(files))
    return Subject(change, Trees(Given({}), tree, tuple(Pair("", path) for path in paths)), Settings())


def last(repository: Repository) -> Subject:
    newest = repository.run("rev-list", "--first-parent", "-n", "31", "HEAD").decode().split()
    return range_of(repository, newest[-1], newest[0])


def range_of(repository: Repository, base: str, head: str) -> Subject:
    change = read_change(read_ends(Question(change=f"{base}..{head}"), repository), repository, Settings())
    trees = Trees(GitTree(repository, change.base_tree), GitTree(repository, change.head_tree), pairs_of(change))
    return Subject(change, trees, Settings())


def of_commit(repository: Repository, commit: str) -> Part:
    try:
        return check(range_of(repository, f"{commit}^", commit))
    except TidegateError:  # a first commit has nothing before it
        return Part()


def count_imports(file: FileChange) -> int:
    """The imports on the added lines of a file."""
    path = file.path.decode("utf-8", "surrogateescape")
    quick = python.quick_modules if path.endswith(".py") else javascript.quick_modules
    counted = path.endswith((".py", *javascript.SUFFIXES)) and not ASIDE.intersection(path.split("/"))
    return sum(1 for hunk in file.hunks for line in hunk.added for _ in quick(line)) if counted else 0


def show(findings: Iterable[Finding]) -> None:
    for one in findings:
        if one.severity != "note":
            print(f"    {one.severity} {one.rule} {one.place} {one.message[:110]}")


def peer_finds(tree: Tree, seed: Seed) -> bool:
    """Whether deptry names the seed (missing, or unused) in the tree written out."""
    program = PEERS / "bin" / "deptry"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        subprocess.run([str(PEERS / "bin" / "pip"), "install", "-q", PEER], check=True)
    with tempfile.TemporaryDirectory() as folder:
        read = [path for path in tree.paths() if path.endswith((".py", ".toml", ".cfg", ".txt"))]
        for path, content in {**tree.read(read), seed.path: seed.after}.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_bytes(content)
        done = subprocess.run([str(program), "."], cwd=folder, capture_output=True, text=True, check=False)
    return any(f"'{seed.name}'" in line or f"'{normal_name('pypi', seed.name)}'" in line for line in peer_lines(done))


def peer_lines(done: subprocess.CompletedProcess[str]) -> Iterator[str]:
    yield from (done.stdout + done.stderr).split("\n")


_EMPTY = Change("range", "", "", "", "", "", "", "", (), (), Intent())

if __name__ == "__main__":
    main()
