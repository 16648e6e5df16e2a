"""Which lines of code can be at fault: not blank ones, comments, lone brackets or imports.

Read line by line, by how a line begins: a comment block is known by its usual marks. That a line of code is taken for a
comment costs one piece of evidence among many; nothing is ever decided by one line.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

LineKind: TypeAlias = Literal["code", "import", "comment", "bare"]

LINE_LIMIT_BYTES = 2000
"""Longer lines are data or were packed by a program: they count as bare."""


def kind_of(line: bytes) -> LineKind:
    """What a line is: code, an import, a comment, or bare (blank, brackets and keywords that only close a block)."""
    if len(line) > LINE_LIMIT_BYTES:
        return "bare"
    text = line.strip()
    if not text or _BARE.fullmatch(text):
        return "bare"
    if _COMMENT.match(text):
        return "comment"
    return "import" if _IMPORT.match(text) else "code"


def squeezed(line: bytes) -> bytes:
    """The line without white space: what `git diff -w` compares."""
    return b"".join(line.split())


# Private

_BARE = re.compile(
    rb"[\s(){}\[\];,:]*(?:(?:else|end|endif|fi|done|do|then|try|finally|begin|pass|break|return|default)[\s(){}\[\];,:]*)?",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    rb"//|#(?!\s*(?:define|if|ifdef|ifndef|else|elif|endif|undef|pragma|error|warning|include|import)\b|\[|!)"
    rb"|/\*|\*(?:\s|/|$)|--(?:\s|$)|;;|<!--|\"\"\"|'''|\(\*|%|@?rem\s|dnl\b",
    re.IGNORECASE,
)
_IMPORT = re.compile(
    rb"#\s*(?:include|import)\b|import\b[\s\"'{(*]|from\s+\S+\s+import\b|using\s+[\w.:]+\s*;|use\s+[\w\\:]+[\s;{]"
    rb"|package\s+[\w.]+|require(?:_once|_relative)?[\s(]*[\"'<]|include(?:_once)?[\s(]*[\"'<]"
    rb"|(?:const|let|var)\s+[\w{},\s]+=\s*require\(|export\s+.*\bfrom\s+[\"']"
)
