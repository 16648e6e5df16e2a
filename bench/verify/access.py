"""Guards that changes take away, on real commits: every finding to be read by eye.

    python -m bench.verify.access --commits 400 CLONE...

The commits are the last ones of each clone, no merges, that add or remove a line with the word of a guard.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tidegate.change.git import Repository, open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.errors import GitError, InputError
from tidegate.facts import Finding
from tidegate.settings import Settings
from tidegate.verify.access.check import check
from tidegate.verify.values import Subject

WORDS = (
    "login_required|[Pp]ermission|[Aa]uth|Depends|Security|before_action|Guards?|Secured|Roles|hasRole|permitAll|"
    "[Aa]dmin|[Pp]rotect|[Ss]ign_?[Ii]n|CurrentUser|require_|[Pp]rocedure"
)
MOST_FILES = 200


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("clones", type=Path, nargs="+")
    parser.add_argument("--commits", type=int, default=400)
    asked = parser.parse_args()
    for clone in asked.clones:
        held, count, spent = 0, 0, 0.0
        with open_repository(clone, bare=True) as repository:
            for commit, findings, seconds in judged(repository, asked.commits):
                count, held, spent = count + 1, held + bool(findings), spent + seconds
                for one in findings:
                    sys.stdout.write(f"  {commit[:10]} {one.place.path}:{one.place.line} {one.message}\n")
        sys.stdout.write(f"{clone}: {held} of {count} commits; {spent / max(1, count):.3f} CPU s each\n")
        sys.stdout.flush()
    return 0


def judged(repository: Repository, count: int) -> Iterator[tuple[str, tuple[Finding, ...], float]]:
    """What the check says of the last so many commits."""
    arguments = ("log", "--no-merges", "-E", "-G", WORDS, "--format=%H", "-n", str(count), "HEAD")
    try:
        commits = repository.run(*arguments).decode().split()
    except GitError:  # a clone that does not hold all of its past
        commits = repository.run("log", "--no-merges", "--format=%H", "-n", str(count), "HEAD").decode().split()
    for commit in commits:
        try:
            change = read_change(read_ends(Question(change=commit), repository), repository, Settings())
        except (InputError, GitError):  # the first commit of a clone that is cut off
            continue
        if len(change.files) > MOST_FILES:
            continue
        before, after = (GitTree(repository, tree) for tree in (change.base_tree, change.head_tree))
        used = time.process_time()
        part = check(Subject(change, Trees(before, after, pairs_of(change)), Settings()))
        yield commit, part.findings, time.process_time() - used


if __name__ == "__main__":
    raise SystemExit(main())
