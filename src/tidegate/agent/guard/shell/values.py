"""A shell script as a tree: pipelines of commands and of groups, whose words are made of parts."""

from __future__ import annotations

from tidegate.agent.guard.frozen import Frozen
from tidegate.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class ShellError(InputError):
    """This is no shell script that can be read to its end, so nobody knows what it would do."""


class Text(Frozen):
    """Characters that stand there. Those in quotes are neither split, nor braces, nor patterns, nor a home."""

    text: str
    quoted: bool = False


class Variable(Frozen):
    """`$name` or `${name...}`. `default` is that of `:-`, `-`, `:=` and `=`; `changed` is any other operator."""

    name: str
    default: Word | None = None
    changed: bool = False
    quoted: bool = False


class Run(Frozen):
    """A script inside a word: `$(...)`, backticks, `<(...)`, and those within `$((...))`."""

    script: Script
    quoted: bool = False
    process: bool = False


Part: TypeAlias = Text | Variable | Run
Word: TypeAlias = tuple[Part, ...]


class Redirect(Frozen):
    """`>file`, `<<< word`, or a here-document, whose body is the word."""

    sign: str
    word: Word


class Command(Frozen):
    """`a=1 name argument > file`."""

    assigned: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


class Group(Frozen):
    """What holds lists: a subshell, braces, a loop, a condition, a function. `words` are those it looks at itself.

    `name` is the function that is defined, `variable` what a loop sets.
    """

    kind: str
    script: Script
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    name: str = ""
    variable: str = ""


Pipeline: TypeAlias = tuple[Command | Group, ...]
Script: TypeAlias = tuple[Pipeline, ...]
