"""Which candidate is the likeliest cause of what a fix repairs, and how likely each is.

The clues of a candidate are weighed and summed; the sums of all candidates, and that of "none of them", become
probabilities that add up to one (a conditional logit). The weights were fitted on one half of the developer-informed
oracle of Rosa et al. (2021), chosen by the names of its repositories: see `bench/risk/szz.py`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tidegate.change.values import show_path
from tidegate.risk.szz.clues import CLUES, Candidate
from tidegate.risk.values import Suspect, SuspectLines, Trace

NONE = 0.788
"""How much speaks for none of the candidates."""

WEIGHTS: Mapping[str, float] = {
    "share": 0.71,
    "wrote": 0.607,
    "newest": 0.528,
    "moved": 0.873,
    "bare": 0.282,
    "beside": 0.429,
    "age": -0.484,
    "same_author": -0.196,
    "cosmetic": 0.321,
    "bump": -0.33,
    "turn": 0.682,
    "older": 0.306,
    "close": 1.559,
    "touching": 1.271,
    "words": 0.721,
    "size": -0.196,
}

NAMED_FROM = 0.15
SHOWN_FROM = 0.02
MOST_SUSPECTS = 12


def rank(candidates: Sequence[Candidate]) -> tuple[Suspect, ...]:
    """Up to twelve suspects of at least two in a hundred, the likeliest first."""
    found = [
        _suspect(candidate, probability)
        for candidate, probability in zip(candidates, probabilities(candidates), strict=True)
        if probability >= SHOWN_FROM
    ]
    found.sort(key=lambda suspect: (-suspect.confidence, suspect.commit))
    return tuple(found[:MOST_SUSPECTS])


def named(trace: Trace) -> tuple[Suspect, ...]:
    """The one suspect that a trace stands for when a single answer is asked: its first, unless that is too unsure."""
    return trace.suspects[:1] if trace.suspects and trace.suspects[0].confidence >= NAMED_FROM else ()


def probabilities(candidates: Sequence[Candidate]) -> list[float]:
    """How likely each candidate is the cause; what is missing to one is that none of them is."""
    weights = [WEIGHTS[name] for name in CLUES]
    sums = [math.fsum(w * clue for w, clue in zip(weights, c.clues, strict=True)) for c in candidates]
    top = max([NONE, *sums])
    parts = [math.exp(value - top) for value in sums]
    whole = math.fsum([math.exp(NONE - top), *parts])
    return [round(part / whole, 6) for part in parts]


# Private


def _suspect(candidate: Candidate, probability: float) -> Suspect:
    own: dict[bytes, set[int]] = defaultdict(set)
    for blamed in candidate.lines:
        if blamed.line.distance == 0:
            own[blamed.path].add(blamed.line.number)
    lines = tuple(SuspectLines(show_path(path), tuple(sorted(numbers))) for path, numbers in sorted(own.items()))
    return Suspect(candidate.commit, probability, lines, _reasons(candidate))


def _reasons(candidate: Candidate) -> tuple[str, ...]:
    clue = dict(zip(CLUES, candidate.clues, strict=True))
    said = []
    if clue["share"]:
        said.append(f"wrote {clue['share']:.0%} of the code that it changes")
    elif clue["moved"] or clue["bare"]:
        said.append("wrote lines that it moves, or that hold no code")
    elif clue["beside"]:
        said.append("wrote the lines beside what it inserts")
    if clue["turn"] == 1:
        said.append("the last change of these files before it")
    elif clue["turn"] and clue["touching"]:
        said.append("changed the same place lately")
    elif clue["turn"] and not said:
        said.append("changed these files lately")
    if clue["words"] >= _MANY_WORDS:
        said.append("brought or took most of the words that it changes")
    return tuple(said) or ("wrote lines of these files",)


_MANY_WORDS = 0.5
