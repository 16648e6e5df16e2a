"""Makes the decoder of every type once, before threads use it.

msgspec 0.22 reads the hints of a type when it first decodes it, and two threads that do so at once can end the process.
What it learnt stays with the type.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

OURS = "tidegate."


def make_decoders() -> int:
    """Of every Struct of ours that is loaded; how many. One that no JSON can be is left out: nothing decodes it."""
    made = 0
    for kind in sorted(set(_below(Struct)), key=lambda each: (each.__module__, each.__qualname__)):
        if not kind.__module__.startswith(OURS):
            continue
        try:
            msgspec.json.Decoder(kind)
        except (TypeError, NameError, AttributeError):
            continue
        made += 1
    return made


# Private


def _below(kind: type[Struct]) -> Iterator[type[Struct]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
