"""What the guard says of a command: the calls it sees, and what concerns it about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from tidegate.agent.guard.frozen import Frozen
from tidegate.agent.guard.shell.expand import UNSEEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

DEEPEST = 12
MOST_CALLS = 5_000


class Concern(Frozen):
    """Why a command is held. `target` is what would be hit, as a person would type it; `safe` the way to do it safely.

    `plan` is the plan file that an apply names, which may be judged on its own.
    """

    rule: str
    what: str
    safe: str
    command: str
    target: str = ""
    plan: str = ""
    folder: str = ""


class Place(Frozen):
    """Where a command runs. `folder` is None where that cannot be seen; `away` is another machine or a container.

    `typed` is whether the text comes from whoever asks, and not from a file of the workspace. `zero` is the script
    that runs, `source` the file that is read, which a script may name its neighbours by.
    """

    workspace: Path
    folder: Path | None
    home: str
    environment: Mapping[str, str]
    away: bool = False
    typed: bool = True
    depth: int = 0
    zero: str = ""
    source: str = ""


class Call(Frozen):
    """One program with its arguments, as they would reach it. `given` is what is piped or written to it, if known.

    `piped` is whether something is; `assigned` the variables in front; `written` the files that commands before it
    in the same line name or make. `runners` are those functions that run their arguments; `leaks` is whether what is
    piped comes from where credentials lie; `variables` are those that `trap` and `eval` see.
    """

    name: str
    arguments: tuple[str, ...]
    place: Place
    given: str | None = None
    piped: bool = False
    assigned: tuple[tuple[str, str], ...] = ()
    written: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    runners: frozenset[str] = frozenset()
    leaks: bool = False
    variables: Mapping[str, str | None] = {}

    @property
    def shown(self) -> str:
        """The call on one line, cut, and what is unseen as an ellipsis."""
        return shown((self.name, *self.arguments))

    def has(self, *flags: str) -> bool:
        """Whether one of these flags is set, also as `--flag=value`. `--flag=false` is not."""
        for one in self.arguments:
            name, _, value = one.partition("=")
            if name in flags and value not in ("false", "none"):
                return True
        return False

    def concern(self, rule: str, what: str, safe: str, target: str = "") -> Concern:
        """Why this call is held."""
        return Concern(rule, what, safe, self.shown, target)


Said: TypeAlias = "Concern | Inner"
"""What a tool says of a call: a concern, or something else that the call runs."""


class Inner(Frozen):
    """What a call runs in turn: a program with its arguments, or the text of a script."""

    arguments: tuple[str, ...] = ()
    script: str | None = None
    place: Place | None = None
    code: str = ""
    """The language of the script where that is not a shell's."""
    piped: bool = False
    assigned: tuple[tuple[str, str], ...] = ()


Judge: TypeAlias = Callable[[Call], Iterator[Said]]


class Tool(Frozen):
    """A family of programs and what judges a call of one. `dangers` is asked for each name of `names`."""

    names: frozenset[str]
    judge: Judge


class Verdict(Frozen):
    """What the guard says of the whole: it passes where nothing concerns it."""

    concerns: tuple[Concern, ...]
    calls: int = 0
    notes: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether it must not run as it is."""
        return bool(self.concerns)


def unseen(text: str) -> bool:
    """Whether a part of it only the run would show."""
    return UNSEEN in text


def shown(words: tuple[str, ...]) -> str:
    """Words on one line, cut, and what is unseen as an ellipsis."""
    text = " ".join(one.replace(UNSEEN, "…") for one in words)
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= 120 else f"{text[:119]}…"


def flag_letters(arguments: tuple[str, ...], letters: str) -> bool:
    """Whether one of these letters is among the short flags: `-rf` holds r and f."""
    return any(
        len(one) > 1 and one[0] == "-" and one[1] != "-" and any(letter in one[1:] for letter in letters)
        for one in arguments
    )


def may_be_value(arguments: tuple[str, ...], word: str) -> bool:
    """Whether this word stands behind a flag, and so may be its value and no verb."""
    return any(one.startswith("-") and "=" not in one and after == word for one, after in pairwise(arguments))


def plain(arguments: tuple[str, ...], valued: frozenset[str] = frozenset()) -> list[str]:
    """The arguments that are no flags, nor the values of those flags that take one."""
    made: list[str] = []
    skip = ended = False
    for one in arguments:
        if skip:
            skip = False
        elif ended or not one.startswith("-") or one == "-":
            made.append(one)
        elif one == "--":
            ended = True
        else:
            skip = one in valued
    return made
