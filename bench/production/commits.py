"""Incident to commit: planted faults in batches of 60 commits of public projects, found from what the tests show.

    python -m bench.production.commits MIRRORS PYTHON OUT plant|weigh|prove[:N] [PROJECT...]
    python -m bench.production.commits_fit OUT [--kept] [--write src/tidegate/operate/commits.json]

MIRRORS holds bare clones as OWNER+NAME/repo, PYTHON is an interpreter that has what the projects' tests need, OUT keeps
what is collected. `plant` puts a mutant into a line that a commit of the batch owns and keeps it when the project's own
tests fail, with their traces and what they ran; six a project stand in older lines, where none of the commits is the
answer. `weigh` writes a history in which that commit really brought the fault, and asks the product for its evidence.
`prove` replays every N-th fault with some of its failing tests. `commits_fit` fits on one set of projects and reports
on the other; which is which was fixed before the other was looked at, but for toolz, whose figures were seen on the
way.

Baselines on click alone (64 faults, another planting): the most recent commit .02, blame of the trace's lines .30,
git-stacktrace .38, a learnt mix .58 first and .67 among three.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bench.production.commits_history import rewrite, scratch_clone
from bench.production.commits_plant import FIT, KEPT_BACK, MOST_FAILING, Bench, Project, plant
from tidegate.change.git import open_repository
from tidegate.operate.batch import Batch, read_batch
from tidegate.operate.commits import Clues, Coverage, measure, rank_commits
from tidegate.operate.frames import Files, Placed, read_traces
from tidegate.operate.prove import Proof, prove
from tidegate.operate.replays import Command, Replays
from tidegate.operate.values import Frame, Ranking
from tidegate.settings import Settings

MOST_TESTS = 8


def weigh(bench: Bench, project: Project) -> list[dict[str, Any]]:
    """Measure every planted fault, and keep the features: `out/PROJECT.features.json`."""
    told = json.loads((bench.out / f"{project.name}.json").read_bytes())
    clone = scratch_clone(bench.out / "work" / project.name, bench.out / "clones" / f"{project.name}.git")
    counts = Passing(told)
    rows: list[dict[str, Any]] = []
    for number, case in enumerate(told["cases"]):
        planted = rewrite(clone, told["batch"][0], case, number) if case["commit"] else None
        older = not case["commit"]
        if planted is None and not older:
            continue
        with open_repository(clone, bare=True) as repository:
            head = planted.head if planted else told["batch"][0]
            batch = read_batch(repository, Settings(), told["previous"], head)
        culprit = planted.culprit if planted else ""
        if culprit and batch.owner(case["path"], case["line"]) != culprit:
            continue
        clues = clues_of(batch, case, counts)
        measured = measure(batch, clues)
        rows.append(
            {
                "number": number,
                "head": head,
                "culprit": culprit,
                "trace": bool(clues.traces),
                "changes": {
                    oid: {name: round(one.value, 5) for name, one in values.items()}
                    for oid, values in measured.changes.items()
                },
                "older": {name: round(one.value, 5) for name, one in measured.older.items()},
            }
        )
    (bench.out / f"{project.name}.features.json").write_text(json.dumps(rows, separators=(",", ":")))
    sizes = sorted(len(row["changes"]) for row in rows)
    print(
        project.name, len(rows), "of", len(told["cases"]), "batch", sizes[len(sizes) // 2] if sizes else 0, flush=True
    )
    return rows


def prove_all(bench: Bench, project: Project, each: int) -> None:
    """Replay every `each`-th fault with at most MOST_TESTS of its failing tests: `out/PROJECT.proofs.json`."""
    told = json.loads((bench.out / f"{project.name}.json").read_bytes())
    rows = json.loads((bench.out / f"{project.name}.features.json").read_bytes())
    clone, counts = bench.out / "clones" / f"{project.name}.git", Passing(told)
    proofs = []
    for row in [one for one in rows if one["culprit"]][::each]:
        case = told["cases"][row["number"]]
        with open_repository(clone, bare=True) as repository:
            batch = read_batch(repository, Settings(), told["previous"], row["head"])
            ranking = rank_commits(batch, clues_of(batch, case, counts))
            replays = Replays(repository, batch, _command(bench, project, replayed(case)))
            proof = prove(replays, ranking)
        proofs.append(_proof_row(batch, row, ranking, proof) | {"new": sorted(replays.new)})
        (bench.out / f"{project.name}.proofs.json").write_text(json.dumps(proofs))
    right = sum(one["after"] == one["culprit"] for one in proofs)
    proved = [one for one in proofs if one["proved"]]
    print(
        f"{project.name:16} top-1 {sum(o['before'] == o['culprit'] for o in proofs)}/{len(proofs)}, after replays "
        f"{right}/{len(proofs)}; proved {len(proved)}, right {sum(o['proved'] == o['culprit'] for o in proved)}; "
        f"replays {sum(len(o['replays']) for o in proofs) / max(1, len(proofs)):.1f}",
        flush=True,
    )


def _proof_row(batch: Batch, row: dict[str, Any], ranking: Ranking, proof: Proof) -> dict[str, Any]:
    culprit = row["culprit"]
    replays = []
    for made in proof.replays:
        inside = culprit not in batch.ancestors.get(made.of, ()) if made.kind == "at" else made.of == culprit
        replays.append([made.kind, made.of, made.outcome, made.clean, inside, sorted(made.outcomes.items())])
    return {
        "number": row["number"],
        "culprit": culprit,
        "before": ranking.suspects[0].change if ranking.suspects[0].probability > ranking.none else "",
        "after": proof.probabilities[0][0],
        "sure": proof.probabilities[0][1],
        "proved": proof.proved,
        "note": proof.note,
        "replays": replays,
    }


def replayed(case: dict[str, Any]) -> list[str]:
    """The failing tests of a fault that are run again: those that run least, and as many spread over the others."""
    by_size = sorted(case["failures"], key=lambda name: (sum(map(len, case["lines"].get(name, {}).values())), name))
    least, rest = by_size[: MOST_TESTS // 2], by_size[MOST_TESTS // 2 :]
    step = max(1, len(rest) // (MOST_TESTS - len(least))) if rest else 1
    return [*least, *rest[::-step]][:MOST_TESTS]


def _command(bench: Bench, project: Project, tests: list[str]) -> Command:
    source = str(Path(project.package).parent)
    version = f"echo '__version__ = \"0\"' > {project.written}; " if project.written else ""
    options = "-q --tb=short --no-header --continue-on-collection-errors "
    options += "-p no:cacheprovider -p pytest_timeout -p pytest_asyncio.plugin -o addopts="
    run = f'exec {bench.python} -m pytest {options} -W ignore --timeout=8 {shlex.join(project.options)} "$@"'
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{{folder}}/{source}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return Command(("sh", "-c", version + run, "sh", *tests), environment, 60.0)


class Passing:
    """How many passing tests run each line, without those that fail in a case or came after the run was broken off."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.lines = told["lines"]
        self.order = {test: at for at, test in enumerate(told["passed"])}
        self.whole: dict[str, Counter[int]] = {}
        for test, files in self.lines.items():
            if test in self.order:
                self._add(self.whole, files)

    def without(self, failures: list[str]) -> dict[str, Counter[int]]:
        gone = set(failures)
        if len(failures) >= MOST_FAILING:
            last = max(self.order.get(test, 0) for test in failures)
            gone |= {test for test, at in self.order.items() if at > last}
        left = {path: Counter(counts) for path, counts in self.whole.items()}
        for test in gone:
            if test in self.order:
                for path, lines in self.lines.get(test, {}).items():
                    left[path].subtract(lines)
        return left

    @staticmethod
    def _add(counts: dict[str, Counter[int]], files: dict[str, list[int]]) -> None:
        for path, lines in files.items():
            counts.setdefault(path, Counter()).update(lines)


def clues_of(batch: Batch, case: dict[str, Any], counts: Passing) -> Clues:
    files = Files(batch.paths)
    traces: list[tuple[Placed, ...]] = []
    words: list[str] = []
    for failure in case["failures"].values():
        words += [failure["type"], failure["message"]]  # no names of tests: they came with the commits
        told = [[Frame(file=f, line=n, function=name) for f, n, name in frames] for frames in failure["traces"]]
        told += [list(trace.frames) for trace in read_traces(failure["captured"])]
        traces += [tuple(map(files.place, frames)) for frames in told if frames]
    shortened = {test: files_ for test, files_ in case["lines"].items() if files_}
    coverage = Coverage(
        failing=shortened, passing=counts.without(list(case["failures"])), imported=counts.lines.get("", {})
    )
    return Clues(traces=tuple(traces), words=tuple(words), coverage=coverage)


def main() -> int:
    bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]).absolute(), Path(sys.argv[3]))
    step, names = sys.argv[4].partition(":")[0], sys.argv[5:]
    each = int(sys.argv[4].partition(":")[2] or 1)
    (bench.out / "clones").mkdir(parents=True, exist_ok=True)
    for project in (*FIT, *KEPT_BACK):
        if names and project.name not in names:
            continue
        if step == "plant":
            plant(bench, project)
        elif step == "weigh":
            weigh(bench, project)
        elif step == "prove":
            prove_all(bench, project, each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
