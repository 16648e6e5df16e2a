"""Fixtures that every area shares."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# The suite tries the same examples on every machine; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile("suite", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The public fixtures (TIDEGATE_DATA, by default ../shared/data). They are never copied into the project."""
    folder = Path(os.environ.get("TIDEGATE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        message = f"not run: public fixtures are missing (TIDEGATE_DATA={folder})"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _no_garbage_of_others() -> None:
    """Lets no module pay, in a time that it measures, for collecting among the objects of all modules before it."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def tidegate() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the installed command as a person would: `tidegate("check", cwd=...)`."""
    program = str(Path(sys.executable).parent / "tidegate")

    def run(
        *arguments: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            env={"PATH": os.environ["PATH"], "HOME": os.devnull, "LC_ALL": "C", **(env or {})},
            check=False,
            timeout=120,
        )

    return run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests recorded as `summary`: figures that a pass or a failure alone does not tell."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [value for report in reports for name, value in report.user_properties if name == "summary"]
    for line in sorted(map(str, lines)):
        terminalreporter.write_line(line)
