"""What an author says a change is for: what, why, roll-back plan and ticket, by documented headings and trailers.

docs/intent.md lists them. Missing is missing: an unfilled template, an HTML comment, `n/a` or `TBD` says nothing. The
first line of a description is its `what`; a `why` is never guessed from free text.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from tidegate.facts import Intent

Part: TypeAlias = Literal["what", "why", "rollback", "ticket", "tests"]

HEADINGS: dict[Part, tuple[str, ...]] = {
    "what": (
        *("what", "what changed", "what changes", "what does this do", "what does this change do", "what this does"),
        *("what does this pr do", "what does this mr do", "what this pr does", "summary", "description", "changes"),
        *("change", "overview", "proposed changes", "summary of changes", "tl;dr"),
    ),
    "why": (
        *("why", "motivation", "reason", "reasoning", "rationale", "background", "problem", "context", "purpose"),
        *("why is this needed", "why this change", "why are we doing this", "motivation and context", "the problem"),
        *("problem statement", "goal", "business value", "what problem does this solve"),
    ),
    "rollback": (
        *(
            "rollback",
            "rollback plan",
            "how to roll back",
            "how to rollback",
            "backout",
            "backout plan",
            "back out plan",
        ),
        *("revert plan", "how to revert", "recovery plan", "rollback procedure", "rollback steps", "rollback strategy"),
    ),
    "ticket": (
        *("ticket", "tickets", "issue", "issues", "related issue", "related issues", "jira", "linear", "work item"),
        *("linked issue", "linked issues", "task", "story", "tracking issue"),
    ),
    "tests": (
        *("tests changed", "test changes", "why tests change", "why the tests change", "why tests changed"),
        *("weakened tests", "removed tests", "tests removed"),
    ),
}
"""Headings, in lower case, with `roll-back` and `roll back` read as `rollback`."""

LONGEST_TEXT = 256 << 10

_FILLER = frozenset(
    (
        "",
        "-",
        "--",
        "---",
        "n/a",
        "na",
        "none",
        "tbd",
        "todo",
        "tba",
        "wip",
        "...",
        "…",
        "?",
        "x",
        "xxx",
        "nothing",
        ".",
    ),
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_ATX = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t#]*$")
_BOLD = re.compile(r"^ {0,3}(?:\*\*|__)([^*_]{1,80}?)(:?)(?:\*\*|__)(:?)[ \t]*(.*)$")
_PLAIN = re.compile(r"^([A-Za-z][A-Za-z /'-]{1,40}?)[ \t]*:[ \t]*(.*)$")
_KEY = r"(?:[A-Z][A-Z0-9_]{1,15}-[1-9][0-9]{0,9})"
_REFERENCE = rf"(?:{_KEY}|(?:[\w.-]{{1,60}}/[\w.-]{{1,60}}|GH)?[#!-][1-9][0-9]{{0,9}}|https?://[^\s<>()]{{4,300}})"
_CLOSES = re.compile(
    rf"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|implements?|refs?|references|issue|ticket|relates to|part of)"
    rf"(?:[ \t]*:[ \t]*|[ \t]+)({_REFERENCE})",
    re.IGNORECASE,
)
_TICKET_TRAILERS = frozenset(
    ("ticket", "issue", "jira", "refs", "ref", "fixes", "closes", "resolves", "bug", "issue-id", "linear", "bug-id")
)
_TRAILER = re.compile(
    rf"^(?:[A-Za-z][A-Za-z-]{{1,40}}-by|change-id|cc|risk|fixes|closes|resolves|refs?)[ \t]*:|"
    rf"^(?:fix(?:es|ed)?|close[sd]?|resolve[sd]?|refs?)[ \t]+{_REFERENCE}[ \t.]*$",
    re.IGNORECASE,
)


def read_intent(text: str) -> Intent:
    """What a description says. The first line counts as its title; CRLF and Markdown are understood."""
    lines = _COMMENT.sub("", text[:LONGEST_TEXT].replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    parts = _sections(lines)
    if "what" not in parts and lines and (title := _said(lines[0])):
        parts["what"] = title
    ticket = _ticket(parts.get("ticket", ""), lines)
    found: dict[Part, str] = {**parts, "ticket": ticket}
    order: tuple[Literal["what", "why", "rollback", "ticket"], ...] = ("what", "why", "rollback", "ticket")
    return Intent(
        what=found.get("what", ""),
        why=found.get("why", ""),
        rollback=found.get("rollback", ""),
        ticket=ticket,
        missing=tuple(part for part in order if not found.get(part)),
        tests=found.get("tests", ""),
    )


# Private


def _sections(lines: list[str]) -> dict[Part, str]:
    """What stands below each known heading, and after each known word with a colon."""
    texts: dict[Part, list[str]] = {}
    current: Part | None = None
    fenced = False
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else _heading(line)
        if not fenced and _TRAILER.match(line):
            current = None
        elif heading is not None:
            title, rest, sure = heading
            part = _part_of(title)
            if part is not None or sure:
                current = part
                line = rest
        if current is not None:
            texts.setdefault(current, []).append(line)
    return {part: said for part, body in texts.items() if (said := _said("\n".join(body)))}


def _heading(line: str) -> tuple[str, str, bool] | None:
    """Title, what follows on the line, and whether this surely begins a new section."""
    if match := _ATX.match(line):
        return match[1], "", True
    if (match := _BOLD.match(line)) and (match[2] or match[3] or not match[4]):
        return match[1], match[4], True
    if match := _PLAIN.match(line):
        return match[1], match[2], False
    return None


def _part_of(title: str) -> Part | None:
    words = re.sub(r"[^a-z;/' -]", " ", title.lower().replace("roll-back", "rollback").replace("roll back", "rollback"))
    plain = " ".join(words.strip(" ?:-*_").split())
    return next((part for part, titles in HEADINGS.items() if plain in titles), None)


def _said(text: str) -> str:
    """The text, or "" where it is only a placeholder."""
    kept = [line.rstrip() for line in text.split("\n")]
    body = "\n".join(kept).strip()
    bare = " ".join(re.sub(r"[*_`>\[\]()]", " ", body).split()).strip(" -–—").lower()
    if bare.rstrip(".!") in _FILLER or not _says(body) or re.fullmatch(r"(?:\[[^\]]*\]|<[^>]*>|\{[^}]*\})", body):
        return ""
    return body


def _says(text: str) -> bool:
    """Whether there is a letter or a number that can be seen. Hangul fillers are letters, and blank."""
    return any(c.isalnum() and c not in "\u115f\u1160\u3164\uffa0" for c in text)


def _ticket(section: str, lines: list[str]) -> str:
    if section and (match := re.search(_REFERENCE, section)):
        return match[0]
    for line in lines:
        name, colon, rest = line.partition(":")
        if colon and name.strip().lower() in _TICKET_TRAILERS and (match := re.search(_REFERENCE, rest)):
            return match[0]
    match = _CLOSES.search("\n".join(lines))
    return match[1] if match else ""
