"""Random histories whose every line is unique, so that a line's text says which commit wrote it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.repos import Repo

Files = dict[bytes, list[bytes]]
PATHS = [b"a.txt", b"src/b.py", b"src/caf\xc3\xa9.md", b"odd\xff\xfename", b'with "quotes"\tand tab', b"d"]


@dataclass
class History:
    """A repository written by one fast-import. `author` maps a line to the number of the commit that wrote it.

    Every line has a place, and a file holds its lines in that order: no line ever moves, so diffs have no choice.
    """

    repo: Repo
    random: random.Random
    trees: list[Files] = field(default_factory=list)
    parents: list[tuple[int, ...]] = field(default_factory=list)
    author: dict[bytes, int] = field(default_factory=dict)
    place: dict[bytes, float] = field(default_factory=dict)
    oids: list[str] = field(default_factory=list)

    def new_lines(self, count: int, low: float = 0.0, high: float = 1.0) -> list[bytes]:
        lines = []
        for place in sorted(self.random.uniform(low, high) for _ in range(count)):
            line = b"%08d %08x" % (len(self.author), self.random.getrandbits(32))
            self.author[line] = len(self.trees)
            self.place[line] = place
            lines.append(line)
        return lines

    def edit(self, lines: list[bytes]) -> list[bytes]:
        lines = list(lines)
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randint(0, len(lines))
            drop = self.random.choice([0, 0, 1, 2]) if len(lines) > 8 else 0
            low = self.place[lines[at - 1]] if at else 0.0
            high = self.place[lines[at + drop]] if at + drop < len(lines) else 1.0
            lines[at : at + drop] = self.new_lines(self.random.randint(0, 4), low, high)
        return lines

    def step(self, parents: tuple[int, ...]) -> None:
        files = self.merged(parents) if len(parents) > 1 else dict(self.trees[parents[0]]) if parents else {}
        for path in self.random.sample(sorted(files), min(len(files), self.random.randint(0, 2))):
            files[path] = self.edit(files[path])
        if len(parents) < 2:
            self.move(files, parents)
        self.trees.append(files)
        self.parents.append(parents)

    def move(self, files: Files, parents: tuple[int, ...]) -> None:
        """Add, delete or rename a file. A renamed one keeps its content, so that git cannot miss the rename."""
        before = self.trees[parents[0]] if parents else {}
        free = [path for path in [*PATHS, b"f%d.txt" % self.random.randint(0, 30)] if path not in {*files, *before}]
        whole = [path for path in sorted(files) if files[path] == before.get(path)]
        word = self.random.choice(["add", "add", "rename", "delete"])
        if (word == "add" or not files) and free:
            files[self.random.choice(free)] = self.new_lines(self.random.randint(1, 30))
        elif word == "rename" and free and whole:
            files[self.random.choice(free)] = files.pop(self.random.choice(whole))
        elif word == "delete" and len(files) > 2:
            del files[self.random.choice(sorted(files))]

    def merged(self, parents: tuple[int, ...]) -> Files:
        """All files of the parents; a file of several holds the lines of all."""
        found: Files = {}
        for parent in parents:
            for path, lines in self.trees[parent].items():
                found[path] = sorted({*found.get(path, ()), *lines}, key=lambda line: (self.place[line], line))
        return found

    def write(self) -> None:
        out: list[bytes] = []
        for number, files in enumerate(self.trees):
            out.append(b"commit refs/heads/main\nmark :%d\n" % (number + 1))
            out.append(b"committer A <a@example.com> %d +0000\ndata 1\nx\n" % (1_770_000_000 + number))
            for index, parent in enumerate(self.parents[number]):
                out.append(b"%s :%d\n" % (b"merge" if index else b"from", parent + 1))
            out.append(b"deleteall\n")
            for path, lines in sorted(files.items()):
                text = b"".join(line + b"\n" for line in lines)
                out.append(b"M 100644 inline %s\ndata %d\n%s\n" % (_quoted(path), len(text), text))
        marks = self.repo.path / ".git" / "marks"
        self.repo.git("fast-import", "--quiet", "--force", f"--export-marks={marks}", stdin=b"".join(out))
        listed = dict(line.split() for line in marks.read_text().splitlines())
        self.oids = [listed[f":{number + 1}"] for number in range(len(self.trees))]


def random_history(repo: Repo, seed: int, commits: int = 40) -> History:
    """A history with merges (some of three parents, some from long ago) and renames."""
    history = History(repo, random.Random(seed))
    history.step(())
    tips = [0]
    for number in range(1, commits):
        chance = history.random.random()
        if chance < 0.25 and len(tips) > 1:
            count = 3 if chance < 0.03 and len(tips) > 2 else 2
            parents = tuple(history.random.sample(tips, count))
            tips = [tip for tip in tips if tip not in parents]
        elif chance < 0.45:
            parents = (history.random.randrange(number),)
        else:
            parents = (history.random.choice(tips),)
            tips.remove(parents[0])
        history.step(parents)
        tips.append(number)
    while len(tips) > 1:
        parents = tuple(tips[:2])
        history.step(parents)
        tips = [*tips[2:], len(history.trees) - 1]
    history.write()
    return history


def _quoted(path: bytes) -> bytes:
    escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'
