"""The whole question on one page: put small faults into the changed lines, and see which tests notice them.

It executes the repository's code. Mutants of functions are judged in forked processes of one collected test session;
those that take effect when a module is imported, and all where forking does not work, each in a fresh process.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.change.values import Change
from tidegate.errors import InputError
from tidegate.settings import Settings
from tidegate.verify.failbefore.overlay import bring_along
from tidegate.verify.failbefore.pytest_run import probe
from tidegate.verify.mutate.fresh import judge_afresh
from tidegate.verify.mutate.hearing import Hearing, hear
from tidegate.verify.mutate.plan import MOST, Plan, plan
from tidegate.verify.mutate.session import DEFAULT_COMMAND, Ground, ground
from tidegate.verify.mutate.told import mutation_of
from tidegate.verify.mutate.values import Mutation
from tidegate.verify.runner import find_python, lay_out, list_tree, python_roots
from tidegate.verify.values import Subject


class Request(Struct, frozen=True):
    """How mutants are run: `budget` seconds for all of them, after the one run of all tests that `seconds` bounds."""

    environment: Mapping[str, str]
    command: str = DEFAULT_COMMAND
    python: str = ""
    budget: float = 60.0
    at_once: int = 2
    most: int = MOST
    seconds: float = 600.0


class Answer(Struct, frozen=True):
    """What was found. CPU seconds: the one run of all tests with its collection, and everything beside it."""

    mutation: Mutation
    hearing_seconds: float = 0.0
    cpu_seconds: float = 0.0


def mutate(change: Change, repository: Repository, settings: Settings, request: Request) -> Answer:
    """Try the mutants of a change, whatever happens to some of them. Raises InputError where nothing can be run."""
    if not (change.base_tree and change.head_tree):
        raise InputError("a diff alone cannot be run", mend="name a range of commits: BASE..HEAD")
    planned = plan(subject_of(change, repository, settings), request.most)
    if not planned.mutants:
        return Answer(mutation_of(change, planned, Hearing(), request.command, ""))
    with tempfile.TemporaryDirectory(prefix="tidegate-mutate-", ignore_cleanup_errors=True) as name:
        scratch = Path(name).resolve()
        place, version, notes = _lay_out(change, repository, request, planned, scratch)
        return _answer(change, planned, request, (place, version, notes))


def subject_of(change: Change, repository: Repository, settings: Settings) -> Subject:
    """The change as checks see it."""
    before, after = (GitTree(repository, tree) for tree in (change.base_tree, change.head_tree))
    return Subject(change=change, trees=Trees(before, after, pairs_of(change)), settings=settings)


# Private


def _lay_out(
    change: Change, repository: Repository, request: Request, planned: Plan, scratch: Path
) -> tuple[Ground, str, tuple[str, ...]]:
    """The head in a temporary folder, with what its tests need beside, and a Python that can run them."""
    listing = list_tree(repository, change.head_tree)
    python = find_python(repository.path, request.python, request.environment)
    interpreter = probe(python, request.environment, scratch)
    if not interpreter.pytest and request.command.split()[:1] == ["pytest"]:
        mend = "name the Python that runs the tests: --python .venv/bin/python, or give --command"
        raise InputError("pytest is not installed there", where=python, mend=mend)
    tree = scratch / "tree"
    tree.mkdir()
    notes = [f"left out: {what}" for what in lay_out(repository, listing, tree)[:10]]
    notes += bring_along(repository.path, listing, (tree,), interpreter.installed)
    roots = python_roots(listing, [mutant.path for mutant in planned.mutants])
    place = ground(tree, scratch / "run", roots, request.command, (python, request.environment))
    return place, interpreter.version, tuple(notes)


def _answer(change: Change, planned: Plan, request: Request, where: tuple[Ground, str, tuple[str, ...]]) -> Answer:
    place, version, notes = where
    heard = hear(place, planned, request.budget, request.at_once, request.seconds)
    left = request.budget - heard.judging_seconds
    start = time.monotonic()
    heard = judge_afresh(place, planned, heard, start + left) if heard.collected else heard
    mutation = mutation_of(change, planned, heard, request.command, version, notes)
    return Answer(mutation, heard.hearing_seconds, heard.cpu_seconds)
