"""How Python, JavaScript, Java and Kotlin, Go, and Ruby print a stack trace, and what people paste of one.

Each reader takes the lines of a text and a place in it, and answers the trace that begins there and the line after it.
A trace is foreign text: patterns are matched line by line, against lines that are cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tidegate.operate.values import Frame

MOST_FRAMES = 400
"""Of a trace that recurses, the outermost and the innermost are kept."""
LINE_LIMIT = 2_000


class Trace(Struct, frozen=True, kw_only=True):
    """One exception as a trace shows it. `frames`: the innermost call last."""

    kind: str
    message: str
    frames: tuple[Frame, ...]
    language: str


# Private

_PYTHON_HEAD = re.compile(r"^(?P<lead>.*?)Traceback \(most recent call last\):\s*$")
_PYTHON_FRAME = re.compile(
    r'^\s*(?:\|\s*)?File "(?P<file>[^"]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<name>.+))?$'
)
_PYTEST_FRAME = re.compile(r"^(?P<file>[^\s:]{1,500}\.py):(?P<line>\d{1,9}): (?:in (?P<name>\S+)|(?P<kind>[\w.]+))\s*$")
_NAMED = re.compile(
    r"^(?P<kind>[A-Za-z_][\w.$]*(?:Error|Exception|Warning|Exit|Interrupt|Failure|Panic|Fault|Throwable|Iteration|[A-Z]\w+))(?::\s?(?P<message>.*))?$"
)
_RUBY_COUNTED = re.compile(r"^\s*\d+: from ")
"""The innermost call last, and then the error: Ruby 2.5 to 2.7 on a terminal."""
_IN_BRACKETS = re.compile(r"^(?P<kind>[A-Z][\w:]*) \((?P<message>.*)\):?$")
_ANY_NAME = re.compile(r"^(?P<kind>[A-Za-z_][\w.]{0,200})(?::\s?(?P<message>.*))?$")
_V8 = re.compile(
    r"^\s+at (?:async )?(?:(?P<name>[^()]{1,300}?) \()?(?P<file>[^()\s][^()]{0,1000}?):(?P<line>\d{1,9}):\d{1,9}\)?$"
)
_GECKO = re.compile(r"^(?P<name>[^@\s]{0,300})@(?P<file>\S{1,1000}?):(?P<line>\d{1,9}):\d{1,9}$")
_JAVA = re.compile(
    r"^\s+at (?:[\w.$@-]+/+)*(?P<class>[\w.$]+)\.(?P<name>[\w$<>]+)\((?:(?P<file>[\w$.-]+):(?P<line>\d{1,9})|[^)]*)\)"
)
_JAVA_PASTED = re.compile(
    r"^\s*(?:at )?(?P<class>[\w$]+(?:\.[\w$]+)+)\.(?P<name>[\w$<>]+)(?: \+ \d{1,9})? ?"
    r"\((?P<file>[\w$-]+\.(?:java|kt|scala|groovy))(?::(?P<line>\d{1,9}))?\)\s*$"
)
"""As consoles of app stores and crash reporters print it: a space before the place, no `at`."""
_GO_PLACE = re.compile(r"^\s+(?P<file>\S{1,1000}\.go):(?P<line>\d{1,9})(?: \+0x[0-9a-f]+)?$")
_GO_HEAD = re.compile(r"^(?:panic: (?P<message>.*)|fatal error: (?P<fatal>.*)|goroutine \d+ \[.*)$")
_GO_SERVING = re.compile(r"panic serving \S{1,100}: (?P<message>.*)$")
_RUBY_FIRST = re.compile(
    r"^(?P<file>[^\s:]{1,1000}\.(?:rb|erb|rake|ru)):(?P<line>\d{1,9}):in [`'](?P<name>[^']*)': "
    r"(?P<message>.*?)(?: \((?P<kind>[\w:]+)\))?$"
)
_RUBY_NEXT = re.compile(
    r"^(?:.{0,80}?[#|]\s)?\s*(?:\d+: )?(?:from )?(?:[\w.-]{1,100} \([\w.-]{1,50}\) )?"
    r"(?P<file>[^\s:]{1,1000}\.(?:rb|erb|rake|ru)):(?P<line>\d{1,9}):in [`'](?P<name>[^']*)'"
)


def _python(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    """With its first line, or from any frame on: who pastes a part of a trace leaves that line out."""
    head = _PYTHON_HEAD.match(lines[at])
    bare = _PYTHON_FRAME.match(lines[at]) if head is None else None
    if head is None and (bare is None or not bare["name"]):
        return None, at
    frames: list[Frame] = []
    lead = head["lead"] if head is not None else ""
    at += head is not None
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
    if _java_frame(lines[at]) is None:
        return None, at
    frames = []
    start = at
    while at < len(lines) and ((match := _java_frame(lines[at])) or lines[at].lstrip().startswith("... ")):
        if match is not None:
            outer = match["class"].partition("$")[0]
            folder = "/".join(outer.split(".")[:-1])
            file = match["file"] or f"{outer.rpartition('.')[2]}.java"
            name = f"{match['class'].rpartition('.')[2]}.{match['name']}"
            frames.append(Frame(file=f"{folder}/{file}".lstrip("/"), line=int(match["line"] or 0), function=name))
        at += 1
    kind, message = _before(lines, start)
    return _trace(kind, message, frames[::-1], "Java"), at


def _java_frame(line: str) -> re.Match[str] | None:
    return _JAVA.match(line) or _JAVA_PASTED.match(line)


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
    if not message and start:
        serving = _GO_SERVING.search(lines[start - 1])
        message = serving["message"] if serving is not None else ""
    return _trace("panic", message, frames[::-1], "Go"), at


def _ruby(lines: Sequence[str], at: int) -> tuple[Trace | None, int]:
    first = _RUBY_FIRST.match(lines[at])
    if first is None and not _RUBY_NEXT.match(lines[at]):
        return None, at
    counted = _RUBY_COUNTED.match(lines[at]) is not None
    kind, message = (first["kind"] or "", first["message"]) if first is not None else _before(lines, at)
    frames = []
    while at < len(lines) and (match := _RUBY_NEXT.match(lines[at]) or _RUBY_FIRST.match(lines[at])):
        frames.append(_frame(match))
        last = _RUBY_FIRST.match(lines[at]) if counted else None
        at += 1
        if last is not None:
            return _trace(last["kind"] or "", last["message"], frames, "Ruby"), at
    return _trace(kind, message, frames if counted else frames[::-1], "Ruby"), at


_GO_CALL = re.compile(r"^\S[^\s]*\(.*\)$|^created by ")
READERS = (_python, _pytest, _java, _v8, _gecko, _go, _ruby)


def _listed(
    lines: Sequence[str], at: int, patterns: Sequence[re.Pattern[str]], language: str
) -> tuple[Trace | None, int]:
    """A trace that lists one frame a line, the innermost first, below the line that names the error."""
    start, frames = at, []
    while at < len(lines) and (match := next(filter(None, (p.match(lines[at]) for p in patterns)), None)):
        frame = _frame(match)
        frames.append(frame if set("/\\") & set(frame.file) else replace(frame, own=False))  # events.js: Node's own
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
        match = _IN_BRACKETS.match(text) or _NAMED.match(text)
        if match is not None:
            return match["kind"], match["message"] or ""
        if not text and back > 1:
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
