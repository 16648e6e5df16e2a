"""Stack traces as text to frames, and frames to files of the deployed revision.

Python, JavaScript (V8 and Firefox), Java and Kotlin, Go, and Ruby. A trace is foreign text: it is read line by line,
within bounds, and nothing that it names is opened. A frame is placed by the end of its path, so that the folder that a
container or a build put in front of it does not matter; where two files fit equally well, neither is named.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.operate.trace_formats import LINE_LIMIT, READERS, Trace
from tidegate.operate.values import Frame

MOST_LINES = 50_000


class Placed(Struct, frozen=True, kw_only=True):
    """A frame at the deployed revision. `path` is "" where no file of it is meant, and `reason` says why."""

    frame: Frame
    path: str = ""
    reason: str = ""

    @property
    def line(self) -> int:
        return self.frame.line


def read_traces(text: str) -> tuple[Trace, ...]:
    """Every trace in a text (a log, a message, what a test printed), in its order. Text without one has none."""
    lines = [line[:LINE_LIMIT].rstrip("\r") for line in text.split("\n", MOST_LINES)[:MOST_LINES]]
    found: list[Trace] = []
    barren = [0] * len(READERS)  # up to where a reader has looked in vain: no line is looked at again and again
    at = 0
    while at < len(lines):
        for index, reader in enumerate(READERS):
            if barren[index] > at:
                continue
            trace, after = reader(lines, at)
            if trace is not None:
                found.append(trace)
                at = max(after, at + 1)
                break
            barren[index] = after
        else:
            at += 1
    return tuple(found)


class Files:
    """The files of a revision, found by the ends of their paths.

    `packages` are the names under which this repository itself is installed elsewhere: of npm, gems, Go modules.
    """

    def __init__(self, paths: Iterable[str], packages: Collection[str] = ()) -> None:
        self._known = frozenset(paths)
        self._packages = frozenset(packages)
        self._by_name: Mapping[str, list[str]] = defaultdict(list)
        for path in sorted(self._known):
            self._by_name[path.rpartition("/")[2]].append(path)

    def place(self, frame: Frame) -> Placed:
        """The file that a frame means."""
        parts = _parts(frame.file)
        if not parts:
            return Placed(frame=frame, reason="the frame names no file")
        package = _package_at(parts)
        foreign = package is not None
        if package is not None:
            parts = parts[package:]  # a service that is installed as a package lies there too
            inside = self._inside(parts)
            foreign, parts = not inside, inside or parts
        named = self._by_name.get(parts[-1], ())
        if not named and parts[-1].endswith(".java"):  # what crash reporters call any class of the JVM
            parts = [*parts[:-1], parts[-1].removesuffix(".java") + ".kt"]
            named = self._by_name.get(parts[-1], ())
        scored = [(_common_end(parts, path.split("/")), path) for path in named]
        if not scored:
            return Placed(frame=frame, reason="no file of this revision has that name")
        best = max(score for score, _ in scored)
        fitting = [path for score, path in scored if score == best]
        whole = [path for path in fitting if best == path.count("/") + 1]
        chosen = whole or fitting
        if foreign and best < max(2, len(parts)):
            return Placed(frame=frame, reason="code of the platform or of a package")
        if len(chosen) > 1:
            return Placed(frame=frame, reason=f"{len(chosen)} files could be meant, {chosen[0]} among them")
        if not whole and best == 1 and len(parts) > 1:
            return Placed(frame=frame, reason=f"only the name is that of {chosen[0]}, its folder is not")
        return Placed(frame=frame, path=chosen[0])

    def _inside(self, parts: Sequence[str]) -> list[str]:
        """The path within this repository's own package, of one that begins with a package; else nothing."""
        for length in range(1, min(len(parts), _LONGEST_NAME)):
            name = _VERSION.sub("", "/".join(parts[:length]))
            if name in self._packages:
                return list(parts[length:])
        return []


def place(frames: Iterable[Frame], paths: Collection[str], packages: Collection[str] = ()) -> tuple[Placed, ...]:
    """Each frame at the revision that has these paths, in order. `packages`: as `Files` takes them."""
    files = Files(paths, packages)
    return tuple(files.place(frame) for frame in frames)


# Private

_LONGEST_NAME = 8
_VERSION = re.compile(r"@v\d[\w.+-]*$|-\d[\w.]*$")
_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "gems", "rubygems"})
_MODULE = re.compile(r"@v\d")
_PLATFORM = re.compile(r"python\d+(?:\.\d+)?|go-?\d[\d.]*|rustc|goroot", re.IGNORECASE)


def _package_at(parts: Sequence[str]) -> int | None:
    """Where in a path the code of a package or of the platform begins; None where it is of neither."""
    found = None
    for at, part in enumerate(parts[:-1]):
        before, above = (parts[at - 1] if at else ""), (parts[at - 2] if at > 1 else "")
        packages = part in _FOREIGN or (part == "mod" and before == "pkg")
        sources = part == "src" and ((before == "go" and above == "local") or _PLATFORM.fullmatch(before))
        if packages or sources or (before in ("lib", "lib64") and _PLATFORM.fullmatch(part)):
            found = at + 1
    if found is None and any(_MODULE.search(part) for part in parts[:-1]):  # go build -trimpath
        return 0
    return found


def _parts(file: str) -> list[str]:
    """The parts of a path, without schemes, hosts, queries and drive letters."""
    text = re.sub(
        r"^(?:[a-z][a-z0-9+.-]*:)+//[^/]*/?|^(?:node|webpack|webpack-internal|file):/*", "", file, flags=re.IGNORECASE
    )
    text = text.split("?", 1)[0].replace("\\", "/")
    return [part for part in text.split("/") if part not in ("", ".", "..") and not re.fullmatch(r"[A-Za-z]:", part)]


def _common_end(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(1 for _ in _same_end(one, other))


def _same_end(one: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            return
        yield mine
