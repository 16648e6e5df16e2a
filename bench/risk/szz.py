"""How well a fix is traced back: against what developers named as the cause of 558 fixes.

    python -m bench.risk.szz ORACLE REPOSITORIES [--half design|report|both] [--fit] [--misses]

ORACLE is the developer-informed oracle (Rosa et al., "Evaluating SZZ Implementations Through a Developer-informed
Oracle", ICSE 2021) as JSON; REPOSITORIES holds OWNER+NAME/repo. The split: a fix belongs to the design half when the
first byte of SHA-256 of its repository's name is even, to the report half when it is odd. Weights and thresholds come
from the design half alone (`--fit` prints them). No date of the oracle's issues is used: most of them were derived from
the answer. The message of the fix, which names the answer, is not read by the tracing.

Micro-averaged as published: precision over all commits named, recall over all that developers named, each fix once.
Baselines are ours: B-SZZ names all that wrote a line which the fix changes, R-SZZ the newest of them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.change.git import Repository, open_repository
from tidegate.errors import TidegateError
from tidegate.risk.szz.clues import CLUES, Candidate
from tidegate.risk.szz.ranking import NAMED_FROM, probabilities
from tidegate.risk.szz.trace import Evidence, read_evidence_of


class Case(NamedTuple):
    """One fix of the oracle, what was found of it, and the CPU seconds that took."""

    repository: str
    fix: str
    truth: frozenset[str]
    evidence: Evidence
    seconds: float
    reachable: bool


def half_of(repository: str) -> str:
    """The half that all fixes of a repository belong to."""
    return "report" if hashlib.sha256(repository.encode()).digest()[0] % 2 else "design"


def read_cases(oracle: Path, repositories: Path, halves: Sequence[str]) -> list[Case]:
    """The fixes whose repository and commit are here and whose difference git can read."""
    opener = gzip.open if oracle.suffix == ".gz" else open
    with opener(oracle, "rb") as file:
        rows: list[dict[str, Any]] = json.load(file)
    found = []
    for row in rows:
        place = repositories / row["repo_name"].replace("/", "+") / "repo"
        place = place / ".git" if (place / ".git").is_dir() else place
        if half_of(row["repo_name"]) in halves and place.is_dir():
            with open_repository(place, bare=True) as repository:
                case = _case(repository, row)
            found += [case] if case else []
    return found


def figures(cases: Iterable[Case], name: Callable[[Case], Iterable[str]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of what `name` names."""
    hits = said = true = 0
    for case in cases:
        named = set(name(case))
        hits, said, true = hits + len(named & case.truth), said + len(named), true + len(case.truth)
    precision, recall = hits / max(said, 1), hits / max(true, 1)
    return precision, recall, 2 * hits / max(said + true, 1)


def traced(case: Case) -> list[str]:
    """What is named: the likeliest candidate, unless that is too unsure."""
    best = _best(case.evidence.candidates)
    return [best[1]] if best[0] >= NAMED_FROM else []


def plain(case: Case) -> list[str]:
    """B-SZZ."""
    return [c.commit for c in case.evidence.candidates if any(b.line.distance == 0 for b in c.lines)]


def newest(case: Case) -> list[str]:
    """R-SZZ."""
    wrote = set(plain(case))
    of = [c for c in case.evidence.candidates if c.commit in wrote]
    return [max(of, key=lambda c: (c.author.committed_at, c.commit)).commit] if of else []


def miss_of(case: Case) -> str:
    """Why the answer was not named: "" for a hit, else the class of the miss."""
    if set(traced(case)) & case.truth:
        return ""
    if not case.reachable:
        return "ambiguous: the named commit is no ancestor of the fix here"
    if not case.evidence.candidates:
        return f"filtered: {case.evidence.why_none}"
    wrote = {c.commit for c in case.evidence.candidates if c.lines}
    if not case.truth & {c.commit for c in case.evidence.candidates}:
        return "beyond blame: it wrote none of the lines and is none of the latest commits of the files"
    if not traced(case):
        return "too unsure: nothing was named"
    return "wrong rank: " + ("another suspect was likelier" if case.truth & wrote else "blame names another")


def fit(cases: Sequence[Case], penalty: float = 1.0) -> dict[str, float]:
    """Weights of the clues (and of "none") that make the developers' answers likeliest, with a ridge penalty."""
    import numpy as np
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    tables = [
        (
            np.array([c.clues for c in case.evidence.candidates]).reshape(-1, len(CLUES)),
            np.array([c.commit in case.truth for c in case.evidence.candidates], dtype=bool),
        )
        for case in cases
    ]

    def loss(weights: Any) -> tuple[float, Any]:
        value, slope = penalty * float(weights[1:] @ weights[1:]), 2 * penalty * weights
        slope[0] = 0.0
        for clues, right in tables:
            sums = np.concatenate([weights[:1], clues @ weights[1:]])
            parts = np.exp(sums - sums.max())
            parts /= parts.sum()
            wanted = np.concatenate([[not right.any()], right]) * parts
            value -= float(np.log(max(wanted.sum(), 1e-300)))
            gap = parts - wanted / max(wanted.sum(), 1e-300)
            slope[0] += gap[0]
            slope[1:] += clues.T @ gap[1:]
        return value, slope

    best = minimize(loss, np.zeros(len(CLUES) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return {name: round(float(value), 3) for name, value in zip(("none", *CLUES), best, strict=True)}


# Private


def _case(repository: Repository, row: dict[str, Any]) -> Case | None:
    fix, truth = row["fix_commit_hash"], frozenset(row["bug_commit_hash"])
    start = _cpu()
    try:
        evidence = read_evidence_of(repository, fix)
    except TidegateError:
        return None
    seconds = _cpu() - start
    if evidence.why_none.startswith("what it changed cannot be read"):
        return None
    reachable = all(repository.run("merge-base", oid, fix, ok=(0, 1, 128)).decode().strip() == oid for oid in truth)
    return Case(row["repo_name"], fix, truth, evidence, seconds, reachable)


def _best(candidates: Sequence[Candidate]) -> tuple[float, str]:
    return max(
        ((p, c.commit) for p, c in zip(probabilities(candidates), candidates, strict=True)),
        key=lambda pair: pair[0],
        default=(0.0, ""),
    )


def _cpu() -> float:
    return sum(os.times()[:4])


def _calibration(cases: Sequence[Case]) -> str:
    pairs = sorted((_best(c.evidence.candidates)[0], bool({_best(c.evidence.candidates)[1]} & c.truth)) for c in cases)
    parts = [pairs[len(pairs) * k // 5 : len(pairs) * (k + 1) // 5] for k in range(5)]
    return ", ".join(
        f"{sum(p for p, _ in part) / len(part):.2f} said {sum(y for _, y in part) / len(part):.2f} true"
        for part in parts
        if part
    )


def _report(name: str, cases: Sequence[Case], *, misses: bool) -> None:
    print(f"{name}: {len(cases)} fixes of {len({c.repository for c in cases})} repositories")
    for what, how in (("traced", traced), ("R-SZZ", newest), ("B-SZZ", plain)):
        precision, recall, f1 = figures(cases, how)
        print(f"  {what:8} P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}")
    everything = figures(cases, lambda case: case.truth & {c.commit for c in case.evidence.candidates})
    print(f"  ceiling of a perfect ranking: F1 {everything[2]:.3f}")
    print(f"  {len(cases) / max(sum(c.seconds for c in cases), 1e-9):.1f} fixes a CPU second, git included")
    print(f"  confidence of the first suspect, fifths: {_calibration(cases)}")
    for kind, count in Counter(filter(None, map(miss_of, cases))).most_common():
        print(f"  {count:4} {kind}")
    for case in cases if misses else ():
        if miss_of(case):
            print(f"    {case.repository} {case.fix[:12]} {min(case.truth)[:12]} {miss_of(case)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether the bar (F1 0.68, 15 fixes a second) holds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("oracle", type=Path)
    parser.add_argument("repositories", type=Path)
    parser.add_argument("--half", choices=["design", "report", "both"], default="design")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--misses", action="store_true")
    given = parser.parse_args(arguments)
    halves = ("design", "report") if given.half == "both" else (given.half,)
    began = time.monotonic()
    cases = read_cases(given.oracle, given.repositories, halves)
    wall = time.monotonic() - began
    for half in halves:
        _report(half, [case for case in cases if half_of(case.repository) == half], misses=given.misses)
    if len(halves) > 1:
        _report("both", cases, misses=False)
    print(f"{wall:.0f} s wall, {len(cases) / max(wall, 1e-9):.1f} fixes a second")
    if given.fit:
        print(json.dumps(fit([case for case in cases if half_of(case.repository) == "design"]), indent=1))
    good = figures(cases, traced)[2] >= 0.68 and len(cases) / max(sum(c.seconds for c in cases), 1e-9) >= 15
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
