"""What commits changed, whole files on both sides, by one process for all of them."""

from __future__ import annotations

from tidegate.agent.hooks.gitdoor import ask
from tidegate.agent.hooks.lines import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate.agent.hooks.place import Place


class Line:
    """A line that a commit adds: its number there, its digest, and how many visible characters it has."""

    __slots__ = ("digest", "number", "size")

    def __init__(self, number: int, content: bytes) -> None:
        self.number = number
        self.digest = digest(content)
        self.size = len(b"".join(content.split()))


class Changed:
    """A file of a commit: the lines that no parent has, and the digests of all lines that a parent's version has."""

    __slots__ = ("added", "before", "old_path", "path")

    def __init__(self, path: str, old_path: str) -> None:
        self.path = path
        self.old_path = old_path
        self.added: list[Line] = []
        self.before: set[str] = set()


class CommitDiff:
    """One commit with its parents and the files that it changed."""

    __slots__ = ("files", "oid", "parents")

    def __init__(self, oid: str, parents: list[str]) -> None:
        self.oid = oid
        self.parents = parents
        self.files: dict[str, Changed] = {}


def read_diffs(place: Place, commits: Sequence[str]) -> list[CommitDiff]:
    """What each commit changed. Of a merge, the lines that none of its parents has."""
    output = ask(
        place,
        *("diff-tree", "--stdin", "-m", "-p", "-r", "-M", "--root", "--always", "-U1000000", "--no-color"),
        *("--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--format=%x01%H %P"),
        stdin="".join(f"{oid}\n" for oid in commits).encode("ascii"),
    )
    found: dict[str, CommitDiff] = {}
    for block in (b"\n" + output).split(b"\n\x01")[1:]:
        header, _, patch = block.partition(b"\n")
        oids = header.decode("ascii", "replace").split()
        if not oids:
            continue
        diff = CommitDiff(oids[0], oids[1:])
        for file in _files(patch):
            diff.files[file.path] = file
        before = found.get(diff.oid)
        found[diff.oid] = diff if before is None else _in_both(before, diff)
    return [found[oid] for oid in commits if oid in found]


# Private


def _files(patch: bytes) -> list[Changed]:
    found: list[Changed] = []
    file: Changed | None = None
    number = 0
    inside = regular = False
    old_path = ""
    for row in patch.split(b"\n"):
        if row.startswith(b"diff --git "):
            file, inside, regular, old_path = None, False, False, ""
        elif not inside and (
            row.startswith((b"new file mode ", b"new mode ")) or (row.startswith(b"index ") and row.count(b" ") == 2)
        ):
            regular = row.rsplit(b" ", 1)[1].startswith(b"100")
        elif not inside and row.startswith(b"--- "):
            old_path = _path(row[4:])
        elif not inside and row.startswith(b"+++ "):
            path = _path(row[4:])
            file = Changed(path, old_path) if path and regular else None
            if file is not None:
                found.append(file)
        elif row.startswith(b"@@ ") and not inside:
            inside = True
            number = int(row.split(b" ")[2][1:].split(b",")[0])
        elif inside and file is not None and row:
            if row[:1] == b"+":
                file.added.append(Line(number, row[1:]))
            elif row[:1] in b" -":
                file.before.add(digest(row[1:]))
            number += row[:1] in (b"+", b" ")
    return found


def _path(text: bytes) -> str:
    """The path behind `--- ` or `+++ `, "" for /dev/null. Git quotes names with odd bytes as C does."""
    text = text.removesuffix(b"\t")
    if text.startswith(b'"') and text.endswith(b'"'):
        text = text[1:-1].decode("unicode_escape").encode("latin-1")
    return text[2:].decode("utf-8", "surrogateescape") if text[:2] in (b"a/", b"b/") else ""


def _in_both(one: CommitDiff, other: CommitDiff) -> CommitDiff:
    files: dict[str, Changed] = {}
    for path, file in one.files.items():
        twin = other.files.get(path)
        if twin is None:
            continue  # it is as in another parent
        numbers = {line.number for line in twin.added}
        file.added = [line for line in file.added if line.number in numbers]
        file.before |= twin.before
        files[path] = file
    both = CommitDiff(one.oid, one.parents)
    both.files = files
    return both
