"""What a script runs that does not stand in it: other files, commands of the shell, text made while it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.infra.sql.steps import Step

_GRAVE = r"(?:drop|truncate|delete|alter|update|grant)\b"
_RUNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (words, re.compile(pattern, re.IGNORECASE | re.MULTILINE))
    for words, pattern in (
        (
            "another script",
            r"^\\i[r]?\b|^\\include|^\\\.[ \t]|^source[ \t]+\S+[ \t]*;?[ \t]*$|^:r[ \t]+\S|^@@?[\w./]+\.sql\b",
        ),
        (
            "a command of the shell",
            r"^\\!|^[ \t]*\\copy\b[^\n]*\bprogram\b|\bcopy\b[^;]{0,400}\bprogram\s*'|\bxp_cmdshell\b",
        ),
        ("the rows of a query as statements", r"\\gexec\b"),
        (
            "text in another session",
            rf"\b(?:dblink(?:_exec)?|query_to_xml|cron\.schedule\w*)\s*\([^;]{{0,400}}{_GRAVE}",
        ),
        (
            "statements at a later time or beside others",
            rf"\bcreate\s+(?:or\s+replace\s+)?(?:event|rule)\b[^;]{{0,400}}\bdo\b[^;]{{0,60}}{_GRAVE}",
        ),
    )
)


def run_elsewhere(text: str) -> Iterator[Step]:
    """Each place where a script runs something that cannot be read in it. Its words are never shown."""
    for words, pattern in _RUNS:
        if found := pattern.search(text):
            yield Step("computed", "", text=words, line=text.count("\n", 0, found.end()) + 1)
