"""Copies in real commits, to be read by hand: python -m bench.verify.clones_read --repos DIR [PROJECT ...].

DIR holds bare clones (OWNER+NAME/repo). Of each project the newest commits that add enough lines are checked, as
`tidegate check` would with a whole index, and of the hits a fixed sample is printed with both places. What was read is
in clones_read.jsonl, without any code: project, commit, both places, verdict and reason. --score counts it.

Three splits, each fixed before any of its projects was looked at. Thresholds were changed after the first (`design`)
and after the second (`second`), which was meant as the test and did not reach the bar: only `test` is a hold-out.
design   gogs/gogs, saleor/saleor, huanghongxun/HMCL, dotnet/aspire, Unleash/unleash, miniflux/v2, with the six projects
         of clone_hits.json
second   aquasecurity/trivy, LemmyNet/lemmy, internetarchive/openlibrary, vatesfr/xen-orchestra,
         kubernetes-sigs/external-dns, square/okhttp, paperless-ngx/paperless-ngx, maybe-finance/maybe,
         infracost/infracost, pdm-project/pdm, Netflix/dispatch, backstage/demo, stellar/stellar-core
test     vitejs/vite, astral-sh/ruff, feast-dev/feast, ansible/awx, trezor/trezor-firmware, tarantool/tarantool,
         oasdiff/oasdiff, icsharpcode/ILSpy, steveyegge/beads, lobsters/lobsters, runatlantis/atlantis (of the split,
         curl/curl and microsoft/autogen were not read)
One reader judged strictly: forms that many places fill in, errors that are passed on, and declarations are no clones.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tidegate.change.git import Repository, open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.errors import GitError
from tidegate.facts import CloneFact
from tidegate.settings import Settings
from tidegate.verify.clones.check import check
from tidegate.verify.clones.index import MOST_BYTES, Listing, bring_up_to_date, read_sources
from tidegate.verify.clones.store import open_store
from tidegate.verify.values import Subject

READ = Path(__file__).with_name("clones_read.jsonl")
BAR = 0.90
FEWEST_ADDED, MOST_ADDED = 12, 5_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repos", type=Path)
    parser.add_argument("--commits", type=int, default=120, help="so many of each project")
    parser.add_argument("--each", type=int, default=10, help="so many hits of each project, two of one commit")
    parser.add_argument("--score", action="store_true")
    parser.add_argument("projects", nargs="*")
    asked = parser.parse_args()
    if asked.score:
        return _score()
    for project in asked.projects:
        with open_repository(asked.repos / project / "repo", bare=True) as repository:
            _project(repository, project, asked)
    return 0


# Private


def _score() -> int:
    rows = [json.loads(line) for line in READ.read_text().splitlines()]
    good = True
    for part in sorted({row["part"] for row in rows}):
        read = [row for row in rows if row["part"] == part]
        clones = sum(row["verdict"] == "clone" for row in read)
        projects = len({row["project"] for row in read})
        print(f"{part:8} {clones} of {len(read)} hits of {projects} projects are clones, {clones / len(read):.1%}")
        good &= not part.startswith("test") or clones / len(read) >= BAR
    return 0 if good else 1


def _project(repository: Repository, project: str, asked: argparse.Namespace) -> None:
    chance = random.Random(f"read {project}")
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "tidegate" / "verify"
        kept.mkdir(parents=True)
        tree = repository.resolve("HEAD", "tree")
        sources = read_sources(repository, Listing(GitTree(repository, tree).oids(), tree), Settings())
        with open_store(kept / "clones") as store:
            bring_up_to_date(repository, store, sources, budget=MOST_BYTES)
        hits, read = [], 0
        for commit in repository.run("rev-list", "--no-merges", "--max-count=1500", "HEAD").decode().split():
            facts = _facts(repository, commit, kept)
            hits += [(commit, fact) for fact in facts or ()]
            read += facts is not None
            if read == asked.commits:
                break
    chance.shuffle(hits)
    seen: Counter[str] = Counter()
    shown = 0
    for commit, fact in hits:
        seen[commit] += 1
        if seen[commit] <= 2 and shown < asked.each:
            shown += 1
            _show(repository, project, commit, fact)
    print(f"#### {project}: {len(hits)} hits in {read} commits, {shown} shown", flush=True)


def _facts(repository: Repository, commit: str, kept: Path) -> tuple[CloneFact, ...] | None:
    """The hits in a commit; None where it adds too little, or where the clone lacks some of its files."""
    repository.kept.clear()
    try:
        change = read_change(read_ends(Question(commit), repository), repository, Settings())
        if not FEWEST_ADDED <= sum(file.added for file in change.files) <= MOST_ADDED:
            return None
        before, after = (GitTree(repository, tree) for tree in (change.base_tree, change.head_tree))
        part = check(Subject(change, Trees(before, after, pairs_of(change)), Settings(), kept=kept))
    except GitError:
        return None
    found: tuple[CloneFact, ...] = part.fields.get("clones", ())
    return found


def _show(repository: Repository, project: str, commit: str, fact: CloneFact) -> None:
    row = {"project": project, "commit": commit[:9], "place": str(fact.place), "other": str(fact.other)}
    print("=" * 20, json.dumps({**row, "lines": fact.lines, "kind": fact.kind, "similarity": fact.similarity}))
    for place in (fact.place, fact.other):
        lines = repository.run("show", f"{commit}:{place.path}").decode("utf-8", "replace").splitlines()
        print("\n".join(f"{line[:110]}" for line in lines[place.line - 1 : min(place.end_line, place.line + 24)]))
        print("-" * 20)


if __name__ == "__main__":
    sys.exit(main())
