"""Instructions that stand in a repository already, as single statements with their lines and the commands they name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from tidegate.agent.guide.block import outside

MOST_LINES = 6000
LONGEST_SENTENCE = 1000
LONGEST_LINE = 4000
MOST_SENTENCES = 300
LARGEST = 1 << 20
LONGEST_AROUND = 4000
"""Of a longer file, line or paragraph the beginning is read."""


class Statement(Struct, frozen=True):
    """One sentence, or one line of a code block. `spans` are what stands in code marks, or the line itself.

    `around` is the paragraph or the whole code block, `fenced` says that it is a line of a code block, `asks` that its
    words tell somebody to do or not to do something.
    """

    path: str
    line: int
    text: str
    spans: tuple[str, ...]
    around: str
    fenced: bool
    asks: bool

    def runs(self, span: str) -> bool:
        """Whether its words say to run what stands in these code marks."""
        return self.asks and bool(_RUNS.search(self.text.partition(f"`{span}`")[0]))

    def refuses(self, span: str) -> bool:
        """Whether its words speak against what stands in these code marks, or of something else's habit."""
        before = self.text.partition(f"`{span}`")[0]
        return bool(_AGAINST.search(before[-80:])) or bool(_AFTERWARDS.search(self.text.partition(f"`{span}`")[2][:40]))


def read_statements(path: str, text: str) -> Iterator[Statement]:
    """The statements of a file of instructions, our own block left out."""
    lines = [line[:LONGEST_LINE] for line in outside(text[:LARGEST]).split("\n")[:MOST_LINES]]
    for part in _parts(lines):
        if part.fenced:
            yield from _of_fence(path, part)
        else:
            yield from _of_prose(path, part)


VERSION = re.compile(
    r"\b(?P<what>Python|Go|Rust|Node(?:\.js)?)\b[ :(]*(?:version )?(?:>=|≥|v)? ?"
    r"(?P<low>3\.\d{1,2}|1\.\d{1,3}|\d{2})(?:\.\d+|\.x)?"
    r"(?:\+| or (?:later|newer|higher|above)|\)?\+)"
)
"""The oldest version of a language that is said to do: "Python 3.9+"."""

# Private

_ASKS = re.compile(
    r"(?i)\b(?:must|never|always|do not|don't|should|avoid|ensure|prefer|make sure|required?|needs? to|use|run|keep"
    r"|follow|add|write|put|place|update|create|include|check|verify|read|see|test|commit|format|lint|install|build)\b"
)
_LEADS = re.compile(
    r"(?i)^(?:\W*)(?:always|never|do not|don't|use|run|keep|follow|add|write|put|place|update|create|include|check"
    r"|verify|avoid|ensure|prefer|make sure|commit|format|lint|install|build|test|please|read"
    r"|implement|modify|extend|edit|define|declare|register|store|before|after|when|if|only)\b"
)
_MODAL = re.compile(
    r"(?i)\b(?:must|never|always|do not|don't|should|shall|may not|required to|need to|has to|have to)\b"
)
_AGAINST = re.compile(
    r"(?i)(?:\bnever\b|\bnot\b|n't\b|\bavoid\b|\binstead of\b|\brather than\b|\bwithout\b|\bno\b|\bover\b|\bunlike\b"
    r"|\bskip\b|\bomit\b|\bformerly\b|\breplaces?\b|\bdeprecated\b|\bnor\b|\bprevent)[^.;:]*$"
)
_AFTERWARDS = re.compile(r"(?i)^[^.;`]*\b(?:is|are) (?:not|forbidden|deprecated|wrong|banned)\b|^\s*(?:is|are)n't\b")
_RUNS = re.compile(r"(?i)\b(?:run|rerun|execute|invoke|call)\b[^.;`]{0,25}$")
_FENCE = re.compile(r"^[ \t]*(?:>[ \t]*)?(```+|~~~+)[ \t]*([\w+-]*)")
_SHELLS = ("", "sh", "bash", "shell", "console", "zsh", "shellsession", "text", "terminal", "powershell", "fish")
_SENTENCE = re.compile(r"(?<=[.!?])[\s]+(?=[A-Z`*\"'(])")
_BULLET = re.compile(r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+")


class _Part(Struct, frozen=True):
    line: int
    lines: tuple[str, ...]
    fenced: bool = False
    language: str = ""


def _parts(lines: list[str]) -> Iterator[_Part]:
    """Paragraphs, list items, and code blocks. Headings, front matter, comments and tables are left out."""
    number = _past_front_matter(lines)
    held: list[str] = []
    start = number
    while number < len(lines):
        line = lines[number]
        fence = _FENCE.match(line)
        if fence or not line.strip() or line.lstrip().startswith(("#", "|", "<!--", "---")) or _BULLET.match(line):
            if held:
                yield _Part(start + 1, tuple(held))
            held = []
        if fence:
            end = next((at for at in range(number + 1, len(lines)) if fence[1] in lines[at]), len(lines))
            yield _Part(number + 2, tuple(lines[number + 1 : end]), True, fence[2].lower())
            number = end + 1
            continue
        if line.lstrip().startswith("<!--"):
            number = next((at for at in range(number, len(lines)) if "-->" in lines[at]), len(lines)) + 1
            continue
        if line.strip() and not line.lstrip().startswith(("#", "|", "---")):
            start = number if not held else start
            held.append(line)
        number += 1
    if held:
        yield _Part(start + 1, tuple(held))


def _past_front_matter(lines: list[str]) -> int:
    if lines and lines[0].strip() == "---":
        return next((at + 1 for at in range(1, min(len(lines), 60)) if lines[at].strip() == "---"), 0)
    return 0


def _of_fence(path: str, part: _Part) -> Iterator[Statement]:
    if part.language not in _SHELLS:
        return
    whole = "\n".join(part.lines)[:LONGEST_AROUND]
    for number, raw in enumerate(part.lines, part.line):
        line = re.sub(r"[ \t]+#.*$", "", raw).strip()
        line = re.sub(r"^(?:\$|%|>|❯)[ \t]+", "", line)
        if line and not line.startswith("#") and len(line) <= LONGEST_SENTENCE:
            yield Statement(path, number, line, (line,), whole, True, True)


def _of_prose(path: str, part: _Part) -> Iterator[Statement]:
    text = "\n".join(part.lines)
    around = " ".join(text[:LONGEST_AROUND].split())
    at, line = 0, part.line
    for sentence in _SENTENCE.split(text, MOST_SENTENCES):
        place = text.find(sentence, at)
        line += text.count("\n", at, place)
        at = place
        plain = " ".join(_BULLET.sub("", sentence).split())
        if not plain or len(plain) > LONGEST_SENTENCE:
            continue
        spans = tuple(dict.fromkeys(re.findall(r"`([^`\n]{2,200})`", plain)))
        asks = bool(_LEADS.search(plain) or _MODAL.search(plain)) and bool(_ASKS.search(plain) or _MODAL.search(plain))
        if asks or spans or VERSION.search(plain):
            yield Statement(path, line, plain, spans, around, False, asks)
