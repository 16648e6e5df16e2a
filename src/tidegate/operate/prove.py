"""Active proof: replay what fails on sources without a candidate change, and see whether it still fails.

Two kinds of replay: the deployed sources without one change, and the sources of an earlier revision; tests stay those
of the deployed revision in both. After each replay the probabilities are what Bayes makes of them (`beliefs.py`), and
the next one is the one that is expected to tell most. It stops when a change is proved, when one answer has `SURE`,
when no replay is expected to tell anything, or when the replays are used up.

A change is `proved` when something that failed passes without it and with all others, or passes at its parent and fails
at it. Everything else is inferred.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from tidegate.operate.batch import Batch
from tidegate.operate.beliefs import Action, Beliefs
from tidegate.operate.replays import Kind, Replay, Replays
from tidegate.operate.values import Ranking

MOST_REPLAYS = 6
SURE = 0.995
CLEAR = 0.8
"""An answer below it is said to stay uncertain."""
NONE = ""


class Proof(Struct, frozen=True, kw_only=True):
    """The probabilities after the replays, most probable first, with "" for none of the changes.

    `proved` is the change that a replay convicts, "" where all is inferred; `note` says why nothing was replayed, or
    that the replays leave it open.
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
    return search(replays.batch, start_of(ranking), replays, most=most)


def start_of(ranking: Ranking) -> dict[str, float]:
    """Change to probability, with "" for none of them."""
    return {suspect.change: suspect.probability for suspect in ranking.suspects} | {NONE: ranking.none}


class Replayer(Protocol):
    """Any way to replay. `replay` answers None where the sources would be those that are deployed, which does not
    count; `is_clean` whether a change can be taken out without lines of others; `new` are the failing tests that are
    younger than the revision before."""

    @property
    def new(self) -> frozenset[str]: ...

    def replay(self, kind: Kind, of: str) -> Replay | None: ...

    def is_clean(self, of: str) -> bool: ...


def search(batch: Batch, start: Mapping[str, float], replayer: Replayer, *, most: int = MOST_REPLAYS) -> Proof:
    """The same over any way to replay."""
    beliefs = Beliefs(batch, start, replayer.new)
    done: list[Replay] = []
    dead: set[Action] = set()
    chances, proved = dict(start), ""
    while len(done) < most and not proved and max(chances.values()) < SURE:
        best = beliefs.best(done, dead, replayer.is_clean)
        if best is None:
            break
        dead.add(best)
        made = replayer.replay(best.kind, best.of)
        if made is not None:
            done.append(made)
            chances = beliefs.after(done)
            proved = _convicted(batch, done)
    if proved:
        rest = 1 - chances.get(proved, 0.0)
        scale = (1 - SURE) / rest if rest > 1 - SURE else 1.0
        chances = {name: chance * scale for name, chance in chances.items() if name != proved}
        chances[proved] = 1 - math.fsum(chances.values())
    ranked = _ranked(chances)
    note = f"{_times(len(done))} no answer clear" if done and ranked[0][1] < CLEAR else ""
    return Proof(probabilities=ranked, replays=tuple(done), proved=proved, note=note)


# Private


def _times(count: int) -> str:
    return f"{count} replays leave" if count > 1 else "one replay leaves"


def _ranked(chances: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(chances.items(), key=lambda item: (-item[1], item[0])))


def _convicted(batch: Batch, done: list[Replay]) -> str:
    """The change that something passes without, or that alone lies between a revision where it passes and one where it
    fails as deployed."""
    for name in dict.fromkeys(name for made in done for name in made.outcomes or {"": made.outcome}):
        outcomes = [(made, made.outcomes.get(name, made.outcome)) for made in done]
        for made, outcome in outcomes:
            if made.kind == "without" and outcome == "passed" and made.clean and "same" not in made.outcomes.values():
                return made.of
        held = {made.of: batch.ancestors.get(made.of, frozenset()) for made in done if made.kind == "at"}
        failing = [held[m.of] for m, outcome in outcomes if m.kind == "at" and outcome == "same"]
        passing = [held[m.of] for m, outcome in outcomes if m.kind == "at" and outcome == "passed"]
        for without in passing:
            for with_it in (*failing, frozenset(batch.ancestors)):
                between = with_it - without
                if without < with_it and len(between) == 1:
                    return next(iter(between))
    return ""
