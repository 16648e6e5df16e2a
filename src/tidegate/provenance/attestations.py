"""What the notes of commits attest and their audit lets stand, ready to be asked about lines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.provenance.audit import NoteAudit, audit_notes
from tidegate.provenance.notes import read_notes
from tidegate.provenance.values import Session
from tidegate.settings import Settings

Loss: TypeAlias = Literal[
    "no-source",
    "source-not-here",
    "source-without-note",
    "changed-at-merge",
    "older-than-source",
    "commit-without-note",
    "note-silent",
    "note-fails-audit",
    "note-unreadable",
    "lines-unread",
]

LOSSES: Mapping[Loss, str] = {
    "no-source": "nothing says what the commit was made from",
    "source-not-here": "the pull request that it names is not in this clone; fetch refs/pull/*/head",
    "source-without-note": "no commit of its source has a note",
    "changed-at-merge": "the line differs from what stands in the source",
    "older-than-source": "the source holds the line, and did not write it",
    "commit-without-note": "the commit that wrote the line has no note",
    "note-silent": "the note of the commit that wrote the line does not mention it",
    "note-fails-audit": "the note of the commit that wrote the line fails its audit there",
    "note-unreadable": "the note of the commit that wrote the line cannot be read",
    "lines-unread": "the difference is too large to read",
}
"""Why a line was not recovered, weakest reason first: where several sources fail, the last of these is told."""


class Stretch(NamedTuple):
    """Lines `first` to `last` of a file: attested by a session under a key, or not for a reason."""

    first: int
    last: int
    session: Session | None
    key: str
    loss: Loss


class Attested(Struct, frozen=True):
    """The notes of one commit, by path: stretches in line order that do not overlap. `loss` is of all other lines."""

    stretches: Mapping[bytes, tuple[Stretch, ...]]
    loss: Loss = "note-silent"

    def slice(self, path: bytes, line: int, count: int) -> Iterator[Stretch]:
        """What is attested of `count` lines from `line` on, without gaps."""
        known = self.stretches.get(path, ())
        index = max(bisect_right(known, line, key=lambda stretch: stretch.first) - 1, 0)
        end = line + count - 1
        for stretch in known[index:]:
            if stretch.last < line:
                continue
            if stretch.first > end:
                break
            if stretch.first > line:
                yield Stretch(line, stretch.first - 1, None, "", self.loss)
                line = stretch.first
            yield stretch._replace(first=line, last=min(stretch.last, end))
            line = min(stretch.last, end) + 1
        if line <= end:
            yield Stretch(line, end, None, "", self.loss)


def read_attested(repository: Repository, settings: Settings, commits: Sequence[str]) -> dict[str, Attested]:
    """What stands of the notes of these commits, by commit. The first of the settings' refs that has a note counts."""
    texts: dict[str, bytes] = {}
    for ref in settings.provenance.notes:
        for commit, text in read_notes(repository, ref, commits):
            texts.setdefault(commit, text)
    audit = audit_notes(repository, texts.items(), settings)
    return {commit: _attested(found) for commit, found in audit.notes.items()}


# Private


def _attested(audit: NoteAudit) -> Attested:
    if audit.note is None:
        return Attested({}, "note-unreadable")
    stretches: dict[bytes, list[Stretch]] = {}
    for claim in audit.claims:
        session = None if claim.reason else claim.session
        stretches.setdefault(claim.path, []).append(
            Stretch(claim.first, claim.last, session, claim.key, "note-fails-audit")
        )
    return Attested({path: tuple(sorted(found, key=lambda s: s.first)) for path, found in stretches.items()})
