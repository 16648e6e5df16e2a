"""Rust. Every file is a module below its crate; `mod name;` binds the name to "<self::name>", the file of that module.

Paths are chains from their beginning: `crate::a::B` is "<crate>.a.B", `super::x` is "<super>.x", a path that begins
with a name that the file does not know begins with a crate: "<regex>.Regex". A module inside the file is a definition
of kind "module". Methods of impl blocks are members of the type ("Type.method"); the traits that it implements are its
bases, and a derived trait is one of its decorators. Where the type stands in another file (or crate) its impl blocks
make a class of that name with the flag "partial", whose first base is the type itself: both are one class. A variant is
a class "Enum.Variant" below its enum; fields without a name are called "0", "1". Option, Result, Box, Arc and their
like are what they hold, `?` and `.await` are transparent. `macro_rules!` makes a function of the macro's name, and a
macro called "...test...", or one that writes `#[test]`, makes a test of its first argument between items. Types of the
language beyond those of `symbols`: %bool, %float.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.languages.rust_layout import RustLayout
from tidegate.reach.symbols import Digests, FileSymbols


class _Rust:
    name = "Rust"
    version = 2
    suffixes: tuple[str, ...] = (".rs",)
    submodules = False
    open_world = False
    implicit_self = False
    structural = False
    by_value = True
    called_back: frozenset[str] | None = frozenset()
    isolated = False

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:  # noqa: ARG002
        from tidegate.reach.languages.rust_reader import RustReader
        from tidegate.reach.languages.tree import make_parser

        return RustReader(source).read_file(make_parser("tree_sitter_rust").parse(source).root_node)

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:  # noqa: ARG002
        from tidegate.reach.languages.rust_digests import read_rust_digests
        from tidegate.reach.languages.tree import make_parser

        return read_rust_digests(source, make_parser("tree_sitter_rust").parse(source).root_node)

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:
        return RustLayout(packages, paths, read)


RUST: Language = _Rust()
