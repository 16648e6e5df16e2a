"""Which change caused an incident, or none: root-cause-bench, its mutants, what each evidence carries, calibration.

    python -m bench.production.root_cause [FOLDER] [--mutants N]

The answer is the first suspect where its probability is at least that of "none of the changes", else none; a flag that
comes first counts as a wrong answer. Mutants (seeds 0 to N-1 of each incident) have other names for services and for
every word that few incidents share, other times, another order, deployments up to three minutes earlier, and half of
the series or one whole source less. Nothing is fitted to the incidents: the temperature that would fit best is printed,
by leaving each incident and its mutants out, and is not used, for the incidents were seen when the evidence was chosen.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.production.incident_folder import Folder, as_candidates, as_symptoms, read_folder
from bench.production.incident_mutants import count_words, mutate
from tidegate.operate.suspects import suspects
from tidegate.operate.values import Ranking

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "prod" / "root-cause-bench"
KINDS = ("time", "place", "words", "named", "diff", "causes")
BASELINE = "baseline: published scripts 7 of 24 right with 17 to 22 decoys convicted"
TEMPERATURES = tuple(0.3 + 0.1 * step for step in range(28))
BINS = 5


class Judged(NamedTuple):
    """One answer beside the truth. `decoy`: whether it convicts a change that is known to be innocent."""

    incident: str
    truth: str
    answer: str
    decoy: bool
    confidence: float
    ranking: Ranking
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the answer is the truth."""
        return self.answer == self.truth


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--mutants", type=int, default=4)
    chosen = parser.parse_args()
    folders = [read_folder(path) for path in sorted(chosen.folder.iterdir()) if (path / "ground_truth.json").exists()]
    truths = {one.name: json.loads((chosen.folder / one.name / "ground_truth.json").read_text()) for one in folders}
    spread = count_words(folders)
    print(BASELINE)
    plain = [judge(one, truths[one.name]) for one in folders]
    for one in plain:
        mark = "right" if one.right else "WRONG"
        print(f"{mark}  {one.incident:34} {one.answer[:8]:8}  {one.confidence:.2f}  {1000 * one.seconds:4.0f} ms")
    print(summary("incidents", plain))
    mutants = [
        judge(mutate(one, spread, seed)[0], truths[one.name]) for seed in range(chosen.mutants) for one in folders
    ]
    print(summary("mutants", mutants))
    for kind in KINDS:
        left = [judge(one, truths[one.name], frozenset({kind})) for one in folders]
        left += [judge(mutate(one, spread, 0)[0], truths[one.name], frozenset({kind})) for one in folders]
        print(summary(f"without {kind}", left))
    everything = [*plain, *mutants]
    print(f"stated confidence: {calibration(everything)}")
    print(f"temperature that would fit, each incident left out in turn: {_temperatures(everything)}; used: 1.0")


def judge(folder: Folder, truth: dict[str, object], without: frozenset[str] = frozenset()) -> Judged:
    """The answer to one incident."""
    started = time.process_time()
    ranking = suspects(as_symptoms(folder), as_candidates(folder), without=without)
    seconds = time.process_time() - started
    first = ranking.suspects[0] if ranking.suspects else None
    convicted = first is not None and first.probability >= ranking.none
    answer = first.change if first is not None and convicted else "none"
    confidence = first.probability if first is not None and convicted else ranking.none
    decoys = truth["decoy_deploy_commits"]
    innocent = isinstance(decoys, list) and answer in decoys
    return Judged(folder.name, str(truth["root_cause_commit"]), answer, innocent, confidence, ranking, seconds)


def summary(name: str, judged: Sequence[Judged]) -> str:
    """Right answers by kind of truth, decoys, and the slowest answer, in a line."""
    changes = [one for one in judged if one.truth != "none"]
    nones = [one for one in judged if one.truth == "none"]
    first = sum(bool(one.ranking.suspects) and one.ranking.suspects[0].change == one.truth for one in changes)
    return (
        f"{name:16} right {sum(one.right for one in judged)} of {len(judged)}   culprit answered "
        f"{sum(one.right for one in changes)} of {len(changes)} (first among changes {first})   none answered "
        f"{sum(one.right for one in nones)} of {len(nones)}   decoys convicted {sum(one.decoy for one in judged)}   "
        f"the truth gets {_mean(math.exp(-_surprise(one, 1.0)) for one in judged):.2f}   "
        f"slowest {max(one.seconds for one in judged):.2f} s"
    )


def calibration(judged: Sequence[Judged]) -> str:
    """The expected calibration error in five bins of equal size, and how often a stated .8 or more was right."""
    ranked = sorted(judged, key=lambda one: one.confidence)
    size = max(1, len(ranked) // BINS)
    bins = [ranked[start : start + size] for start in range(0, len(ranked), size)]
    gaps = [abs(_mean(one.confidence for one in part) - _mean(one.right for one in part)) * len(part) for part in bins]
    sure = [one for one in judged if one.confidence >= 0.8]
    return (
        f"mean {_mean(one.confidence for one in judged):.2f}, right {_mean(one.right for one in judged):.2f}, "
        f"ECE {sum(gaps) / len(ranked):.3f}; .8 or more: {sum(one.right for one in sure)} of {len(sure)} right"
    )


# Private


def _temperatures(judged: Sequence[Judged]) -> str:
    names = sorted({one.incident for one in judged})
    best = [_best([one for one in judged if one.incident != name]) for name in names]
    return f"{min(best):.1f} to {max(best):.1f}"


def _best(judged: Sequence[Judged]) -> float:
    return min(TEMPERATURES, key=lambda temperature: _mean(_surprise(one, temperature) for one in judged))


def _surprise(one: Judged, temperature: float) -> float:
    """Minus the logarithm of what the truth gets when all log-odds are divided by the temperature."""
    scores = {
        suspect.change: math.fsum(reason.weight for reason in suspect.evidence) for suspect in one.ranking.suspects
    }
    nones = [math.fsum(reason.weight for reason in cause.evidence) for cause in one.ranking.hypotheses]
    whole = math.fsum(math.exp(score / temperature) for score in (*scores.values(), *nones))
    told = nones if one.truth == "none" else [scores[one.truth]] if one.truth in scores else []
    return -math.log(max(1e-12, math.fsum(math.exp(score / temperature) for score in told) / whole))


def _mean(values: Iterable[float]) -> float:
    known = [float(value) for value in values]
    return math.fsum(known) / len(known) if known else math.nan


if __name__ == "__main__":
    main()
