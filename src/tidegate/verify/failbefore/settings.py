"""What a repository's own settings say of how its tests run, where that is simple."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from pathlib import Path

_LARGEST_BYTES = 1 << 20
_PAIR = re.compile(r"^\s*([A-Za-z_]\w*)\s*=\s*([^{}]*?)\s*$")


def variables_of_tests(folder: Path) -> Mapping[str, str]:
    """The variables that tox sets for every test run (`[testenv] setenv`); none with a substitution in its value."""
    told = _testenv(folder).get("setenv", "") or _testenv(folder).get("set_env", "")
    pairs = (_PAIR.match(line) for line in told.splitlines())
    return {pair[1]: pair[2] for pair in pairs if pair is not None and pair[1] not in _OURS}


def other_runner(folder: Path) -> str:
    """The command that tox runs where it is plainly not pytest, "" where it is or where nothing is said."""
    commands = [line.strip() for line in _testenv(folder).get("commands", "").splitlines() if line.strip()]
    if not commands or any("pytest" in command or "py.test" in command or "{" in command[:1] for command in commands):
        return ""
    return next((command for command in commands if "test" in command), "")[:200]


# Private

_OURS = ("PATH", "PYTHONPATH", "PYTEST_ADDOPTS", "HOME")


def _testenv(folder: Path) -> Mapping[str, str]:
    for name, section in (("tox.ini", "testenv"), ("setup.cfg", "tox:testenv")):
        parser = configparser.RawConfigParser(strict=False)
        try:
            with (folder / name).open(encoding="utf-8", errors="replace") as file:
                parser.read_string(file.read(_LARGEST_BYTES))
        except (OSError, configparser.Error):
            continue
        if parser.has_section(section):
            return dict(parser.items(section))
    return {}
