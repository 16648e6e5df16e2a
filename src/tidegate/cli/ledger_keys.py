"""The keys that a person names on the command line: as text, or as a file with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.ledger.keys import NoteKey


def read_vkey(text: str, option: str) -> NoteKey:
    """The verifier key of `option`. InputError where it is none."""
    from tidegate.ledger.keys import parse_vkey

    words = text
    if len(text) < 4096 and "+" not in text:
        try:
            words = Path(text).read_text(encoding="utf-8")[:8192]
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise InputError(
                f"{text[:100]!r} is neither a verifier key nor a file with one", where=option, mend="NAME+ID+BASE64"
            ) from error
    try:
        return parse_vkey(words.strip())
    except InputError as error:
        raise InputError(
            error.what, where=f"{option} {text[:60]}", mend="copy the whole key: NAME+ID+BASE64"
        ) from error
