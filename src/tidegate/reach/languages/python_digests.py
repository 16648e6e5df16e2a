"""What each Python definition is made of, as digests that formatting and comments do not change."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable

from tidegate.reach.symbols import Definition, DefinitionKind, Digests

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef)
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


def read_python_digests(tree: ast.Module) -> tuple[Digests, ...]:
    """The digests of the module and of every definition in it, in the order in which they stand in the source."""
    found: list[Digests] = []
    end = max((node.end_lineno or 1 for node in tree.body), default=1)
    found.append(_digests("", "module", (1, end), [], tree.body))
    _read(tree.body, "", "module", found)
    return tuple(found)


def _read(body: list[ast.stmt], outer: str, within: str, found: list[Digests]) -> None:
    for statement in _statements(body):
        if isinstance(statement, _SCOPES):
            name = f"{outer}.{statement.name}" if outer else statement.name
            found.append(_scope(statement, name, within))
            kind = "class" if isinstance(statement, ast.ClassDef) else "function"
            _read(statement.body, name, kind, found)
        elif within != "function":
            found.extend(_variable(statement, outer))


def _statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Every statement of one scope in source order, those inside of `if`, `try`, `with` and loops included."""
    for statement in body:
        yield statement
        if isinstance(statement, _SCOPES):
            continue
        for name in _BLOCKS:
            for part in getattr(statement, name, ()):
                inner = [part] if isinstance(part, ast.stmt) else part.body
                yield from _statements(inner)


def _scope(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str, within: str) -> Digests:
    first = min([d.lineno for d in node.decorator_list] + [node.lineno])
    lines = (first, node.end_lineno or node.lineno)
    if isinstance(node, ast.ClassDef):
        made = _digests(name, "class", lines, node.decorator_list, node.body)
        return _with(made, bases=_digest([*node.bases, *node.keywords]))
    kind: DefinitionKind = "method" if within == "class" else "function"
    made = _digests(name, kind, lines, node.decorator_list, node.body)
    arguments = node.args
    defaults: list[ast.AST] = [*arguments.defaults, *[d for d in arguments.kw_defaults if d is not None]]
    shape = f"{type(node).__name__}|{_arity(arguments)}"
    names = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    stars = [part for part in (arguments.vararg, arguments.kwarg, node.returns) if part is not None]
    return _with(made, signature=_digest([*names, *stars], shape + node.name), defaults=_digest(defaults))


def _with(made: Digests, *, signature: str = "", defaults: str = "", bases: str = "") -> Digests:
    return Digests(
        made.name,
        made.kind,
        made.line,
        made.end_line,
        signature or made.signature,
        defaults or made.defaults,
        made.decorators,
        bases or made.bases,
        made.body,
        made.docs,
    )


def _arity(arguments: ast.arguments) -> str:
    optional = len(arguments.defaults), sum(d is not None for d in arguments.kw_defaults)
    counts = len(arguments.posonlyargs), len(arguments.args), len(arguments.kwonlyargs), *optional
    return ",".join(map(str, counts)) + ("*" if arguments.vararg else "") + ("**" if arguments.kwarg else "")


def _variable(statement: ast.stmt, outer: str) -> Iterable[Digests]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return
    if isinstance(target, ast.Name):
        name = f"{outer}.{target.id}" if outer else target.id
        kind: DefinitionKind = "constant" if target.id.isupper() else "variable"
        lines = (statement.lineno, statement.end_lineno or statement.lineno)
        empty = _digest([])
        yield Digests(name, kind, *lines, empty, empty, empty, empty, _digest([statement]), empty)


def _digests(
    name: str, kind: DefinitionKind, lines: tuple[int, int], decorators: list[ast.expr], body: list[ast.stmt]
) -> Digests:
    docs, rest = _documentation(body)
    own = _own(rest, kind)
    return Digests(
        name, kind, *lines, _digest([], kind), _digest([]), _digest(decorators), _digest([]), own, _digest([], docs)
    )


def _documentation(body: list[ast.stmt]) -> tuple[str, list[ast.stmt]]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.value.value, body[1:]
    return "", body


def _own(body: list[ast.stmt], kind: str) -> str:
    """The digest of a body without the definitions inside it; of a class or module also without its variables."""
    taken = _SCOPES if kind in ("function", "method") else (*_SCOPES, ast.Assign, ast.AnnAssign)
    own: list[ast.AST] = []
    marks: list[str] = []
    for statement in body:
        if isinstance(statement, taken) and _is_definition(statement):
            continue
        if _holds(statement, taken):
            own.extend(_without(statement, taken))
            marks.append(type(statement).__name__)
        else:
            own.append(statement)
    return _digest(own, "|".join(marks))


def _holds(node: ast.AST, taken: tuple[type[ast.stmt], ...]) -> bool:
    """Whether such a statement is this one or stands inside of it. No expression holds statements."""
    if isinstance(node, taken):
        return True
    for name in _BLOCKS:
        block = getattr(node, name, None)
        if isinstance(block, list) and any(_holds(part, taken) for part in block):
            return True
    return False


def _is_definition(statement: ast.stmt) -> bool:
    """Whether the statement has digests of its own: a tuple assignment, say, has none."""
    if isinstance(statement, ast.Assign):
        return len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name)
    return True


def _without(statement: ast.stmt, taken: tuple[type[ast.stmt], ...]) -> Iterable[ast.AST]:
    """The parts of a statement that belong to no definition inside it."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if not _holds(node, taken):
            yield node
            continue
        stack.extend(
            part
            for part in reversed(list(ast.iter_child_nodes(node)))
            if not (isinstance(part, taken) and isinstance(part, ast.stmt) and _is_definition(part))
        )


def _digest(nodes: Iterable[ast.AST], more: str = "") -> str:
    state = hashlib.blake2b(more.encode("utf-8", "surrogatepass"), digest_size=8)
    for node in nodes:
        state.update(ast.dump(node).encode("utf-8", "surrogatepass"))
        state.update(b"\0")
    return state.hexdigest()


def digests_match(definitions: tuple[Definition, ...], digests: tuple[Digests, ...]) -> bool:
    """Whether both readings of one file saw the same definitions in the same order."""
    return [(d.name, d.kind) for d in definitions] == [(d.name, d.kind) for d in digests]
