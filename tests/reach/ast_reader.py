"""A reader of Python for tests: digests from the standard library's own tree, written apart from the real readers."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence

from tidegate.reach.languages.interface import Layout, ReadTexts
from tidegate.reach.symbols import Definition, Digests, FileSymbols, unread


class AstReader:
    """Definitions are classes, functions and assignments to one name, at module and class level."""

    name = "python"
    version = 1
    suffixes: tuple[str, ...] = (".py",)
    submodules = True
    open_world = False
    implicit_self = False
    structural = False

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            return unread("syntax")
        found = [Definition("", "module", 1, source.count(b"\n") + 1, -1)]
        found += [Definition(d.name, d.kind, d.line, d.end_line, 0) for d in _walk(tree, "")]
        return FileSymbols(tuple(found))

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            return ()
        module = Digests(
            "", "module", 1, max(1, source.count(b"\n")), "", "", "", "", _body(tree.body), _docs(tree.body)
        )
        return (module, *_walk(tree, ""))

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:
        raise NotImplementedError


AST = AstReader()


def find(path: str) -> AstReader | None:
    return AST if path.endswith(".py") else None


def _walk(scope: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> Iterator[Digests]:
    inside = not isinstance(scope, ast.Module)
    for node in scope.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            kind = "method" if isinstance(scope, ast.ClassDef) else "function"
            defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
            plain = ast.parse(f"def {node.name}(): pass").body[0]
            assert isinstance(plain, ast.FunctionDef)
            args = [
                (type(a).__name__, a.arg, _dump(a.annotation)) for a in ast.walk(node.args) if isinstance(a, ast.arg)
            ]
            signature = _hash(node.name, str(args), _dump(node.returns), type(node).__name__)
            yield _digests(prefix + node.name, kind, node, signature, [_dump(d) for d in defaults], [])
            yield from _walk(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            bases = [_dump(base) for base in (*node.bases, *node.keywords)]
            yield _digests(prefix + node.name, "class", node, _hash(node.name), [], bases)
            yield from _walk(node, f"{prefix}{node.name}.")
        elif _is_value(node) and not (inside and not isinstance(scope, ast.ClassDef)):
            assert isinstance(node, ast.Assign)
            assert isinstance(node.targets[0], ast.Name)
            name = node.targets[0].id
            kind = "constant" if name.isupper() else "variable"
            end = node.end_lineno or node.lineno
            yield Digests(prefix + name, kind, node.lineno, end, _hash(name), "", "", "", _dump(node.value), "")  # type: ignore[arg-type]


def _digests(
    name: str,
    kind: str,
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
    signature: str,
    defaults: list[str],
    bases: list[str],
) -> Digests:
    line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return Digests(
        name,
        kind,  # type: ignore[arg-type]
        line,
        node.end_lineno or line,
        signature,
        _hash(*defaults),
        _hash(*[_dump(d) for d in node.decorator_list]),
        _hash(*bases),
        _body(node.body, function=not isinstance(node, ast.ClassDef)),
        _docs(node.body),
    )


def _is_value(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)


def _body(body: list[ast.stmt], *, function: bool = False) -> str:
    """What is left without documentation and definitions; an assignment is a definition outside of functions."""
    rest = body[1:] if _docs(body) else body
    outer = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return _hash(*[_dump(node) for node in rest if not isinstance(node, outer) and (function or not _is_value(node))])


def _docs(body: list[ast.stmt]) -> str:
    first = body[0] if body else None
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return _dump(first) if said else ""


def _dump(node: ast.AST | None) -> str:
    return ast.dump(node) if node is not None else ""


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
