"""JSON as people write it for compilers: with comments and commas at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_TOKENS = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])')
_LIMIT = 1 << 20


def decode_object(text: bytes) -> Mapping[str, Any]:
    """The object that a text holds; an empty one where it holds none or cannot be read."""
    if len(text) > _LIMIT:
        return {}
    found = _decode(text)
    if found is None:
        plain = _TOKENS.sub(
            lambda match: match[0] if match[0].startswith('"') else " ", text.decode("utf-8-sig", "replace")
        )
        found = _decode(_TRAILING.sub(lambda match: match[1] or "", plain).encode())
    return found if isinstance(found, dict) else {}


def _decode(text: bytes) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
