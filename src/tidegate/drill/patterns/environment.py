"""Secrets that code reads from its environment."""

from __future__ import annotations

import re
from typing import NamedTuple

from tidegate.drill.ground import Ground

_NAME = r"([A-Z][A-Z0-9_]*(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|ACCESS_KEY|CREDENTIALS)[A-Z0-9_]*)"
_READS = (
    ((".py",), re.compile(rf"(os\.environ\[[\"']){_NAME}([\"']\])")),
    (
        (".py",),
        re.compile(
            rf"((?:os\.environ\.get|os\.getenv|getenv|env|envvar|config|env\.str)\([\"']){_NAME}([\"'](?:, ?[^()]*)?\))"
        ),
    ),
    ((".js", ".ts", ".tsx", ".mjs"), re.compile(rf"(process\.env\.){_NAME}()(?![\w])")),
    ((".rb", ".yml"), re.compile(rf"(ENV\[[\"']){_NAME}([\"']\])")),
    ((".rb",), re.compile(rf"(ENV\.fetch\([\"']){_NAME}([\"'](?:, ?[^()]*)?\))")),
    ((".go",), re.compile(rf"(os\.Getenv\(\"){_NAME}(\"\))")),
)


class SecretRead(NamedTuple):
    """A line that reads a secret of this name from its environment; `match` has what leads, the name, what follows."""

    path: str
    line: int
    name: str
    match: re.Match[str]


def secret_reads(ground: Ground) -> list[SecretRead]:
    """Every place that reads a secret, tests left out."""
    found = []
    for suffixes, pattern in _READS:
        for path, number, match in ground.lines(ground.paths(*suffixes), pattern):
            found.append(SecretRead(path, number, match[2], match))
    return found
