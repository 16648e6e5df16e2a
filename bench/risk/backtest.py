"""Backtest of 10,000 changes and 30 rules, facts kept: under 10 s CPU on one core.

    python -m bench.risk.backtest [REPOSITORY]

Without a repository one of 10,000 commits is generated (fast-import: 1 to 8 files of 400 in each, every 20th a merge).
Measured, in CPU seconds of this process and its children: collecting the facts for the first time (bar: minutes), then
what a second run costs, reading them back and judging 30 rules. Beside it the same rules through `decide`, change by
change, on 300 of them and counted up: what a backtest without a judge of its own would cost.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from bench.measure import own_peak_mb
from tidegate.change.codeowners import NO_OWNERS
from tidegate.change.git import Repository, open_repository
from tidegate.policy.backtest.run import backtest
from tidegate.policy.backtest.values import PastChange
from tidegate.policy.decide import decide
from tidegate.policy.rules import Policy, RuleTable, make_policy
from tidegate.replay import Hindsight, read_past
from tidegate.risk.values import Label
from tidegate.settings import Settings

CHANGES, RULES = 10_000, 30
BAR_SECONDS = 10.0
SAMPLE = 300
START = 1_600_000_000

T = TypeVar("T")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else generate(Path(folder) / "history")
        with open_repository(path, bare=True) as repository:
            hindsight = _hindsight(repository)
            policy = thirty_rules()
            count, first = _timed(lambda: sum(1 for _ in _past(repository, hindsight)))
            print(
                f"facts of {count:,} changes collected      {first:7.1f} s CPU  {count / first:,.0f} changes a second"
            )
            _, reading = _timed(lambda: sum(1 for _ in _past(repository, hindsight)))
            print(f"the same, kept                         {reading:7.1f} s CPU")
            result, both = _timed(lambda: backtest(policy, _past(repository, hindsight)))
            sample = [change for _, change in zip(range(SAMPLE), _past(repository, hindsight), strict=False)]
            _, plain = _timed(lambda: [decide(policy, change.facts) for change in sample])
            plain *= count / len(sample)
    judged = result.period.changes
    print(f"{judged:,} changes x {len(policy.rules)} rules, facts kept  {both:7.1f} s CPU  bar {BAR_SECONDS:.0f} s")
    print(f"the same by decide, change by change   {plain + reading:7.1f} s CPU (counted up from {SAMPLE})")
    print(f"peak of this process                   {own_peak_mb():7.0f} MB")
    per_change = both / max(1, count) * CHANGES
    return 1 if per_change > BAR_SECONDS else 0


def thirty_rules() -> Policy:
    """The shipped pack and 12 rules over sizes, domains, files, risk and provenance."""
    conditions = [
        *(f"change.source_lines_added > {n}" for n in (50, 200, 800)),
        *(f"risk.percentile > {share}" for share in (0.8, 0.9, 0.95)),
        'change.files.exists(f, f.path.startsWith("src/") && f.added > 40)',
        '"auth" in change.domains || "payments" in change.domains',
        "change.files_total > 5 && change.test_lines_added == 0",
        "provenance.ai_share > 0.5 && change.breadth > 1",
        'change.files.all(f, f.kind == "docs") || size(change.critical_domains) > 1',
        "change.commits.exists(c, c.parents > 1) && change.lines_deleted > 100",
    ]
    tables = [
        RuleTable(
            {
                "id": f"bench-{number}",
                "title": "A rule of the bench",
                "effect": "hold",
                "when": {"all": [condition]},
                "require": [{"approvals": 1}] if number % 2 else [{"tests": True}],
            },
            "bench",
        )
        for number, condition in enumerate(conditions)
    ]
    policy = make_policy(tables, NO_OWNERS, Settings())
    if len(policy.rules) != RULES:
        raise SystemExit(f"{len(policy.rules)} rules, {RULES} are promised: adjust the bench to the pack")
    return policy


def generate(path: Path) -> Path:
    """A bare repository of 10,000 commits, the same every time."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=path, stdin=subprocess.PIPE) as process:
        if process.stdin is None:
            raise SystemExit("git takes no input")
        for part in _commits(random.Random(11)):
            process.stdin.write(part)
        process.stdin.close()
        if process.wait():
            raise SystemExit("git fast-import failed")
    return path


# Private

_FOLDERS = ("src/core", "src/auth", "src/payments", "tests", "docs", "migrations", "web", "infra")
_ENDINGS = {"tests": "_test.py", "docs": ".md", "migrations": ".sql", "infra": ".tf"}


def _commits(rng: random.Random) -> Iterator[bytes]:
    files: dict[str, list[str]] = {}
    for number in range(1, CHANGES + 1):
        trailer = "\n\nCo-authored-by: Claude <noreply@anthropic.com>" if number % 7 == 0 else ""
        message = f"Change {number}{trailer}\n".encode()
        at = START + number * 3600
        parent = f"from :{number - 1}\n" if number > 1 else ""
        second = f"merge :{number - 5}\n" if number % 20 == 0 else ""
        who = f"Person {rng.randrange(30)} <p{rng.randrange(30)}@example.com> {at} +0000"
        yield f"commit refs/heads/main\nmark :{number}\nauthor {who}\ncommitter {who}\ndata {len(message)}\n".encode()
        yield message + f"{parent}{second}".encode()
        for _ in range(rng.randrange(1, 9)):
            folder = _FOLDERS[rng.randrange(len(_FOLDERS))]
            name = f"{folder}/part_{rng.randrange(50)}{_ENDINGS.get(folder, '.py')}"
            lines = files.setdefault(name, ["import os"])
            place = rng.randrange(len(lines) + 1)
            lines[place : place + rng.randrange(6)] = [
                f"value_{rng.randrange(10**6)} = {n}" for n in range(rng.randrange(30))
            ]
            del lines[400:]
            text = "\n".join([*lines, ""]).encode()
            yield f"M 100644 inline {name}\ndata {len(text)}\n".encode() + text + b"\n"


def _hindsight(repository: Repository) -> Hindsight:
    """Every twelfth change is said to have been repaired, and every one has a score."""
    oids = repository.run("rev-list", "HEAD").decode("ascii").split()
    now = int(repository.run("log", "-1", "--format=%ct").decode("ascii")) + 400 * 86_400
    labels = [Label(oid, "later", "fix", 0.8, now) for oid in oids[::12]]
    return Hindsight(now, labels, {oid: (0.1, n / len(oids)) for n, oid in enumerate(oids)})


def _past(repository: Repository, hindsight: Hindsight) -> Iterator[PastChange]:
    return read_past(repository, "HEAD", 0, Settings(), hindsight)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    before = _cpu()
    return work(), _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main())
