"""The words of a backtest: changes of the past with what became of them, and the figures of rules over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.facts import Facts
from tidegate.policy.verdict import Effect, Mode

Held: TypeAlias = Literal["idle", "met", "held", "unjudged"]
"""What a rule would have done with a change: not applied; applied and been satisfied; asked for something that was not
there, or that is not known to have been there; or it could not be judged, as a fact is not known of the past."""


class Fate(Struct, frozen=True):
    """What became of a change. `confidence` is how sure the source is; `known_at` is in Unix seconds, -1 for never.

    `matured` says that the change is old enough: had it needed repair, that would probably be known by now. `incident`
    says that production counts it as the cause of an incident: that is known however young it is.
    """

    repaired: bool
    confidence: float
    source: str
    known_at: int
    matured: bool
    incident: bool = False


class PastChange(Struct, frozen=True):
    """A change that landed at `landed_at` (Unix seconds), with what could be known of it then and what became of it."""

    oid: str
    landed_at: int
    subject: str
    facts: Facts
    fate: Fate


class Share(Struct, frozen=True):
    """`count` of `total`, with Wilson's 95 % interval of the share; all of them 0 where there was nothing to count."""

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.count / self.total if self.total else 0.0


class Ratio(Struct, frozen=True):
    """A ratio with its 95 % interval. `known` is False where too little was counted for one: then all are 0."""

    value: float
    low: float
    high: float
    known: bool = True


class Named(Struct, frozen=True):
    """A change as a report names it."""

    oid: str
    landed_at: int
    subject: str
    source: str


class Unjudged(Struct, frozen=True):
    """Why a rule could not be judged: a fact, how many changes it is missing of, and the reason."""

    path: str
    changes: int
    reason: str


class Figures(Struct, frozen=True):
    """What would have been held of the matured changes that could be judged.

    held        of all of them
    caught      of those that had to be repaired later
    delayed     of those that never were, as far as is known
    precision   of the held ones, those that had to be repaired
    lift        precision against the share of all that had to be repaired; 1 is what chance does
    """

    held: Share
    caught: Share
    delayed: Share
    precision: Share
    lift: Ratio
    hours: float


class RuleFigures(Struct, frozen=True):
    """The same of one rule, and how often it could not be told.

    `satisfied` applied and asked for nothing more. `asking` are those of the held that were held only because nobody
    knows whether what the rule asks for, such as an approval, had been given. `always` says that it held nearly
    everything: such a rule asks, and does not choose. `incidents` are those that it held of the changes that caused an
    incident, young ones too.
    """

    id: str
    title: str
    effect: Effect
    mode: Mode
    figures: Figures
    satisfied: int
    asking: int
    unjudged: int
    reasons: tuple[Unjudged, ...]
    always: bool
    examples: tuple[Named, ...]
    incidents: Share = Share(0, 0, 0.0, 0.0)


class Point(Struct, frozen=True):
    """Held when the measure is above `threshold`: the shares of what would be held, caught and delayed."""

    threshold: float
    held: float
    caught: float
    delayed: float


class Suggestion(Struct, frozen=True):
    """A threshold that was fitted on the first changes (`fitted`) and judged on the later ones (`judged`).

    `against_size` is the difference between what it caught there and what as many changes with the most added lines
    would have caught, with its 95 % interval. `words` says plainly what that is worth.
    """

    threshold: float
    fitted: Figures
    judged: Figures
    against_size: Ratio
    verdict: Literal["useful", "no better than size", "no better than chance", "too few"]
    words: str


class Curve(Struct, frozen=True):
    """One number of the facts as a way to choose: caught against held for every threshold.

    `auc` is the probability that a repaired change has more of it than a harmless one. `used` are thresholds that
    rules of this policy use now, as `RULE`: number.
    """

    measure: str
    changes: int
    auc: Ratio
    points: tuple[Point, ...]
    suggestion: Suggestion | None
    used: Mapping[str, float]


class Month(Struct, frozen=True):
    """The matured changes of one calendar month in UTC (`2025-03`)."""

    month: str
    changes: int
    repaired: int
    held: int
    caught: int


class Period(Struct, frozen=True):
    """Which changes were judged, from when to when they landed. `young` ones are beside these, and in no figure."""

    first_at: int
    last_at: int
    changes: int
    young: int
    repaired: Share
    sources: Mapping[str, int]


class Backtest(Struct, frozen=True):
    """What a policy would have done to the changes of the past.

    `whole` counts a change as held when any enforced rule that can stop one (hold or block) holds it, rules that ask
    everything of everybody (`always`) left out; `whole_with_always` counts them as well. `incidents` counts the changes
    that caused an incident in production, young ones too, and `let_through` names those that no such rule holds.
    """

    policy: str
    policy_digest: str
    period: Period
    rules: tuple[RuleFigures, ...]
    whole: Figures
    whole_with_always: Figures
    missed: tuple[Named, ...]
    curves: tuple[Curve, ...]
    months: tuple[Month, ...]
    incidents: Share = Share(0, 0, 0.0, 0.0)
    let_through: tuple[Named, ...] = ()


class Comparison(Struct, frozen=True):
    """Two policies over the same changes. The lists name repaired changes that only one of them holds, newest first.

    `more` and `fewer` count changes that only the second, or only the first, would have held.
    """

    first: Backtest
    second: Backtest
    more: Figures
    fewer: Figures
    only_first: tuple[Named, ...]
    only_second: tuple[Named, ...]
    always_differs: tuple[str, ...]
