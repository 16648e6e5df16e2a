"""C and C++. Namespaces are no part of a name: the first one is the file's package, as in Java.

A header that holds C++ is read as C++. A declaration without a body has the flag "abstract". A method that is defined
outside of its class has the name "Class.method"; where the class stands in another file, its name stands for it here
too, as a class of which this file says more. Constructors are methods with the name of the class ("Box.Box"), which
their class calls; operators, destructors and conversions are handed over by their class. Characters of operators that
are steps of a chain are written by look-alikes: `operator[]` is "operator［］". `new Foo(x)`, `Foo f(x)`, `Foo f` and
`std::make_unique<Foo>(x)` are calls of "Foo". A pointer, a reference and a smart pointer mean what they point to; a
container means its elements, a map its values. `std::x` is "<std>.x". A macro is a function or a constant, and what its
text calls, it calls. A field is a variable. Tests of googletest are "Suite.Name", those of Catch have their title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tidegate.reach.languages.c_layout import CLayout
from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.symbols import Digests, FileSymbols, unread

_CPP_SUFFIXES = (".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".cu")
_HOLDS_CPP = re.compile(
    rb"^[ \t]*(?:namespace\b|class\s+\w+[^;]*$|template\s*<|(?:public|private|protected)\s*:|using\s+\w)|\bstd::",
    re.MULTILINE,
).search


class _CFamily:
    """C and C++ are one family under one name: a header serves both."""

    name = "C/C++"
    version = 2
    submodules = False
    open_world = True
    implicit_self = True
    structural = False
    by_value = True
    called_back: frozenset[str] | None = None
    isolated = False

    def __init__(self, suffixes: tuple[str, ...]) -> None:
        self.suffixes = suffixes

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:
        from tidegate.reach.languages.c_parse import parse_c
        from tidegate.reach.languages.c_reader import CReader

        grammar = _grammar(source, suffix)
        try:
            parsed = parse_c(source, grammar)
            return CReader(parsed.source, grammar).read_file(parsed.root, parsed.unread)
        except RecursionError:
            return unread("nested too deeply")

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:
        from tidegate.reach.languages.c_digests import read_c_digests
        from tidegate.reach.languages.c_parse import parse_c

        grammar = _grammar(source, suffix)
        try:
            return read_c_digests(parse_c(source, grammar), grammar)
        except RecursionError:
            return ()

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:  # noqa: ARG002
        return CLayout(paths)


def _grammar(source: bytes, suffix: str) -> str:
    if suffix in _CPP_SUFFIXES or (suffix != ".c" and _HOLDS_CPP(source)):
        return "tree_sitter_cpp"
    return "tree_sitter_c"


C: Language = _CFamily((".c", ".h"))
CPP: Language = _CFamily(_CPP_SUFFIXES)
