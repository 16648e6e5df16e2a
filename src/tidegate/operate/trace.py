"""The trace of an incident in one repository: ranked changes, their hunks, the lines with who or what wrote them.

It needs nothing but the repository, and what failed; `culprit.py` does the same over deployments and their symptoms.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.git import Repository
from tidegate.operate.batch import Batch, BatchChange, read_batch
from tidegate.operate.commits import Clues, Coverage, temperature, weigh
from tidegate.operate.frames import Files, Placed, read_traces
from tidegate.operate.lines import NOTHING_DECIDED, Decided, WrittenLines, hunks_behind, read_written
from tidegate.operate.prove import MOST_REPLAYS, Proof, prove
from tidegate.operate.ranking import Reasons, rank
from tidegate.operate.replays import Command, Replay, Replays
from tidegate.operate.values import ErrorReport, Evidence, Hypothesis, Ranking
from tidegate.settings import Settings

How: TypeAlias = Literal["proved", "replayed", "inferred"]

MOST_SHOWN = 5
MOST_LINES = 20
"""Of a change that is proved to be the one, where nothing says which of its lines."""
LEAST_PROBABLE = 0.02
"""A change below it is told without its lines."""


class Question(Struct, frozen=True, kw_only=True):
    """What is known of an incident. `texts` may hold traces in any place; `reports` come from an error tracker.

    `command` is what fails, and is run only where it is given. `suspects` and `hypotheses` are evidence that others
    have about the same changes, by commit, and about causes that are no change; it counts beside that of the code.
    """

    deployed: str
    previous: str
    texts: tuple[str, ...] = ()
    reports: tuple[ErrorReport, ...] = ()
    coverage: Coverage = Coverage()
    command: Command | None = None
    most_replays: int = MOST_REPLAYS
    risk: Mapping[str, float] = MappingProxyType({})
    decided: Mapping[str, Decided] = NOTHING_DECIDED
    suspects: Mapping[str, Reasons] = MappingProxyType({})
    hypotheses: Mapping[str, Reasons] = MappingProxyType({})


class TracedChange(Struct, frozen=True, kw_only=True):
    """A change that may have caused the incident. `how`: proved by a replay, replayed without proof, or inferred."""

    change: str
    probability: float
    how: How
    subject: str
    author: str
    committed_at: str
    evidence: tuple[Evidence, ...]
    lines: tuple[WrittenLines, ...] = ()
    decided: Decided = Decided()


class IncidentTrace(Struct, frozen=True, kw_only=True):
    """The answer. Probabilities of all `changes` and of `none` make 1; `none` is the sum over `hypotheses`.

    `frames` are those of the longest trace at the deployed revision, the innermost call last.
    """

    previous: str
    deployed: str
    changes: tuple[TracedChange, ...]
    none: float
    hypotheses: tuple[Hypothesis, ...]
    frames: tuple[Placed, ...] = ()
    replays: tuple[Replay, ...] = ()
    unknowns: tuple[str, ...] = ()
    schema: Literal["tidegate.incident-trace/1"] = "tidegate.incident-trace/1"


def trace_incident(repository: Repository, settings: Settings, question: Question) -> IncidentTrace:
    """Which change, hunk and line an incident comes from, and who or what wrote it.

    Only where a command is given anything of the repository is run. Raises InputError for revisions with nothing
    between them.
    """
    batch = read_batch(repository, settings, question.previous, question.deployed)
    replays = Replays(repository, batch, question.command) if question.command is not None else None
    failed = replays is not None and replays.first.exit_code != 0
    texts = (*question.texts, replays.first.output) if replays is not None and failed else question.texts
    clues = read_clues(batch, question, texts)
    ranking = _rank(batch, clues, question)
    proof = prove(replays, ranking, most=question.most_replays) if replays is not None else None
    unknowns = [*batch.unknowns, *_unknown(clues, proof)]
    told = []
    for at, traced in enumerate(_changes(batch, ranking, proof)):
        if at < MOST_SHOWN and traced.probability >= LEAST_PROBABLE:
            change = next(one for one in batch.changes if one.commit.oid == traced.change)
            hunks = hunks_behind(batch, clues, change, standing=MOST_LINES if traced.how == "proved" else 0)
            lines, untold = read_written(repository, settings, batch.deployed, hunks)
            unknowns += untold
            told.append(replace(traced, lines=lines, decided=question.decided.get(traced.change, Decided())))
        else:
            told.append(traced)
    none = dict(proof.probabilities).get("", 0.0) if proof is not None else ranking.none
    scale = none / ranking.none if ranking.none else 0.0
    return IncidentTrace(
        previous=batch.previous,
        deployed=batch.deployed,
        changes=tuple(told),
        none=none,
        hypotheses=tuple(replace(one, probability=one.probability * scale) for one in ranking.hypotheses),
        frames=max(clues.traces, key=len, default=()),
        replays=proof.replays if proof is not None else (),
        unknowns=tuple(unknowns),
    )


def read_clues(batch: Batch, question: Question, texts: tuple[str, ...]) -> Clues:
    """The frames at the deployed revision and the words of everything that was handed in."""
    files = Files(batch.paths, batch.packages)
    traces: list[tuple[Placed, ...]] = []
    words: list[str] = []
    for text in texts:
        for trace in read_traces(text):
            traces.append(tuple(map(files.place, trace.frames)))
            words.append(f"{trace.kind} {trace.message}")
    for report in question.reports:
        if report.frames:
            traces.append(tuple(map(files.place, report.frames)))
        words.append(f"{report.kind} {report.message}")
    return Clues(traces=tuple(traces), words=tuple(words), coverage=question.coverage, risk=question.risk)


# Private


def _rank(batch: Batch, clues: Clues, question: Question) -> Ranking:
    suspects, hypotheses = weigh(batch, clues)
    more = {oid: (*reasons, *question.suspects.get(oid, ())) for oid, reasons in suspects.items()}
    others = {kind: (*hypotheses.get(kind, ()), *told) for kind, told in question.hypotheses.items()}
    return rank(more, {**hypotheses, **others}, temperature=temperature(clues))


def _changes(batch: Batch, ranking: Ranking, proof: Proof | None) -> list[TracedChange]:
    by_oid: Mapping[str, BatchChange] = {change.commit.oid: change for change in batch.changes}
    after = dict(proof.probabilities) if proof is not None else {}
    taken = {made.of for made in proof.replays if made.kind == "without"} if proof is not None else set()
    found = []
    for suspect in ranking.suspects:
        commit = by_oid[suspect.change].commit
        proved = proof is not None and proof.proved == suspect.change
        found.append(
            TracedChange(
                change=suspect.change,
                probability=after.get(suspect.change, suspect.probability),
                how="proved" if proved else "replayed" if suspect.change in taken else "inferred",
                subject=commit.subject,
                author=commit.author.name,
                committed_at=commit.committed_at,
                evidence=suspect.evidence,
            )
        )
    return sorted(found, key=lambda one: (-one.probability, one.change))


def _unknown(clues: Clues, proof: Proof | None) -> list[str]:
    found = []
    if not any(one.path for trace in clues.traces for one in trace):
        found.append("no stack frame in code of this repository is known")
    if not clues.coverage.failing:
        found.append("which lines the failing requests or tests ran is not known")
    if proof is None:
        found.append("nothing was replayed: all of it is inferred (--replay)")
    elif proof.note:
        found.append(f"nothing could be proved: {proof.note}")
    return found
