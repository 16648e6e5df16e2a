"""A walled yard around a hostile repository: what a trap would run leaves a mark, what anybody writes is seen.

repo/      the hostile repository, with a branch, staged and unstaged changes and a note
outside/   files that nobody may read into an answer, and programs that a trap would start
marks/     the oracle: every planted command touches a file in here
tmp/       TMPDIR; empty before and after
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.repos import Repo, build

SECRET = "TOP-SECRET-OF-ANOTHER-FILE"

SCRIPT = """
commit Start
  file a.txt
    . one
    . two
  file src/app.py
    . import os
branch feature
commit Change
  trailer Co-authored-by: Claude <noreply@anthropic.com>
  file a.txt
    . one
    a 2
  file src/app.py
    . import os
    a print(os.name)
"""


@dataclass
class Yard:
    """One yard. `extra` are journeys that a trap adds, `environment` and `start` what a person comes with."""

    top: Path
    repo: Repo
    environment: dict[str, str] = field(default_factory=dict)
    extra: list[tuple[str, ...]] = field(default_factory=list)
    start: Path | None = None

    @classmethod
    def lay_out(cls, top: Path) -> Yard:
        for name in ("outside", "marks", "tmp", "home"):
            (top / name).mkdir(parents=True)
        (top / "outside/secret").write_text(f"{SECRET}\n")
        repo = build(top / "repo", SCRIPT)
        repo.write("a.txt", "one\nstaged\n")
        repo.git("add", "a.txt")
        repo.write("a.txt", "one\nunstaged\n")
        repo.write("untracked", "x\n")
        return cls(top, repo)

    @property
    def git_dir(self) -> Path:
        return self.repo.path / ".git"

    @property
    def marks(self) -> list[str]:
        return sorted(path.name for path in (self.top / "marks").iterdir())

    def trap(self, name: str) -> str:
        """A program that leaves the mark `name`, and its path. It copies input to output, as a filter would."""
        program = self.top / "outside" / f"trap-{name}"
        program.write_text(f"#!/bin/sh\n: > {self.top}/marks/{name}\n[ -p /dev/stdin ] && cat\nexit 0\n")
        program.chmod(0o755)
        return str(program)

    def configure(self, text: str, file: Path | None = None) -> None:
        """Adds to the repository's configuration without asking git, which would act on it."""
        with (file or self.git_dir / "config").open("a") as config:
            config.write(f"\n{text}\n")

    def fire(self, *arguments: str, cwd: Path | None = None) -> None:
        """What a person with plain git would do. Whether it succeeds does not matter."""
        Git(self).run(arguments, cwd or self.start or self.repo.path)

    def snapshot(self) -> dict[str, str]:
        """Every file of the yard with mode, size, time and content; the marks and TMPDIR are judged by themselves."""
        seen = {}
        for folder, folders, files in os.walk(self.top):
            for name in (*folders, *files):
                path = Path(folder) / name
                seen[os.fsencode(path.relative_to(self.top)).decode("utf-8", "backslashreplace")] = _fingerprint(path)
        return seen

    def changes(self, before: Mapping[str, str]) -> dict[str, str]:
        """What is new, gone or different, but for what a check keeps: plain files in `GIT_DIR/tidegate`."""
        after = self.snapshot()
        different = {
            path: after.get(path, "gone") for path in {**before, **after} if before.get(path) != after.get(path)
        }
        return {path: now for path, now in different.items() if not self._is_kept(path, now)}

    def _is_kept(self, path: str, fingerprint: str) -> bool:
        git_dir, found, rest = f"{path}/".partition("/tidegate/")
        if not found or not all((self.top / git_dir / name).exists() for name in ("HEAD", "objects", "refs")):
            return False
        if rest in ("", "reach/", "verify/", "verify/clones/"):
            return fingerprint.startswith("mode 4")
        kept = rest.rstrip("/").rpartition("/")[0] in ("reach", "verify/clones")
        return kept and fingerprint.startswith(("mode 100600", "gone"))


class Git:
    """Plain git, with all its habits, in the environment of the person who would be attacked."""

    def __init__(self, yard: Yard) -> None:
        self.program = shutil.which("git") or "git"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(yard.top / "home"),
            "TMPDIR": str(yard.top / "tmp"),
            **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            **yard.environment,
        }

    def run(self, arguments: tuple[str, ...], cwd: Path) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):  # a trap that plays a server may wait for an answer
            subprocess.run(
                [self.program, *arguments], cwd=cwd, env=self.environment, capture_output=True, check=False, timeout=2
            )


def _fingerprint(path: Path) -> str:
    status = path.lstat()
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if not path.is_file():
        return f"mode {status.st_mode:o}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if status.st_size < 1 << 20 else ""
    return f"mode {status.st_mode:o}, {status.st_size} bytes, {status.st_mtime_ns}, {digest}"
