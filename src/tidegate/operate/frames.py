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

from tidegate.operate.values import Frame

MOST_LINES = 50_000
MOST_FRAMES = 400
"""Of a trace that recurses, the outermost and the innermost are kept."""
LINE_LIMIT = 2_000


class Trace(Struct, frozen=True, kw_only=True):
    """One exception as a trace shows it. `frames`: the innermost call last."""

    kind: str
    message: str
    frames: tuple[Frame, ...]
    language: str


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
    at = 0
    while at < len(lines):
        for reader in _READERS:
            trace, after = reader(lines, at)
            if trace is not None:
                found.append(trace)
                at = max(after, at + 1)
                break
        else:
            at += 1
    return tuple(found)


class Files:
    """The files of a revision, found by the ends of their paths."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._known = frozenset(paths)
        self._by_name: Mapping[str, list[str]] = defaultdict(list)
        for path in sorted(self._known):
            self._by_name[path.rpartition("/")[2]].append(path)

    def place(self, frame: Frame) -> Placed:
        """The file that a frame means."""
        parts = _parts(frame.file)
        if not parts:
            return Placed(frame=frame, reason="the frame names no file")
        foreign = max((at for at, part in enumerate(parts[:-1]) if part in _FOREIGN), default=-1)
        if foreign >= 0:
            parts = parts[foreign + 1 :]  # a service that is installed as a package lies there too
        scored = [(_common_end(parts, path.split("/")), path) for path in self._by_name.get(parts[-1], ())]
        if not scored:
            return Placed(frame=frame, reason="no file of this revision has that name")
        best = max(score for score, _ in scored)
        fitting = [path for score, path in scored if score == best]
        whole = [path for path in fitting if best == path.count("/") + 1]
        chosen = whole or fitting
        if foreign >= 0 and best < max(2, len(parts)):
            return Placed(frame=frame, reason="code of the platform or of a package")
        if len(chosen) > 1:
            return Placed(frame=frame, reason=f"{len(chosen)} files could be meant, {chosen[0]} among them")
        if not whole and best == 1 and len(parts) > 1:
            return Placed(frame=frame, reason=f"only the name is that of {chosen[0]}, its folder is not")
        return Placed(frame=frame, path=chosen[0])


def place(frames: Iterable[Frame], paths: Collection[str]) -> tuple[Placed, ...]:
    """Each frame at the revision that has these paths, in order."""
    files = Files(paths)
    return tuple(files.place(frame) for frame in frames)


# Private

_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "gems", "rubygems"})
_PYTHON_HEAD = re.compile(r"^(?P<lead>.*?)Traceback \(most recent call last\):\s*$")
_PYTHON_FRAME = re.compile(
    r'^\s*(?:\|\s*)?File "(?P<file>[^"]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<name>.+))?$'
)
_PYTEST_FRAME = re.compile(r"^(?P<file>[^\s:]{1,500}\.py):(?P<line>\d{1,9}): (?:in (?P<name>\S+)|(?P<kind>[\w.]+))\s*$")
_NAMED = re.compile(
    r"^(?P<kind>[A-Za-z_][\w.$]*(?:Error|Exception|Warning|Exit|Interrupt|Failure|Panic|Fault|Throwable|Iteration|[A-Z]\w+))(?::\s?(?P<message>.*))?$"
)
_ANY_NAME = re.compile(r"^(?P<kind>[A-Za-z_][\w.]{0,200})(?::\s?(?P<message>.*))?$")
_V8 = re.compile(
    r"^\s+at (?:async )?(?:(?P<name>[^()]{1,300}?) \()?(?P<file>[^()\s][^()]{0,1000}?):(?P<line>\d{1,9}):\d{1,9}\)?$"
)
_GECKO = re.compile(r"^(?P<name>[^@\s]{0,300})@(?P<file>\S{1,1000}?):(?P<line>\d{1,9}):\d{1,9}$")
_JAVA = re.compile(
    r"^\s+at (?:[\w.$@-]+/+)*(?P<class>[\w.$]+)\.(?P<name>[\w$<>]+)\((?:(?P<file>[\w$.-]+):(?P<line>\d{1,9})|[^)]*)\)"
)
_GO_PLACE = re.compile(r"^\s+(?P<file>\S{1,1000}\.go):(?P<line>\d{1,9})(?: \+0x[0-9a-f]+)?$")
_GO_HEAD = re.compile(r"^(?:panic: (?P<message>.*)|fatal error: (?P<fatal>.*)|goroutine \d+ \[.*)$")
_RUBY_FIRST = re.compile(
    r"^(?P<file>[^\s:]{1,1000}\.(?:rb|erb|rake|ru)):(?P<line>\d{1,9}):in [`'](?P<name>[^']*)': "
    r"(?P<message>.*?)(?: \((?P<kind>[\w:]+)\))?$"
)
_RUBY_NEXT = re.compile(
    r"^\s*(?:\d+: )?(?:from )?(?P<file>[^\s:]{1,1000}\.(?:rb|erb|rake|ru)):(?P<line>\d{1,9}):in [`'](?P<name>[^']*)'"
)


def _python(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    head = _PYTHON_HEAD.match(lines[at])
    if head is None:
        return None, at
    frames: list[Frame] = []
    lead = head["lead"]
    at += 1
    while at < len(lines):
        line = lines[at].removeprefix(lead) if lead else lines[at]
        match = _PYTHON_FRAME.match(line)
        if match is not None:
            frames.append(_frame(match))
        elif not line.startswith((" ", "\t", "|")) and line.strip():
            named = _ANY_NAME.match(line.strip())
            kind, message = (named["kind"], named["message"] or "") if named else ("", line.strip())
            return _trace(kind, message, frames, "Python"), at + 1
        elif not line.strip() and frames:
            break
        at += 1
    return _trace("", "", frames, "Python"), at


def _pytest(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    """What pytest prints with `--tb=short` or `native`: `path.py:12: in name`, then lines that begin with E."""
    match = _PYTEST_FRAME.match(lines[at])
    if match is None:
        return None, at
    frames: list[Frame] = []
    kind, message = "", ""
    while at < len(lines):
        line = lines[at]
        match = _PYTEST_FRAME.match(line)
        if match is not None:
            frames.append(_frame(match))
            kind = kind or match["kind"] or ""
        elif line.startswith("E  "):
            if not message:
                named = _NAMED.match(line[1:].strip())
                kind, message = (named["kind"], named["message"] or "") if named else (kind, line[1:].strip())
                kind = kind or "AssertionError"
        elif not line.startswith((" ", "\t", ">")) and line.strip():
            break
        at += 1
    return _trace(kind, message, frames, "Python"), at


def _v8(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    return _listed(lines, at, (_V8,), "JavaScript")


def _gecko(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    return _listed(lines, at, (_GECKO,), "JavaScript")


def _java(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    """Each `Caused by` is a trace of its own; the last one is what went wrong first."""
    first = _JAVA.match(lines[at])
    if first is None:
        return None, at
    frames = []
    start = at
    while at < len(lines) and ((match := _JAVA.match(lines[at])) or lines[at].lstrip().startswith("... ")):
        if match is not None:
            outer = match["class"].partition("$")[0]
            folder = "/".join(outer.split(".")[:-1])
            file = match["file"] or f"{outer.rpartition('.')[2]}.java"
            name = f"{match['class'].rpartition('.')[2]}.{match['name']}"
            frames.append(Frame(file=f"{folder}/{file}".lstrip("/"), line=int(match["line"] or 0), function=name))
        at += 1
    kind, message = _before(lines, start)
    return _trace(kind, message, frames[::-1], "Java"), at


def _go(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    if not _GO_HEAD.match(lines[at]):
        return None, at
    frames: list[Frame] = []
    message, name = "", ""
    others = False
    start = at
    while at < len(lines):
        line = lines[at]
        head, match = _GO_HEAD.match(line), _GO_PLACE.match(line)
        if head is not None:
            message = message or head["message"] or head["fatal"] or ""
            others = bool(frames)  # the goroutines after the first are not the one that panicked
        elif match is not None:
            if not others and ("/runtime/" not in match["file"] or frames):
                frames.append(Frame(file=match["file"], line=int(match["line"]), function=name))
        elif line.strip():
            name = line.strip().removeprefix("created by ").rpartition("/")[2].rpartition("(")[0]
            if at > start + 3 and not _GO_CALL.match(line) and not line.startswith(("[", "created by ", "\t")):
                break
        at += 1
    if not frames:
        return None, at
    return _trace("panic", message, frames[::-1], "Go"), at


def _ruby(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    first = _RUBY_FIRST.match(lines[at])
    if first is None and not _RUBY_NEXT.match(lines[at]):
        return None, at
    kind, message = (first["kind"] or "", first["message"]) if first is not None else _before(lines, at)
    frames = []
    while at < len(lines) and (match := _RUBY_NEXT.match(lines[at]) or _RUBY_FIRST.match(lines[at])):
        frames.append(_frame(match))
        at += 1
    return _trace(kind, message, frames[::-1], "Ruby"), at


_GO_CALL = re.compile(r"^\S[^\s]*\(.*\)$|^created by ")
_READERS = (_python, _pytest, _java, _v8, _gecko, _go, _ruby)


def _listed(
    lines: Sequence[str], at: int, patterns: Sequence[re.Pattern[str]], language: str
) -> tuple[Trace | None, int]:
    """A trace that lists one frame a line, the innermost first, below the line that names the error."""
    start, frames = at, []
    while at < len(lines) and (match := next(filter(None, (p.match(lines[at]) for p in patterns)), None)):
        frames.append(_frame(match))
        at += 1
    if not frames:
        return None, start
    kind, message = _before(lines, start)
    return _trace(kind, message, frames[::-1], language), at


def _before(lines: Sequence[str], at: int) -> tuple[str, str]:
    """The error that the nearest line above names, if it names one; a message may run over some lines."""
    for back in range(1, 6):
        if at - back < 0:
            break
        text = lines[at - back].strip()
        text = re.sub(r"^(?:Caused by: |Exception in thread \"[^\"]*\" |Uncaught |Unhandled |\[[^\]]*\] )+", "", text)
        match = _NAMED.match(text)
        if match is not None:
            return match["kind"], match["message"] or ""
        if not text:
            break
    return "", lines[at - 1].strip() if at else ""


def _frame(match: re.Match[str]) -> Frame:
    name = match["name"] or ""
    return Frame(file=match["file"], line=int(match["line"]), function=name.strip()[:300])


def _trace(kind: str, message: str, frames: Sequence[Frame], language: str) -> Trace | None:
    kept = tuple(frames)
    if len(kept) > MOST_FRAMES:
        kept = (*kept[: MOST_FRAMES // 2], *kept[-MOST_FRAMES // 2 :])
    return Trace(kind=kind, message=message[:LINE_LIMIT], frames=kept, language=language) if kept else None


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
