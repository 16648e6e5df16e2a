"""What is not settled, in words: equal words are the same value, so they carry all that the value depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from tidegate.infra.values import Hidden, Later, Value

LONGEST = 2_000


class Text(Later, frozen=True):
    """A text with parts that are not settled: `${var.team}-queue`."""


def words_of(value: Value) -> str:
    """A value as it would be written in code."""
    if isinstance(value, Text):
        return f'"{value.words}"'
    if isinstance(value, Later):
        return value.words
    if isinstance(value, Hidden):
        return f"(sensitive {value.number})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {words_of(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(words_of(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def later(words: str) -> Later:
    """What is not settled, by words of a bounded length."""
    return Later(_bounded(words))


def text(parts: str) -> Text:
    """A text that is not settled, by words of a bounded length."""
    return Text(_bounded(parts))


def in_text(value: Later) -> str:
    """What is not settled, as it stands within a text."""
    return value.words if isinstance(value, Text) else "${" + value.words + "}"


# Private


def _bounded(words: str) -> str:
    if len(words) <= LONGEST:
        return words
    return f"{words[: LONGEST // 2]}... {hashlib.sha256(words.encode('utf-8', 'replace')).hexdigest()[:16]}"
