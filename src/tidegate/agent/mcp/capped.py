"""Makes an answer fit to be read by a machine that obeys: everything visible, nothing long, and marked as data.

An answer has at most `LIMIT_CHARACTERS`, whatever the repository holds. A list that does not fit is cut at its end, and
`cut` says what to ask for the rest; a long text ends in an ellipsis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidegate.agent.mcp.values import DATA, Answer
from tidegate.errors import InputError, InternalError, TidegateError
from tidegate.report.escape import plain

LIMIT_CHARACTERS = 16_000
"""About 4,000 tokens. Claude Code warns of an answer above 10,000 and cuts at 25,000."""
MOST_ELEMENTS = 50
"""Of one list, unless it is asked for alone."""
OPEN, CLOSE = "<tidegate-data>", "</tidegate-data>"


def capped(answer: Answer, only: str = "", offset: int = 0) -> dict[str, Any]:
    """The answer as a JSON document within the limit. `only` is the list that is wanted, from `offset` on.

    Raises InputError where there is no such list.
    """
    document: dict[str, Any] = msgspec.to_builtins(answer)
    lists: dict[str, list[Any]] = {k: list(v) for k, v in document.items() if isinstance(v, tuple) and k != "cut"}
    if (only and only not in lists) or (offset and not only):
        raise InputError(
            f"this answer has no list {only!r}" if only else "an offset counts in one list",
            where="only" if only else "offset",
            mend=f"name one of {', '.join(lists)} in `only`",
        )
    for level in _LEVELS:
        fitted = _fitted(document, lists, level, only, offset)
        if fitted is not None:
            return fitted
    raise InternalError("an answer does not fit into its limit")


def as_text(document: Mapping[str, Any]) -> str:
    """The document between two marks that nothing in it can write, under a sentence of ours."""
    return f"{DATA}\n{OPEN}\n{_encoded(document)}\n{CLOSE}"


def error_text(error: TidegateError) -> str:
    """An error for a machine: what, where, and what mends it. It may quote what the repository says."""
    parts = {"error": error.what, "where": error.where, "mend": error.mend}
    return as_text({name: plain(text, 800) for name, text in parts.items() if text})


# Private

_LEVELS = ((600, 40), (200, 12), (80, 4), (40, 2))
"""How long a text may be, and how many elements a list inside of a list may have: the first that fits is taken."""


def _fitted(
    document: Mapping[str, Any], lists: Mapping[str, list[Any]], level: tuple[int, int], only: str, offset: int
) -> dict[str, Any] | None:
    texts, nested = level
    fitted = {k: [] if isinstance(v, tuple) else _clean(v, texts, nested) for k, v in document.items()}
    fitted |= {"about": DATA}
    parts = {
        name: _begun(elements[offset:] if only else elements[:MOST_ELEMENTS], level)
        for name, elements in lists.items()
        if only in ("", name)
    }
    taken = _taken(parts, LIMIT_CHARACTERS - len(_encoded(fitted)) - len(lists) * _CUT - len(as_text({})))
    last = level == _LEVELS[-1]
    if taken is None or (not last and any(elements and not taken[name] for name, elements in parts.items())):
        return None
    for name, elements in lists.items():
        if only not in ("", name):
            continue
        fitted[name] = [one for one, _ in parts[name][: taken[name]]]
        here = offset if only else 0
        if here or here + taken[name] < len(elements):
            fitted["cut"].append(_cut(name, here, taken[name], len(elements)))
    beside = sum(len(elements) for name, elements in lists.items() if only not in ("", name))
    if beside:
        fitted["cut"].append({"part": "the other lists", "offset": 0, "shown": 0, "total": beside, "ask": _WITHOUT})
    return fitted if len(as_text(fitted)) <= LIMIT_CHARACTERS else None


_WITHOUT = "the same call without only"
_CUT = 200
"""What one entry of `cut` needs at most."""


def _begun(elements: Sequence[Any], level: tuple[int, int]) -> list[tuple[Any, int]]:
    """As many cleaned elements as an answer could hold at most, each with its size."""
    found: list[tuple[Any, int]] = []
    room = LIMIT_CHARACTERS
    for one in elements:
        cleaned = _clean(one, *level)
        found.append((cleaned, len(_encoded(cleaned)) + 1))
        room -= found[-1][1]
        if room < 0:
            break
    return found


def _taken(parts: Mapping[str, Sequence[tuple[Any, int]]], room: int) -> dict[str, int] | None:
    """How many elements of each list fit: the room is shared evenly; what a short list leaves goes to the others."""
    if room < 0:
        return None
    sizes = {name: [size for _, size in elements] for name, elements in parts.items()}
    taken: dict[str, int] = {}
    for left, name in zip(range(len(sizes), 0, -1), sorted(sizes, key=lambda one: sum(sizes[one])), strict=True):
        share, used, taken[name] = room // left, 0, 0
        for size in sizes[name]:
            if used + size > share:
                break
            used += size
            taken[name] += 1
        room -= used
    return taken


def _cut(name: str, offset: int, shown: int, total: int) -> dict[str, Any]:
    end = offset + shown
    ask = f'the same call with only="{name}", offset={end}' if end < total else "this was the end of it"
    return {"part": name, "offset": offset, "shown": shown, "total": total, "ask": ask}


def _clean(value: Any, texts: int, nested: int) -> Any:
    if isinstance(value, str):
        return plain(value, texts)
    if isinstance(value, dict):
        return {key: _clean(inner, texts, nested) for key, inner in value.items()}
    if isinstance(value, tuple):
        kept = [_clean(inner, texts, nested) for inner in value[:nested]]
        if len(value) > nested and isinstance(value[0], str):
            kept[-1] = f"and {len(value) - nested + 1:,} more"
        return kept
    return value


def _encoded(value: Any) -> str:
    """JSON in which no mark of ours is written. Lone surrogates were made visible before."""
    return _MARK.sub(r"\\u003c", msgspec.json.encode(value).decode("utf-8"))


_MARK = re.compile(r"<(?=[\s/]*tidegate)", re.IGNORECASE)
