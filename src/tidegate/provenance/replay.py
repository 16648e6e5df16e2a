"""Finds the lines of a change again in the edits that a session's transcript holds (evidence E3).

A line is the session's when it stands in an edit of that session to that file, in the order of the edit: the longest
runs are laid first, what is left is laid between them. A line that says little (fewer than four visible characters)
counts only inside such a run. Of an edit to another file only long runs count: the file was moved. White space is not
compared, because formatters change it. Paths are compared from the end: the session ran in another folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import PurePosixPath
from typing import NamedTuple

from tidegate.change.lines import LineRun
from tidegate.change.values import show_path
from tidegate.provenance.transcripts.values import Edit, Transcript
from tidegate.provenance.values import LineClaim, Origin

TELLING = 4
"""A line with fewer visible characters is found only inside a run."""
TELLING_ALONE = 12
"""A line with fewer visible characters is not looked for outside the order of its edit."""
COMMON = 200
"""A line that stands more often than this among the added lines is treated like one that says little."""


MOVED = 5
"""So many telling lines in a row that stand in an edit to another file were moved here, not written again."""


class Target(NamedTuple):
    """An added line: its number and its text."""

    line: int
    text: bytes


class Replay:
    """The edits of some sessions, ready to be compared with the added lines of files."""

    def __init__(self, transcripts: Iterable[Transcript], paths: Sequence[str], source: str = "transcript") -> None:
        self._source = source
        self._edits: dict[str, list[tuple[Transcript, list[Edit], list[Edit]]]] = {}
        by_name: dict[str, list[str]] = {}
        for path in paths:
            by_name.setdefault(path.rpartition("/")[2], []).append(path)
        for transcript in sorted(transcripts, key=lambda t: t.started, reverse=True):
            edits_of, strays = _by_path(transcript, by_name)
            for path in paths:
                if path in edits_of or strays:
                    self._edits.setdefault(path, []).append((transcript, edits_of.get(path, []), strays))

    def claims(self, path: str, targets: Sequence[Target]) -> list[LineClaim]:
        """The lines that a session wrote, as runs in line order for each session, the latest session first."""
        found: list[LineClaim] = []
        texts = [_plain(target.text) for target in targets]
        for transcript, edits, strays in self._edits.get(path, ()):
            aligned = _align(edits, texts)
            _align_moved(strays, texts, aligned)
            found += self._claims(transcript, aligned, targets)
        return found

    # Private

    def _claims(
        self, transcript: Transcript, aligned: Mapping[int, tuple[Edit, bool]], targets: Sequence[Target]
    ) -> list[LineClaim]:
        claims: list[LineClaim] = []
        for index, (edit, by_user) in sorted(aligned.items(), key=lambda item: item[0]):
            line = targets[index].line
            origin = Origin(
                writer="mixed" if by_user else "ai",
                evidence="E3",
                tool=transcript.tool,
                model=edit.model,
                session=transcript.id,
                prompt=edit.prompt,
                role="author",
                source=self._source,
            )
            if claims and claims[-1].last + 1 == line and claims[-1].origin == origin:
                claims[-1] = LineClaim(claims[-1].first, line, origin)
            else:
                claims.append(LineClaim(line, line, origin))
        return claims


class Replays:
    """What sessions say about the lines of several files: those of the whole change, and those of single commits."""

    def __init__(
        self,
        whole: Sequence[Transcript],
        by_commit: Mapping[str, Sequence[Transcript]],
        runs: Mapping[bytes, Sequence[LineRun]],
    ) -> None:
        self._whole = Replay(whole, [show_path(path) for path in runs])
        places: dict[str, set[str]] = {}
        for run in (run for of_file in runs.values() for run in of_file if run.commit in by_commit):
            places.setdefault(run.commit, set()).add(show_path(run.path))
        self._by_commit = {
            commit: Replay(by_commit[commit], sorted(paths), "Entire checkpoint") for commit, paths in places.items()
        }

    def claims(self, path: bytes, runs: Sequence[LineRun], lines: Mapping[int, bytes]) -> list[LineClaim]:
        """Claims about the lines of one file, by their numbers in it."""
        found = self._whole.claims(show_path(path), [Target(line, text) for line, text in lines.items()])
        groups: dict[tuple[str, bytes], list[Target]] = {}
        for run in runs:
            if run.commit in self._by_commit:
                inside = range(run.line, run.line + run.count)
                targets = [Target(line, lines[line]) for line in inside if line in lines]
                groups.setdefault((run.commit, run.path), []).extend(targets)
        for (commit, place), targets in groups.items():
            found += self._by_commit[commit].claims(show_path(place), targets)
        return found


# Private


def _by_path(transcript: Transcript, by_name: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[Edit]], list[Edit]]:
    """The edits of each changed file, and those of files that the change does not name: they may have been moved."""
    found: dict[str, list[Edit]] = {}
    strays: list[Edit] = []
    folder = transcript.folder.replace("\\", "/")
    for edit in transcript.edits:
        written = edit.path.replace("\\", "/")
        candidates = by_name.get(written.rpartition("/")[2], ())
        path = _same_file(written, folder, candidates) if candidates else ""
        if path:
            found.setdefault(path, []).append(edit)
        else:
            strays.append(edit)
    return found, strays


def _same_file(written: str, folder: str, candidates: Sequence[str]) -> str:
    """The changed file that a session's path means; "" for none.

    With the session's folder the rest of the path decides; a file at the top of the repository is then only taken for
    one at the top of the folder, so that README.md is not every README.md.
    """
    relative = _below(written, folder)
    if relative in candidates:
        return relative
    full = f"{folder.rstrip('/')}/{relative}" if relative and folder else f"/{written}"
    fitting = [c for c in candidates if full.endswith(f"/{c}") and ("/" in c or not relative)]
    return max(fitting, key=len, default="")


def _below(written: str, folder: str) -> str:
    if not written.startswith("/") and not (len(written) > 1 and written[1] == ":"):
        return str(PurePosixPath(written))
    return written[len(folder) + 1 :] if folder and written.startswith(f"{folder.rstrip('/')}/") else ""


def _align(edits: Sequence[Edit], texts: Sequence[str]) -> dict[int, tuple[Edit, bool]]:
    """Index of an added line to the edit that wrote it last, and whether the user changed the line there."""
    count = Counter(texts)
    quiet = {text for text, n in count.items() if n > COMMON or _visible(text) < TELLING}
    matcher = SequenceMatcher(lambda text: text in quiet, "", texts, autojunk=False)
    positions: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        positions.setdefault(text, []).append(index)
    found: dict[int, tuple[Edit, bool]] = {}
    for edit in edits:
        by_user = {_normal(line) for line in edit.by_user}
        for block in edit.blocks:
            plain = [_normal(line) for line in block]
            if positions.keys().isdisjoint(line for line in plain if line not in quiet):
                continue
            for index in _laid(matcher, plain, positions, quiet, found):
                found[index] = (edit, texts[index] in by_user)
    return found


def _align_moved(strays: Sequence[Edit], texts: Sequence[str], found: dict[int, tuple[Edit, bool]]) -> None:
    """Adds lines that stand, many in a row, in an edit to a file that now has another name."""
    telling = {text for text in texts if _visible(text) >= TELLING_ALONE}
    matcher = SequenceMatcher(lambda text: text not in telling, "", texts, autojunk=False)
    for edit in strays if len(telling) >= MOVED else ():
        by_user = {_normal(line) for line in edit.by_user}
        for block in edit.blocks:
            plain = [_normal(line) for line in block]
            if len(telling.intersection(plain)) < MOVED:
                continue
            matcher.set_seq1(plain)
            for start, first, size in matcher.get_matching_blocks():
                if sum(line in telling for line in plain[start : start + size]) >= MOVED:
                    for index in range(first, first + size):
                        found.setdefault(index, (edit, texts[index] in by_user))


def _laid(
    matcher: SequenceMatcher[str],
    block: Sequence[str],
    positions: Mapping[str, Sequence[int]],
    quiet: set[str],
    taken: Mapping[int, object],
) -> Iterator[int]:
    matcher.set_seq1(block)
    left = set(range(len(block)))
    used: set[int] = set()
    for start, first, size in matcher.get_matching_blocks():
        yield from range(first, first + size)
        used.update(range(first, first + size))
        left.difference_update(range(start, start + size))
    for index in sorted(left):
        text = block[index]
        if text in quiet or _visible(text) < TELLING_ALONE:
            continue
        free = next((p for p in positions.get(text, ()) if p not in used and p not in taken), None)
        if free is not None:
            used.add(free)
            yield free


def _plain(text: bytes) -> str:
    return _normal(text.decode("utf-8", "backslashreplace"))


def _normal(text: str) -> str:
    return " ".join(text.split())


def _visible(text: str) -> int:
    return len(text) - text.count(" ")
