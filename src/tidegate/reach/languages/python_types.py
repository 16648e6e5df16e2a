"""Python's type annotations as chains: what an instance of the type can answer to, and no more."""

from __future__ import annotations

import ast
from typing import Protocol

from tidegate.reach.symbols import ReferenceKind

_TRANSPARENT = frozenset(
    "Optional Union Annotated ClassVar Final Required NotRequired ReadOnly InitVar Awaitable Unpack".split()
)
_CONTAINERS = frozenset(
    "list List set Set frozenset FrozenSet deque Deque Sequence MutableSequence Iterable Iterator Collection "
    "AsyncIterable AsyncIterator Generator AsyncGenerator tuple Tuple AbstractSet KeysView ValuesView "
    "AbstractContextManager AbstractAsyncContextManager ContextManager AsyncContextManager ContextVar".split()
)
_MAPPINGS = frozenset(
    "dict Dict Mapping MutableMapping defaultdict DefaultDict OrderedDict WeakValueDictionary ItemsView".split()
)
_LAST = frozenset(["Coroutine"])
_PLAIN = {
    "str": "%str",
    "bytes": "%bytes",
    "int": "%int",
    "float": "%float",
    "bool": "%int",
    "dict": "%dict",
    "list": "%list",
    "tuple": "%list",
    "set": "%list",
    "Callable": "%func",
}
_NOTHING = frozenset(["Any", "object", "None", "NoReturn", "Never", "Literal", "TypeVar", "Hashable"])
_DEPTH = 12


class Reader(Protocol):
    """What the reading of annotations needs of the reader of the module."""

    def value(self, node: ast.expr | None) -> str: ...
    def path(self, node: ast.expr) -> str: ...
    def refer(self, kind: ReferenceKind, chain: str, line: int, arguments: tuple[str, ...] = ()) -> None: ...


def read_annotation(reader: Reader, node: ast.expr, depth: int = 0) -> list[str]:
    """The chains that a value of this annotation can be; [] where it says nothing. Every name is a "type" reference."""
    if depth > _DEPTH:
        return []
    if isinstance(node, ast.Constant):
        return _quoted(reader, node.value, node.lineno, depth) if isinstance(node.value, str) else []
    if isinstance(node, ast.BinOp):
        return [*read_annotation(reader, node.left, depth + 1), *read_annotation(reader, node.right, depth + 1)]
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _named(reader, node)
    if isinstance(node, ast.Subscript):
        return _generic(reader, node, depth)
    reader.value(node)
    return []


def _quoted(reader: Reader, text: str, line: int, depth: int) -> list[str]:
    try:
        inner = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    for part in ast.walk(inner):
        if isinstance(part, ast.expr):
            part.lineno = line
    return read_annotation(reader, inner, depth + 1)


def _named(reader: Reader, node: ast.Name | ast.Attribute) -> list[str]:
    last = node.id if isinstance(node, ast.Name) else node.attr
    if last == "Self":
        return ["self"]
    if last in _NOTHING:
        return []
    if last in _PLAIN:
        return [_PLAIN[last]]
    chain = reader.path(node)
    reader.refer("type", chain, node.lineno)
    return [chain + "!"]


def _generic(reader: Reader, node: ast.Subscript, depth: int) -> list[str]:
    base = node.value
    last = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if last in _NOTHING:
        return []
    if last == "Annotated":
        for extra in parts[1:]:
            reader.value(extra)
        return read_annotation(reader, parts[0], depth + 1)
    chains = [read_annotation(reader, part, depth + 1) for part in parts if not isinstance(part, ast.List)]
    if last in _TRANSPARENT:
        return [chain for found in chains for chain in found]
    if last in ("type", "Type"):
        return [chain.removesuffix("!") for found in chains for chain in found if chain.endswith("!")]
    if last in _CONTAINERS:
        used = chains[:1] if "Generator" in last else chains
        return [_container(chain) for found in used for chain in found] or ["%list"]
    if last in _MAPPINGS or last in _LAST:
        suffix = _container if last in _MAPPINGS else str
        return [suffix(chain) for chain in (chains[-1] if chains else [])] or ["%dict"]
    if last in _PLAIN:
        return [_PLAIN[last]]
    if isinstance(base, (ast.Name, ast.Attribute)):
        return _named(reader, base)
    return []


def _container(chain: str) -> str:
    return chain + "*" if not chain.startswith("%") else "%list"
