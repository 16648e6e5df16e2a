"""What replays make of the probabilities of changes, and which replay would tell most.

A failing test says nothing of a fault where it cannot work at all: at a revision older than what it tests. So each test
is thought to need something: that is older than the batch, came with the culprit itself, or came with another change.
Without it the test fails in another way, or, more rarely, in the very same way. Both are states beside the culprit, and
Bayes counts them with it: that a test fails as before at every older revision speaks for older code only as far as the
test worked there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from tidegate.operate.batch import Batch
from tidegate.operate.failures import WHOLE, Outcome
from tidegate.operate.replays import Kind, Replay

Array: TypeAlias = npt.NDArray[np.float64]

NONE = ""
MOST_SINGLE = 12
"""Changes, the most probable first, that are worth taking out alone."""
MOST_REVISIONS = 64
MOST_HISTORIES = 4
LEAST_GAIN = 1e-3
"""Bits; a replay that is expected to tell less is not made."""
OUTCOMES: tuple[Outcome, ...] = ("same", "passed", "other")

NEEDS = (0.50, 0.30, 0.20)
NEEDS_OF_NEW = (0.10, 0.50, 0.40)
"""What a test needs: nothing of the batch, the culprit, or one of the others (all alike). A test that is younger than
the revision before needs something of the batch more often."""
SAME_WITHOUT = 0.30
"""How often a test that lacks what it needs fails just as it does for the fault."""
LIKELY_LACKING = {"same": np.array([0.95, 0.01, 0.04]), "other": np.array([0.04, 0.03, 0.93])}
LIKELY_WITHOUT_CULPRIT = np.array([0.03, 0.92, 0.05])
LIKELY_WITH_CULPRIT = np.array([0.93, 0.005, 0.065])
LIKELY_ROUGH = np.array([0.06, 0.12, 0.82])
"""Of sources that lines of others were taken out of as well; it counts `ROUGH` of the whole."""
ROUGH = 0.55


class Action(Struct, frozen=True):
    """A replay that could be made."""

    kind: Kind
    of: str


class Beliefs:
    """The probabilities of a batch's changes, and of none of them, before and after replays."""

    def __init__(self, batch: Batch, start: Mapping[str, float], new: frozenset[str] = frozenset()) -> None:
        self.batch = batch
        self._new = new
        self.names = tuple(sorted(start, key=lambda name: (-start[name], name)))
        self._start = np.array([start[name] for name in self.names])
        self._order = [change.commit.oid for change in batch.changes]
        step = max(1, -(-len(self._order) // MOST_REVISIONS))
        self._blocks = [self._order[at : at + step] for at in range(0, len(self._order), step)]
        self._needs = {is_new: self._prior(*(NEEDS_OF_NEW if is_new else NEEDS)) for is_new in (False, True)}

    def after(self, done: Sequence[Replay]) -> dict[str, float]:
        """Change to probability."""
        return dict(zip(self.names, self._weigh(done)[0].tolist(), strict=True))

    def best(
        self, done: Sequence[Replay], dead: Iterable[Action], is_clean: Callable[[str], bool] = lambda _: True
    ) -> Action | None:
        """The replay that is expected to leave the least doubt, None where nothing is left to learn. `is_clean` tells
        whether a change can be taken out without lines of others."""
        chances, states = self._weigh(done)
        doubt, refused = _entropy(chances[:, None])[0], set(dead)
        place = {name: at for at, name in enumerate(self.names)}
        gains = []
        for at, action in enumerate(self._actions(chances)):
            if action in refused:
                continue
            clean = action.kind == "at" or is_clean(action.of)
            table, gain = self._table(self._gone(action), clean=clean), 0.0
            for needs in states:
                joint = chances[:, None] * (needs[..., None] * table).sum(axis=(1, 2))
                whole = joint.sum(axis=0)
                gain = max(gain, doubt - float(whole @ _entropy(joint / np.maximum(whole, 1e-300))))
            # A change that may be convicted outright is worth a little more than what narrows it down.
            bonus = 0.3 * float(chances[place[action.of]]) if action.kind == "without" and clean else 0.0
            gains.append((gain + bonus, -at, action))
        gain, _, action = max(gains, default=(0.0, 0, Action("at", "")), key=lambda one: one[:2])
        return action if gain > LEAST_GAIN else None

    # Private

    def _prior(self, older: float, own: float, other: float) -> Array:
        """Culprit x what the test needs (older, the culprit, a block) x how it fails without it (same, other)."""
        blocks = len(self._blocks)
        needs = np.empty((len(self.names), 2 + blocks))
        needs[:, 0], needs[:, 1], needs[:, 2:] = older, own, other / max(blocks, 1)
        none = [at for at, name in enumerate(self.names) if name == NONE]
        needs[none, 0], needs[none, 1] = older + own, 0.0
        return np.asarray(needs[:, :, None] * np.array([SAME_WITHOUT, 1 - SAME_WITHOUT]))

    def _weigh(self, done: Sequence[Replay]) -> tuple[Array, list[Array]]:
        """The probabilities, and for each history of outcomes what the tests may need, given the culprit. Tests that
        did the same in every replay count as one: they tell one thing."""
        log, states = np.log(np.maximum(self._start, 1e-300)), []
        for is_new, history in _histories(done, self._new):
            needs = self._needs[is_new]
            for made, outcome in zip(done, history, strict=True):
                table = self._table(self._gone(Action(made.kind, made.of)), clean=made.clean)
                needs = needs * table[..., OUTCOMES.index(outcome)]
            likely = needs.sum(axis=(1, 2))
            log = log + np.log(np.maximum(likely, 1e-300))
            states.append(needs / np.maximum(likely, 1e-300)[:, None, None])
        chances = np.exp(log - log.max())
        return chances / chances.sum(), states

    def _gone(self, action: Action) -> frozenset[str]:
        """The changes that are not in the replayed sources."""
        if action.kind == "without":
            return frozenset((action.of,))
        return frozenset(self._order) - self.batch.ancestors.get(action.of, frozenset())

    def _table(self, gone: frozenset[str], *, clean: bool = True) -> Array:
        """How probable each outcome is: culprit x needs x how it fails without x outcome."""
        absent = np.array([name in gone for name in self.names])
        lacking = np.empty((len(self.names), 2 + len(self._blocks)), dtype=bool)
        lacking[:, 0], lacking[:, 1] = False, absent
        lacking[:, 2:] = [not gone.isdisjoint(block) for block in self._blocks]
        works = np.where(absent[:, None], LIKELY_WITHOUT_CULPRIT, LIKELY_WITH_CULPRIT)[:, None, None]
        fails = np.stack([LIKELY_LACKING["same"], LIKELY_LACKING["other"]])[None, None]
        table = np.where(lacking[:, :, None, None], fails, works)
        return np.asarray(table if clean else (1 - ROUGH) * table + ROUGH * LIKELY_ROUGH)

    def _actions(self, chances: Array) -> list[Action]:
        likely = [self.names[at] for at in np.argsort(-chances, kind="stable") if self.names[at]][:MOST_SINGLE]
        place = {oid: at for at, oid in enumerate(self._order)}
        beside = {place[oid] + step for oid in likely for step in (0, 1)}
        spread = {place[block[0]] for block in self._blocks}
        revisions = [self._order[at] for at in sorted(beside | spread) if 0 < at < len(self._order)]
        singles = [Action("without", oid) for oid in likely]
        return [*singles, *(Action("at", oid) for oid in revisions), Action("at", self.batch.previous)]


# Private


def _histories(done: Sequence[Replay], new: frozenset[str]) -> Iterator[tuple[bool, tuple[Outcome, ...]]]:
    """The different histories of outcomes that tests had, and whether the tests are new; those of most tests first."""
    names = sorted({name for made in done for name in made.outcomes} or new) or [WHOLE]
    seen: dict[tuple[bool, tuple[Outcome, ...]], int] = {}
    for name in names:
        history = (name in new, tuple(made.outcomes.get(name, made.outcome) for made in done))
        seen[history] = seen.get(history, 0) + 1
    yield from sorted(seen, key=lambda history: (-seen[history], history))[:MOST_HISTORIES]


def _entropy(chances: Array) -> Array:
    """Bits, of each column."""
    return np.asarray(-(chances * np.log2(np.maximum(chances, 1e-300))).sum(axis=0))
