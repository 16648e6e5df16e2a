"""Runs what fails on sources without a change, or on those of an earlier revision, in temporary folders.

It runs a command of the repository with the caller's rights; nothing of the repository is written to. A change is taken
out by a three-way merge. Tests, data and configuration stay those of the deployed revision.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.diff import read_commit_diffs
from tidegate.change.git import Repository
from tidegate.change.meaning import describe_files
from tidegate.change.values import FileChange
from tidegate.operate.batch import Batch
from tidegate.operate.failures import Failures, Outcome, compare, overall, read_failures, texts_of
from tidegate.operate.new_tests import new_tests
from tidegate.reach.entries.places import is_test
from tidegate.settings import Settings
from tidegate.verify.failbefore.overlay import bring_along
from tidegate.verify.runner import Entry, Limits, Ran, lay_out, list_tree, python_roots, run_limited

Kind: TypeAlias = Literal["without", "at"]


class Command(Struct, frozen=True):
    """What is replayed, in a folder with the sources; `{folder}` in a word or a variable's value stands for it."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    seconds: float = 120.0


class Replay(Struct, frozen=True, kw_only=True):
    """One replay: the sources without the change `of`, or those at the revision `of`, and what became of the command.

    `same`: it fails as it did. `other`: it fails in another way, or cannot run, or its tests differ; `outcomes` has
    each of them by name. `clean` is False where taking the change out took lines of others along.
    """

    kind: Kind
    of: str
    outcome: Outcome
    clean: bool = True
    seconds: float = 0.0
    outcomes: Mapping[str, Outcome] = {}


class Replays:
    """A failing command, and the sources that it is replayed on. Making it runs the command as deployed: `first`, and
    where that fails once more. `new` are the failing tests that are younger than the revision before.

    Raises InputError where the command cannot be started.
    """

    def __init__(self, repository: Repository, batch: Batch, command: Command) -> None:
        self.batch = batch
        self._repository, self._command = repository, command
        self._rough: set[str] = set()
        self._taken_out: dict[str, Mapping[str, Entry | bytes] | None] = {}
        self._deployed: dict[str, Entry | bytes] = dict(list_tree(repository, batch.deployed))
        self.first = self._run(self._deployed)
        self._failures = self._steady(read_failures(self.first))
        self.new = new_tests(repository, batch, texts_of(self.first))

    def replay(self, kind: Kind, of: str) -> Replay | None:
        """One replay, None where the sources would be those that are deployed."""
        listing = self._without(of) if kind == "without" else self._at(of)
        if listing is None:
            return None
        ran = self._run(listing)
        clean = kind == "at" or of not in self._rough
        told = compare(self._failures, ran)
        return Replay(kind=kind, of=of, outcome=overall(told), clean=clean, seconds=ran.seconds, outcomes=told)

    def is_clean(self, of: str) -> bool:
        """Whether a change can be taken out of the deployed sources without lines of others."""
        self._without(of)
        return of not in self._rough

    def _steady(self, failures: Failures) -> Failures:
        """Those that are told alike when the deployed sources run once more: what varies by itself tells nothing. All
        where none is."""
        if self.first.exit_code == 0:
            return failures
        again = read_failures(self._run(self._deployed))
        kept = {name: told for name, told in failures.told.items() if again.told.get(name) == told}
        return Failures(kept, failures.passed, failures.broken) if kept else failures

    def _run(self, listing: Mapping[str, Entry | bytes]) -> Ran:
        with tempfile.TemporaryDirectory(prefix="tidegate-replay-", ignore_cleanup_errors=True) as scratch:
            folder = Path(scratch).resolve() / "tree"
            folder.mkdir()
            lay_out(self._repository, {p: e for p, e in listing.items() if isinstance(e, Entry)}, folder)
            for path, content in listing.items():
                if isinstance(content, bytes):
                    _write(folder, path, content)
            if self._repository.path != self._repository.git_dir:
                bring_along(self._repository.path, dict.fromkeys(listing, Entry(0, "")), (folder,), ())
            filled = [word.replace("{folder}", str(folder)) for word in self._command.words]
            environment = {k: v.replace("{folder}", str(folder)) for k, v in self._command.environment.items()}
            roots = [str(folder / root) if root else str(folder) for root in python_roots(listing)]
            environment["PYTHONPATH"] = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH", "")]), *roots])
            return run_limited(filled, folder, environment, Limits(seconds=self._command.seconds))

    def _at(self, revision: str) -> Mapping[str, Entry | bytes] | None:
        """The sources of that revision with everything else as it was deployed."""
        there = list_tree(self._repository, revision)
        both = self._deployed.keys() | there.keys()
        mixed: dict[str, Entry | bytes] = {}
        for path in both:
            chosen = there.get(path) if _is_source(path) else self._deployed.get(path)
            if chosen is not None:
                mixed[path] = chosen
        return mixed if mixed != self._deployed else None

    def _without(self, oid: str) -> Mapping[str, Entry | bytes] | None:
        if oid not in self._taken_out:
            self._taken_out[oid] = self._take_out_all(oid)
        return self._taken_out[oid]

    def _take_out_all(self, oid: str) -> Mapping[str, Entry | bytes] | None:
        diff = next(iter(read_commit_diffs(self._repository, [oid])))
        files = describe_files(diff.files, Settings()).files
        changed = dict(self._deployed)
        for file in files:
            self._take_out(file, changed, oid)
        return changed if changed != self._deployed else None

    def _take_out(self, file: FileChange, changed: dict[str, Entry | bytes], oid: str) -> None:
        path, old = (name.decode("utf-8", "surrogateescape") for name in (file.path, file.old_path))
        here = self._deployed.get(path)
        if not _is_source(path) or not file.by_hand:
            return
        if file.status == "deleted":
            changed.setdefault(path, Entry(file.old_mode, file.old_oid))
        elif not isinstance(here, Entry):
            return
        elif file.status == "added":
            if here.oid == file.new_oid:
                del changed[path]
            else:
                self._rough.add(oid)  # others have built on it: what they added goes with it
                del changed[path]
        else:
            merged, clean = self._merged(here.oid, file)
            if old != path:
                changed.setdefault(old, merged)
            changed[path] = merged
            if not clean:
                self._rough.add(oid)

    def _merged(self, ours: str, file: FileChange) -> tuple[bytes, bool]:
        """The deployed file with the commit's hunks taken out; where later lines touch them, they go too."""
        contents = [blob.content for blob in self._repository.read_blobs([ours, file.new_oid, file.old_oid])]
        with tempfile.TemporaryDirectory(prefix="tidegate-merge-", ignore_cleanup_errors=True) as scratch:
            names = []
            for name, content in zip(("ours", "base", "theirs"), contents, strict=True):
                (Path(scratch) / name).write_bytes(content)
                names.append(str(Path(scratch) / name))
            plain = self._repository.run("merge-file", "-p", *names, ok=tuple(range(256)))
            if not re.search(rb"^<{7} ", plain, re.MULTILINE):
                return plain, True
            return self._repository.run("merge-file", "-p", "--theirs", *names, ok=tuple(range(256))), False


def _write(folder: Path, path: str, content: bytes) -> None:
    """One file more, unless a link of the tree would lead it out of the folder."""
    target = folder / path
    if target.parent.resolve().is_relative_to(folder) and not target.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _is_source(path: str) -> bool:
    suffix = path.rpartition(".")[2].lower()
    return not is_test(path) and suffix not in _NOT_SOURCE


_NOT_SOURCE = frozenset("md rst txt toml cfg ini lock yml yaml".split())
