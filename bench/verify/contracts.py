"""Breaking changes of real releases, beside griffe's: python -m bench.verify.contracts --repos DIR [PROJECT ...].

DIR holds bare clones of public Python libraries (OWNER+NAME/repo). Each pair of neighbouring minor releases is compared
by Tidegate, and by griffe, which is installed into .cache. A finding agrees if both name the same object (a class with
what is below it, else the last part of the name); changed values and defaults, which Tidegate leaves out on purpose,
and special methods but the making of an object are not counted. --show prints what only one of them says.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.settings import Settings
from tidegate.verify.contracts.check import check
from tidegate.verify.values import Subject

CACHE = Path(__file__).parents[2] / ".cache" / "griffe"
BAR = 0.80
IMPORTED = {"jinja": "jinja2"}
PEER = """
import json, sys
from pathlib import Path
import griffe
root, package, sides = Path(sys.argv[1]), sys.argv[2], ("old", "new")
loaded = [griffe.load(package, search_paths=[str(root / side / sys.argv[3])], allow_inspection=False) for side in sides]
for found in griffe.find_breaking_changes(*loaded):
    one = found.as_dict()
    print(json.dumps([found.kind.name, one["object_path"]]))
"""
LEFT_OUT = {"PARAMETER_CHANGED_DEFAULT", "ATTRIBUTE_CHANGED_VALUE", "ATTRIBUTE_CHANGED_TYPE", "RETURN_CHANGED_TYPE"}


class Pair(Struct, frozen=True):
    """Two releases of a project, what each side names, and what it cost in CPU seconds."""

    name: str
    ours: frozenset[str]
    theirs: frozenset[str]
    seconds: float
    sentences: tuple[str, ...]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--each", type=int, default=6, help="pairs of releases of each project")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("projects", nargs="*")
    asked = parser.parse_args()
    peer = _installed()
    total: Counter[str] = Counter()
    seconds = []
    for project in asked.projects:
        for pair in _pairs(asked.repos / project / "repo", project, asked.each, peer):
            total["both"] += len(pair.ours & pair.theirs)
            total["ours"] += len(pair.ours - pair.theirs)
            total["theirs"] += len(pair.theirs - pair.ours)
            total["pairs"] += 1
            seconds.append(pair.seconds)
            counted = [len(one) for one in (pair.ours & pair.theirs, pair.ours - pair.theirs, pair.theirs - pair.ours)]
            print(f"{pair.name:48} both {counted[0]:4}  only ours {counted[1]:4}  only griffe {counted[2]:4}")
            if asked.show:
                only = [f"  ours: {one}" for one in pair.sentences if _key(one.split("`")[1]) not in pair.theirs]
                print("\n".join([*only, *(f"  griffe: {one}" for one in sorted(pair.theirs - pair.ours))]))
    share = total["both"] / max(total["both"] + total["theirs"], 1)
    print(f"{total['pairs']} pairs: {dict(total)}; found of griffe's {share:.1%} (bar {BAR:.0%})")
    print(f"CPU of a comparison: median {sorted(seconds)[len(seconds) // 2]:.2f} s, most {max(seconds):.2f} s")
    return 0 if share >= BAR else 1


# Private


def _installed() -> Path:
    python = CACHE / "bin" / "python"
    if not python.exists():
        venv.create(CACHE, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "griffe"], check=True)
    return python


def _pairs(path: Path, project: str, each: int, peer: Path) -> Iterator[Pair]:
    tags = _git(path, "tag", "--sort=creatordate").split()
    releases = [tag for tag in tags if re.fullmatch(r"[vV]?\d+\.\d+(\.0)?", tag)]
    steps = list(pairwise(releases))
    chosen = steps[-each:]
    for old, new in chosen:
        ours, seconds = _ours(path, old, new)
        yield Pair(
            f"{project} {old}..{new}",
            frozenset(name for name in (_key(one.split("`")[1]) for one in ours) if not name.endswith("__")),
            frozenset(_theirs(path, project, (old, new), peer)),
            seconds,
            tuple(ours),
        )


def _ours(path: Path, old: str, new: str) -> tuple[list[str], float]:
    repository = open_repository(path, bare=True)
    change = read_change(read_ends(Question(f"{old}..{new}"), repository), repository, Settings())
    sides = [GitTree(repository, tree) for tree in (change.base_tree, change.head_tree)]
    begin = _cpu()
    part = check(Subject(change, Trees(sides[0], sides[1], pairs_of(change)), Settings()))
    spent = _cpu() - begin
    for unknown in part.unknowns:
        print("  unknown:", unknown.reason)
    return [one.message for one in part.findings if "Python API" in one.message], spent


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _theirs(path: Path, project: str, sides: tuple[str, str], peer: Path) -> set[str]:
    name = project.rpartition("+")[2].replace("-", "_")
    name = IMPORTED.get(name, name)
    with tempfile.TemporaryDirectory() as folder:
        for side, tag in zip(("old", "new"), sides, strict=True):
            (Path(folder) / side).mkdir()
            archive = subprocess.run(["git", "-C", path, "archive", tag], capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x", "-C", Path(folder) / side], input=archive, check=True)
        where = "src" if (Path(folder) / "new" / "src" / name).is_dir() else "."
        if not (Path(folder) / "old" / where / name).is_dir():
            return set()
        script: list[str | Path] = [peer, "-c", PEER, folder, name, where]
        told = subprocess.run(script, capture_output=True, text=True, check=False)
        if told.returncode:
            print("  griffe failed:", told.stderr.strip().splitlines()[-1:], file=sys.stderr)
    found = [json.loads(line) for line in told.stdout.splitlines()]
    named = {_key(where.partition("(")[0]) for kind, where in found if kind not in LEFT_OUT}
    return {name for name in named if not name.endswith("__")}


def _key(name: str) -> str:
    """What a dotted name means wherever it is taken from: a class with what is below it, else the last part."""
    parts = name.removesuffix(".__init__").split(".")
    first = next((index for index, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    return ".".join(parts[first:])


def _git(path: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", path, *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
