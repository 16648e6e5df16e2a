"""Attribution that a squash, a rebase or a cherry-pick left behind, brought back to the commits of the branch.

Attribution hangs on commits, and a forge that squashes makes a commit that has none. For each such commit we look for
what it was made from (`sources.py`), treat it as a merge of its parent and that source, and follow every line that it
adds to the commit which wrote the line (`change/lines.py`). If that commit's note attests the line and passes its
audit, the attestation holds on the branch too: the same text, in the same place of the same change. Anything else
stays unknown, with its reason. Nothing is compared by likeness, and no line outside a commit's own diff is claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.gaps import read_diffs_with_gaps
from tidegate.change.git import Repository
from tidegate.change.lines import Join, LineOrigins, LineRun, read_joined_origins
from tidegate.change.values import FileChange
from tidegate.errors import InputError
from tidegate.facts import Unknown
from tidegate.provenance.attestations import LOSSES, Attested, Loss, read_attested
from tidegate.provenance.history import DEFAULT_REFS, History, read_heads, read_history
from tidegate.provenance.notes import list_notes
from tidegate.provenance.sources import Links, Source, Target, find_patches
from tidegate.provenance.values import Session
from tidegate.settings import Settings


class Scope(Struct, frozen=True):
    """Which commits: `base..head` along first parents ("" as base: all), or `head` alone. From which refs."""

    head: str = "HEAD"
    base: str = ""
    alone: bool = False
    refs: tuple[str, ...] = DEFAULT_REFS


class Claim(Struct, frozen=True, gc=False):
    """Lines `first` to `last` of a file, the session or person who wrote them, and the commit whose note says so."""

    path: bytes
    first: int
    last: int
    session: Session
    key: str
    commit: str


class RecoveredCommit(Struct, frozen=True):
    """One commit of the branch: the lines it adds, who wrote which, and why the rest stays unknown."""

    commit: str
    subject: str
    sources: tuple[Source, ...]
    added: int
    claims: tuple[Claim, ...]
    losses: Mapping[Loss, int]

    @property
    def recovered(self) -> int:
        return sum(claim.last - claim.first + 1 for claim in self.claims)


class Recovery(Struct, frozen=True):
    """What was found. `merges` and `noted` are commits that need no recovery; `stray_notes` annotate no commit here."""

    commits: tuple[RecoveredCommit, ...]
    merges: int
    noted: int
    stray_notes: int
    unknowns: tuple[Unknown, ...] = ()


def recover_lines(repository: Repository, settings: Settings, scope: Scope) -> Recovery:
    """Who wrote the lines of the commits in scope that have no note. Reads only; some twenty processes in all."""
    head = repository.resolve(scope.head)
    base = repository.resolve(scope.base) if scope.base else ""
    noted = {oid for ref in settings.provenance.notes for oid in list_notes(repository, ref)}
    heads = read_heads(repository, scope.refs)
    present = _present_commits(repository, sorted(noted))
    history = read_history(repository, head, [*(h.oid for h in heads), *present, *([base] if base else [])])
    chain = [head] if scope.alone else list(_chain(history, base))
    targets = _targets(history, chain, noted | repository.shallow_edge)
    links = Links(history, heads, present)
    if not scope.alone:
        targets += _merged_targets(links, chain, {*noted, *repository.shallow_edge, *(t.oid for t in targets)})
    lone = [target.oid for target in targets if not links.of(target.oid, target.numbers)]
    links.learn(find_patches(repository, links, lone))
    trail = _read_trail(repository, settings, links, _linked(links, targets))
    _read_others(repository, history, [target.oid for target in targets], trail)
    return Recovery(
        commits=tuple(_recover_commit(target, links, trail) for target in targets if target.oid in trail.files),
        merges=sum(len(history.nodes[oid].parents) > 1 for oid in chain),
        noted=sum(oid in noted for oid in chain),
        stray_notes=len(noted) - len(present),
        unknowns=_unknowns([target.oid for target in targets if target.oid not in trail.files]),
    )


def parse_scope(text: str, refs: tuple[str, ...] = DEFAULT_REFS) -> Scope:
    """`BASE..HEAD`, one commit, or "" for all of HEAD. Raises InputError for three dots, which mean something else."""
    if not text:
        return Scope(refs=refs)
    base, dots, head = text.partition("..")
    if not dots:
        return Scope(text, alone=True, refs=refs)
    if head.startswith("."):
        raise InputError(f"{text!r} is not a range here", where="RANGE", mend="write BASE..HEAD, with two dots")
    return Scope(head or "HEAD", base or "HEAD", refs=refs)


# Private

_RANK: Mapping[Loss, int] = {loss: rank for rank, loss in enumerate(LOSSES)}
_STEPS = 6
"""A squash of rebased commits that were picked ...: so many sources of sources are followed."""


class _Piece(Struct, frozen=True, gc=False):
    """Lines from `line` on: attested by a session in a commit's note, or lost for a reason."""

    line: int
    count: int
    session: Session | None
    key: str
    commit: str
    loss: Loss


class _Trail(NamedTuple):
    """All that following a line needs: per commit its notes, and its lines' origins in each of its sources."""

    notes: Mapping[str, Attested]
    origins: Mapping[str, list[LineOrigins]]
    files: dict[str, tuple[FileChange, ...]]


def _present_commits(repository: Repository, oids: Sequence[str]) -> list[str]:
    answers = repository.look_up(oids)
    return [answer.oid for answer in answers if answer.kind == "commit"]


def _chain(history: History, base: str) -> Iterator[str]:
    place = history.taken.get(base, -1)
    if base and place < 0:
        place = history.fork(base)[1]
    yield from history.chain[place + 1 :]


def _targets(history: History, chain: Iterable[str], known: Set[str]) -> list[Target]:
    """The commits of the chain that may lack attribution, newest first, without `known` ones.

    GitLab squashes a merge request into one commit and merges that: the commit to recover is the merge's second parent.
    """
    found: list[Target] = []
    for oid in chain:
        node = history.nodes[oid]
        if len(node.parents) < 2:
            found.append(Target(oid, node.numbers))
            continue
        for parent in node.parents[1:]:
            side = history.nodes.get(parent)
            if side and len(side.parents) == 1 and node.numbers and history.fork(side.first_parent)[1] >= 0:
                found.append(Target(parent, (*node.numbers, *side.numbers)))
    return [target for target in reversed(found) if target.oid not in known]


def _merged_targets(links: Links, chain: Sequence[str], known: Set[str]) -> list[Target]:
    """Commits that a merge brought to the branch and that were rewritten before: what they came from has notes."""
    history = links.history
    if not chain:
        return []
    first = history.taken[chain[0]]
    brought = [oid for oid, place in history.taken.items() if place >= first and oid not in known]
    nodes = [history.nodes[oid] for oid in sorted(brought)]
    return [Target(node.oid, node.numbers) for node in nodes if len(node.parents) == 1 and links.of(node.oid)]


def _linked(links: Links, targets: Iterable[Target]) -> dict[str, tuple[Source, ...]]:
    """Every commit whose sources lead to a note: the targets, and commits of sources that were rewritten themselves.

    Also those that have a note: after an amend it often speaks only of what the amend added.
    """
    linked: dict[str, tuple[Source, ...]] = {}
    todo = [target.oid for target in targets if links.of(target.oid, target.numbers)]
    while todo:
        oid = todo.pop()
        sources = links.of(oid)
        if oid in linked or not sources:
            continue
        linked[oid] = sources
        todo += {inner for source in sources for inner in source.within} - set(linked)
    return linked


def _read_trail(
    repository: Repository, settings: Settings, links: Links, linked: Mapping[str, tuple[Source, ...]]
) -> _Trail:
    nodes = links.history.nodes
    inside = {oid for sources in linked.values() for source in sources for oid in source.within}
    walk = [(oid, node.parents) for oid, node in nodes.items() if oid in inside]
    joins = [
        Join(oid, nodes[oid].first_parent, (source.head,), source.within)
        for oid, sources in linked.items()
        for source in sources
    ]
    trail = _Trail(read_attested(repository, settings, sorted(inside & links.noted)), {}, {})
    origins: dict[str, list[LineOrigins]] = {}
    for join, found, diff in read_joined_origins(repository, walk[::-1], joins):
        if diff.known:
            origins.setdefault(join.commit, []).append(found)
            trail.files[join.commit] = diff.files
    return trail._replace(origins=origins)


def _read_others(repository: Repository, history: History, oids: Iterable[str], trail: _Trail) -> None:
    """Add what the commits changed that nothing leads to a note, to count their lines."""
    pairs = [(oid, history.nodes[oid].first_parent) for oid in oids if oid not in trail.files]
    for diff in read_diffs_with_gaps(repository, pairs):
        if diff.known:
            trail.files[diff.oid] = diff.files


def _unknowns(unread: Sequence[str]) -> tuple[Unknown, ...]:
    if not unread:
        return ()
    some = ", ".join(oid[:12] for oid in unread[:3]) + (" and others" if len(unread) > 3 else "")
    return (Unknown("provenance.recover", f"what {some} changed could not be read: this clone lacks objects of it"),)


def _recover_commit(target: Target, links: Links, trail: _Trail) -> RecoveredCommit:
    claims: list[Claim] = []
    losses: Counter[Loss] = Counter()
    added = 0
    whole = _loss_of_all(target, links, trail)
    for file in trail.files[target.oid]:
        if file.new_mode & 0o170000 != 0o100000 or file.binary:
            continue
        added += file.added
        if whole or not file.lines_known:
            losses[whole or "lines-unread"] += file.added
            continue
        for hunk in file.hunks:
            for piece in _follow(trail, target.oid, file.path, hunk.new_start, hunk.new_count):
                if piece.session is None:
                    losses[piece.loss] += piece.count
                else:
                    last = piece.line + piece.count - 1
                    claims.append(Claim(file.path, piece.line, last, piece.session, piece.key, piece.commit))
    node = links.history.nodes[target.oid]
    sources = links.of(target.oid)
    return RecoveredCommit(
        target.oid, node.subject, sources, added, tuple(claims), {k: n for k, n in losses.items() if n}
    )


def _loss_of_all(target: Target, links: Links, trail: _Trail) -> Loss | None:
    if target.oid in trail.origins:
        return None
    node = links.history.nodes[target.oid]
    if any(number in links.heads for number in target.numbers) or any(links.candidates(node, target.numbers)):
        return "source-without-note"
    return "source-not-here" if target.numbers or node.picked else "no-source"


def _follow(
    trail: _Trail, commit: str, path: bytes, line: int, count: int, before: tuple[str, ...] = ()
) -> list[_Piece]:
    """These lines of a commit that adds them, in pieces, each with its attestation or the reason why there is none."""
    pending = _attested(trail, commit, path, line, count)
    done: list[_Piece] = []
    for origins in trail.origins.get(commit, ()) if len(before) < _STEPS else ():
        done += [piece for piece in pending if piece.session is not None]
        waiting: list[_Piece] = []
        for piece in pending:
            runs = origins.slice(path, piece.line, piece.count) if piece.session is None else ()
            for found in (found for run in runs for found in _follow_run(trail, run, (*before, commit))):
                weaker = found.session is None and _RANK[found.loss] < _RANK[piece.loss]
                waiting.append(replace(found, loss=piece.loss) if weaker else found)
        pending = waiting
    return sorted([*done, *pending], key=lambda piece: piece.line)


def _attested(trail: _Trail, commit: str, path: bytes, line: int, count: int) -> list[_Piece]:
    """What the commit's own note says of the lines."""
    note = trail.notes.get(commit)
    if note is None:
        weakest: Loss = next(iter(LOSSES)) if commit in trail.origins else "commit-without-note"
        return [_Piece(line, count, None, "", commit, weakest)]
    return [
        _Piece(part.first, part.last - part.first + 1, part.session, part.key, commit, part.loss)
        for part in note.slice(path, line, count)
    ]


def _follow_run(trail: _Trail, run: LineRun, before: tuple[str, ...]) -> list[_Piece]:
    """The same for lines whose origin in a source is known; `before` are the commits that led here, newest first."""
    commit = before[-1]
    if run.commit in ("", commit):
        loss: Loss = "changed-at-merge" if run.commit else "older-than-source"
        return [_Piece(run.line, run.count, None, "", commit, loss)]
    if run.commit in before:
        return [_Piece(run.line, run.count, None, "", commit, "commit-without-note")]
    shift = run.line - run.commit_line
    there = _follow(trail, run.commit, run.path, run.commit_line, run.count, before)
    return [replace(piece, line=piece.line + shift) for piece in there]
