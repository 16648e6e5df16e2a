"""Commits that undo earlier ones: what their messages say, and which commits were undone for good."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from tidegate.risk.labels.named import MOST_NAMED, OID, Names
from tidegate.risk.late import Late
from tidegate.risk.values import Label, PastCommit

MOST_OF_A_MERGE = 200
"""Undoing a merge of more commits than this says nothing about any single one of them."""


class Revert(Struct, frozen=True):
    """What a message says that it undoes: the beginnings of object ids, or else subjects.

    `restores` says that something undone comes back; `mended`, that it comes back changed, so that what was undone was
    wrong after all. `confidence` is the probability that what is undone had to be repaired.
    """

    oids: tuple[str, ...]
    subjects: tuple[str, ...]
    restores: bool
    mended: bool
    confidence: float


def read_revert(message: str) -> Revert | None:
    """What a message says that it undoes or restores; None for one that does neither.

    Read are git's own words (`Revert "..."`, `Reapply "..."`, `This reverts commit ...`, also of several and
    abbreviated), GitHub's, Mercurial's `Backed out changeset ...` and `Reland "..."`. A change "reverted to" an older
    behaviour names no commit and is none.
    """
    if not _HINT.search(message):
        return None
    subject, _, body = message.partition("\n")
    subject = subject.strip()[:_SUBJECT_LIMIT]
    depth, title = _unwrap(subject)
    # A squash lists its commits: what one of them undid had not landed yet.
    squashed = not depth and (_LISTED.search(body) or len(_BULLET.findall(body)) > 1)
    oids = () if squashed else _named(message)
    restores = (depth > 0 and depth % 2 == 0) or bool(_RELAND.match(subject))
    if not (oids or depth or restores):
        return None
    # `Revert "Revert "X""` undoes the commit whose subject is `Revert "X"`; a reland names what it brings back.
    target = _inner(subject) if depth else title
    return Revert(
        oids=oids,
        subjects=(target,) if target else (),
        restores=restores,
        mended=restores and bool(_MENDED.search(message)),
        confidence=_confidence(message),
    )


def find_reverts(commits: Sequence[PastCommit], names: Names) -> tuple[Label, ...]:
    """One label for every commit that was undone, and by which commit, in the order of the undoing.

    The revert of a revert clears the label of what comes back, unless it says that it comes back mended. A merge that
    is undone stands for the commits that it brought in.
    """
    state = _State({commit.oid: commit for commit in commits}, {}, {}, {}, {})
    for commit in commits:
        revert = read_revert(commit.message)
        if revert is not None:
            for target in _targets(revert, commit, names, state.by_subject):
                state.apply(revert, commit, target)
        state.by_subject.setdefault(_plain(commit.subject), []).append(commit.oid)
    return tuple(state.labels.values())


# Private

_SUBJECT_LIMIT = 1000
_HINT = re.compile(r"revert|back(?:ed|ing|s)?[ -]?out|re-?land|re-?appl|undo", re.IGNORECASE)
_QUOTED = Late(
    r"^(?:\S{1,40}: |\[[^\]]{1,40}\] )?(?:revert|reapply|undo|back ?out)s?:?\s+"
    r"[\"“'](?P<title>.+)[\"”'](?P<rest>[^\"]*)$",
    re.IGNORECASE,
)
_CONVENTIONAL = Late(r"^revert(?:\([^)]{0,60}\))?!?:\s+[\"“']?(?P<title>.+?)[\"”']?$", re.IGNORECASE)
_RELAND = Late(r"^(?:\[re-?land\]|re-?land(?:ed|ing|s)?\b|re-?appl(?:y|ied|ies)\b)[:\s]*", re.IGNORECASE)
_NAMING = Late(
    r"(?:\b(?:this )?(?:partial(?:ly)? )?(?:revert(?:s|ed|ing)?|back(?:s|ed|ing)? ?out"
    r"|undo(?:es)?)(?: of)?(?: the)?(?: changes? (?:of|in|from))?"
    r"(?:\s+(?:commits?|changesets?|revisions?))?[ \t]*:?[ \t]*\n?[ \t*-]*"
    r"|\breland of (?:commit )?)(?=[`'\"(\[<]?[0-9a-f]{7,64}\b)",
    re.IGNORECASE,
)
_ONE = Late(rf"[\s,;&*`'\"()\[\]<>-]{{0,12}}(?:and )?(?:commits? )?[`'\"(\[<]?{OID}", re.IGNORECASE)
_LISTED = Late(r"^\s{0,4}[*-] (?:\w+: )?(?:Revert|Reapply)", re.IGNORECASE | re.MULTILINE)
_BULLET = Late(r"^\* \S", re.MULTILINE)
_PULL = Late(r"(?: \(#[0-9]{1,7}\))+$")
_MENDED = Late(
    r"\bwith (?:\w+ ){0,3}fix|\bfix(?:e[sd]|ing)?\b(?! version)|\bnow with|\bcorrected\b|\baddress(?:es|ed|ing)\b",
    re.IGNORECASE,
)
_PARTIAL = Late(r"\bpartial|\bpart of\b|\bpartly\b", re.IGNORECASE)
_NO_FAULT = Late(
    r"\btemporar|\bfor now\b|\buntil\b|\bin favou?r of\b|\bsupersed|\bno longer needed|\bnot needed|\bunnecessary"
    r"|\bpremature|\bby mistake\b|\baccident|\bwrong branch|\bafter the (?:code )?freeze",
    re.IGNORECASE,
)
_FAULT = Late(
    r"\bbreak|\bbroke|\bcrash|\bregress|\bcaus(?:e[sd]?|ing)\b|\bfail|\bbugs?\b|\bdeadlock|\bleak|\bincorrect"
    r"|\bwrong\b",
    re.IGNORECASE,
)


class _Title(NamedTuple):
    depth: int
    title: str


def _unwrap(subject: str) -> _Title:
    """How often the subject says that it undoes, and what is left inside all quotes. git writes the revert of a revert
    as `Reapply "X"` since 2.43, which counts twice."""
    depth, title = 0, subject
    for _ in range(8):
        match = _QUOTED.match(title) or (_CONVENTIONAL.match(title) if depth == 0 else None)
        if match is None:
            break
        depth += 2 if "reapply" in title[: match.start("title")].lower() else 1
        title = match["title"]
    if depth == 0 and (reland := _RELAND.match(subject)):
        title = subject[reland.end() :].strip(" \"“”'")
    return _Title(depth, title if title != subject else "")


def _inner(subject: str) -> str:
    """The subject of the commit that is undone: one pair of quotes taken off."""
    match = _QUOTED.match(subject) or _CONVENTIONAL.match(subject)
    if match is None:
        return ""
    head = subject[: match.start("title")].lower()
    return f'Revert "{match["title"]}"' if "reapply" in head else match["title"]


def _named(message: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _NAMING.finditer(message):
        at = match.end()
        while len(found) < MOST_NAMED and (one := _ONE.match(message, at)):
            found[one["oid"].lower()] = None
            at = one.end()
    return tuple(found)


def _confidence(message: str) -> float:
    if _FAULT.search(message.partition("\n")[2]):
        return 0.95 if not _PARTIAL.search(message) else 0.8
    if _NO_FAULT.search(message) or _PARTIAL.search(message):
        return 0.6
    return 0.9


def _targets(revert: Revert, commit: PastCommit, names: Names, by_subject: dict[str, list[str]]) -> Iterator[str]:
    found = [oid for oid in (names.find(start, commit.oid) for start in revert.oids) if oid]
    if found:
        yield from dict.fromkeys(found)
        return
    for subject in revert.subjects:
        earlier = by_subject.get(_plain(subject))
        if earlier:
            yield earlier[-1]


class _State(NamedTuple):
    """What is undone so far. `undone` and `restored` go from a commit to what it undid or brought back."""

    by_oid: dict[str, PastCommit]
    by_subject: dict[str, list[str]]
    labels: dict[tuple[str, str], Label]
    undone: dict[str, list[str]]
    restored: dict[str, list[str]]

    def apply(self, revert: Revert, commit: PastCommit, target: str) -> None:
        if target in self.undone:
            back = self.undone.pop(target)
            self.restored[commit.oid] = back
            if not revert.mended:
                for key in [key for key in self.labels if key[1] == target]:
                    del self.labels[key]
        elif not revert.restores:
            gone = self.restored.pop(target, [target])
            self.undone.setdefault(commit.oid, []).extend(gone)
            for oid in gone:
                for label in _labels(self.by_oid[oid], commit, self.by_oid, revert.confidence):
                    self.labels[label.commit, label.by] = label


def _labels(
    target: PastCommit, revert: PastCommit, by_oid: dict[str, PastCommit], confidence: float
) -> Iterator[Label]:
    undone = _brought_in(target, by_oid) if target.is_merge else [target]
    share = confidence if len(undone) == 1 else confidence * 0.7
    for commit in undone:
        known_at = max(revert.committed_at, commit.committed_at)
        yield Label(commit.oid, revert.oid, "revert", share, known_at)


def _brought_in(merge: PastCommit, by_oid: dict[str, PastCommit]) -> list[PastCommit]:
    """The plain commits that a merge brought to its first parent; none when there are too many to mean any of them.

    The first parent's side is walked in step with the other, newest first, so that little of a long history is seen.
    """
    order = {merge.parents[0]: "base", **{parent: "side" for parent in merge.parents[1:] if parent != merge.parents[0]}}
    waiting = [oid for oid in order if oid in by_oid]
    found: dict[str, PastCommit] = {}
    steps = 0
    while waiting and steps < 20 * MOST_OF_A_MERGE and any(order[oid] == "side" for oid in waiting):
        steps += 1
        newest = max(waiting, key=lambda oid: (by_oid[oid].committed_at, oid))
        waiting.remove(newest)
        side = order[newest]
        if side == "side":
            found[newest] = by_oid[newest]
        for parent in by_oid[newest].parents:
            if parent in by_oid and parent not in order:
                order[parent] = side
                waiting.append(parent)
            elif parent in by_oid and side == "base" and order[parent] == "side":
                order[parent] = "base"
                found.pop(parent, None)
                waiting.append(parent) if parent not in waiting else None
    plain = [commit for commit in found.values() if not commit.is_merge]
    return plain if len(plain) <= MOST_OF_A_MERGE and not any(order[oid] == "side" for oid in waiting) else []


def _plain(subject: str) -> str:
    """A subject as it is compared: without the number of a pull request, in lower case."""
    return _PULL.sub("", subject.strip()).lower()
