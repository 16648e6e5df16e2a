"""Active proof: replay what fails on sources without a candidate change, and see whether it still fails.

It runs a command of the repository with the caller's rights, in temporary folders; nothing of the repository is
written to. Two kinds of replay: the deployed sources without one change (a three-way merge takes it out), and the
sources of an earlier revision of the batch. Tests stay those of the deployed revision in both. After each replay the
probabilities are what Bayes makes of them, and the next one is the one that is expected to tell most.

A change is `proved` when what failed passes without it and with all others, or passes at its parent and fails at it.
Everything else is inferred.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.diff import read_commit_diffs
from tidegate.change.git import Repository
from tidegate.change.meaning import describe_files
from tidegate.change.values import FileChange
from tidegate.operate.batch import Batch
from tidegate.operate.frames import read_traces
from tidegate.operate.values import Ranking
from tidegate.reach.entries.places import is_test
from tidegate.settings import Settings
from tidegate.verify.failbefore.overlay import bring_along
from tidegate.verify.runner import Entry, Limits, Ran, lay_out, list_tree, python_roots, run_limited

Outcome: TypeAlias = Literal["same", "passed", "other"]
Kind: TypeAlias = Literal["without", "at"]

MOST_REPLAYS = 6
MOST_SINGLE = 12
"""Changes, the most probable first, that are worth taking out alone."""
SURE = 0.995
NONE = ""


class Command(Struct, frozen=True):
    """What is replayed, in a folder with the sources; `{folder}` in a word or a variable's value stands for it."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    seconds: float = 120.0


class Replay(Struct, frozen=True, kw_only=True):
    """One replay: the sources without the change `of`, or those at the revision `of`, and what became of the command.

    `same`: it fails as it did. `other`: it fails in another way, or cannot run. `clean` is False where taking the
    change out took lines of others along.
    """

    kind: Kind
    of: str
    outcome: Outcome
    clean: bool = True
    seconds: float = 0.0


class Proof(Struct, frozen=True, kw_only=True):
    """The probabilities after the replays, most probable first, with "" for none of the changes.

    `proved` is the change that a replay convicts, "" where all is inferred; `note` says why nothing was replayed.
    """

    probabilities: tuple[tuple[str, float], ...]
    replays: tuple[Replay, ...]
    proved: str = ""
    note: str = ""


def prove(replays: Replays, ranking: Ranking, *, most: int = MOST_REPLAYS) -> Proof:
    """Replay a failing command at most `most` times to find which change it fails for.

    The run on the deployed sources does not count; where the command passes there, nothing can be proved.
    """
    if replays.first.exit_code == 0:
        chances = start_of(ranking)
        return Proof(probabilities=_ranked(chances), replays=(), note="it passes at the deployed revision")
    return search(replays.batch, start_of(ranking), replays.replay, most=most)


def start_of(ranking: Ranking) -> dict[str, float]:
    """Change to probability, with "" for none of them."""
    return {suspect.change: suspect.probability for suspect in ranking.suspects} | {NONE: ranking.none}


def search(
    batch: Batch, start: Mapping[str, float], replay: Callable[[Kind, str], Replay | None], *, most: int = MOST_REPLAYS
) -> Proof:
    """The same over any way to replay; one that answers None could not be set up, and is not counted."""
    states = states_of(start)
    done: list[Replay] = []
    dead: set[tuple[Kind, str]] = set()
    proved = ""
    while len(done) < most and not proved:
        best = _best(batch, states, dead)
        if best is None:
            break
        dead.add(best)
        made = replay(*best)
        if made is None:
            continue
        done.append(made)
        states = updated(batch, states, made)
        proved = _convicted(batch, done)
    chances = chances_of(states)
    if proved:
        rest = 1 - chances.get(proved, 0.0)
        scale = (1 - SURE) / rest if rest > 1 - SURE else 1.0
        chances = {name: chance * scale for name, chance in chances.items() if name != proved}
        chances[proved] = 1 - math.fsum(chances.values())
    return Proof(probabilities=_ranked(chances), replays=tuple(done), proved=proved)


States: TypeAlias = Mapping[tuple[str, bool], float]
"""Change, and whether its fault only undoes what it was to mend, to probability. Without such a change it fails as
before: that it still fails then acquits nobody of having failed to mend it."""


def states_of(chances: Mapping[str, float]) -> States:
    """The states before any replay."""
    states: dict[tuple[str, bool], float] = {}
    for name, chance in chances.items():
        share = UNMENDED if name else 0.0
        states[name, False] = chance * (1 - share)
        if name:
            states[name, True] = chance * share
    return states


def chances_of(states: States) -> dict[str, float]:
    """Change to probability."""
    found: dict[str, float] = {}
    for (name, _), chance in states.items():
        found[name] = found.get(name, 0.0) + chance
    return found


def updated(batch: Batch, states: States, made: Replay) -> States:
    """The probabilities after one replay."""
    gone = _gone(batch, made.kind, made.of)
    new = {state: chance * _likely(made.kind, state, gone)[made.outcome] for state, chance in states.items()}
    whole = math.fsum(new.values())
    return {state: chance / whole for state, chance in new.items()} if whole > 0 else dict(states)


LIKELY: Mapping[Kind, Mapping[bool, Mapping[Outcome, float]]] = {
    "without": {
        True: {"same": 0.04, "passed": 0.56, "other": 0.40},
        False: {"same": 0.94, "passed": 0.01, "other": 0.05},
    },
    "at": {
        True: {"same": 0.06, "passed": 0.24, "other": 0.70},
        False: {"same": 0.52, "passed": 0.02, "other": 0.46},
    },
}
"""How probable each outcome is when the culprit is among what was taken out (True), and when it is not.

Set after what replays of planted faults in the projects of the fit gave (64 replays); that an earlier revision fails in
another way is said by many of them at once, so it is believed less than each alone would deserve.
"""
UNMENDED = 0.12
STILL_BROKEN: Mapping[Outcome, float] = {"same": 0.90, "passed": 0.01, "other": 0.09}
"""The same for a culprit that is taken out and whose fault only undoes what it was to mend."""


def signature(ran: Ran) -> str:
    """What a failure is told by: the kinds and messages of its exceptions, without addresses, lines, times."""
    traces = read_traces(ran.output)
    told = [f"{trace.kind}: {trace.message}" for trace in traces]
    told += [line[1:].strip() for line in ran.output.split("\n") if line.startswith("E  ")]
    if not told:
        told = [f"exit {ran.exit_code}", *ran.output.strip().split("\n")[-3:]]
    text = "\n".join(told)
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def outcome_of(ran: Ran, failing: str) -> Outcome:
    """What became of a replay beside the failure that is looked for."""
    if ran.exit_code == 0 and not ran.timed_out:
        return "passed"
    return "same" if not ran.timed_out and signature(ran) == failing else "other"


# Private

_VARYING = (
    (re.compile(r"0x[0-9a-fA-F]{4,}"), "0x"),
    (re.compile(r"\S*/tidegate-replay-\w+/tree"), ""),
    (re.compile(r"\bline \d+"), "line"),
    (re.compile(r":\d+(?=[:\s]|$)"), ":"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:s|ms|seconds)\b"), "0s"),
)


def _ranked(chances: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(chances.items(), key=lambda item: (-item[1], item[0])))


def _gone(batch: Batch, kind: Kind, of: str) -> frozenset[str]:
    """The changes that are not in the replayed sources."""
    if kind == "without":
        return frozenset((of,))
    return frozenset(batch.ancestors) - batch.ancestors.get(of, frozenset())


def _likely(kind: Kind, state: tuple[str, bool], gone: frozenset[str]) -> Mapping[Outcome, float]:
    name, unmended = state
    return STILL_BROKEN if unmended and name in gone else LIKELY[kind][name in gone]


def _best(batch: Batch, states: States, dead: set[tuple[Kind, str]]) -> tuple[Kind, str] | None:
    """The replay that is expected to leave the least doubt (in bits), None where nothing is left to learn."""
    chances = chances_of(states)
    ordered = [name for name, _ in _ranked(chances) if name]
    actions: list[tuple[Kind, str]] = [("without", name) for name in ordered[:MOST_SINGLE]]
    actions += [("at", change.commit.oid) for change in batch.changes[1:]]
    doubt = _entropy(chances.values())
    gains = []
    for at, action in enumerate(actions):
        if action in dead:
            continue
        gone = _gone(batch, *action)
        left = math.fsum(_left(states, action[0], gone, outcome) for outcome in _OUTCOMES)
        # A change that may be convicted outright is worth a little more than what narrows it down.
        bonus = 0.3 * chances[action[1]] if action[0] == "without" else 0.0
        gains.append((doubt - left + bonus, -at, action))
    if not gains:
        return None
    gain, _, action = max(gains)
    return action if gain > 1e-4 else None


_OUTCOMES: tuple[Outcome, ...] = ("same", "passed", "other")


def _left(states: States, kind: Kind, gone: frozenset[str], outcome: Outcome) -> float:
    """The doubt that is left after an outcome, times its probability."""
    found: dict[str, float] = {}
    for state, chance in states.items():
        found[state[0]] = found.get(state[0], 0.0) + chance * _likely(kind, state, gone)[outcome]
    whole = math.fsum(found.values())
    return whole * _entropy([chance / whole for chance in found.values()]) if whole > 0 else 0.0


def _entropy(chances: Iterable[float]) -> float:
    return -math.fsum(chance * math.log2(chance) for chance in chances if chance > 0)


def _convicted(batch: Batch, done: list[Replay]) -> str:
    """The change that it passes without, or that alone lies between a revision where it passes and one where not."""
    for made in done:
        if made.kind == "without" and made.outcome == "passed" and made.clean:
            return made.of
    everything = frozenset(batch.ancestors)
    held = {made.of: batch.ancestors.get(made.of, frozenset()) for made in done if made.kind == "at"}
    failing = [held[m.of] for m in done if m.kind == "at" and m.outcome == "same"] + [everything]
    passing = [held[m.of] for m in done if m.kind == "at" and m.outcome == "passed"]
    for without in passing:
        for with_it in failing:
            between = with_it - without
            if without < with_it and len(between) == 1:
                return next(iter(between))
    return ""


class Replays:
    """A failing command, and the sources that it is replayed on. Making it runs the command as deployed: `first`.

    Raises InputError where the command cannot be started.
    """

    def __init__(self, repository: Repository, batch: Batch, command: Command) -> None:
        self.batch = batch
        self._repository, self._command = repository, command
        self._rough: set[str] = set()
        self._deployed: dict[str, Entry | bytes] = dict(list_tree(repository, batch.deployed))
        self.first = self._run(self._deployed)
        self._failing = signature(self.first)

    def replay(self, kind: Kind, of: str) -> Replay | None:
        """One replay, None where the sources would be those that are deployed."""
        listing = self._without(of) if kind == "without" else self._at(of)
        if listing is None:
            return None
        ran = self._run(listing)
        clean = kind == "at" or of not in self._rough
        return Replay(kind=kind, of=of, outcome=outcome_of(ran, self._failing), clean=clean, seconds=ran.seconds)

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
