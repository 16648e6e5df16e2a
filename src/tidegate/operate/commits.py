"""Which commit of a batch an incident came from: evidence for each, from traces, coverage, words and risk.

The evidence is a small conditional logit. Its weights stand in `commits.json` with where they come from; they were
fitted on faults planted in public projects by `bench/production/commits.py`, which also reports on projects that were
kept back. What the planted faults cannot teach (how much a risk model's probability says) is set, and says so there.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from types import MappingProxyType

from msgspec import Struct

from tidegate.operate.batch import Batch, BatchChange, count_words
from tidegate.operate.frames import Placed
from tidegate.operate.ranking import rank
from tidegate.operate.values import Evidence, Ranking
from tidegate.reach.entries.places import is_test
from tidegate.risk.features.tokens import words_of

OLDER = "older-code"
"""The hypothesis that the fault stands in code that the batch did not bring."""

FADE = 0.7
"""A frame counts so much of the one that it calls."""
FLOOR = -10.0
MOST_TRACES = 200

Executed = Mapping[str, Sequence[int]]


class Coverage(Struct, frozen=True, kw_only=True):
    """Which lines ran. `failing`: failing test to path to lines. `passing`: path to line to how many passing tests ran
    it. `imported`: lines that ran when modules were loaded, before any test. Paths are those of the repository."""

    failing: Mapping[str, Executed] = MappingProxyType({})
    passing: Mapping[str, Mapping[int, int]] = MappingProxyType({})
    imported: Executed = MappingProxyType({})


class Clues(Struct, frozen=True, kw_only=True):
    """What an incident says of code. `traces`: frames at the deployed revision, the innermost call last. `words`: error
    messages, names of routes. `risk`: commit to the probability that it needs repair."""

    traces: tuple[tuple[Placed, ...], ...] = ()
    words: tuple[str, ...] = ()
    coverage: Coverage = Coverage()
    risk: Mapping[str, float] = MappingProxyType({})


def rank_commits(batch: Batch, clues: Clues) -> Ranking:
    """The commits of a batch by how probably they hold the fault; `older-code`: that none of them does."""
    suspects, hypotheses = weigh(batch, clues)
    return rank(suspects, hypotheses, temperature=temperature(clues))


def temperature(clues: Clues) -> float:
    """What the summed weights are divided by, so that a stated probability is right as often as it says."""
    return _table(clues).temperature


def weigh(batch: Batch, clues: Clues) -> tuple[dict[str, tuple[Evidence, ...]], dict[str, tuple[Evidence, ...]]]:
    """The evidence for every commit of the batch, and that for older code: what `ranking.rank` takes.

    Other evidence about the same commits can be added to it before it is ranked.
    """
    table = _table(clues)
    measured = measure(batch, clues)
    found = {oid: _evidence(table.weights, values) for oid, values in measured.changes.items()}
    return found, {OLDER: _evidence(table.older, measured.older)}


class Measure(Struct, frozen=True):
    """A number that speaks for a commit, and what it was measured on, in words."""

    value: float
    says: str
    source: str = ""


class Measures(Struct, frozen=True):
    """What was measured of each commit, and of older code: name to measure."""

    changes: Mapping[str, Mapping[str, Measure]]
    older: Mapping[str, Measure]


def measure(batch: Batch, clues: Clues) -> Measures:
    """The features of the logit. Those of a kind that nothing is known of are left out, which counts as zero."""
    traces = _counted(clues)
    found: dict[str, dict[str, Measure]] = {change.commit.oid: {} for change in batch.changes}
    older: dict[str, Measure] = {"always": Measure(1.0, "older code can fail as well")}
    _measure_size(batch, found)
    _measure_frames(batch, traces, found, older)
    _measure_coverage(batch, clues.coverage, found, older)
    _measure_words(batch, clues.words, found)
    _measure_risk(clues.risk, found)
    return Measures(found, older)


# Private

_Found = Mapping[str, dict[str, Measure]]


class _Table(Struct, frozen=True):
    weights: Mapping[str, float]
    older: Mapping[str, float]
    temperature: float


def _table(clues: Clues) -> _Table:
    """There are two: what a frame is worth depends on whether it is known which lines the failing tests ran."""
    told = json.loads(resources.files("tidegate.operate").joinpath("commits.json").read_bytes())
    chosen = told["covered" if clues.coverage.failing else "uncovered"]
    return _Table(chosen["weights"], chosen["older"], chosen["temperature"])


def _evidence(weights: Mapping[str, float], measures: Mapping[str, Measure]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(kind=name, weight=weights[name] * one.value, says=one.says, source=one.source)
        for name, one in sorted(measures.items())
        if weights.get(name) and one.value
    )


def _counted(clues: Clues) -> list[list[tuple[str, int]]]:
    """The own frames of each trace. Of very many, those that differ, and of these the first and the last: who writes
    into a log can write traces, and must not crowd out the others from one end."""
    kept = [one for one in map(_own, clues.traces) if one]
    if len(kept) > MOST_TRACES:
        kept = [list(one) for one in dict.fromkeys(map(tuple, kept))]
    return kept if len(kept) <= MOST_TRACES else [*kept[: MOST_TRACES // 2], *kept[-MOST_TRACES // 2 :]]


def _own(trace: Iterable[Placed]) -> list[tuple[str, int]]:
    """The frames in the repository's own sources, the innermost first."""
    kept = [(one.path, one.line) for one in trace if one.path and one.frame.own and not is_test(one.path)]
    return kept[::-1]


def _measure_size(batch: Batch, found: _Found) -> None:
    for change in batch.changes:
        standing = sum(map(len, change.lines.values()))
        lines = f"{standing} of its lines of source stand in the deployed revision"
        measures = found[change.commit.oid]
        if not standing:
            measures["gone"] = Measure(1.0, "no line of source of it stands in the deployed revision")
        measures["size"] = Measure(math.log1p(standing), lines)


def _measure_frames(
    batch: Batch, traces: Sequence[Sequence[tuple[str, int]]], found: _Found, older: dict[str, Measure]
) -> None:
    touching = Counter(path for change in batch.changes for path in change.sources)
    for trace in traces:
        for depth, (path, line) in enumerate(trace):
            for oid, name, value, says in _frame_evidence(batch, depth, (path, line), touching):
                if oid in found:
                    made, before = Measure(value, says, f"{path}:{line}"), found[oid].get(name)
                    if before is None or (-made.value, made.source) < (-before.value, before.source):
                        found[oid][name] = made
    if traces:
        innermost = [trace[0] for trace in traces]
        old = sum(not batch.owner(path, line) for path, line in innermost) / len(innermost)
        unheld = sum(not any(batch.owner(*frame) for frame in trace) for trace in traces) / len(traces)
        functions = sum(not _is_in_touched_function(batch, trace) for trace in traces) / len(traces)
        older["innermost"] = Measure(old, f"{old:.0%} of the lines that broke are older than the batch")
        older["line"] = Measure(unheld, f"{unheld:.0%} of the traces have no line of the batch")
        older["function"] = Measure(functions, f"{functions:.0%} of the traces have no function that the batch touched")


def _frame_evidence(
    batch: Batch, depth: int, place: tuple[str, int], touching: Mapping[str, int]
) -> Iterator[tuple[str, str, float, str]]:
    """What one frame says: commit, name of the measure, value, words."""
    path, line = place
    weight = FADE**depth
    where = "the innermost frame" if depth == 0 else f"frame {depth + 1} of the trace, counted from the innermost"
    owner = batch.owner(path, line)
    if owner:
        yield owner, "line", weight, f"it wrote the line of {where}"
        if depth == 0:
            yield owner, "innermost", 1.0, "it wrote the line that broke"
    span = batch.function(path, line)
    if span is not None:
        for oid in sorted(_owners_within(batch, path, span)):
            yield oid, "function", weight, f"it wrote lines of the function of {where}"
    for change in batch.changes:
        if path in change.sources:
            rarity = weight / (1 + math.log2(touching[path]))
            yield change.commit.oid, "file", rarity, f"it changed the file of {where}"


def _owners_within(batch: Batch, path: str, span: tuple[int, int]) -> set[str]:
    owners = batch.owners.get(path, {})
    return {owners[line] for line in range(span[0], min(span[1], span[0] + 5_000) + 1) if line in owners}


def _is_in_touched_function(batch: Batch, trace: Sequence[tuple[str, int]]) -> bool:
    spans = ((path, batch.function(path, line)) for path, line in trace)
    return any(span is not None and _owners_within(batch, path, span) for path, span in spans)


def _measure_coverage(batch: Batch, coverage: Coverage, found: _Found, older: dict[str, Measure]) -> None:
    """Spectrum-based fault localisation (Abreu, Zoeteweij, van Gemund 2007: Ochiai), and the likelihood of what ran.

    A fault in a line makes each test that runs it fail with a chance that nobody knows (uniform); a failing test that
    does not run the line speaks against it.
    """
    failing = len(coverage.failing)
    if not failing:
        return
    ran: dict[tuple[str, int], int] = Counter(
        (path, line) for files in coverage.failing.values() for path, lines in files.items() for line in set(lines)
    )
    loaded = {(path, line) for path, lines in coverage.imported.items() for line in lines}
    likely: dict[str, list[tuple[float, float, float, str]]] = {oid: [] for oid in found}
    everything = max((count for counts in coverage.passing.values() for count in counts.values()), default=0)
    for path, owned in batch.owners.items():
        passing = coverage.passing.get(path, {})
        for line, oid in owned.items():
            failed, passed = ran.get((path, line), 0), passing.get(line, 0)
            if not failed and not passed and (path, line) in loaded:
                failed, passed = failing, max(everything, 4 * failing)  # what every test sees
            if failed and oid in likely:
                ochiai = failed / math.sqrt(failing * (failed + passed))
                likely[oid].append((_chance(failed, passed, failing), ochiai, failed / failing, f"{path}:{line}"))
    whole = math.fsum(math.exp(one[0]) for lines in likely.values() for one in lines)
    peak = max((one[0] for lines in likely.values() for one in lines), default=0.0)
    for oid, lines in likely.items():
        if not lines:
            found[oid]["unrun"] = Measure(1.0, "no failing test runs a line of it")
            continue
        part = math.fsum(math.exp(one[0]) for one in lines) / whole if whole else 0.0
        chance, ochiai, share, place = max(lines)
        ochiai = max(one[1] for one in lines)
        share = max(one[2] for one in lines)
        found[oid]["ran"] = Measure(max(math.log(part), FLOOR) if part else FLOOR, _ran(lines, failing), place)
        found[oid]["peak"] = Measure(max(chance - peak, FLOOR), f"{place} is the line that fits best", place)
        found[oid]["ochiai"] = Measure(ochiai, f"Ochiai {ochiai:.2f} at {place}", place)
        found[oid]["all"] = Measure(share, f"{share:.0%} of the failing tests run a line of it", place)
    held = max((one[2] for lines in likely.values() for one in lines), default=0.0)
    best = max((one[1] for lines in likely.values() for one in lines), default=0.0)
    older["unheld"] = Measure(1 - held, f"no change has a line that more than {held:.0%} of the failing tests run")
    older["ochiai"] = Measure(best, f"the best Ochiai of any change is {best:.2f}")
    if ran:
        all_lines = [
            _chance(failed, coverage.passing.get(path, {}).get(line, 0), failing)
            for (path, line), failed in ran.items()
            if not batch.owner(path, line) and not is_test(path)
        ]
        above = max(all_lines, default=FLOOR) - peak if whole else 0.0
        above = min(max(above, FLOOR), -FLOOR)
        older["peak"] = Measure(above, "an older line fits what ran better" if above > 0 else "older lines fit less")
        mass = math.fsum(map(math.exp, all_lines))
        more = math.log(mass / whole) if mass and whole else 0.0
        older["mass"] = Measure(min(max(more, FLOOR), -FLOOR), "how much of what fits what ran is older")


def _ran(lines: Sequence[tuple[float, float, float, str]], failing: int) -> str:
    tests = "the failing test runs" if failing == 1 else f"the {failing} failing tests run"
    return f"{tests} {len(lines)} of its lines" if len(lines) > 1 else f"{tests} its line"


def _chance(failed: int, passed: int, failing: int) -> float:
    """The log-likelihood of these tests failing and those passing if the fault stood in this line."""
    missed = 3.0 * (failing - failed) * min(1.0, 20 / failing)
    return math.lgamma(failed + 1) + math.lgamma(passed + 1) - math.lgamma(failed + passed + 2) - missed


def _measure_words(batch: Batch, texts: Sequence[str], found: _Found) -> None:
    said = {word for text in texts for word in words_of(text[:4000].replace("\n", " ").encode("utf-8", "replace"))}
    asked = said - _SAY_NOTHING
    if not asked:
        return
    seen = count_words(batch)
    worth = {word: math.log((len(batch.changes) + 1) / seen[word]) for word in asked if word in seen}
    whole = math.fsum(worth.values())
    if not whole:
        return
    for change in batch.changes:
        for name, held in (("words", change.words), ("said", change.said)):
            common = sorted(asked & held, key=lambda word: (-worth.get(word, 0.0), word))
            value = math.fsum(worth[word] for word in common)
            if value:
                shown = ", ".join(common[:4])
                where = "its diff" if name == "words" else "its message"
                found[change.commit.oid][name] = Measure(value / whole, f"{where} says what the failure says: {shown}")


_SAY_NOTHING = frozenset(
    "a an and are as at be been but by can could did do does for from had has have if in into is it its no not of on"
    " or so such than that the their then there these they this those to was were when where which while will with"
    " would you your".split()
)
"""Words of every sentence: that a message and an error both hold them is no evidence."""


def _measure_risk(risk: Mapping[str, float], found: _Found) -> None:
    known = {oid: min(max(risk[oid], 0.001), 0.999) for oid in found if oid in risk and math.isfinite(risk[oid])}
    if not known:
        return
    mean = math.fsum(_odds(chance) for chance in known.values()) / len(known)
    for oid, chance in known.items():
        found[oid]["risk"] = Measure(_odds(chance) - mean, f"before it was merged its risk was {chance:.0%}")


def _odds(chance: float) -> float:
    return math.log(chance / (1 - chance))


def culprit_lines(batch: Batch, clues: Clues, change: BatchChange, most: int = 5) -> tuple[tuple[str, int], ...]:
    """The lines of a change that the clues point to most: those of frames first, then those that failing tests run."""
    oid = change.commit.oid
    marked: dict[tuple[str, int], float] = {}
    for trace in _counted(clues):
        for depth, frame in enumerate(trace):
            if batch.owner(*frame) == oid:
                marked[frame] = max(marked.get(frame, -math.inf), 10.0 - depth)
    failing = len(clues.coverage.failing)
    for files in clues.coverage.failing.values():
        for path, lines in files.items():
            for line in lines:
                if batch.owner(path, line) == oid and (path, line) not in marked:
                    failed = sum(line in told.get(path, ()) for told in clues.coverage.failing.values())
                    passed = clues.coverage.passing.get(path, {}).get(line, 0)
                    marked[path, line] = _chance(failed, passed, failing)
    ordered = sorted(marked, key=lambda place: (-marked[place], place))
    return tuple(ordered[:most])
