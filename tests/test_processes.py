"""However large a change and its repository are, a check starts git the same number of times."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.repos import Repo

Tidegate = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that writes down every start, in front of the real one."""
    log, folder, real = tmp_path / "started", tmp_path / "bin", shutil.which("git")
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return log


def _repo(path: Path, many: int) -> Repo:
    """A service in `many` modules, a test for each, and a branch that changes every one of them in its own commit."""
    repo = Repo.init(path)
    files = {f"app/m{n}.py": f"def f{n}():\n    return g{n}()\n\n\ndef g{n}():\n    return {n}\n" for n in range(many)}
    tests = {f"tests/test_{n}.py": f"from app.m{n} import f{n}\n\n\ndef test_it():\n    f{n}()\n" for n in range(many)}
    manifests = {
        f"deploy/{n}.yaml": f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: s{n}}}\n" for n in range(many)
    }
    repo.commit(
        "Start", {"Dockerfile": "FROM python\nCOPY app app\n", "CODEOWNERS": "* @a\n", **files, **tests, **manifests}
    )
    repo.git("switch", "-qc", "feature")
    for number in range(many):
        name = f"app/m{number}.py"
        repo.commit(f"Change {number}", {name: files[name].replace("return g", "return 1 + g")})
    return repo


def test_a_check_starts_git_a_constant_number_of_times(tmp_path: Path, started: Path, tidegate: Tidegate) -> None:
    counts: dict[int, list[int]] = {}
    for many in (2, 30):
        repo = _repo(tmp_path / str(many), many)
        for _ in ("nothing is kept yet", "everything is kept"):
            started.write_text("")
            assert tidegate("check", "main..feature", cwd=repo.path).returncode == 1
            counts.setdefault(many, []).append(len(started.read_text().splitlines()))

    assert counts[2] == counts[30]
    cold, warm = counts[30]
    assert warm <= cold <= 24
