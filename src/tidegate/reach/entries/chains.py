"""Chains taken apart: their root, their steps, and the package that an import names."""

from __future__ import annotations

import re
from functools import lru_cache

_STEP = re.compile(r"\.[^.()\[\]!*]+|\(\)|\[\]|!|\*")
_VERSION = re.compile(r"/v\d+$|\.v\d+$")


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set of names."""
    return frozenset(text.split())


@lru_cache(maxsize=65536)
def split(chain: str) -> tuple[str, tuple[str, ...]]:
    """The root and the steps of a chain."""
    if chain.startswith("<"):
        end = chain.find(">") + 1
    else:
        end = next((place for place, letter in enumerate(chain) if letter in ".([!*"), len(chain))
    return chain[:end], tuple(_STEP.findall(chain[end:]))


def last(chain: str) -> str:
    """The name that the chain ends with, without calls: "get" of "app.get" and of "app.get()"; "" for "?"."""
    quick = chain[chain.rfind(".") + 1 :]
    if quick.isidentifier():
        return quick
    bare = chain.rstrip("()[]!*")
    if bare.endswith(">"):
        return ""
    return bare[max(bare.rfind("."), bare.rfind(">"), bare.rfind(")"), bare.rfind("]"), bare.rfind("!")) + 1 :]


def receiver(chain: str) -> str:
    """What the last member is taken of: "app" of "app.get", "" of "get"."""
    cut = chain.rfind(".")
    return chain[:cut] if cut > chain.rfind(">") else (chain[: chain.rfind(">") + 1] if ">." in chain else "")


@lru_cache(maxsize=16384)
def package_of(spec: str) -> str:
    """The package that a spec means, as finders name it: without a version, a subpath or the module inside it.

    "flask.views" is flask, "github.com/labstack/echo/v4" is github.com/labstack/echo, "axum::routing" is axum.
    """
    if spec.startswith((".", "/")):
        return "."
    if "::" in spec:
        return spec.partition("::")[0]
    if "/" in spec or spec.startswith("@"):
        return _VERSION.sub("", spec)
    head = spec.split(".")
    if head[0] in ("org", "io", "com", "javax", "jakarta", "gopkg") and len(head) > 1:
        return ".".join(head[:2])
    return head[0]


def external(chain: str) -> tuple[str, str]:
    """The package of a chain that begins with an import, and the names after it: ("flask", "Flask") of <flask>.Flask().

    Calls, elements and `default` fall away. ("", "") where the chain does not begin with an import.
    """
    root, steps = split(chain)
    if not root.startswith("<"):
        return "", ""
    names = [step[1:] for step in steps if step.startswith(".") and step != ".default"]
    return package_of(root[1:-1]), ".".join(names)


def is_text(argument: str) -> bool:
    """Whether an argument without its name is a text literal."""
    return argument.startswith('"')


def texts(argument: str) -> tuple[str, ...]:
    """The texts of an argument: of a text, or of a list of texts as `"GET"|"POST"`."""
    if not argument.startswith('"') or len(argument) < 2:
        return ()
    return tuple(argument[1:-1].split('"|"')) if argument.endswith('"') else ()


def named(arguments: tuple[str, ...], name: str) -> str | None:
    """The argument of that name; None where there is none."""
    start = name + "="
    return next((one[len(start) :] for one in arguments if one.startswith(start)), None)


def all_named(arguments: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Every argument of that name: readers write a list of texts as several."""
    start = name + "="
    return tuple(one[len(start) :] for one in arguments if one.startswith(start))


def positional(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments without a name."""
    return tuple(one for one in arguments if one[:1] == '"' or not _NAMED.match(one))


_NAMED = re.compile(r"[\w$]+=")
