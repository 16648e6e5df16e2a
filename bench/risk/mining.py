"""Mining: history read once, the fourteen features of every commit, a push, and the questions of one change.

    python -m bench.risk.mining [--pydriller PYTHON] FOLDER...     measures on each repository, at its HEAD
    python -m bench.risk.mining                                    on a generated one of 50,000 commits

CPU is that of git and of ourselves together, in a fresh process each. The floor is plain `git log --numstat -M` on the
same commits; the peer is PyDriller, in an interpreter that has it, on the newest 300. Rates count commits that are no
merges. Counts are compared with what plain git prints, commit by commit.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.measure import measure
from tidegate.change.git import Repository, open_repository
from tidegate.risk.features.kamei import sweep_kamei
from tidegate.risk.history.mine import Mined, open_history
from tidegate.risk.history.people import person_key
from tidegate.risk.labels.messages import is_fix

COMMITS = 50_000
PUSHES = 12
LEAST_RATE = 1500.0
MOST_SECONDS = 90.0
MOST_PUSH_SECONDS = 0.3
MOST_QUESTION_SECONDS = 0.08


class Spent(NamedTuple):
    """Seconds of CPU of this process and of the git it started, and on the wall."""

    own: float
    git: float
    wall: float

    @property
    def cpu(self) -> float:
        return self.own + self.git


class Clock:
    """What was spent since it was made."""

    def __init__(self) -> None:
        self._start = self._now()

    def read(self) -> Spent:
        return Spent(*(now - then for now, then in zip(self._now(), self._start, strict=True)))

    @staticmethod
    def _now() -> Spent:
        own, git = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return Spent(own.ru_utime + own.ru_stime, git.ru_utime + git.ru_stime, time.monotonic())


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.risk.mining")
    parser.add_argument("--pydriller", default="", metavar="PYTHON", help="an interpreter that can import pydriller")
    parser.add_argument("--whole", nargs=2, metavar=("FOLDER", "STORE"), help=argparse.SUPPRESS)
    parser.add_argument("folders", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    if options.whole:
        return _whole(Path(options.whole[0]), Path(options.whole[1]))
    if options.folders:
        return max(_measure(folder.resolve(), options.pydriller) for folder in options.folders)
    with tempfile.TemporaryDirectory() as made:
        return _measure(generate(Path(made) / "repo", COMMITS), options.pydriller)


def generate(path: Path, commits: int) -> Path:
    """A bare repository of so many commits: 2,000 files in 40 folders, a merge after every tenth, 50 people."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    process = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=path, stdin=subprocess.PIPE)
    if process.stdin is None:
        raise RuntimeError("fast-import takes nothing")
    lines: dict[int, list[bytes]] = {}
    for mark in range(1, commits + 1):
        at = 1_500_000_000 + mark * 3600
        who = b"Person %d <p%d@example.com> %d +0000" % (mark % 50, mark % 50, at)
        message = b"%s part %d\n" % (b"Fix" if mark % 5 == 0 else b"Add", mark)
        out = [b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\n" % (mark, who, who)]
        out.append(b"data %d\n%s" % (len(message), message))
        if mark > 10 and mark % 10 == 0:
            out.append(b"from :%d\nmerge :%d\n" % (mark - 1, mark - 3))
        for number in range(0 if mark % 10 == 0 else 1 + mark % 5):
            file = (mark * 7 + number * 131) % 2000
            content = lines.setdefault(file, [])
            content[mark % 50 : mark % 50 + 2] = [b"value_%d = %d\n" % (mark, number)] * (1 + mark % 4)
            body = b"".join(content)
            out.append(b"M 100644 inline area%02d/file%d.py\ndata %d\n%s\n" % (file % 40, file, len(body), body))
        process.stdin.write(b"".join(out))
    process.stdin.close()
    if process.wait():
        raise RuntimeError("fast-import failed")
    return path


# Private


def _measure(folder: Path, pydriller: str) -> int:
    command = ["git", "log", "--numstat", "-M", "-z", "--no-merges", "--format=%H", "HEAD"]
    with tempfile.TemporaryDirectory() as made:
        store = Path(made) / "tidegate" / "history"
        floor = measure(command, cwd=folder, runs=1, warm=0)
        told = subprocess.run(
            [sys.executable, "-m", "bench.risk.mining", "--whole", str(folder), str(store)],
            capture_output=True,
            check=True,
            text=True,
        )
        found = json.loads(told.stdout)
        with open_repository(folder, bare=True) as repository:
            head = repository.resolve("HEAD")
            question = _question(repository, head, store)
            push = _push(repository, head, Path(made) / "push" / "history")
            differing = _differing(repository, head, store)
    rate = found["changes"] / found["cpu"]
    print(f"{_name(folder)}: {found['commits']:,} commits, {found['changes']:,} of them no merges")
    cells = (
        ("git log --numstat alone (floor)", f"{floor.cpu:7.2f} s CPU {found['changes'] / floor.cpu:8,.0f}/s", ""),
        ("mined: git", f"{found['git']:7.2f} s CPU", ""),
        ("mined: ourselves", f"{found['own']:7.2f} s CPU", ""),
        ("fourteen features", f"{found['sweep']:7.2f} s CPU", ""),
        ("all together", f"{found['cpu']:7.2f} s CPU {rate:8,.0f}/s", f"bar {LEAST_RATE:,.0f}/s"),
        ("on the wall", f"{found['wall']:7.2f} s", f"bar {MOST_SECONDS:.0f} s for 50,000"),
        ("memory", f"{found['rss_mb']:7.0f} MB", ""),
        ("one push", f"{push.cpu:7.3f} s CPU {push.wall:8.3f} s wall", f"bar {MOST_PUSH_SECONDS} s"),
        (
            "opened warm, 20 paths, one author",
            f"{question.own:7.3f} s CPU besides git",
            f"bar {MOST_QUESTION_SECONDS} s",
        ),
        ("commits whose counts differ from git's", f"{differing:7}", "bar 0"),
    )
    for what, figure, bar in cells:
        print(f"  {what:<40} {figure:<34} {bar}")
    if pydriller:
        print(f"  {'PyDriller, the newest 300':<40} {_pydriller(folder, pydriller):7,.0f}/s")
    sys.stdout.flush()
    wall = found["wall"] * max(1.0, COMMITS / found["commits"])
    missed = rate < LEAST_RATE, wall > MOST_SECONDS, push.wall > MOST_PUSH_SECONDS, differing > 0
    return int(any(missed) or question.own > MOST_QUESTION_SECONDS)


def _whole(folder: Path, store: Path) -> int:
    store.parent.mkdir(parents=True)
    with open_repository(folder, bare=True) as repository:
        head = repository.resolve("HEAD")
        clock = Clock()
        with open_history(repository, head, store) as mined:
            mining = clock.read()
            commits = mined.commits()
            rows = sum(1 for _ in sweep_kamei(commits, lambda commit: person_key(commit.author), is_fix))
    spent = clock.read()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"commits": len(commits), "changes": rows, "git": mining.git, "own": mining.own, "rss_mb": peak}
    print(json.dumps({**told, "sweep": spent.cpu - mining.cpu, "cpu": spent.cpu, "wall": spent.wall}))
    return 0


def _question(repository: Repository, head: str, store: Path) -> Spent:
    with open_history(repository, head, store) as mined:
        commits = [commit for commit in mined.commits() if commit.touches]
    paths = list(dict.fromkeys(touch.path for commit in reversed(commits) for touch in commit.touches))[:20]
    author = person_key(statistics.mode(commit.author for commit in commits))
    return _middle([_ask(repository, head, store, paths, author) for _ in range(7)])


def _ask(repository: Repository, head: str, store: Path, paths: Sequence[str], author: str) -> Spent:
    clock = Clock()
    with open_history(repository, head, store) as mined:
        mined.touching(paths)
        mined.by_author(author)
    return clock.read()


def _push(repository: Repository, head: str, store: Path) -> Spent:
    """The middle one of some pushes of one commit of the main line each."""
    store.parent.mkdir()
    listed = repository.run("rev-list", "--first-parent", f"--max-count={PUSHES + 1}", head).decode("ascii").split()
    spent = []
    for oid in reversed(listed):
        clock = Clock()
        open_history(repository, oid, store).close()
        spent.append(clock.read())
    return _middle(spent[1:])


def _middle(spent: Sequence[Spent]) -> Spent:
    return sorted(spent, key=lambda one: one.cpu)[len(spent) // 2]


def _differing(repository: Repository, head: str, store: Path) -> int:
    """Commits of which `git log --numstat -M` prints other numbers or other files than were kept."""
    with open_history(repository, head, store) as mined:
        kept = _kept(mined)
    printed: dict[str, list[tuple[int, int, str]]] = {}
    told = repository.run("log", "--numstat", "-M", "-z", "--format=@%H", head).decode("utf-8", "backslashreplace")
    tokens = iter(told.split("\0"))
    oid = ""
    for token in tokens:
        line = token.removeprefix("\n")
        if line.startswith("@"):
            oid = line[1:]
            printed[oid] = []
        elif line:
            added, deleted, path = line.split("\t", 2)
            if not path:
                next(tokens)
                path = next(tokens)
            printed[oid].append((_number(added), _number(deleted), path))
    return sum(kept.get(oid) != printed.get(oid) for oid in kept.keys() | printed.keys())


def _kept(mined: Mined) -> dict[str, list[tuple[int, int, str]]]:
    return {
        commit.oid: [(touch.added, touch.deleted, touch.path) for touch in commit.touches] for commit in mined.commits()
    }


def _number(text: str) -> int:
    return -1 if text == "-" else int(text)


_PYDRILLER = """
import itertools, sys
from pydriller import Repository
for commit in itertools.islice(Repository(sys.argv[1], order="reverse", only_no_merge=True).traverse_commits(), 300):
    for file in commit.modified_files:
        file.added_lines, file.deleted_lines, file.change_type
"""


def _pydriller(folder: Path, python: str) -> float:
    """Commits per CPU second of PyDriller, which does not open bare repositories: it works on a clone without files."""
    with tempfile.TemporaryDirectory() as made:
        clone = ["git", "clone", "-q", "--shared", "--no-checkout", str(folder), made]
        subprocess.run(clone, check=True)
        figure = measure([python, "-c", _PYDRILLER, made], cwd=Path(made), runs=1, warm=0)
    return 300 / figure.cpu if figure.exit_code == 0 else 0.0


def _name(folder: Path) -> str:
    return folder.name if folder.name != "repo" else folder.parent.name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
