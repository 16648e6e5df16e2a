"""What contracts lose in real releases: python -m bench.verify.contracts_releases --repos DIR [PROJECT ...].

DIR holds bare clones of public projects (OWNER+NAME/repo) with tags. Neighbouring minor releases are compared, and what
is said of anything but Python names is printed to be read, with the CPU seconds of each comparison. --apidiff DIR
compares Go modules with golang.org/x/exp/cmd/apidiff (an installed binary in DIR): which names each calls incompatible.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.errors import GitError
from tidegate.settings import Settings
from tidegate.verify.contracts.check import check
from tidegate.verify.values import Subject


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--each", type=int, default=3, help="pairs of releases of each project")
    parser.add_argument("--most", type=int, default=12, help="so many findings of each pair are printed")
    parser.add_argument("--apidiff", type=Path)
    parser.add_argument("projects", nargs="*")
    asked = parser.parse_args()
    total: Counter[str] = Counter()
    for project in asked.projects:
        path = asked.repos / project / "repo"
        tags = _git(path, "tag", "--sort=creatordate").split()
        releases = [tag for tag in tags if re.fullmatch(r"[vV]?\d+\.\d+(\.0)?", tag)]
        for old, new in list(pairwise(releases))[-asked.each :]:
            _pair(path, project, (old, new), asked, total)
    print(dict(total))
    return 0


# Private


def _pair(path: Path, project: str, tags: tuple[str, str], asked: argparse.Namespace, total: Counter[str]) -> None:
    said = _said(path, tags)
    if said is None:
        return
    sentences, seconds = said
    total["pairs"] += 1
    total["findings"] += len(sentences)
    print(f"== {project} {tags[0]}..{tags[1]}: {len(sentences)} findings, {seconds:.2f} CPU s", flush=True)
    for sentence in sentences[: asked.most]:
        print("  ", sentence)
    if asked.apidiff:
        theirs = _apidiff(path, tags, asked.apidiff)
        ours = {_name(one) for one in sentences if "the Go API" in one}
        for key, names in (("both", ours & theirs), ("ours", ours - theirs), ("apidiff", theirs - ours)):
            total[key] += len(names)
            print(f"   {key}: {len(names)} {sorted(names)[:8] if key != 'both' else ''}")


def _said(path: Path, tags: tuple[str, str]) -> tuple[list[str], float] | None:
    with open_repository(path, bare=True) as repository:
        try:
            ends = read_ends(Question("..".join(tags)), repository)
            change = read_change(ends, repository, Settings())
            before, after = (GitTree(repository, tree) for tree in (change.base_tree, change.head_tree))
            begin = resource.getrusage(resource.RUSAGE_SELF)
            part = check(Subject(change, Trees(before, after, pairs_of(change)), Settings()))
        except GitError:
            return None  # the clone lacks some of the files
    end = resource.getrusage(resource.RUSAGE_SELF)
    for unknown in part.unknowns:
        print("  unknown:", unknown.reason[:400])
    said = [f"[{one.severity}] {one.message} ({one.place})" for one in part.findings if "Python API" not in one.message]
    return said, end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime


def _apidiff(path: Path, tags: tuple[str, str], folder: Path) -> set[str]:
    """What apidiff calls incompatible, as the last part of each name; of a package that goes, its name."""
    with tempfile.TemporaryDirectory() as scratch:
        written = []
        for side, tag in zip(("old", "new"), tags, strict=True):
            root = Path(scratch) / side
            root.mkdir()
            archive = subprocess.run(["git", "-C", path, "archive", tag], capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x", "-C", root], input=archive, check=True)
            module = (re.search(r"^module\s+(\S+)", (root / "go.mod").read_text(), re.MULTILINE) or ["", ""])[1]
            written.append(Path(scratch) / f"{side}.export")
            subprocess.run([folder / "apidiff", "-m", "-w", written[-1], module], cwd=root, check=False)
        told = subprocess.run(
            [folder / "apidiff", "-m", "-incompatible", *written], capture_output=True, text=True, check=False
        )
    found = set()
    for line in told.stdout.splitlines():
        names = re.match(r"- (?:\./[\w/.-]+: ?)?(?:package )?([^:]+)", line)
        if names:
            found.add(_last(names[1]))
    return found


def _name(sentence: str) -> str:
    names = re.findall(r"`([^`]+)`", sentence.partition(", ")[2])
    member = names[1] if "asks for the method" in sentence else names[0]
    return _last(member)


def _last(name: str) -> str:
    """`(*T).M`, `T.M` and `./p.M` are all M."""
    return re.sub(r"[()*\s]", "", name).rpartition(".")[2].rpartition("/")[2]


def _git(path: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", path, *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
