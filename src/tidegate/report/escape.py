"""One escaping function for each sink. Every text from a commit, a path, a person or a tool passes through one of them.

All of them first make the text visible: what has no glyph of its own (control characters, line breaks, bidi marks,
zero-width and tag characters, fillers, unassigned and lone surrogates) is written as an escape such as `\\x1b` or
`\\u202e`, so that nothing can act and nothing can hide. The result is one line.
"""

from __future__ import annotations

import html as _html
import re
import unicodedata
from urllib.parse import quote

ELLIPSIS = "…"
_BREAK = "\u200b"
"""Zero-width space: put after a character, it stops a forge from reading a reference in our own output."""


def plain(text: str, limit: int = 0) -> str:
    """The text as one visible line, at most `limit` characters where one is given.

    A command in the middle of a line of a CI log is broken: GitHub takes `##[name]`, Azure `##vso[`, TeamCity
    `##teamcity[` (the runner's ActionCommand.TryParse searches the whole line).
    """
    if text.isascii() and text.isprintable():
        return _shorten(_COMMAND_MARK.sub(r"#\\x23", text), limit)
    if limit:
        text = text[: limit + 1]
    out: list[str] = []
    marks = _MOST_MARKS
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
            hidden = marks > _MOST_MARKS or character in _INVISIBLE
        else:
            hidden = not character.isprintable() or character in _INVISIBLE
            marks = 0
        if unicodedata.category(character) == "Zs":
            out.append(" ")
        else:
            out.append(_show(character) if hidden else character)
    return _shorten(_COMMAND_MARK.sub(r"#\\x23", "".join(out)), limit)


def terminal(text: str, limit: int = 0, *, unicode: bool = True) -> str:
    """For a terminal and for the log of a CI system: GitHub takes `::name::` at the start of a line for a command, and
    white space before it does not matter."""
    shown = _COMMAND_WORD.sub(r":\\x3a", plain(text, limit))
    return shown if unicode else shown.replace(ELLIPSIS, "...").encode("ascii", "backslashreplace").decode("ascii")


def markdown(text: str, limit: int = 0) -> str:
    """For running text of Markdown as GitHub and GitLab read it: no markup, no link, no mention, no reference.

    Also where it begins a line; there a list, a heading, an underline or a quick action (`/close`) could begin.
    """
    shown = _unlink(plain(text, limit).strip())
    return _LINE_START.sub(r"\1\\\2", "".join(_MARKDOWN.get(character, character) for character in shown))


def code(text: str, limit: int = 0) -> str:
    """For Markdown, as a code span: what must be copied as it stands. Not for a cell of a table."""
    shown = plain(text, limit).replace("<!--", "<\\x21--") or " "
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def html(text: str, limit: int = 0) -> str:
    """For text between HTML tags inside Markdown, where backslashes do not escape."""
    return _html.escape(_unlink(plain(text, limit)))


def markup(text: str, limit: int = 0) -> str:
    """For text and quoted attributes of an HTML page or an SVG image of our own. Nothing is added, so it can be copied.

    What `plain` leaves is text that XML 1.0 allows.
    """
    return _html.escape(plain(text, limit))


def dot(text: str, limit: int = 0) -> str:
    """For the inside of a quoted string of Graphviz: no escape of its own (`\\N`, `\\l`), no end of the string."""
    return plain(text, limit).replace("\\", "\\\\").replace('"', '\\"')


def github_message(text: str) -> str:
    """For the message of a GitHub workflow command. Line breaks of our own may be in it; data is made `plain` first."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def github_property(text: str) -> str:
    """For a property of a GitHub workflow command."""
    return github_message(plain(text)).replace(":", "%3A").replace(",", "%2C")


def sarif_text(text: str, limit: int = 0) -> str:
    """For `message.text`: no embedded link `[text](target)` (SARIF 3.11.6), no placeholder `{0}` (3.11.5), no mention.

    A space breaks them, because few readers of SARIF know its escapes.
    """
    shown = plain(text, limit).replace("](", "] (")
    shown = re.sub(r"\{(\d+)\}", r"{ \1 }", shown)
    return re.sub(r"(?<![\w.])@(?=\w)", f"@{_BREAK}", shown)


def sarif_uri(path: str) -> str:
    """A path of the repository as a relative URI, "" for one that leads out of it."""
    if path.startswith("/") or ".." in path.split("/"):
        return ""
    return quote(path.encode("utf-8", "backslashreplace"), safe="/")


def json_line(text: str) -> str:
    """For JSON that a log may show: the same value, without `##[` (see `plain`), which only a string can hold."""
    return _COMMAND_MARK.sub(r"#\\u0023", text)


# Private

_MOST_MARKS = 4
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
"""Printable by their category, yet nothing is seen."""

_COMMAND_MARK = re.compile(r"##(?=\w*\[)")
_COMMAND_WORD = re.compile(r"(?:(?<=\s)|^)::")
_MARKDOWN = {character: f"\\{character}" for character in "\\`*_{}[]<>&~$"} | {"|": "&#124;"}
_LINE_START = re.compile(r"^(\d*)([#+\-=./:)])")
_REFERENCE = re.compile(
    r"[@#!&~%$^](?=[\w\"'.\-/])|(?<=\w:)(?=//)|(?<=www)(?=\.)|(?<=GH-)(?=\d)|:(?=[\w+-]+:)", re.IGNORECASE
)


def _unlink(text: str) -> str:
    return _REFERENCE.sub(lambda found: found[0] + _BREAK, text)


def _show(character: str) -> str:
    number = ord(character)
    named = {9: "\\t", 10: "\\n", 13: "\\r"}.get(number)
    if named:
        return named
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _shorten(text: str, limit: int) -> str:
    return text if not limit or len(text) <= limit else text[: limit - 1] + ELLIPSIS
