"""Ruby. Classes and modules are classes, `A::B` is written "A.B", `Foo.new` is a call of "Foo".

A mixed-in module is a base. An attribute (`attr_reader`, `delegate`, `has_many`, `let`, ...) is a method, because every
use of it is a call; what it gives is in `returns`. A setter is called "name=". An instance variable is bound in its
class under its own name, "@name". A method of the class itself has the flag "static"; `self` is `cls` in it. A bare
name that is no local variable is a call. Operators and conversions, which the language calls, are handed over by their
class. In the names of methods the characters that are steps of a chain are written by look-alikes: `save!` is "saveǃ",
`[]` is "［］", `*` is "∗". Groups of RSpec are classes, whose bases are the groups around them; its examples are
methods with the flag "test" that call what is set up for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.languages.ruby_layout import RubyLayout
from tidegate.reach.symbols import Digests, FileSymbols, unread


class _Ruby:
    name = "Ruby"
    version = 2
    suffixes: tuple[str, ...] = (".rb", ".rake", ".ru")
    submodules = False
    open_world = True
    implicit_self = True
    structural = False
    by_value = False
    called_back: frozenset[str] | None = None
    isolated = False

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:  # noqa: ARG002
        from tidegate.reach.languages.ruby_reader import RubyReader
        from tidegate.reach.languages.tree import make_parser

        try:
            return RubyReader(source).read_file(make_parser("tree_sitter_ruby").parse(source).root_node)
        except RecursionError:
            return unread("nested too deeply")

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:  # noqa: ARG002
        from tidegate.reach.languages.ruby_digests import read_ruby_digests
        from tidegate.reach.languages.tree import make_parser

        try:
            return read_ruby_digests(source, make_parser("tree_sitter_ruby").parse(source).root_node)
        except RecursionError:
            return ()

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:  # noqa: ARG002
        return RubyLayout(packages)


RUBY: Language = _Ruby()
