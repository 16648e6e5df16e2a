"""Text of the repository as data: names of a narrow form in a code span, everything else in quotes, short, one line.

What an agent reads as an instruction must be ours. So a name that could be a sentence is left out and said to be left
out, and a title stands in quotes behind the words that say whose it is.
"""

from __future__ import annotations

import re

from tidegate.report.escape import code, markdown

LONGEST_NAME = 100
LONGEST_TITLE = 140
UNUSUAL = "a name that is not shown, as it holds more than letters, digits and `./_-+@`"


def name(text: str, limit: int = LONGEST_NAME) -> str:
    """A path, a pattern, an owner or an id as a code span; "" for one that is no plain name, or too long."""
    return code(text) if len(text) <= limit and _NAME.fullmatch(text) else ""


def command(text: str) -> str:
    """A command as it stands, "" for one that holds more than plain words: no shell, no variables, no addresses."""
    plain = " ".join(text.split())
    safe = len(plain) <= LONGEST_NAME and _COMMAND.fullmatch(plain) and "://" not in plain
    return plain if safe else ""


def words(text: str, limit: int = 200) -> str:
    """A sentence of ours that may hold names of others: one line without markup."""
    return markdown(" ".join(text.split()), limit)


def title(text: str, limit: int = LONGEST_TITLE) -> str:
    """A sentence of somebody else, in quotes, with nothing in it that is markup, a link or a line of its own."""
    said = markdown(" ".join(text.replace('"', "'").split()), limit)
    return f'"{said}"'


def is_name(text: str) -> bool:
    """Whether it is shown as it stands."""
    return bool(name(text))


# Private

_NAME = re.compile(r"(?=.*\w)[\w./+@*,=\[\](){}~^:-]+", re.ASCII)
_PLAIN = r"[\w./+@*,=:\[\]%~-]"
_COMMAND = re.compile(rf"(?:{_PLAIN}| |\"{_PLAIN}+\"|'{_PLAIN}+')+", re.ASCII)
"""Quotes only around one plain word: they keep a shell from reading its brackets and stars."""
