"""What speaks for or against each change: when it went live, where, in which words, and what it does."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.operate.evidence.diffs import Delta, DiffText, compare, read_diff
from tidegate.operate.evidence.traits import traits_of, weigh
from tidegate.operate.symptoms import words
from tidegate.operate.symptoms.language import Language
from tidegate.operate.symptoms.onset import Onset
from tidegate.operate.symptoms.origin import Origin
from tidegate.operate.values import Evidence
from tidegate.rollout.values import Deployment

AFTER = -4.0
AFTER_SECONDS = 180.0
NEVER_DEPLOYED = -2.5
RECENT = 1.5
RECENT_SECONDS = 1200.0
STALE = -1.0
STALE_SECONDS = 86_400.0
HERE, CALLED, APART, ABOVE = 1.0, 0.3, -0.7, -1.2
LEXICAL = 3.0
LEXICAL_HALF = 6.0
NAMED = 1.2
SUBJECT = 0.5
TIERS = {"net": 1.0, "path": 0.35, "message": 0.25, "around": 0.12}
"""How much a word counts by where it stands in a change: in what the diff did, in paths, in the message, around it."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A change that may have caused it. `at`: when it was made; `diff`: its text, None where nobody could show it.

    `deployment` is the one that first brought it to the environment, None where none is known to carry it. `risk` is
    the probability that was said before the merge. `effects`: what it does to infrastructure, in words. `kind` is
    "commit" or "flag".
    """

    commit: str
    at: float
    author: str = ""
    message: str = ""
    files: tuple[str, ...] = ()
    diff: str | None = None
    deployment: Deployment | None = None
    services: tuple[str, ...] = ()
    risk: float | None = None
    effects: tuple[str, ...] = ()
    kind: str = "commit"


class Reading(Struct, frozen=True, kw_only=True):
    """A candidate with its diff read, once for all evidence."""

    candidate: Candidate
    diff: DiffText
    delta: Delta
    tiers: Mapping[str, frozenset[str]]


def read(candidate: Candidate) -> Reading:
    """The candidate with its words, by where they stand."""
    diff = read_diff(candidate.diff or "")
    delta = compare(diff)
    net = frozenset(delta.words_removed) | frozenset(delta.words_added)
    sides = frozenset(word for line in (*diff.removed, *diff.added) for word in words.vocabulary(line))
    around = frozenset(word for line in diff.around for word in words.vocabulary(line)) | sides
    message = frozenset(words.vocabulary(f"{candidate.message} {' '.join(candidate.effects)}"))
    paths = frozenset(word for path in candidate.files for word in words.vocabulary(path))
    tiers = {"net": net, "path": paths, "message": message, "around": around}
    return Reading(candidate=candidate, diff=diff, delta=delta, tiers=tiers)


def evidence_of_time(candidate: Candidate, onset: Onset, any_deployed: bool) -> Evidence:
    """Live before the first sign, and how long before."""
    live = candidate.deployment.started if candidate.deployment is not None else candidate.at
    gap = onset.at - live
    source = candidate.deployment.id if candidate.deployment is not None else candidate.commit
    if candidate.deployment is None and any_deployed and candidate.kind == "commit" and gap >= -onset.slack:
        return Evidence(kind="time", weight=NEVER_DEPLOYED, says="no deployment is known to carry it", source=source)
    shares = [(onset.at, 1.0 - math.fsum(share for _, share in onset.later)), *onset.later]
    weight = math.log(math.fsum(share * math.exp(_likely(at - live, onset.slack)) for at, share in shares))
    weight = weight if onset.known else weight / 2
    when = f"{_span(abs(gap))} {'after' if gap < -onset.slack else 'before'} the first sign ({onset.shown_by})"
    return Evidence(kind="time", weight=weight, says=f"went live {when}", source=source)


def evidence_of_place(candidate: Candidate, origin: Origin) -> Evidence | None:
    """In the service where it began, in one that this calls, in a caller of it, or apart."""
    services = [name for name in candidate.services if name]
    if not services or not origin.first:
        return None
    source = ", ".join(services)
    held = max((origin.shares.get(name, 0.0) for name in services), default=0.0)
    if held >= 0.25:
        best = max(services, key=lambda name: origin.shares.get(name, 0.0))
        says = f"changes {best}, where {held:.0%} of the signs point"
        return Evidence(kind="place", weight=HERE * min(1.0, held / 0.5), says=says, source=source)
    steps = [found for name in services if (found := origin.distance(name)) is not None]
    if steps:
        says = f"changes what {origin.first} calls, {min(steps)} calls away"
        return Evidence(kind="place", weight=CALLED, says=says, source=source)
    if any(origin.reaches(name) for name in services):
        return Evidence(kind="place", weight=ABOVE, says=f"changes a caller of {origin.first} only", source=source)
    return Evidence(kind="place", weight=APART, says=f"changes {source}, apart from {origin.first}", source=source)


def evidence_of_words(readings: Sequence[Reading], language: Language) -> list[list[Evidence]]:
    """For each change, how much of the incident's language its diff speaks; rare words count more."""
    rarity = _rarity(readings, language)
    return [[*_shared(one, language, rarity), *_named(one, language)] for one in readings]


def evidence_of_doing(reading: Reading) -> Evidence:
    """What the diff does to behaviour."""
    candidate = reading.candidate
    traits = traits_of(candidate.files, reading.diff, reading.delta, candidate.kind)
    says = "; ".join(trait.says for trait in sorted(traits, key=lambda trait: -abs(trait.weight))[:3])
    return Evidence(kind="diff", weight=weigh(traits), says=says, source=candidate.commit)


def evidence_of_risk(candidate: Candidate) -> Evidence | None:
    """The risk that was said before the merge, against one change in ten."""
    if candidate.risk is None or not 0 <= candidate.risk <= 1:
        return None
    bounded = min(0.95, max(0.01, candidate.risk))
    weight = 0.5 * (math.log(bounded / (1 - bounded)) - math.log(1 / 9))
    return Evidence(
        kind="risk", weight=weight, says=f"its risk before the merge was {bounded:.0%}", source=candidate.commit
    )


# Private


def _likely(gap: float, slack: float) -> float:
    """The log-odds of a change that went live `gap` seconds before a beginning; clocks blur the border."""
    if gap < -slack:
        return AFTER * (1 - math.exp((gap + slack) / AFTER_SECONDS))
    gap = max(0.0, gap)
    return RECENT * math.exp(-gap / RECENT_SECONDS) + STALE * min(1.0, gap / STALE_SECONDS)


def _rarity(readings: Sequence[Reading], language: Language) -> Mapping[str, float]:
    """Inverse frequency over the changes and over what the quiet time said."""
    commits = {one.candidate.commit: one.tiers for one in readings}.values()
    seen = Counter(word for tiers in commits for word in tiers["net"] | tiers["path"] | tiers["message"])
    seen.update(word for text in language.before for word in text)
    whole = len(commits) + len(language.before) + 10
    return {word: math.log(whole / (count + 1)) for word, count in seen.items()}


def _shared(one: Reading, language: Language, rarity: Mapping[str, float]) -> list[Evidence]:
    score: dict[str, float] = {}
    for tier, part in TIERS.items():
        for word in one.tiers[tier]:
            heard = language.new.get(word, 0.0)
            if tier == "net" and word in one.delta.words_removed:
                heard = max(heard, language.gone.get(word, 0.0))
            if heard:
                worth = part * heard * rarity.get(word, 2.0) * (SUBJECT if word[0] == "~" else 1.0)
                score[word] = max(score.get(word, 0.0), worth)
    whole = math.fsum(score.values()) / (0.75 + 0.25 * max(1.0, len(one.tiers["net"]) / 40))
    if whole <= 0:
        return []
    best = sorted(score, key=lambda word: (-score[word], word))[:5]
    texts = [*one.diff.removed, *one.diff.added, one.candidate.message, *one.candidate.files, *one.diff.around]
    says = "speaks of " + ", ".join(dict.fromkeys(words.spell(word, texts) for word in best))
    weight = LEXICAL * whole / (whole + LEXICAL_HALF)
    return [Evidence(kind="words", weight=weight, says=says, source=one.candidate.commit)]


def _named(one: Reading, language: Language) -> list[Evidence]:
    """Whether the diff adds or takes away the very thing that an error names."""
    touched = {
        re.sub(r"[^a-z0-9]", "", name.lower())
        for name in (
            *one.delta.strings_removed,
            *one.delta.strings_added,
            *one.delta.calls_removed,
            *one.delta.calls_added,
        )
    }
    touched |= {word[1:] for word in (*one.delta.words_removed, *one.delta.words_added) if word[0] == "="}
    both = sorted(touched & language.named)
    if not both:
        return []
    return [
        Evidence(
            kind="named", weight=NAMED, says=f"touches {both[0]}, which the errors name", source=one.candidate.commit
        )
    ]


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
