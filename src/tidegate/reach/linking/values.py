"""What a chain can mean. Values are plain tuples, because a large repository has millions of them.

("d", file, n)         the definition n: a function that was not bound, a constant
("m", file, n, recv)   a method n, bound to the receiver (a value)
("c", file, n)         the class n itself
("i", file, n)         an instance of the class n
("l", value)           a container of the value
("p", spec, file)      a module or package, as the file with that number wrote it
("x", spec)            something outside of the repository
("y", spec)            what something outside gives: a call's result, an instance
("a", file, n)         some member of the object or module n: `handlers[name]`
("b", name)            an instance of a type of the language itself
"""

from __future__ import annotations

from typing import Any, TypeAlias

Value: TypeAlias = tuple[Any, ...]
Values: TypeAlias = tuple[Value, ...]

Place: TypeAlias = tuple[int, int]
"""A definition: the number of its file and its index there."""

NOTHING: Values = ()
CLASS_KINDS = frozenset(["class", "interface"])
WIDTH = 12
"""More alternatives than this say nothing that the first ones do not."""


def split_chain(chain: str) -> tuple[str, tuple[str, ...]]:
    """A chain's root and steps. `<a.b>.c()[]` is `<a.b>` and (".c", "()", "[]")."""
    if chain.startswith("<"):
        end = chain.find(">") + 1
    else:
        end = 0
        while end < len(chain) and chain[end] not in ".([!*":
            end += 1
    root, steps, at = chain[:end], [], end
    while at < len(chain):
        mark = chain[at]
        if mark in "([":
            steps.append(mark + (")" if mark == "(" else "]"))
            at += 2
        elif mark == ".":
            stop = at + 1
            while stop < len(chain) and chain[stop] not in ".([!*":
                stop += 1
            steps.append(chain[at:stop])
            at = stop
        else:
            steps.append(mark)
            at += 1
    return root, tuple(steps)


def merged(values: list[Value]) -> Values:
    """The alternatives without repetition, the first ones where there are too many."""
    if len(values) < 2:
        return tuple(values)
    return tuple(dict.fromkeys(values))[:WIDTH]
