"""Random histories for tests: branches, merges, renames, binary files, odd names and clocks that disagree."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.risk.history.mine import Mined, open_history, store_folder

NAMES = (
    b"a.py",
    b"src/a.py",
    b"src/b c.py",
    b"tab\there",
    b"line\nbreak",
    b"caf\xc3\xa9/x",
    b"\xff\xfe/y",
    b"=> z",
    b":q",
)


def random_history(path: Path, seed: int, commits: int = 40, object_format: str = "sha1") -> Repo:
    """A repository whose branch `main` holds so many commits and the merge of all their heads."""
    chance = random.Random(seed)
    repo = Repo.init(path, object_format=object_format)
    trees: dict[int, dict[bytes, bytes]] = {}
    leaves: set[int] = set()
    out: list[bytes] = []
    for mark in range(1, commits + 1):
        known = sorted(trees)[-5:]
        parents = [] if not known or chance.random() < 0.04 else [chance.choice(known)]
        if parents and chance.random() < 0.2:
            parents += [other for other in chance.sample(known, min(2, len(known))) if other not in parents]
        files = dict(trees[parents[0]]) if parents else {}
        out += _header(b"refs/heads/b%d" % mark, mark, parents, 1_700_000_000 + chance.randrange(-9000, 9000))
        for _ in range(chance.randrange(4)):
            out.append(_edit(chance, files))
        trees[mark] = files
        leaves = (leaves - set(parents)) | {mark}
    out += _header(b"refs/heads/main", commits + 1, sorted(leaves), 1_700_000_000)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=b"".join(out), check=True)
    return repo


@contextmanager
def mine(repo: Repo, revision: str = "HEAD", folder: Path | None = None) -> Iterator[Mined]:
    """The history of a revision, kept beside the repository or in the folder."""
    with (
        open_repository(repo.path) as repository,
        open_history(repository, repository.find(revision), folder or store_folder(repository)) as mined,
    ):
        yield mined


# Private


def _header(ref: bytes, mark: int, parents: list[int], at: int) -> list[bytes]:
    who = b"Person %d <p%d@example.com> %d +0000" % (mark % 5, mark % 5, at)
    lines = [b"commit %s\nmark :%d\nauthor %s\ncommitter %s\ndata 5\nwork\n\n" % (ref, mark, who, who)]
    return lines + [b"%s :%d\n" % (b"merge" if number else b"from", parent) for number, parent in enumerate(parents)]


def _edit(chance: random.Random, files: dict[bytes, bytes]) -> bytes:
    kind = chance.random()
    if files and kind < 0.15:
        path = chance.choice(sorted(files))
        del files[path]
        return b"D %s\n" % _quoted(path)
    if files and kind < 0.35:
        path, target = chance.choice(sorted(files)), b"moved/%d/%s" % (chance.randrange(3), chance.choice(NAMES))
        if target not in files:
            files[target] = files.pop(path)
            return b"R %s %s\n" % (_quoted(path), _quoted(target))
    path = chance.choice(NAMES)
    before = files.get(path, b"").splitlines(keepends=True)
    for _ in range(chance.randrange(1, 12)):
        before.insert(chance.randrange(len(before) + 1), b"line %d\n" % chance.randrange(1000))
    content = b"".join(before[chance.randrange(2) :]) + (b"\0" if kind > 0.95 else b"")
    files[path] = content
    mode = chance.choice((b"100644", b"100644", b"100755"))
    return b"M %s inline %s\ndata %d\n%s\n" % (mode, _quoted(path), len(content), content)


def _quoted(path: bytes) -> bytes:
    return b'"%s"' % b"".join(b"\\%03o" % byte for byte in path)
