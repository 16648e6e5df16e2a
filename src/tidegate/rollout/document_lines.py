"""The text of the rollout document: its values as they are written, and the line that an error is about."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any

from tidegate.errors import InputError


def plain(value: Any) -> Any:
    """Dates of TOML as the texts that they are written as: what they mean depends on the time zone."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, (datetime, date, time)) else value


def with_line(error: InputError, text: bytes, origin: str) -> InputError:
    """The same error with the line of the text that it is about, where one can be found."""
    place = _place(error.what) if error.where == origin else error.where
    line = _line_of(text, place)
    mend = "correct it; docs/gates.md lists every key" if "docs/settings.md" in error.mend else error.mend
    what = error.what.replace(_NO_SUCH, "there is no key ")
    return InputError(
        f"{error.where}: {what}" if error.where not in ("", origin) else what,
        where=f"{origin}, line {line}" if line else origin,
        mend=mend,
    )


# Private

_NO_SUCH = "there is no setting "
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*=")


def _line_of(text: bytes, place: str) -> int:
    """The line at which a path such as `freeze[1].until` is written, else that of its table; 0 where neither is found.

    Of a text that TOML could read; a table that is written within another's line is that line.
    """
    wanted = re.sub(r"[^A-Za-z0-9_.\[\]/-].*", "", place).rstrip(".")
    table, best, best_length = "", 0, 0
    counts: dict[str, int] = {}
    for number, line in enumerate(text.decode("utf-8", "replace").split("\n"), 1):
        if header := _HEADER.fullmatch(line):
            name = _unquoted(header[2])
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                name = f"{name}[{counts[name]}]"
            path = table = name
        elif key := _KEY.match(line):
            path = f"{table}.{_unquoted(key[1])}".lstrip(".")
        else:
            continue
        if (wanted == path or wanted.startswith((f"{path}.", f"{path}["))) and len(path) > best_length:
            best, best_length = number, len(path)
    return best


def _place(what: str) -> str:
    """The path that a complaint of `convert` begins with, or names as not there."""
    return what.removeprefix(_NO_SUCH) if what.startswith(_NO_SUCH) else what.partition(": ")[0]


def _unquoted(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
