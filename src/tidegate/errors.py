"""The few errors that a person may see, each with what is wrong, where, and what to do next.

    TidegateError
    ├── InputError      the input or the set-up is wrong      exit code 2
    │   └── GitError    git refused, or the repository cannot answer
    └── InternalError   our own failure                       exit code 3

Anything else that escapes is our own failure too: `cli/main.py` reports it and exits 3.
"""

from __future__ import annotations


class TidegateError(Exception):
    """Base of every error that is meant to be read by a person.

    `what` is one sentence without a full stop, `where` names the file, line, option or revision,
    `mend` says what to do next. Each is one line: control characters and line breaks are folded.
    """

    exit_code = 3

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = _one_line(what)
        self.where = _one_line(where)
        self.mend = _one_line(mend)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.mend}" if self.mend else text


class InputError(TidegateError):
    """The input or the set-up is wrong. Nothing was written."""

    exit_code = 2


class GitError(InputError):
    """Git refused a question, or the repository does not hold what was asked for."""


class InternalError(TidegateError):
    """Our own failure, found by our own check."""

    exit_code = 3


def _one_line(text: str) -> str:
    printable = (character if character.isprintable() else " " for character in text)
    return " ".join("".join(printable).split())
