"""Go. All files of a folder are one package; methods belong to types by name, in whichever file they stand.

A method is called "Type.method" and its receiver is `self`. Where its type stands in another file of the package, its
parent is a class of that name with the flag "partial" in its own file: both are one class. An interface is fitted by
shape. `init` is a function with the flag "exported": the module calls it, for it runs when the package is imported, and
so do the values of variables of the package; a blank import is an "import" reference and has no binding. A variadic
parameter has the type of one argument, and a binding that makes its name a container. A further name of `a, b := f()`
is known where `f` stands in the same file, and `err` is an error. What treats an error (`if err != nil`) counts as a
handler of exceptions. Struct types without a name are classes called "outer.struct". In a named type, an element is
bound to "[]" and the result of a call to "()". Types of the language beyond those of `symbols`: %any, %bool, %bytes,
%error, %float.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.reach.languages.go_layout import GoLayout
from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.symbols import Digests, FileSymbols

CALLED_BACK = frozenset(
    """Accept Addr As At Bounds Close CloseNotify ColorModel Deadline Done Err Error Flush Format Get GoString GobDecode
    GobEncode Handle Header Hijack Info Is IsBoolFlag Len Less LocalAddr Lock LogValue MarshalBinary MarshalJSON
    MarshalText MarshalXML MarshalYAML Mode ModTime Name Network Open Pop Push Read ReadAt ReadByte ReadDir ReadFrom
    ReadRune RemoteAddr RoundTrip Scan Seek ServeHTTP Set SetDeadline Size Stat String Swap Sys Temporary Timeout Type
    Unlock UnmarshalBinary UnmarshalJSON UnmarshalText UnmarshalXML UnmarshalYAML UnreadByte UnreadRune Unwrap Value
    Write WriteAt WriteByte WriteHeader WriteString WriteTo Visit Enabled Handler WithAttrs WithGroup Sum Reset
    BlockSize IsDir Next Columns Begin Commit Rollback Exec Query Prepare Connect Driver Ping Validate""".split()
)
"""Methods of the interfaces of the standard library. Unlike these, a package of others may know any exported method."""


class _Go:
    name = "Go"
    version = 2
    suffixes: tuple[str, ...] = (".go",)
    submodules = False
    open_world = False
    implicit_self = False
    structural = True
    by_value = True
    called_back: frozenset[str] | None = CALLED_BACK
    isolated = False

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:  # noqa: ARG002
        from tidegate.reach.languages.go_reader import GoReader
        from tidegate.reach.languages.tree import make_parser

        tree = make_parser("tree_sitter_go").parse(source)
        return GoReader(source).read_file(tree.root_node)

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:  # noqa: ARG002
        from tidegate.reach.languages.go_digests import read_go_digests
        from tidegate.reach.languages.tree import make_parser

        return read_go_digests(source, make_parser("tree_sitter_go").parse(source).root_node)

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:
        return GoLayout(packages, paths, read)


GO: Language = _Go()
