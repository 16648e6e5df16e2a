"""Which change caused an incident, or none of them: all the evidence of the symptoms, added up in one ranking."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tidegate.operate.evidence import causes, changes
from tidegate.operate.evidence.changes import Candidate
from tidegate.operate.ranking import rank
from tidegate.operate.symptoms.language import listen
from tidegate.operate.symptoms.onset import find_moves, find_onset
from tidegate.operate.symptoms.origin import locate
from tidegate.operate.symptoms.signatures import MOST_LINES, group
from tidegate.operate.symptoms.values import Symptoms
from tidegate.operate.values import Evidence, Ranking

__all__ = ["Candidate", "Symptoms", "suspects"]

MOST_CANDIDATES = 500
MOST_SERIES = 5000
TEMPERATURE = 1.0


def suspects(
    incident: Symptoms,
    candidates: Sequence[Candidate],
    *,
    more: Mapping[str, Sequence[Evidence]] | None = None,
    without: frozenset[str] = frozenset(),
    temperature: float = TEMPERATURE,
) -> Ranking:
    """The probability of each candidate and of each cause that is no change; every reason names its source.

    `more` adds evidence of other kinds by commit: stack frames, coverage, replays. `without` leaves kinds of evidence
    out (time, place, words, named, diff, risk, causes), to see what each carries. Nothing newer than 500 candidates and
    5,000 series is read; what was left out is said in `unknowns`.
    """
    incident, newest, unknowns = _bounded(incident, candidates)
    scene = _read(incident)
    if not scene.onset.known:
        unknowns.append("neither series nor logs tell when it began: the time of the alert was taken")
    readings = [changes.read(candidate) for candidate in newest]
    found = _evidence(readings, scene, more or {})
    live = [one for one in readings if _may_have_done_it(found[one.candidate.commit])]
    scene = replace(
        scene,
        touched=frozenset(word for one in live for word in one.tiers["net"] if word[0] == "~"),
        owned=frozenset(name for one in newest if one.deployment is not None for name in one.services),
    )
    kinds = causes.judge(scene)
    if "causes" in without:
        kinds = {name: list(reasons[:1]) for name, reasons in kinds.items()}
    kept = {name: [one for one in reasons if one.kind not in without] for name, reasons in found.items()}
    return replace(rank(kept, kinds, temperature=temperature), unknowns=tuple(unknowns))


# Private


def _bounded(incident: Symptoms, candidates: Sequence[Candidate]) -> tuple[Symptoms, list[Candidate], list[str]]:
    unknowns = [*incident.unknowns]
    newest = sorted(candidates, key=lambda one: (-one.at, one.commit))[:MOST_CANDIDATES]
    if len(newest) < len(candidates):
        unknowns.append(f"the {len(candidates) - len(newest)} oldest candidates were not looked at")
    if len(incident.series) > MOST_SERIES:
        unknowns.append(f"{len(incident.series) - MOST_SERIES} series were not looked at")
    if len(incident.logs) > MOST_LINES:
        unknowns.append(f"{len(incident.logs) - MOST_LINES} log lines were not looked at")
    series = sorted(incident.series, key=lambda one: (one.name, sorted(one.labels.items())))[:MOST_SERIES]
    return replace(incident, series=tuple(series)), newest, unknowns


def _read(incident: Symptoms) -> causes.Scene:
    signatures = group(incident.logs, incident.alert.started)
    moves = find_moves(incident.series, incident.alert.started)
    onset = find_onset(incident, moves, signatures)
    return causes.Scene(
        symptoms=incident,
        language=listen(incident, moves, signatures, onset),
        moves=moves,
        signatures=signatures,
        onset=onset,
        origin=locate(incident, moves, signatures),
        touched=frozenset(),
        owned=frozenset(),
    )


def _evidence(
    readings: Sequence[changes.Reading], scene: causes.Scene, more: Mapping[str, Sequence[Evidence]]
) -> dict[str, list[Evidence]]:
    any_deployed = any(one.candidate.deployment is not None for one in readings)
    spoken = changes.evidence_of_words(readings, scene.language)
    found: dict[str, list[Evidence]] = {}
    for reading, words in zip(readings, spoken, strict=True):
        one = reading.candidate
        reasons = [
            changes.evidence_of_time(one, scene.onset, any_deployed),
            changes.evidence_of_place(one, scene.origin),
            *words,
            changes.evidence_of_doing(reading),
            changes.evidence_of_risk(one),
            *more.get(one.commit, ()),
        ]
        kept = [reason for reason in reasons if reason is not None]
        # A commit that several deployments carry is judged by the one that speaks most against it.
        if one.commit not in found or _sum(kept) > _sum(found[one.commit]):
            found[one.commit] = kept
    return found


def _sum(reasons: Sequence[Evidence]) -> float:
    return math.fsum(reason.weight for reason in reasons)


def _may_have_done_it(reasons: Sequence[Evidence]) -> bool:
    return all(reason.weight > 0 for reason in reasons if reason.kind in ("time", "diff"))
