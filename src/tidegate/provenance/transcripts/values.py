"""The values of a transcript."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct

Record: TypeAlias = dict[str, Any]


class Edit(Struct, frozen=True):
    """One edit that an agent made to one file, as lines without line breaks.

    `blocks` are the lines that are new in it, in the blocks in which they stand together: lines that were there before
    and are only repeated are not among them. `by_user` are lines of those blocks that the user changed before the edit
    was applied. `prompt` is the digest of the last prompt before it.
    """

    path: str
    blocks: tuple[tuple[str, ...], ...]
    by_user: frozenset[str] = frozenset()
    model: str = ""
    prompt: str = ""


class Transcript(Struct, frozen=True):
    """One session. `folder` is where it ran, `skipped` counts lines that could not be read."""

    tool: str
    id: str
    model: str
    started: str
    folder: str
    edits: tuple[Edit, ...]
    skipped: int = 0


class Draft:
    """Collects a session while its records are read in order."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.id = ""
        self.model = ""
        self.started = ""
        self.folder = ""
        self.prompt_text = ""
        self.edits: list[tuple[Edit, str]] = []

    def add(self, edits: tuple[Edit, ...], model: str = "") -> None:
        """Take edits over, each with the prompt that stands before it."""
        for edit in edits:
            self.edits.append((edit, self.prompt_text))
            if model:
                self.model = model
