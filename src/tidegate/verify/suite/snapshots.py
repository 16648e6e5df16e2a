"""Snapshot files that a change rewrites wholesale: nobody reads them then, and they hold whatever the code returns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tidegate.change.values import show_path
from tidegate.verify.suite.weakened import Weakening
from tidegate.verify.values import Subject

FEWEST = 4
SHARE = 0.5
LARGEST_BYTES = 5 << 20


def rewritten(subject: Subject) -> Iterator[Weakening]:
    """A finding for each snapshot file of which the change gives most entries another content."""
    known = {file.path.decode("utf-8", "surrogateescape"): file for file in subject.change.files}
    pairs = [
        pair
        for pair in subject.trees.changed
        if pair.before and pair.after and pair.after.endswith(_SUFFIXES) and not known[pair.path].vendored
    ]
    old = subject.trees.before.read([pair.before for pair in pairs])
    new = subject.trees.after.read([pair.after for pair in pairs])
    for pair in pairs:
        before, after = old.get(pair.before, b""), new.get(pair.after, b"")
        if max(len(before), len(after)) > LARGEST_BYTES:
            continue
        was, now = entries(before), entries(after)
        changed = [name for name in was if name in now and was[name] != now[name]]
        if len(changed) >= FEWEST and len(changed) > SHARE * len(was):
            words = f"{len(changed)} of {len(was)} snapshots are rewritten at once"
            mend = "say in the description what changed in all of them and that somebody looked"
            path = show_path(known[pair.path].path)
            yield Weakening("snapshot-rewritten", "low", words, path, 0, mend)
    yield from _folders(subject, [pair.before for pair in pairs if len(entries(old.get(pair.before, b""))) < 2])


def entries(content: bytes) -> dict[str, str]:
    """The snapshots of a file of jest, vitest or syrupy by their names."""
    text = content.decode("utf-8", "replace")
    starts = list(_ENTRY.finditer(text))
    if not starts:
        return {}
    ends = [one.start() for one in starts[1:]] + [len(text)]
    return {one[0]: text[one.end() : end] for one, end in zip(starts, ends, strict=True)}


# Private


def _folders(subject: Subject, changed: list[str]) -> Iterator[Weakening]:
    """A finding for each folder of which most snapshots, each a file of its own as insta keeps them, are rewritten."""
    for folder, count in sorted(Counter(path.rpartition("/")[0] for path in changed).items()):
        if count < FEWEST:
            continue
        all_of = sum(
            path.rpartition("/")[0] == folder and path.endswith(_SUFFIXES) for path in subject.trees.before.paths()
        )
        if count > SHARE * all_of:
            words = f"{count} of {all_of} snapshots in {folder or 'the root'} are rewritten at once"
            mend = "say in the description what changed in all of them and that somebody looked"
            first = min(path for path in changed if path.rpartition("/")[0] == folder)
            yield Weakening("snapshot-rewritten", "low", words, first, 0, mend)


_SUFFIXES = (".snap", ".ambr")
_ENTRY = re.compile(r"^(?:exports\[`(?:[^`\\]|\\.)*`\]|# name: .*$)", re.MULTILINE)
