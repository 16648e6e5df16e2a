"""The commands that run the tests which should run first."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from tidegate.reach.answer import ReachedTest
from tidegate.report.escape import plain


def run_commands(tests: Sequence[ReachedTest]) -> list[str]:
    """One command for each runner whose tests can be named: pytest, go test, rspec; none that could not be copied."""
    return [command for command in (pytest_command(tests), _go_command(tests), _rspec_command(tests)) if command]


def pytest_command(tests: Sequence[ReachedTest]) -> str:
    """The command that runs these tests, "" where none of them is one of pytest's or can be written down safely."""
    ids: list[str] = []
    for test in tests:
        path, name = test.symbol.path, test.symbol.name
        if path.endswith(".py") and _safe(test):
            ids.append(shlex.quote("::".join((path, *name.split("."))) if name else path))
    return f"pytest {' '.join(dict.fromkeys(ids))}" if ids else ""


# Private

_GO_NAME = re.compile(r"(?:Test|Example|Fuzz)\w*")


def _safe(test: ReachedTest) -> bool:
    said = f"{test.symbol.path}{test.symbol.name}"
    return not said.startswith("-") and plain(said) == said


def _go_command(tests: Sequence[ReachedTest]) -> str:
    """All in the packages of the tests: go runs what matches in each of them."""
    named = [test for test in tests if test.symbol.path.endswith("_test.go") and _safe(test)]
    names = dict.fromkeys(test.symbol.name for test in named if _GO_NAME.fullmatch(test.symbol.name))
    folders = dict.fromkeys(
        shlex.quote(f"./{test.symbol.path.rpartition('/')[0]}") for test in named if test.symbol.name in names
    )
    return f"go test {' '.join(folders)} -run '^({'|'.join(names)})$'" if names else ""


def _rspec_command(tests: Sequence[ReachedTest]) -> str:
    paths = [test.symbol.path for test in tests if test.symbol.path.endswith("_spec.rb") and _safe(test)]
    return f"bundle exec rspec {' '.join(shlex.quote(path) for path in dict.fromkeys(paths))}" if paths else ""
