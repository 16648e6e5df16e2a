"""One question about the changed tests, and the two temporary folders that they run in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.values import Change
from tidegate.verify.failbefore.overlay import bring_along, without_change
from tidegate.verify.failbefore.values import Result, TestResult, Trial
from tidegate.verify.runner import Entry, Limits, lay_out, list_tree


class Request(Struct, frozen=True):
    """How the tests are to be run. Texts are empty where the caller leaves it to what the repository holds.

    `junit` is the file that the command writes, below its folder. `seconds` is for each of the runs.
    """

    environment: Mapping[str, str]
    command: str = ""
    junit: str = ""
    python: str = ""
    seconds: float = 600.0


class Answer(Struct, frozen=True):
    """What was found, with the CPU seconds of the run with the change, the one without, and the repeated one."""

    result: Result
    cpu_seconds: tuple[float, ...] = ()


class Job:
    """One question with its temporary folders, which are laid out when they are asked for."""

    def __init__(self, change: Change, repository: Repository, request: Request, scratch: Path) -> None:
        self.change = change
        self.request = request
        self.head, self.base = scratch / "head", scratch / "base"  # as long as each other: tests print paths
        self.notes: list[str] = []
        self._repository = repository
        self._head_files = list_tree(repository, change.head_tree)
        self._base_files = without_change(change, list_tree(repository, change.base_tree), self._head_files)

    @property
    def files(self) -> tuple[Mapping[str, Entry], Mapping[str, Entry]]:
        """The files of both folders, head and base."""
        return self._head_files, self._base_files

    def lay_out(self, installed: tuple[str, ...] = ()) -> None:
        """Fill both folders, with what the tests need beside."""
        left_out: set[str] = set()
        for folder, files in ((self.head, self._head_files), (self.base, self._base_files)):
            folder.mkdir()
            left_out.update(lay_out(self._repository, files, folder))
        self.notes += [f"left out: {what}" for what in sorted(left_out)[:10]]
        if self._repository.path != self._repository.git_dir:
            folders = (self.head, self.base)
            self.notes += bring_along(self._repository.path, self._head_files, folders, installed)

    def limits(self, first: Trial | None = None) -> Limits:
        """A run without the change that takes ten times as long as with it is not waited for."""
        most = self.request.seconds
        return Limits(seconds=most if first is None else min(most, 30 + 10 * first.seconds))

    @property
    def work_tree(self) -> Path:
        """The repository's folder; of a bare one its git directory."""
        return self._repository.path

    def answer(
        self, runner: str, command: str, tests: tuple[TestResult, ...], trials: tuple[Trial | None, ...]
    ) -> Answer:
        """What was found, with what it took."""
        result = Result(self.change.base_tree, self.change.head_tree, command, runner, tests, tuple(self.notes))
        return Answer(result, tuple(trial.cpu_seconds if trial is not None else 0.0 for trial in trials))
