"""One import as a line of code writes it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Guard: TypeAlias = Literal["", "optional", "typing"]


class Import(Struct, frozen=True):
    """A module that a line imports. `guard`: code does without it, or only a type checker reads it."""

    module: str
    line: int
    guard: Guard = ""

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]
