"""Texts that a forge takes: within its limits, cut at a line, and saying that they were cut."""

from __future__ import annotations

from tidegate.store.clock import moment_of, text_of


def fit(text: str, limit: int) -> str:
    """The text within `limit` bytes of UTF-8, which are never fewer than a forge's characters.

    Cut at a line, with the number of lines that were left out; what folds (`<details>`) is closed.
    """
    if len(text.encode("utf-8", "backslashreplace")) <= limit:
        return text
    lines = text.split("\n")
    kept, size = [], 0
    room = limit - _RESERVED
    for line in lines:
        size += len(line.encode("utf-8", "backslashreplace")) + 1
        if size > room:
            break
        kept.append(line)
    start = "\n".join(kept) or _cut(lines[0], room)
    still_open = min(max(start.count("<details>") - start.count("</details>"), 0), _MOST_FOLDS)
    left = len(lines) - max(len(kept), 1)
    said = f"{left} more {'line' if left == 1 else 'lines'}" if left else "The rest of the line"
    return f"{start}\n{'</details>' * still_open}\n\n_{said} did not fit._\n"


def brief(text: str, limit: int) -> str:
    """One line within `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def moment(text: str | None) -> str:
    """A forge's time in the form that the tables keep, so that times sort; "" for none or for what is no time."""
    try:
        return text_of(moment_of(text)) if text else ""
    except (ValueError, OverflowError):
        return ""


# Private

_MOST_FOLDS = 8
_RESERVED = 200
"""Bytes for the closing of folds and for the sentence."""


def _cut(line: str, room: int) -> str:
    return line.encode("utf-8", "backslashreplace")[:room].decode("utf-8", "ignore")
