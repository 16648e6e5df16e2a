"""Line origins against content as ground truth, against git blame, and at the edges."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.lines.histories import History, random_history
from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.lines import LineOrigins, read_line_origins


def origins_of(repo: Repo, base: str, head: str) -> LineOrigins:
    with open_repository(repo.path) as repository:
        return read_line_origins(repository, base, head)


def flat(origins: LineOrigins) -> dict[tuple[bytes, int], tuple[str, bytes, int]]:
    return {
        (path, run.line + i): (run.commit, run.path, run.commit_line + i if run.commit else 0)
        for path, runs in origins.runs.items()
        for run in runs
        for i in range(run.count)
    }


def ancestors(history: History, number: int) -> set[int]:
    found, todo = set(), [number]
    while todo:
        number = todo.pop()
        if number not in found:
            found.add(number)
            todo += history.parents[number]
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_origin_is_the_commit_that_wrote_the_text(tmp_path: Path, seed: int) -> None:
    history = random_history(Repo.init(tmp_path), seed)
    head = len(history.trees) - 1
    lines = 0
    for base in history.random.sample(range(head), 4):
        inside = ancestors(history, head) - ancestors(history, base)
        if base not in ancestors(history, head):
            continue
        origins = flat(origins_of(history.repo, history.oids[base], history.oids[head]))
        for (path, line), (commit, path_there, line_there) in origins.items():
            text = history.trees[head][path][line - 1]
            author = history.author[text]
            if commit:
                number = history.oids.index(commit)
                assert history.trees[number][path_there][line_there - 1] == text
                assert number == author, (path, line)
                lines += 1
            else:
                assert author not in inside, f"{path!r}:{line} was written in the range by {author}"
    assert lines > 20


@pytest.mark.parametrize("seed", range(100, 106))
def test_it_agrees_with_git_blame(tmp_path: Path, seed: int) -> None:
    history = random_history(Repo.init(tmp_path), seed, commits=30)
    base, head = history.oids[history.random.randrange(10)], history.oids[-1]
    ours = flat(origins_of(history.repo, base, head))
    seen = 0
    for path in sorted({path for path, _ in ours}):
        for line, commit in enumerate(blame(history.repo, base, head, path), 1):
            if (path, line) in ours and ours[path, line][0]:
                assert ours[path, line][0] == commit, (path, line)
                seen += 1
    assert seen > 20


def blame(repo: Repo, base: str, head: str, path: bytes) -> list[str]:
    done = subprocess.run(
        ["git", "blame", "-s", "-l", "--no-abbrev", f"{base}..{head}", "--", path],
        cwd=repo.path,
        capture_output=True,
        check=True,
    )
    return [line.split()[0].decode().lstrip("^") for line in done.stdout.splitlines()]
