"""A history in which a commit brought the fault: it and all that follow are written anew with the mutant in its line.

So nothing is told to what is measured: blame, diffs and revisions are those of a repository where it happened.
"""

from __future__ import annotations

import subprocess
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple


class Planted(NamedTuple):
    """The faulty history: its newest commit, and the commit that brought the fault."""

    head: str
    culprit: str


def scratch_clone(tree: Path, folder: Path) -> Path:
    """A bare clone that shares the objects of `tree`, to write histories into."""
    if not folder.exists():
        subprocess.run(["git", "clone", "-q", "--bare", "--shared", str(tree), str(folder)], check=True)
    return folder


def rewrite(clone: Path, head: str, case: dict[str, Any], number: int) -> Planted | None:
    """The faulty history of a case, None where its line cannot be followed from the commit to the head."""
    path, culprit = case["path"], case["commit"]
    if not culprit:
        return None
    rows = [row.split() for row in _git(clone, "rev-list", "--topo-order", "--parents", f"{culprit}^!").splitlines()]
    after = ["rev-list", "--topo-order", "--reverse", "--parents", "--ancestry-path", f"{culprit}..{head}"]
    rows += [row.split() for row in _git(clone, *after).splitlines()]
    blobs = _blobs(clone, path, [row[0] for row in rows])
    place = {culprit: case["commit_line"] - 1}
    contents: dict[str, list[bytes]] = {}
    for oid, *parents in rows[1:]:
        known = next((parent for parent in parents if place.get(parent, -1) >= 0), "")
        place[oid] = _follow(blobs, contents, (known, oid), place[known]) if known and oid in blobs else -1
    if place.get(head, -1) != case["line"] - 1:
        return None
    stream = [_blob_stream(blobs, contents, place, case, rows)]
    stream.append(_commit_stream(clone, rows, place, path))
    marks = clone / f"marks-{number}"
    ref = f"refs/heads/fault-{number}"
    data = b"".join(stream).replace(b"refs/heads/FAULT", ref.encode())
    arguments = ["fast-import", "--quiet", "--force", f"--export-marks={marks}"]
    subprocess.run(["git", "--git-dir", str(clone), *arguments], input=data, check=True)
    made = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return Planted(made[f":{1000 + len(rows) - 1}"], made[":1000"])


# Private


def _git(clone: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "--git-dir", str(clone), *arguments], capture_output=True, check=True)
    return done.stdout.decode()


def _blobs(clone: Path, path: str, oids: list[str]) -> dict[str, str]:
    asked = "".join(f"{oid}:{path}\n" for oid in oids).encode()
    done = subprocess.run(
        ["git", "--git-dir", str(clone), "cat-file", "--batch-check"], input=asked, capture_output=True, check=True
    )
    found = {}
    for oid, row in zip(oids, done.stdout.decode().splitlines(), strict=True):
        if row.split()[1] == "blob":
            found[oid] = f"{clone}\0{row.split()[0]}"
    return found


def _lines(blobs: dict[str, str], contents: dict[str, list[bytes]], oid: str) -> list[bytes]:
    clone, _, blob = blobs[oid].partition("\0")
    if blob not in contents:
        done = subprocess.run(["git", "--git-dir", clone, "cat-file", "blob", blob], capture_output=True, check=True)
        contents[blob] = done.stdout.split(b"\n")
    return contents[blob]


def _follow(blobs: dict[str, str], contents: dict[str, list[bytes]], step: tuple[str, str], line: int) -> int:
    parent, oid = step
    if blobs.get(parent) == blobs[oid]:
        return line
    before, after = (_lines(blobs, contents, one) for one in step)
    for tag, first, last, other, _ in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal" and first <= line < last:
            return other + line - first
    return -1


def _blob_stream(
    blobs: dict[str, str],
    contents: dict[str, list[bytes]],
    place: dict[str, int],
    case: dict[str, Any],
    rows: list[list[str]],
) -> bytes:
    stream = []
    for number, (oid, *_) in enumerate(rows):
        if place.get(oid, -1) >= 0:
            lines = list(_lines(blobs, contents, oid))
            assert lines[place[oid]].decode() == case["old"], (oid, case)
            lines[place[oid]] = case["new"].encode()
            content = b"\n".join(lines)
            stream.append(b"blob\nmark :%d\ndata %d\n%s\n" % (100_000 + number, len(content), content))
    return b"".join(stream)


def _commit_stream(clone: Path, rows: list[list[str]], place: dict[str, int], path: str) -> bytes:
    asked = "".join(f"{oid}\n" for oid, *_ in rows).encode()
    command = ["git", "--git-dir", str(clone), "cat-file", "--batch"]
    answer = subprocess.run(command, input=asked, capture_output=True, check=True).stdout
    marks = {oid: 1000 + number for number, (oid, *_) in enumerate(rows)}
    stream = []
    for number, (oid, *parents) in enumerate(rows):
        head, _, answer = answer.partition(b"\n")
        size = int(head.split()[2])
        raw, answer = answer[:size], answer[size + 1 :]
        fields, _, message = raw.partition(b"\n\n")
        rows_of = [row for row in fields.split(b"\n") if not row.startswith(b" ")]
        tree = next(row.split()[1] for row in rows_of if row.startswith(b"tree "))
        people = [row for row in rows_of if row.startswith((b"author ", b"committer "))]
        stream.append(b"commit refs/heads/FAULT\nmark :%d\n%s\n" % (marks[oid], b"\n".join(people)))
        stream.append(b"data %d\n%s\n" % (len(message), message))
        for at, parent in enumerate(parents):
            name = f":{marks[parent]}" if parent in marks else parent
            stream.append(f"{'from' if at == 0 else 'merge'} {name}\n".encode())
        stream.append(b'M 040000 %s ""\n' % tree)
        if place.get(oid, -1) >= 0:
            stream.append(b"M 100644 :%d %s\n" % (100_000 + number, path.encode()))
        stream.append(b"\n")
    return b"".join(stream)
