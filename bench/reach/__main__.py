"""The benchmark of reach: python -m bench.reach --repos DIR [--truth DIR] [--python BIN] [--predictor NAME] [...].

What it needs: clones of the projects in --repos (flask, click, marshmallow, pluggy, starlette, httpx, rich, structlog,
jinja, werkzeug, packaging, express, each with the commit of `projects.py`), a Python with `sys.monitoring` (3.12 or
later) as --python, pip with a registry, and node and npm for express. Clones are only read: the suites run in clones
of their own under --truth, each in a virtual environment of its own.

What it does: builds the truth where it is missing (`truth`, `express`), then the old maps (`old`) and, with --mutants,
the mutants (`mutation`); then it asks the predictor (`predict`) for every covered function and prints a table.
`edges` writes who called whom, for fitting probabilities; nothing here is scored on it.

The split was fixed before anything was measured: `projects.DESIGN` for fitting, `projects.REPORT` for the figures.
Functions that also ran at import are not scored: everything that imports them depends on them.

Tasks: "static" (no map), "map20" and "map100" (a map recorded that many first-parent commits ago, against the truth of
the pinned commit), "mutants" (share of killed mutants whose failing tests lie in the predicted reach: any, and all).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.reach.express import build_express
from bench.reach.mutation import build_mutants
from bench.reach.old import build_old_map, old_map_file, read_old_map
from bench.reach.predict import PREDICTORS, Predict
from bench.reach.projects import AGES, BY_NAME, DESIGN, OLD_MAPS, REPORT
from bench.reach.score import Score, mean_score, score
from bench.reach.truth import build_truth, check_out

BASELINES = """\
Measured before, on the six projects that every tool could run (flask click marshmallow pluggy starlette httpx), same
units and truth (shared reference, section 4.1); true radius 12.5 %:
  predictor                                  recall  prec.     F1   safe  radius  false zero
  all tests                                   1.000   .125   .175  1.000   100 %       0
  same-named test file                         .318   .173   .142   .207     5.8
  imports of modules                          1.000   .144   .197  1.000    96.7       0
  names, all identifiers, imported modules     .797   .219   .257   .753    58.9
  pyan3 2.9                                    .233   .301   .198   .140     6.2     52.5 %
  codegraph 1.6.1                              .343   .310   .257   .201    10.7     52.6 %
  code-review-graph 2.3.9                      .808   .153   .184   .701    67.7      7.8 %
  scip-python 0.6.6 and fixture edges          .444   .447   .376   .283    11.8     39.9 %
  true dynamic call graph, without context     .980   .301   .352   .898    64.9
  prototype, run types per test                .967   .387   .443   .885    47.8      1.5 %
  prototype, old map of 20 commits (5 proj.)   .997   .775   .826   .983    10.9
  prototype, old map of 100 commits            .992   .714   .765   .967    12.0
  map of 20 commits alone                      .974   .987   .979   .748     9.7
  map of 100 commits alone                     .943   .972   .955   .669     9.4
"""
HEADER = (
    f"{'task':9}{'project':13}{'n':>5}{'recall':>8}{'prec.':>7}{'F1':>7}{'safe':>7}{'radius':>8}{'ratio':>7}"
    f"{'zero':>7}{'ECE':>7}{'width':>7}{'all':>7}{'MAP':>7}{'CPU s':>7}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    out = asked.truth
    predict = PREDICTORS[asked.predictor]
    build_missing(asked.repos, out, asked.python, mutants=asked.mutants)
    print(HEADER)
    for title, names in (("design", DESIGN), ("report", REPORT)):
        chosen = [name for name in names if asked.split in ("both", title) and name in (asked.project or names)]
        for task in ("static", *(f"map{age}" for age in AGES)):
            scores = list(_run(task, chosen, asked.repos, out, predict, asked.threshold))
            if len(scores) > 1:
                print(_line(task, f"= {title}", mean_score(scores), 0.0))
    if asked.mutants:
        print_mutants(out, asked.repos, predict, asked.threshold)
    print(BASELINES)
    return 0


def build_missing(clones: Path, out: Path, python: str, *, mutants: bool) -> None:
    """Build what is not there yet. Takes minutes; what is there is believed."""
    for name, project in BY_NAME.items():
        if not (out / f"{name}.json").exists():
            build_truth(project, clones, out, python)
        for age in AGES if name in OLD_MAPS else ():
            if not old_map_file(name, out, age).exists():
                build_old_map(project, clones, out, python, age)
    if not (out / "express.json").exists():
        build_express(clones, out)
    if mutants and not (out / "mutants.json").exists():
        build_mutants(clones, out, python)


def print_mutants(out: Path, clones: Path, predict: Predict, threshold: float) -> None:
    """The share of killed mutants with any, and with all, of their failing tests in the predicted reach."""
    mutants = [m for m in json.loads((out / "mutants.json").read_bytes()) if m["failing"]]
    found: dict[str, list[tuple[bool, bool]]] = {}
    for name in sorted({m["project"] for m in mutants}):
        truth = _truth(name, out)
        answer = predict(check_out(BY_NAME[name], clones, out, truth["commit"]), truth["commit"], None)
        for mutant in mutants:
            if mutant["project"] == name:
                said = {test for test, p in answer(mutant["function"]).items() if p > threshold}
                hits = [test in said for test in mutant["failing"]]
                found.setdefault("design" if name in DESIGN else "report", []).append((any(hits), all(hits)))
    for title, rows in sorted(found.items()):
        some, every = (sum(row[n] for row in rows) / len(rows) for n in (0, 1))
        print(f"mutants  {title:13}{len(rows):5} any failing test in the reach {some:.3f}, all {every:.3f}")


# Private


def _run(
    task: str, names: Sequence[str], clones: Path, out: Path, predict: Predict, threshold: float
) -> Iterator[Score]:
    for name in names:
        recorded = None
        if task != "static":
            if name not in OLD_MAPS:
                continue
            recorded = read_old_map(name, out, int(task.removeprefix("map")))
        truth = _truth(name, out)
        tree = out / "work" / name
        if name in BY_NAME:
            tree = check_out(BY_NAME[name], clones, out, truth["commit"])
        began = time.process_time()
        found, _ = score(truth, predict(tree, truth["commit"], recorded), threshold)
        print(_line(task, name, found, time.process_time() - began), flush=True)
        yield found


def _truth(name: str, out: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((out / f"{name}.json").read_bytes())
    return found


def _line(task: str, name: str, s: Score, seconds: float) -> str:
    return (
        f"{task:9}{name:13}{s.functions:5}{s.recall:8.3f}{s.precision:7.3f}{s.f1:7.3f}{s.safe:7.3f}"
        f"{100 * s.radius:7.1f}%{s.ratio:7.2f}{100 * s.false_zero:6.1f}%{s.ece:7.3f}{s.ece_width:7.3f}{s.ece_all:7.3f}"
        f"{s.map:7.3f}{seconds:7.1f}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.reach", description="Predicted against recorded reach.")
    parser.add_argument("--repos", type=Path, required=True, help="a folder with a clone of every project")
    parser.add_argument("--truth", type=Path, default=Path("/tmp/tidegate-truth"), help="what is built is kept here")
    parser.add_argument("--python", default="python3.12", help="an interpreter with sys.monitoring (3.12 or later)")
    parser.add_argument("--predictor", choices=sorted(PREDICTORS), default=next(reversed(PREDICTORS)))
    parser.add_argument("--threshold", type=float, default=0.0, help="a test counts above this probability")
    parser.add_argument("--split", choices=("design", "report", "both"), default="both")
    parser.add_argument("--project", action="append", help="only this project; may be repeated")
    parser.add_argument("--mutants", action="store_true", help="also the mutation check")
    return parser


if __name__ == "__main__":
    sys.exit(main())
