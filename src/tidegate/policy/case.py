"""What an obligation is judged on, and the one way to read a fact for it.

The document is the conformed facts document: a fact that is unknown is absent. `look` answers with the value or with
an `Unknown` that carries the reason; no kind of obligation reads a fact in any other way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tidegate.change.codeowners import Owners
from tidegate.facts import Unknown
from tidegate.policy.document import why_unknown
from tidegate.settings import Settings

T = TypeVar("T")


class Case(Struct, frozen=True):
    """One change before its policy: the facts document, the owners and settings of the base, the policy's digest.

    `owners` is Unknown where they could not be read; that never counts as "nobody owns it".
    """

    document: Mapping[str, Any]
    owners: Owners | Unknown
    settings: Settings
    policy_digest: str = ""


class UnknownFactError(Exception):
    """A fact that a judgement needs is unknown. It never leaves this folder: `judge` turns it into an obligation."""

    def __init__(self, unknown: Unknown) -> None:
        self.unknown = unknown
        super().__init__(str(unknown))


def need(document: Mapping[str, Any], path: str, type_: type[T]) -> T:
    """The fact at a dotted path. Raises UnknownFactError where it is unknown or of another shape."""
    value = look(document, path, type_)
    if isinstance(value, Unknown):
        raise UnknownFactError(value)
    return value


def need_list(document: Mapping[str, Any], path: str, type_: type[T]) -> list[T]:
    """The list at a dotted path, whole: it must have as many elements as `PATH_total` says."""
    value = need(document, path, list[type_])  # type: ignore[valid-type]
    if len(value) != need(document, f"{path}_total", int):
        raise UnknownFactError(Unknown(path=path, reason="the list and its total differ"))
    return value


def look(document: Mapping[str, Any], path: str, type_: type[T]) -> T | Unknown:
    """The fact at a dotted path, as `type_`, or why it is unknown. A fact of another shape is unknown."""
    value: Any = document
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return Unknown(path=path, reason=why_unknown(document, path))
        value = value[part]
    try:
        return msgspec.convert(value, type_, strict=True)
    except msgspec.ValidationError as error:
        return Unknown(path=path, reason=f"it is not what it should be ({error})")


def look_text(document: Mapping[str, Any], path: str) -> str:
    """The text at a path, "" where it is unknown. Only for words in a message, never for a decision."""
    value = look(document, path, str)
    return "" if isinstance(value, Unknown) else value


def change_range(document: Mapping[str, Any]) -> str:
    """`BASE..HEAD` in short object ids, for a command that a person copies; "HEAD" where they are not known.

    Only object ids get in: the name of a branch could carry a command of its own.
    """
    base, head = (short(look_text(document, f"change.{end}")) for end in ("base", "head"))
    if base and head:
        return f"{base}..{head}"
    return head or "HEAD"


def one_line(text: str, limit: int = 120) -> str:
    """A text of the change as one printable line of at most `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def listing(words: Sequence[str], limit: int = 5, joint: str = "and") -> str:
    """`a, b and c`, with "N more" where there are more than `limit`."""
    shown = [one_line(word) for word in words[:limit]]
    if len(words) > limit:
        shown.append(f"{len(words) - limit} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {joint} {shown[-1]}"


def count(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short(oid: str) -> str:
    """An object id in short, "" for anything else."""
    return oid[:10] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", oid) else ""
