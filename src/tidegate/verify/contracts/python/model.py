"""What a Python module defines, as callers see it. Read from its text; nothing is imported."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.python_source import parse_python

LARGEST_BYTES = 2 * 1024 * 1024

Passing: TypeAlias = Literal["positional", "either", "keyword", "*", "**"]


class Parameter(Struct, frozen=True):
    name: str
    passing: Passing
    required: bool


class Function(Struct, frozen=True):
    """A function or method; of a method the first parameter is left out where the call binds it."""

    name: str
    line: int
    parameters: tuple[Parameter, ...]
    deprecated: bool = False
    is_async: bool = False
    is_property: bool = False
    known: bool = True
    """False where a decorator puts another signature in its place."""
    warned: tuple[str, ...] = ()
    """Words of its warnings of deprecation: parameters among them were announced to go."""


class Class(Struct, frozen=True):
    name: str
    line: int
    bases: tuple[str, ...]
    members: dict[str, Member]
    deprecated: bool = False
    open: bool = False
    """Whether members come from what is not written there: a metaclass, a decorator, `__getattr__`."""


class Value(Struct, frozen=True):
    name: str
    line: int


class Alias(Struct, frozen=True):
    """A name that an import brings: `module` is dotted and absolute, `target` "" for the module itself."""

    name: str
    line: int
    module: str
    target: str
    renamed: bool = False


Member: TypeAlias = Function | Class | Value | Alias


class Module(Struct, frozen=True):
    """One module. `stars` are the modules whose public names it takes; `open` if names come from where none can see."""

    name: str
    path: str
    members: dict[str, Member]
    exported: tuple[str, ...] | None = None
    stars: tuple[str, ...] = ()
    open: bool = False
    spelled: frozenset[str] = frozenset()
    """The strings of a module's own `__getattr__`: names that it may give on demand."""

    @property
    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")


def read_module(name: str, path: str, content: bytes) -> Module | None:
    """The module; None where it is too large or Python cannot parse it."""
    if len(content) > LARGEST_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse_python(content)
        return _Reader(name, path.endswith("__init__.py")).read(path, tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# Private

_DEPRECATED = re.compile(r"deprecat", re.IGNORECASE)
_COMMANDS = frozenset(
    "command group route get post put delete patch task fixture option argument callback websocket".split()
)
_DATACLASS = frozenset("dataclass define frozen mutable attrs attr s dataclass_transform dataclasses".split())


class _Reader:
    """Reads one module. Of a name that is bound more than once, the last binding that stays is the one."""

    def __init__(self, name: str, is_package: bool) -> None:
        self._package = name if is_package else name.rpartition(".")[0]
        self._name = name
        self._exported: list[str] | None = None
        self._stars: list[str] = []
        self._open = False
        self._spelled: set[str] = set()

    def read(self, path: str, tree: ast.Module) -> Module:
        members: dict[str, Member] = {}
        self._statements(tree.body, members)
        exported = tuple(self._exported) if self._exported is not None else None
        return Module(self._name, path, members, exported, tuple(self._stars), self._open, frozenset(self._spelled))

    def _statements(self, body: Iterable[ast.stmt], members: dict[str, Member]) -> None:
        for node in _flat(body):
            match node:
                case ast.FunctionDef(name="__getattr__"):
                    self._open = True
                    self._spelled.update(_strings(node))
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if not _overloads(node):
                        members[node.name] = function_of(node, bound=False)
                case ast.ClassDef():
                    members[node.name] = _class_of(node)
                case ast.Import():
                    members.update((one.name, one) for one in _imported(node))
                case ast.ImportFrom():
                    self._from(node, members)
                case ast.Delete():
                    for name in [one.id for one in node.targets if isinstance(one, ast.Name)]:
                        members.pop(name, None)
                case ast.Expr():
                    self._expression(node.value)
                case _:
                    self._assignment(node, members)

    def _from(self, node: ast.ImportFrom, members: dict[str, Member]) -> None:
        module = self._absolute(node.level, node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self._stars.append(module)
                continue
            bound = alias.asname or alias.name
            members[bound] = Alias(bound, node.lineno, module, alias.name, alias.asname is not None)

    def _absolute(self, level: int, module: str) -> str:
        if not level:
            return module
        parts = self._package.split(".")
        kept = parts[: len(parts) - (level - 1)]
        return ".".join([*kept, *([module] if module else [])])

    def _assignment(self, node: ast.stmt, members: dict[str, Member]) -> None:
        for name, value in _bound(node):
            if name == "__all__":
                self._all(node, value)
            elif isinstance(value, ast.Name) and value.id in members:
                members[name] = _renamed(members[value.id], name, node.lineno)
            else:
                members[name] = Value(name, node.lineno)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.For):
            self._open |= any(
                isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "globals"
                for one in ast.walk(node)
            ) or "sys.modules[__name__]" in ast.unparse(
                node.targets[0] if isinstance(node, ast.Assign) else node.target
            )

    def _all(self, node: ast.stmt, value: ast.expr | None) -> None:
        names = [*_strings(value)] if value is not None else []
        added = isinstance(node, ast.AugAssign)
        plain = isinstance(value, ast.List | ast.Tuple | ast.Set)
        if not plain and not names:
            self._open = True
        self._exported = [*(self._exported or []), *names] if added else names

    def _expression(self, value: ast.expr) -> None:
        if not isinstance(value, ast.Call):
            return
        called = ast.unparse(value.func)
        if called in ("__all__.extend", "__all__.append") and value.args:
            names = [*_strings(value.args[0])]
            self._exported = [*(self._exported or []), *names]
            self._open |= not names
        elif called.startswith(("globals()", "setattr", "sys.modules")):
            self._open = True


def function_of(node: ast.FunctionDef | ast.AsyncFunctionDef, bound: bool) -> Function:
    """A function as it is called; `bound` if a call on an instance or class gives its first parameter."""
    decorators = [_last(one) for one in node.decorator_list]
    parameters = list(_parameters(node.args))
    if bound and "staticmethod" not in decorators and parameters and parameters[0].passing in ("positional", "either"):
        parameters = parameters[1:]
    warned = tuple(_warned(node))
    return Function(
        node.name,
        node.lineno,
        tuple(parameters),
        deprecated=_is_deprecated(node) or any(name in warned for name in ("*",)),
        is_async=isinstance(node, ast.AsyncFunctionDef) and not node.decorator_list,
        is_property=any("property" in one or one in ("getter", "setter", "deleter") for one in decorators),
        known=not _COMMANDS.intersection(decorators),
        warned=warned,
    )


def _imported(node: ast.Import) -> Iterator[Alias]:
    for alias in node.names:
        bound = alias.asname or alias.name.partition(".")[0]
        yield Alias(bound, node.lineno, alias.name if alias.asname else bound, "", bool(alias.asname))


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that may run when a module or class is made, those under conditions too."""
    for node in body:
        match node:
            case ast.If():
                yield from _flat(node.orelse)
                yield from _flat(node.body)
            case ast.Try() | ast.TryStar():
                for handler in node.handlers:
                    yield from _flat(handler.body)
                for part in (node.orelse, node.finalbody, node.body):
                    yield from _flat(part)
            case ast.With():
                yield from _flat(node.body)
            case ast.For() | ast.While():
                yield node
                yield from _flat(node.body)
            case _:
                yield node


def _class_of(node: ast.ClassDef) -> Class:
    members: dict[str, Member] = {}
    fields: list[Parameter] = []
    for one in _flat(node.body):
        match one:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if _overloads(one):
                    continue
                if one.name not in members or not _setter(one):
                    members[one.name] = function_of(one, bound=True)
                for name, line in _instance_names(one):
                    members.setdefault(name, Value(name, line))
            case ast.ClassDef():
                members[one.name] = _class_of(one)
            case _:
                for name, value in _bound(one):
                    known = members.get(value.id) if isinstance(value, ast.Name) else None
                    members[name] = _renamed(known, name, one.lineno) if known else Value(name, one.lineno)
                fields += _fields(one)
    bases = tuple(ast.unparse(base) for base in node.bases)
    decorators = {part for one in node.decorator_list for part in ast.unparse(_uncalled(one)).split(".")}
    if fields and "__init__" not in members and (_DATACLASS & decorators or bases[:1] == ("NamedTuple",)):
        members["__init__"] = Function("__init__", node.lineno, tuple(fields))
    strange = bool(node.keywords) or "__getattr__" in members or "__getattribute__" in members
    return Class(node.name, node.lineno, bases, members, _is_deprecated(node), strange)


def _fields(node: ast.stmt) -> Iterator[Parameter]:
    """The parameters that an annotated field of a dataclass becomes."""
    if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
        return
    if "ClassVar" in ast.unparse(node.annotation):
        return
    given, passing = node.value is not None, "either"
    if isinstance(node.value, ast.Call) and _last(node.value) in ("field", "ib", "attrib", "Factory", "Field"):
        keywords = {one.arg: one.value for one in node.value.keywords}
        given = bool({"default", "default_factory", "factory"} & set(keywords)) or bool(node.value.args)
        init = keywords.get("init")
        if isinstance(init, ast.Constant) and init.value is False:
            return
        passing = "keyword" if "kw_only" in keywords else "either"
    yield Parameter(node.target.id.lstrip("_"), "keyword" if passing == "keyword" else "either", not given)


def _parameters(args: ast.arguments) -> Iterator[Parameter]:
    places = [*args.posonlyargs, *args.args]
    required = len(places) - len(args.defaults)
    for index, one in enumerate(places):
        # A leading double underscore is how positional-only parameters were written before Python 3.8 (PEP 484).
        alone = index < len(args.posonlyargs) or (one.arg.startswith("__") and not one.arg.endswith("__"))
        yield Parameter(one.arg, "positional" if alone else "either", index < required)
    if args.vararg:
        yield Parameter(args.vararg.arg, "*", False)
    for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield Parameter(one.arg, "keyword", default is None)
    if args.kwarg:
        yield Parameter(args.kwarg.arg, "**", False)


def _bound(node: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case ast.Assign():
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
                elif isinstance(target, ast.Tuple | ast.List):
                    yield from ((one.id, None) for one in target.elts if isinstance(one, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
            yield name, node.value
        case ast.For(target=ast.Name(id=name)):
            yield name, None


def _instance_names(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, int]]:
    """The public attributes that a method gives to its object."""
    first = [*node.args.posonlyargs, *node.args.args][:1]
    if not first:
        return
    for one in ast.walk(node):
        if (
            isinstance(one, ast.Attribute)
            and isinstance(one.ctx, ast.Store)
            and not one.attr.startswith("_")
            and isinstance(one.value, ast.Name)
            and one.value.id == first[0].arg
        ):
            yield one.attr, one.lineno


def _renamed(member: Member, name: str, line: int) -> Member:
    match member:
        case Function():
            return Function(
                name, line, member.parameters, member.deprecated, member.is_async, member.is_property, member.known
            )
        case Class():
            return Class(name, line, member.bases, member.members, member.deprecated, member.open)
        case Alias():
            return Alias(name, line, member.module, member.target, True)
    return Value(name, line)


def _uncalled(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _last(node: ast.expr) -> str:
    node = _uncalled(node)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _overloads(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(_last(one) == "overload" for one in node.decorator_list)


def _setter(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(_last(one) in ("setter", "deleter") for one in node.decorator_list)


def _strings(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def _is_deprecated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    if any(_DEPRECATED.search(ast.unparse(_uncalled(one))) for one in node.decorator_list):
        return True
    document = ast.get_docstring(node, clean=False) or ""
    if re.search(r"\.\. deprecated::|^\s*\W*deprecated\b|is deprecated\b", document, re.IGNORECASE | re.MULTILINE):
        return True
    body = next((one for one in node.body if getattr(one, "name", "") == "__init__"), node)
    return any(_warns(one) for one in getattr(body, "body", ()))


def _warns(node: ast.stmt) -> bool:
    """Whether a statement, under no condition, warns of deprecation."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and bool(_DEPRECATED.search(ast.unparse(node.value)))
    )


def _warned(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The words of calls in a function that speak of deprecation."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            text = " ".join(_strings(one))
            if _DEPRECATED.search(text) or _DEPRECATED.search(" ".join(ast.unparse(arg) for arg in one.args[1:2])):
                yield from re.findall(r"\w+", text)
