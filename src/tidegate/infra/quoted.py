"""Secrets in commands that a reason quotes between backticks: what is said goes into logs and pull requests."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"`[^`\n]+`")
_SECRET = re.compile(
    r"(?i:(?P<option>--?[\w.-]*(?:passw\w*|token|secret|api-?key|access-?key|pwd)[\w-]*(?:\s*=\s*|\s+))(?!-)\S+"
    r"|(?P<named>[\w.-]*(?:passw\w*|token|secret|api_?key|access_?key|pwd)[\w-]*\s*[=:]\s*)(?![$<{(])[^\s\"'&|;`]{3,}"
    r"|(?P<bearer>\b(?:bearer|basic)\s+)(?![$<{(])[^\s\"'`]{6,}"
    r"|(?P<login>://[^/\s:@`]*:)(?![$<{(])[^/\s@`]+(?=@)"
    r"|(?P<user>\s-u\s+[^\s:`]+:)(?![$<{(])[^\s`]+"
    r"|(?P<client>\b(?:mysql\w*|mariadb\w*)\b[^`|;]*?\s-p)(?![$<{(\s])[^\s`]+)"
)


def without_secrets(text: str) -> str:
    """A reason without the passwords and tokens in the commands that it quotes."""
    return _QUOTED.sub(lambda quoted: _SECRET.sub(_hidden, quoted[0]), text) if "`" in text else text


# Private


def _hidden(found: re.Match[str]) -> str:
    head: str = found[found.lastgroup or 0]
    tail = "`" if found[0].endswith("`") else ""
    return f"{head}(sensitive){tail}"
