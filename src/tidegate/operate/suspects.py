"""Which change caused an incident, or none of them: all the evidence of the symptoms, added up in one ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tidegate.operate.evidence import causes, changes
from tidegate.operate.evidence.changes import Candidate
from tidegate.operate.ranking import rank
from tidegate.operate.symptoms.language import listen
from tidegate.operate.symptoms.onset import find_moves, find_onset
from tidegate.operate.symptoms.origin import locate
from tidegate.operate.symptoms.signatures import group
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
    unknowns = [*incident.unknowns]
    newest = sorted(candidates, key=lambda one: (-one.at, one.commit))[:MOST_CANDIDATES]
    if len(newest) < len(candidates):
        unknowns.append(f"the {len(candidates) - len(newest)} oldest candidates were not looked at")
    if len(incident.series) > MOST_SERIES:
        unknowns.append(f"{len(incident.series) - MOST_SERIES} series were not looked at")
        incident = replace(incident, series=incident.series[:MOST_SERIES])
    signatures = group(incident.logs)
    moves = find_moves(incident.series, incident.alert.started)
    onset = find_onset(incident, moves, signatures)
    if not onset.known:
        unknowns.append("neither series nor logs tell when it began: the time of the alert was taken")
    origin = locate(incident, moves, signatures)
    language = listen(incident, moves, signatures, onset)
    readings = [changes.read(candidate) for candidate in newest]
    any_deployed = any(one.deployment is not None for one in newest)
    said = changes.evidence_of_words(readings, language)
    reasons: dict[str, list[Evidence]] = {}
    touched: set[str] = set()
    for reading, spoken in zip(readings, said, strict=True):
        one = reading.candidate
        found = [
            changes.evidence_of_time(one, onset, any_deployed),
            changes.evidence_of_place(one, origin),
            *spoken,
            changes.evidence_of_doing(one),
            changes.evidence_of_risk(one),
            *(more or {}).get(one.commit, ()),
        ]
        kept = [reason for reason in found if reason is not None and reason.kind not in without]
        reasons[one.commit] = kept
        if all(reason.weight > 0 for reason in found if reason is not None and reason.kind in ("time", "diff")):
            touched |= {word for word in reading.tiers["net"] if word[0] == "~"}
    scene = causes.Scene(
        symptoms=incident,
        language=language,
        moves=moves,
        signatures=signatures,
        onset=onset,
        origin=origin,
        touched=frozenset(touched),
        owned=frozenset(name for one in newest if one.deployment is not None for name in one.services),
    )
    kinds = causes.judge(scene)
    if "causes" in without:
        kinds = {name: list(found[:1]) for name, found in kinds.items()}
    ranking = rank(reasons, kinds, temperature=temperature)
    return replace(ranking, unknowns=tuple(unknowns))
