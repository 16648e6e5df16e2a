"""The features of one change, from what history knows of its files and its author alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository
from tidegate.change.values import Change, Commit, FileChange, Person, show_path
from tidegate.facts import ChangeFacts, ProvenanceFacts
from tidegate.risk.features.content import read_kept
from tidegate.risk.features.definitions import NAMES
from tidegate.risk.features.past import FileHistory, Landed, Past
from tidegate.risk.features.people import RECENT_FIXES
from tidegate.risk.features.row import Row, Told, row_of
from tidegate.risk.features.surface import read_places
from tidegate.risk.features.text import Content, Reader, total
from tidegate.risk.history.log import LAST_SECOND, cut_message
from tidegate.risk.history.people import merged_keys, person_key
from tidegate.risk.labels.marks import marks_of
from tidegate.risk.labels.messages import is_fix
from tidegate.risk.values import PastCommit, PathTouch, Touch
from tidegate.settings import Settings

if TYPE_CHECKING:
    from tidegate.risk.history.mine import Mined

TIMELESS = ("age", "others_day", "others_week", "fixes_180", "rexp", "burst_hour", "burst_day", "pace")
"""What is not known of a change that was not committed yet."""


def features_of(
    change: Change,
    facts: ChangeFacts,
    provenance: ProvenanceFacts,
    mined: Mined,
    settings: Settings,
    repository: Repository | None = None,
) -> Row:
    """The features of a change. `mined` is the history of its base, without the change.

    Several commits are one change: the whole difference, landed when the last was committed, by whoever wrote the most
    lines. With a `repository` the messages of past commits that nothing was kept of yet are read from it by two
    processes; without one they are looked for in all of history, which takes longer.
    """
    commits = [commit for commit in change.commits if len(commit.parents) < 2] or list(change.commits[-1:])
    author = _author(commits, provenance)
    at = _moment(change.commits[-1].committed_at) if change.commits else 0
    message = _message(change, commits)
    people = _People(merged_keys(settings))
    who = people.one(person_key(author)) if author else ""
    past, lines = _past_of_files(mined, change.files, people)
    for row in (row for key in people.all_of(who) for row in mined.by_author(key) if row.folders):
        past.learn_person(who, row.at, row.folders)
    _mark_fixes(past, _Messages(mined, repository), at - RECENT_FIXES)
    touches = tuple(_touch(file, lines) for file in change.files)
    landed = Landed(at, who, touches, message, _is_fix(change, commits))
    places = read_places((touch.path for touch in touches), settings)
    values = row_of(past, landed, Told(_content(change), _ai(commits, provenance)), places)
    unknown = set(TIMELESS) if not change.commits else set[str]()
    if not message:
        unknown |= {"fix", "message_length", "message_words", "ai"}
    if facts.status == "unknown":
        unknown = set(NAMES)
    return Row(NAMES, tuple(float("nan") if n in unknown else v for n, v in zip(NAMES, values, strict=True)))


# Private

_LETTERS = {"added": "A", "modified": "M", "deleted": "D", "renamed": "R", "copied": "A", "type-changed": "T"}


class _People:
    """From a person's keys to one, and back."""

    def __init__(self, merged: dict[str, str]) -> None:
        self._merged = merged

    def one(self, key: str) -> str:
        return self._merged.get(key, key)

    def all_of(self, one: str) -> list[str]:
        if not one:
            return []
        keys = sorted(key for key, person in self._merged.items() if person == one)
        return keys if one in self._merged or keys else [one]


class _Messages:
    """Which past commits are fixes: as it was kept, else by their messages."""

    def __init__(self, mined: Mined, repository: Repository | None) -> None:
        self._mined = mined
        self._repository = repository

    def fixes(self, oids: Collection[str]) -> set[str]:
        kept = read_kept(self._mined, sorted(oids))
        new = sorted(oid for oid in oids if oid not in kept)
        found = {oid for oid, one in kept.items() if one.fix}
        return found | {oid for oid, message in self._read(new) if is_fix(message)}

    def _read(self, oids: Sequence[str]) -> Iterable[tuple[str, str]]:
        if not oids:
            return
        if self._repository is None:
            wanted = set(oids)
            yield from ((commit.oid, commit.message) for commit in self._mined.commits() if commit.oid in wanted)
            return
        yield from ((oid, _cut(commit)) for oid, commit in read_commit_objects(self._repository, oids).items())


def _past_of_files(mined: Mined, files: Sequence[FileChange], people: _People) -> tuple[_KnownPast, dict[str, int]]:
    """What is known of the files under the names that they had, and how many lines each had."""
    past = _KnownPast()
    numbers: dict[str, int] = {}
    names = {show_path(file.path if _LETTERS[file.status] in "MDT" else file.old_path) for file in files}
    names |= {show_path(file.path) for file in files if _LETTERS[file.status] == "A"}
    for name, rows in mined.touching(sorted(names)).items():
        if not rows:
            continue
        history = past.files[name] = FileHistory()
        for row in rows:
            number = numbers.setdefault(row.oid, len(numbers))
            person = past.number_of(people.one(row.author))
            history.add(number, row.at, person, row.added - row.deleted)
        past.rows[name] = rows
    past.numbers = numbers
    return past, {name: max(history.lines, 0) for name, history in past.files.items()}


class _KnownPast(Past):
    """A past that remembers which commits it was made of."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, tuple[PathTouch, ...]] = {}
        self.numbers: dict[str, int] = {}


def _mark_fixes(past: _KnownPast, messages: _Messages, since: int) -> None:
    recent = {row.oid for rows in past.rows.values() for row in rows if row.at >= since}
    fixes = messages.fixes(recent)
    for name, rows in past.rows.items():
        past.files[name].fixes = [(row.at, past.numbers[row.oid]) for row in rows if row.oid in fixes]


def _touch(file: FileChange, lines: dict[str, int]) -> Touch:
    """The file as `git log --numstat -M` tells of it: a copy is a new file, a link or a submodule is one line."""
    path, old = show_path(file.path), show_path(file.old_path)
    added, deleted = file.added, file.deleted
    if file.binary:
        added = deleted = -1
    elif file.kind in ("symlink", "submodule"):
        added, deleted = int(file.new_mode != 0), int(file.old_mode != 0)
    elif file.status == "copied":
        added, deleted, old = max(lines.get(old, 0) + added - deleted, 0), 0, path
    return Touch(path, old, _LETTERS[file.status], added, deleted)


def _author(commits: Sequence[Commit], provenance: ProvenanceFacts) -> Person | None:
    """Who wrote most of the added lines, else most of the commits; of equals the last."""
    if not commits:
        return None
    by_oid = {commit.oid: commit for commit in commits}
    lines: Counter[str] = Counter()
    for span in provenance.spans:
        if span.commit in by_oid:
            lines[person_key(by_oid[span.commit].author)] += span.end_line - span.line + 1
    share = lines or Counter(person_key(commit.author) for commit in commits)
    most = max(share.values())
    return next(one.author for one in reversed(commits) if share[person_key(one.author)] == most)


def _message(change: Change, commits: Sequence[Commit]) -> str:
    """What history would say of it: the one commit's message, else the pull request's, else all messages."""
    request = change.pull_request
    if request is not None and len(commits) != 1:
        return f"{request.title}\n\n{request.body}".strip()
    return "\n\n".join(_cut(commit) for commit in commits)


def _is_fix(change: Change, commits: Sequence[Commit]) -> bool:
    """Several commits are a fix where their pull request says so, or without one at least half of them."""
    if len(commits) == 1 or change.pull_request is not None:
        return bool(is_fix(_message(change, commits)))
    return sum(bool(is_fix(_cut(commit))) for commit in commits) * 2 >= max(len(commits), 1)


def _ai(commits: Sequence[Commit], provenance: ProvenanceFacts) -> float:
    """Notes and transcripts do not count here: models learnt from what commits declare."""
    if any(one.where == "pull request author" for one in provenance.declarations if not one.commit):
        return 1.0
    if not commits:
        return float("nan")
    past = [PastCommit(c.oid, c.parents, c.author, c.committer, 0, 0, _cut(c)) for c in commits]
    return len(marks_of(past)) / len(commits)


def _cut(commit: Commit) -> str:
    return cut_message(commit.message.encode("utf-8", "surrogateescape"))


def _moment(text: str) -> int:
    """Unix seconds, held within 1970 to 9999 as history is."""
    return min(max(int(datetime.fromisoformat(text).timestamp()), 0), LAST_SECOND)


def _content(change: Change) -> Content | None:
    """None where the text of some lines was too much to keep."""
    reader = Reader()
    parts = []
    for file in change.files:
        removed = [line for hunk in file.hunks for line in hunk.removed]
        added = [line for hunk in file.hunks for line in hunk.added]
        kept = len(added) == file.added and len(removed) == file.deleted
        if not (kept or file.binary or file.kind in ("symlink", "submodule")):
            return None
        parts.append(reader.read_file(file.path, removed, added, len(file.hunks)))
    return total(parts)
