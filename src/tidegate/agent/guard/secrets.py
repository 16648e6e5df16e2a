"""Secrets in the arguments of a command, where other users of the machine, the history and transcripts show them.

The value is in no message. The library that finds them is loaded only where something looks like one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from tidegate.agent.guard.values import Call, Concern, unseen

_NAME = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|access_?key|private_?key|credential|auth)"
)
_SHAPE = re.compile(r"[A-Za-z0-9+/_=.-]{16,}|://[^\s/:@]+:[^\s/@]+@|PRIVATE KEY")
_SAFE = "revoke it if it was ever run, and read it from the environment or a vault"


def in_call(call: Call) -> Iterator[Concern]:
    """A concern where an argument or an assignment holds what looks like a secret."""
    for line in _lines(call):
        from tidegate.verify.secrets import kinds_in

        kinds = kinds_in(line)
        if kinds:
            what = f"an argument holds what looks like a secret ({', '.join(kinds).lower()})"
            yield Concern("secret", what, _SAFE, f"{call.name} …", call.name)
            return


# Private


def _lines(call: Call) -> Iterator[str]:
    """What is worth a closer look, written like an assignment, as the library expects it."""
    words = call.arguments
    for name, value in call.assigned:
        if _NAME.search(name) and _plain(value):
            yield f'{name} = "{value}"'
        elif _long(value):
            yield value
    for place, one in enumerate(words):
        after = words[place + 1] if place + 1 < len(words) else ""
        name, equals, value = one.partition("=")
        if equals and _NAME.search(name) and _plain(value):
            yield f'{name.lstrip("-")} = "{value}"'
        elif one.startswith("-") and _NAME.search(one) and not equals and _plain(after):
            yield f'{one.lstrip("-")} = "{after}"'
        elif one in ("-u", "--user") and ":" in after and _plain(after):
            yield f"https://{after}@host"
        elif _long(one) and not _is_file(call, one):
            yield one[:5_000]


def _plain(value: str) -> bool:
    return len(value) >= 8 and not unseen(value) and not value.startswith(("-", "/", "./")) and '"' not in value


def _is_file(call: Call, word: str) -> bool:
    """A path is no secret, and to look the file up costs less than to load what finds secrets."""
    folder = call.place.folder
    if folder is None or call.place.away or len(word) > 500:
        return False
    return os.path.exists(os.path.join(folder, word))  # noqa: PTH110, PTH118 the hook's time


def _long(value: str) -> bool:
    if len(value) < 16 or unseen(value):
        return False
    return _SHAPE.search(value) is not None and (any(char.isdigit() for char in value) or "://" in value)
