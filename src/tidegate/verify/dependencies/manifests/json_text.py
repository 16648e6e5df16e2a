"""JSON that others wrote, and what can be asked of it without trusting its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tidegate.verify.dependencies.values import UnreadableError

_NOTHING: Mapping[str, Any] = {}


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises UnreadableError also for one that is nested too deep."""
    try:
        return msgspec.json.decode(text.removeprefix("\ufeff").encode("utf-8", "surrogateescape"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UnreadableError(f"not valid JSON ({type(error).__name__})") from error


def table_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOTHING


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def texts_of(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
