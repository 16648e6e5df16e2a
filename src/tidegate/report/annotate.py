"""Writes what `tidegate annotate` did, and which trailer says the same."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Literal

from tidegate.provenance.annotate import Annotated, Author, trailer_of
from tidegate.report.escape import terminal
from tidegate.report.layout import grouped


def render_annotate_text(found: Sequence[Annotated], author: Author, ref: str, *, dry_run: bool) -> str:
    """One sentence; with `dry_run` the notes themselves follow."""
    lines = sum(one.lines for one in found)
    commits = sum(one.lines > 0 for one in found)
    writer = f"{author.tool} {author.model}, for whom {author.person} answers" if author.tool else str(author.person)
    if not lines:
        return terminal(f"{ref} says so already: nothing was written.")
    verb = "Would declare" if dry_run else "Declared"
    out = [
        terminal(f"{verb} {grouped(lines, 'line')} of {grouped(commits, 'commit')} as written by {writer}, in {ref}.")
    ]
    for one in found if dry_run else ():
        text = one.text.decode("utf-8", "backslashreplace")
        out += ["", f"{one.commit[:12]}", *(terminal(line) for line in text.split("\n"))]
    return "\n".join(out)


def render_trailer_advice(author: Author, wanted: Literal["ignore", "require", "forbid"], *, asked: bool) -> str:
    """What to do about the trailer, as the settings of the repository want it; "" for nothing."""
    if not author.tool:
        return ""
    if wanted == "forbid":
        return "This repository forbids declaring trailers; the note is the declaration." if asked else ""
    if not asked and wanted != "require":
        return ""
    reason = "This repository requires a declaring trailer.\n" if wanted == "require" else ""
    command = f"git commit --amend --no-edit --trailer {shlex.quote(terminal(trailer_of(author)))}"
    return f"{reason}{command}\nAn amended commit is a new one: annotate it again, and do not amend what was pushed."


# Private
