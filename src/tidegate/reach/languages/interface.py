"""What a language has to answer. One file per language, one line in the list of `languages/__init__.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from tidegate.reach.symbols import Digests, FileSymbols

ReadTexts: TypeAlias = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Reads files of the tree by path; a path that is missing or too large is missing in the answer."""


class Layout(Protocol):
    """How names of modules become files of the tree. Built from paths, declared packages and configuration files."""

    def find(self, spec: str, path: str) -> tuple[str, ...]:
        """The files that `<spec>` means in the file `path`: one module, or every file of a package; () if outside."""

    def visible(self, path: str) -> tuple[str, ...]:
        """Other files whose top-level names this file sees without an import (a Go or Java package); else ()."""


class Language(Protocol):
    """One language. `version` changes whenever the same source would give other symbols.

    `submodules`: `<a>.b` may mean the module a.b (Python). `open_world`: top-level names are seen everywhere (Ruby, C).
    `implicit_self`: a bare name may be a member of the enclosing class (Java, Kotlin, Ruby, C++).
    `structural`: a class fits an interface that it does not name when it has its methods (Go, TypeScript).
    `by_value`: a variable, field or parameter of a class is an instance of it that nobody has to make, and a call of
    its method means that one (Go, Rust, C++), unless bases are classes as well, so that it may be overridden (C++).
    `isolated`: each file of tests is run alone, so that loading it and what it imports is a part of its tests.
    `called_back`: the methods that code from outside calls on an instance that it is handed; None: it may be any.
    """

    name: str
    version: int
    suffixes: tuple[str, ...]
    submodules: bool
    open_world: bool
    implicit_self: bool
    structural: bool
    by_value: bool
    called_back: frozenset[str] | None
    isolated: bool

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:
        """What the file says. Never raises on bad source: what could not be read is a gap or an error."""

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:
        """The digests of every definition, in the order of `read_symbols`, the module first."""

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:
        """The layout of a tree: `packages` is this language's files with their declared package, `paths` all files."""
