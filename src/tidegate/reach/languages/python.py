"""Python, by its own parser: `ast` reads what the running interpreter reads, and says where it cannot.

Beyond the plain forms it understands what hides a receiver's type: annotations (Optional, Union, containers, strings),
`isinstance`, `cast`, `partial`, `getattr` with a literal (`x.name`; with a literal beginning only: `x.begin%`), `next`,
`super()`, `type(self)`, context managers (`with f() as x` binds x to "f().__enter__()") and comprehensions.
"""

from __future__ import annotations

import ast
import gc
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tidegate.change.python_source import parse_python
from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.languages.python_digests import read_python_digests
from tidegate.reach.languages.python_layout import PythonLayout
from tidegate.reach.languages.python_types import read_annotation
from tidegate.reach.symbols import (
    Binding,
    BindingKind,
    Definition,
    DefinitionKind,
    Digests,
    FileSymbols,
    Gap,
    Parameter,
    Reference,
    ReferenceKind,
    Text,
    unread,
)

_BUILTIN_CALLS = frozenset(
    "abs all any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr dict dir "
    "divmod enumerate filter float format frozenset hasattr hash help hex id input int isinstance issubclass iter len "
    "list locals map max memoryview min next object oct open ord pow print property range repr reversed round set "
    "slice sorted staticmethod str sum tuple type vars zip".split()
)
_BUILTIN_READS = _BUILTIN_CALLS | frozenset(
    "True False None NotImplemented Ellipsis __name__ __file__ __doc__ __debug__ Exception BaseException ValueError "
    "TypeError KeyError IndexError AttributeError RuntimeError StopIteration OSError ImportError NameError "
    "NotImplementedError AssertionError LookupError ArithmeticError UnicodeDecodeError UnicodeEncodeError "
    "KeyboardInterrupt SystemExit GeneratorExit StopAsyncIteration TimeoutError FileNotFoundError PermissionError "
    "DeprecationWarning UserWarning RuntimeWarning ResourceWarning ModuleNotFoundError ZeroDivisionError".split()
)
_SAME_CONTAINER = frozenset(["list", "iter", "sorted", "set", "tuple", "reversed", "frozenset", "aiter"])
_PLAIN = {"str": "%str", "bytes": "%bytes", "int": "%int", "float": "%float", "bool": "%int", "dict": "%dict"}
_ARGUMENT_LIMIT = 200
_RETURN_LIMIT = 8
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class _Python:
    name = "Python"
    version = 4
    suffixes: tuple[str, ...] = (".py", ".pyi")
    submodules = True
    open_world = False
    implicit_self = False
    structural = False
    by_value = False
    called_back: frozenset[str] | None = None
    isolated = False

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:  # noqa: ARG002 every language has one signature
        tree = _parse(source)
        if isinstance(tree, str):
            return unread(tree)
        reader = _Reader()
        try:
            return reader.read(tree, source)
        except RecursionError:
            return unread("nested too deeply")

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:  # noqa: ARG002 as above
        tree = _parse(source)
        if isinstance(tree, str):
            return ()
        try:
            return read_python_digests(tree)
        except RecursionError:
            return ()

    def read_layout(
        self,
        packages: Mapping[str, str],
        paths: Sequence[str],  # noqa: ARG002 as above
        read: ReadTexts,  # noqa: ARG002 as above
    ) -> Layout:
        return PythonLayout(packages)


PYTHON: Language = _Python()


def _parse(source: bytes) -> ast.Module | str:
    """The syntax tree, or why there is none. Collection of garbage stands still: a tree is all live."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parse_python(source)
    except SyntaxError as error:
        return f"syntax error in line {error.lineno or 0}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"cannot be parsed ({type(error).__name__})"
    finally:
        if collecting:
            gc.enable()


class _Scope:
    """One definition whose body is being read: its index and what names mean in it."""

    __slots__ = (
        "cls",
        "cls_name",
        "generator",
        "globals",
        "index",
        "kind",
        "locals",
        "name",
        "outer",
        "returns",
        "self_name",
    )

    def __init__(self, index: int, name: str, kind: str, outer: _Scope | None) -> None:
        self.index = index
        self.name = name
        self.kind = kind
        self.outer = outer
        self.self_name: str = outer.self_name if outer and kind == "function" else ""
        self.cls_name: str = outer.cls_name if outer and kind == "function" else ""
        self.cls: int = outer.cls if outer and kind == "function" else -1
        self.locals: set[str] = set()
        self.globals: dict[str, int] = {}
        self.returns: list[str] = []
        self.generator = False


class _Under:
    """The conditions that the code being read stands under."""

    __slots__ = ("branches", "exits", "handlers", "loops")

    def __init__(self) -> None:
        self.branches = self.exits = self.handlers = self.loops = 0

    def level(self) -> int:
        """`Reference.branch` for code that stands here."""
        if self.handlers:
            return 5
        if self.branches:
            return 3 if self.branches == 1 else 4
        return 2 if self.exits else 1 if self.loops else 0


class _Reader:
    """Reads one module. `within` is the definition that the code being read belongs to."""

    def __init__(self) -> None:
        self.definitions: list[Definition | None] = []
        self.bindings: list[Binding] = []
        self.references: list[Reference] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.scope = _Scope(0, "", "module", None)
        self.scopes: list[_Scope] = [self.scope]
        self.within = 0
        self.typing_only = False
        self.branch = 0
        self.under = _Under()
        self.expressions: dict[type, Callable[[Any], str]] = {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.Constant: self._constant,
            ast.Subscript: self._subscript,
            ast.Await: lambda node: self.value(node.value),
            ast.Starred: self._starred,
            ast.Lambda: self._lambda,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.JoinedStr: self._joined,
            ast.Yield: self._yield,
            ast.YieldFrom: self._yield_from,
            ast.NamedExpr: self._named,
            ast.IfExp: self._choice,
            ast.BoolOp: self._choice,
            ast.List: self._several("%list"),
            ast.Tuple: self._several("%list"),
            ast.Set: self._several("%list"),
            ast.Dict: self._several("%dict"),
            ast.BinOp: self._binary,
        }
        self.statements: dict[type, Callable[[Any], None]] = {
            ast.Expr: self._expression,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.Return: self._return,
            ast.Raise: self._raise,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.Match: self._match,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.ExceptHandler: self._except,
            ast.Global: self._global,
            ast.Nonlocal: self._nonlocal,
            ast.MatchClass: self._match_class,
        }

    def read(self, tree: ast.Module, source: bytes) -> FileSymbols:
        end = source.count(b"\n") + 1
        self.definitions.append(Definition(name="", kind="module", line=1, end_line=end, parent=-1))
        self.body(tree.body)
        kept = [r for r in self.references if self._worth(r)]
        return FileSymbols(
            definitions=tuple(d for d in self.definitions if d is not None),
            bindings=tuple(self.bindings),
            references=tuple(kept),
            texts=tuple(self.texts),
            gaps=tuple(self.gaps),
        )

    def _worth(self, reference: Reference) -> bool:
        """Whether a reference says more than that a local variable was used."""
        chain = reference.chain
        if reference.kind not in ("read", "pass") or "." in chain or "(" in chain or "[" in chain:
            return True
        if chain in ("self", "cls", "super") or chain[0] in "%?":
            return False
        scope: _Scope | None = self._scope_of(reference.within)
        if scope is None or scope.kind != "function":
            return chain not in _BUILTIN_READS
        return chain not in scope.locals and chain not in _BUILTIN_READS

    def _scope_of(self, index: int) -> _Scope | None:
        return self.scopes[index] if index < len(self.scopes) else None

    # statements

    def body(self, statements: Iterable[ast.stmt]) -> None:
        table = self.statements
        exits = self.under.exits
        for statement in statements:
            read = table.get(type(statement))
            if read is not None:
                read(statement)
            else:
                self.children(statement)
            if _may_leave(statement):
                self.under.exits += 1
                self.branch = self.under.level()
        self.under.exits = exits
        self.branch = self.under.level()

    def block(self, statements: Sequence[ast.stmt], what: str) -> None:
        """The statements of a branch, a loop or a handler."""
        under = self.under
        setattr(under, what, getattr(under, what) + 1)
        self.branch = under.level()
        self.body(statements)
        setattr(under, what, getattr(under, what) - 1)
        self.branch = under.level()

    def _expression(self, node: ast.Expr) -> None:
        self.value(node.value)

    def children(self, node: ast.AST) -> None:
        """Whatever has no reader of its own is read part by part."""
        expressions, statements = self.expressions, self.statements
        for name in node._fields:
            value = getattr(node, name, None)
            for part in value if type(value) is list else (value,):
                kind = type(part)
                if kind in expressions:
                    expressions[kind](part)
                elif kind in statements:
                    statements[kind](part)
                elif isinstance(part, ast.AST) and part._fields:
                    self.children(part)

    def value(self, node: ast.expr | None) -> str:
        """The chain of an expression; everything that it uses is written down on the way."""
        if node is None:
            return "?"
        read = self.expressions.get(type(node))
        if read is not None:
            return read(node)
        self.children(node)
        return "?"

    def refer(self, kind: ReferenceKind, chain: str, line: int, arguments: tuple[str, ...] = ()) -> None:
        self.references.append(Reference(self.within, kind, chain, line, arguments, self.branch))

    def bind(self, name: str, chain: str, kind: BindingKind, line: int) -> None:
        scope = self.scope
        target = scope.globals.get(name, scope.index)
        if target == scope.index and kind != "import":
            scope.locals.add(name)
        if chain != name:
            self.bindings.append(Binding(target, name, chain, kind, self.within, line))

    def gap(self, reason: str, line: int) -> None:
        self.gaps.append(Gap(self.within, reason, line))

    # expressions

    def _name(self, node: ast.Name) -> str:
        chain = self.root(node.id)
        self.references.append(Reference(self.within, "read", chain, node.lineno, (), self.branch))
        return chain

    def root(self, name: str) -> str:
        scope = self.scope
        if name == scope.self_name and name:
            return "self"
        if name == scope.cls_name and name:
            return "cls"
        return name

    def path(self, node: ast.expr) -> str:
        """The chain of an expression that is the beginning of a longer one: its own use is not written down."""
        kind = type(node)
        if kind is ast.Name:
            return self.root(node.id)  # type: ignore[attr-defined]
        if kind is ast.Attribute:
            return self.member(node)  # type: ignore[arg-type]
        return self.value(node)

    def member(self, node: ast.Attribute) -> str:
        names = [node.attr]
        value: ast.expr = node.value
        while type(value) is ast.Attribute:
            names.append(value.attr)
            value = value.value
        root = self.path(value)
        names.append(root)
        names.reverse()
        chain = ".".join(names)
        return "cls" + chain[14:] if chain.startswith("self.__class__") else chain

    def _attribute(self, node: ast.Attribute) -> str:
        chain = self.member(node)
        self.references.append(Reference(self.within, "read", chain, node.lineno, (), self.branch))
        return chain

    def _constant(self, node: ast.Constant) -> str:
        value = node.value
        if type(value) is str:
            if 3 <= len(value) <= _ARGUMENT_LIMIT and _names_something(value):
                self.texts.append(Text(self.within, _whole(value), node.lineno))
            return "%str"
        return _PLAIN.get(type(value).__name__, "?")

    def _subscript(self, node: ast.Subscript) -> str:
        chain = self.value(node.value)
        self.value(node.slice)
        return chain + "[]"

    def _binary(self, node: ast.BinOp) -> str:
        left = self.value(node.left)
        self.value(node.right)
        return left if left[0] == "%" or left.endswith("*") else "?"

    def _choice(self, node: ast.IfExp | ast.BoolOp) -> str:
        if type(node) is ast.IfExp:
            self.value(node.test)
            parts = [node.body, node.orelse]
        else:
            parts = node.values[1:]  # type: ignore[union-attr]
        chains = [] if type(node) is ast.IfExp else [self.value(node.values[0])]  # type: ignore[union-attr]
        self.under.branches += 1
        self.branch = self.under.level()
        chains.extend(self.value(part) for part in parts)
        self.under.branches -= 1
        self.branch = self.under.level()
        return next((chain for chain in chains if chain[0] not in "%?"), chains[-1])

    def _starred(self, node: ast.Starred) -> str:
        chain = self.value(node.value)
        return chain + "[]" if chain[0] not in "?%" else "?"

    def _several(self, answer: str) -> Callable[[Any], str]:
        def read(node: ast.List | ast.Tuple | ast.Set | ast.Dict) -> str:
            parts: Sequence[ast.expr | None] = node.values if type(node) is ast.Dict else node.elts  # type: ignore[union-attr]
            if type(node) is ast.Dict:
                for key in node.keys:
                    self.value(key)
            for part in parts:
                self.handed_over(part)
            return answer

        return read

    def handed_over(self, node: ast.expr | None) -> str:
        """A value that is given to a call or put into a collection: a plain name of a definition is a "pass"."""
        kind = type(node)
        if kind is ast.Name or kind is ast.Attribute:
            chain = self.path(node)  # type: ignore[arg-type]
            self.references.append(Reference(self.within, "pass", chain, node.lineno, (), self.branch))  # type: ignore[union-attr]
            return chain
        return self.value(node)

    def _lambda(self, node: ast.Lambda) -> str:
        for argument in _arguments(node.args):
            self.scope.locals.add(argument.arg)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.value(default)
        self.under.branches += 1
        self.branch = self.under.level()
        self.value(node.body)
        self.under.branches -= 1
        self.branch = self.under.level()
        return "%func"

    def _comprehension(self, node: Any) -> str:
        for generator in node.generators:
            self._iterate(generator.target, generator.iter)
            for condition in generator.ifs:
                self.value(condition)
        if type(node) is ast.DictComp:
            self.value(node.key)
            return self._of(self.value(node.value))
        return self._of(self.value(node.elt))

    @staticmethod
    def _of(chain: str) -> str:
        return chain + "*" if chain[0] not in "?%" else "%list"

    def _joined(self, node: ast.JoinedStr) -> str:
        self.children(node)
        return "%str"

    def _yield(self, node: ast.Yield) -> str:
        self.scope.generator = True
        chain = self.handed_over(node.value) if node.value is not None else "?"
        if chain[0] not in "?%" and len(self.scope.returns) < _RETURN_LIMIT:
            self.scope.returns.append(chain + "*")
        return "?"

    def _yield_from(self, node: ast.YieldFrom) -> str:
        self.scope.generator = True
        chain = self.value(node.value)
        if chain[0] not in "?%" and len(self.scope.returns) < _RETURN_LIMIT:
            self.scope.returns.append(chain)
        return "?"

    def _named(self, node: ast.NamedExpr) -> str:
        self.assign(node.target, node.value)
        return node.target.id

    def _call(self, node: ast.Call) -> str:
        function = node.func
        if type(function) is ast.Name:
            special = self._special(function.id, node)
            if special:
                return special
        callee = self.path(function)
        arguments = self._arguments(node)
        last = callee.rpartition(".")[2]
        if last == "partial" and arguments:
            self.refer("call", callee, node.lineno, arguments)
            return arguments[0] if arguments[0] and arguments[0][0] != '"' else "?"
        if last == "cast" and len(node.args) == 2:
            chains = read_annotation(self, node.args[0])
            return chains[0] if chains else "?"
        if last == "import_module":
            return self._import_module(node, arguments)
        self.references.append(Reference(self.within, "call", callee, node.lineno, arguments, self.branch))
        return callee + "()"

    def _import_module(self, node: ast.Call, arguments: tuple[str, ...]) -> str:
        if arguments and arguments[0].startswith('"') and "{" not in arguments[0]:
            spec = f"<{arguments[0][1:-1]}>"
            self.refer("import", spec, node.lineno)
            return spec
        self.gap("dynamic-import", node.lineno)
        return "?"

    def _arguments(self, node: ast.Call) -> tuple[str, ...]:
        found = [self.argument(argument) for argument in node.args]
        for keyword in node.keywords:
            text = self.argument(keyword.value)
            found.append(f"{keyword.arg}={text}" if keyword.arg else "")
        return tuple(found)

    def argument(self, node: ast.expr) -> str:
        kind = type(node)
        if kind is ast.Constant:
            self._constant(node)  # type: ignore[arg-type]
            value = node.value  # type: ignore[attr-defined]
            return f'"{_whole(value)}"' if type(value) is str and len(value) <= _ARGUMENT_LIMIT else ""
        if kind is ast.JoinedStr:
            self.children(node)
            return f'"{_template(node)}"'  # type: ignore[arg-type]
        if kind is ast.List or kind is ast.Tuple:
            texts = [self.argument(part) for part in node.elts]  # type: ignore[attr-defined]
            return "|".join(texts) if texts and all(t[:1] == '"' for t in texts) else ""
        chain = self.handed_over(node)
        return chain if chain[0] not in "?%" and len(chain) <= _ARGUMENT_LIMIT else ""

    def _special(self, name: str, node: ast.Call) -> str:  # noqa: C901 one branch for each kind of built-in
        """The chain of a call of a built-in that says what it gives; "" for any other."""
        arguments = node.args
        if name == "super":
            return "super"
        if name not in _BUILTIN_CALLS and name not in (
            "getattr",
            "eval",
            "exec",
            "globals",
            "anext",
            "setattr",
            "__import__",
        ):
            return ""
        if name in self.scope.locals:
            return ""
        if name == "isinstance" and len(arguments) == 2:
            return self._narrow(arguments[0], arguments[1])
        if name in ("getattr", "setattr", "hasattr", "delattr") and len(arguments) >= 2:
            return self._by_name(name, node)
        if name in ("eval", "exec", "globals", "__import__"):
            self.gap("eval" if name in ("eval", "exec") else "reflection", node.lineno)
        chains = [self.handed_over(argument) for argument in arguments]
        for keyword in node.keywords:
            self.handed_over(keyword.value)
        if name in ("next", "anext", "min", "max") and chains:
            return chains[0] + "[]" if chains[0][0] not in "?%" else "?"
        if name in _SAME_CONTAINER:
            return chains[0] if chains and chains[0][0] not in "?%" else "%list"
        if name == "type" and len(chains) == 1:
            return "cls" if chains[0] == "self" else f"{chains[0]}.__class__"
        if name == "filter" and len(chains) > 1:
            return chains[1]
        if name == "map" and len(chains) > 1:
            return f"{chains[0]}()*" if chains[0][0] not in "?%" else "?"
        if name in ("repr", "ascii", "chr", "hex", "oct", "bin", "format", "input"):
            return "%str"
        if name in ("len", "hash", "id", "ord", "round", "sum", "abs"):
            return "%int"
        return _PLAIN.get(name, "?")

    def _narrow(self, subject: ast.expr, types: ast.expr) -> str:
        chain = self.path(subject)
        for node in types.elts if isinstance(types, ast.Tuple) else [types]:
            kind = self.path(node)
            if kind[0] in "?%":
                continue
            self.refer("type", kind, node.lineno)
            if isinstance(subject, ast.Name) and chain not in ("self", "cls"):
                self.bindings.append(
                    Binding(self.scope.globals.get(chain, self.scope.index), chain, kind + "!", "narrow", self.within)
                )
        return "%int"

    def _by_name(self, function: str, node: ast.Call) -> str:
        """`getattr` and its kin: a member by its name as text."""
        subject = self.path(node.args[0])
        name = node.args[1]
        for more in node.args[2:]:
            self.handed_over(more)
        if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isidentifier():
            chain = f"{subject}.{name.value}"
            self.refer("write" if function in ("setattr", "delattr") else "read", chain, node.lineno)
            return chain
        beginning = _template(name).split("{")[0] if isinstance(name, ast.JoinedStr) else ""
        if isinstance(name, ast.BinOp) and isinstance(name.left, ast.Constant) and isinstance(name.left.value, str):
            beginning = name.left.value.split("%")[0]
        self.value(name)
        if function in ("hasattr", "delattr"):
            return "%int"
        self.gap("reflection", node.lineno)
        if function == "getattr" and (beginning.isidentifier() or not beginning):
            self.refer("read", f"{subject}.{beginning}%", node.lineno)
        return "?"

    # statements with a meaning of their own

    def _assign(self, node: ast.Assign) -> None:
        before = self.within
        first = node.targets[0]
        if self.scope.kind != "function" and len(node.targets) == 1 and type(first) is ast.Name:
            self.within = self.variable(first.id, node)
            self._named_in_texts(first.id, node.value)
        for target in node.targets[:1]:
            self.assign(target, node.value)
        for target in node.targets[1:]:
            if type(first) is ast.Name:
                self.assign_to(target, first.id, "assign")
            else:
                self.assign_to(target, "?", "assign")
        self.within = before

    def _named_in_texts(self, name: str, value: ast.expr) -> None:
        """A list of names as texts, other than `__all__`, hands over what bears these names."""
        if isinstance(value, (ast.List, ast.Tuple, ast.Set)) and name != "__all__":
            for part in value.elts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
                    self.refer("pass", part.value, part.lineno)
                    self.refer("read", part.value + ".%", part.lineno)

    def variable(self, name: str, node: ast.stmt) -> int:
        """A module- or class-level name becomes a definition; what its value uses belongs to it."""
        scope = self.scope
        kind: DefinitionKind = "constant" if name.isupper() else "variable"
        index = len(self.definitions)
        qualified = f"{scope.name}.{name}" if scope.name else name
        end = node.end_lineno or node.lineno
        self.definitions.append(
            Definition(qualified, kind, node.lineno, end, scope.index, visibility=_visibility(qualified))
        )
        self.scopes.append(scope)
        return index

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        """Binds what the target names to every alternative of the value."""
        kind = type(target)
        if kind is ast.Tuple or kind is ast.List:
            parts = target.elts  # type: ignore[attr-defined]
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(parts):
                for part, one in zip(parts, value.elts, strict=True):
                    self.assign(part, one)
                return
            chain = self.value(value)
            self.assign_to(target, chain, "assign")
            return
        for chain in self._either(value):
            self.assign_to(target, chain, "assign")

    def _either(self, node: ast.expr) -> list[str]:
        """The chains of every alternative of a conditional value; all but the first of `or` stand in a branch."""
        if type(node) is ast.IfExp:
            self.value(node.test)
            first, rest = [], [node.body, node.orelse]
        elif type(node) is ast.BoolOp:
            first, rest = self._either(node.values[0]), node.values[1:]
        else:
            return self._chains(node)
        self.under.branches += 1
        self.branch = self.under.level()
        found = [*first, *(chain for part in rest for chain in self._either(part))]
        self.under.branches -= 1
        self.branch = self.under.level()
        return found

    def _chains(self, node: ast.expr) -> list[str]:
        """The chains that a value can be: the elements of a collection count for the collection."""
        kind = type(node)
        if kind in (ast.List, ast.Tuple, ast.Set, ast.Dict):
            parts = [p for p in (node.values if kind is ast.Dict else node.elts) if p is not None]  # type: ignore[attr-defined]
            if kind is ast.Dict:
                for key in node.keys:  # type: ignore[attr-defined]
                    self.value(key)
            found = [self.handed_over(part) for part in parts]
            chains = list(dict.fromkeys(chain + "*" for chain in found[:16] if chain[0] not in "?%"))
            return chains or ["%dict" if kind is ast.Dict else "%list"]
        if kind is ast.Name or kind is ast.Attribute:
            return [self.handed_over(node)]
        return [self.value(node)]

    def assign_to(self, target: ast.expr, chain: str, kind: BindingKind) -> None:
        form = type(target)
        if form is ast.Name:
            self.bind(target.id, chain, kind, target.lineno)  # type: ignore[attr-defined]
        elif form is ast.Attribute:
            self._assign_member(target, chain, kind)  # type: ignore[arg-type]
        elif form is ast.Tuple or form is ast.List:
            for part in target.elts:  # type: ignore[attr-defined]
                self.assign_to(part, chain + "[]" if chain[0] not in "?%" else "?", kind)
        elif form is ast.Starred:
            self.assign_to(target.value, chain, kind)  # type: ignore[attr-defined]
        elif form is ast.Subscript:
            holder = self.value(target.value)  # type: ignore[attr-defined]
            self.value(target.slice)  # type: ignore[attr-defined]
            if chain[0] not in "?%":
                self._add_element(holder, chain, target.lineno)

    def _add_element(self, holder: str, chain: str, line: int) -> None:
        root, _, member = holder.partition(".")
        if root == "self" and member.isidentifier() and self.scope.cls >= 0:
            self.bindings.append(Binding(self.scope.cls, member, chain + "*", "assign", self.within, line))
        elif holder.isidentifier() and holder not in ("self", "cls"):
            scope = self.scope.globals.get(holder, self.scope.index)
            self.bindings.append(Binding(scope, holder, chain + "*", "assign", self.within, line))

    def _assign_member(self, target: ast.Attribute, chain: str, kind: BindingKind) -> None:
        holder = self.path(target.value)
        if holder in ("self", "cls") and self.scope.cls >= 0 and chain != "?":
            self.bindings.append(Binding(self.scope.cls, target.attr, chain, kind, self.within, target.lineno))
        self.refer("write", f"{holder}.{target.attr}", target.lineno, (chain,) if chain[0] not in "?%" else ())

    def _annotated(self, node: ast.AnnAssign) -> None:
        before = self.within
        if self.scope.kind != "function" and type(node.target) is ast.Name:
            self.within = self.variable(node.target.id, node)
        for chain in read_annotation(self, node.annotation):
            self.assign_to(node.target, chain, "annotation")
        if node.value is not None:
            self.assign(node.target, node.value)
        elif type(node.target) is ast.Name:
            self.scope.locals.add(node.target.id)
        self.within = before

    def _augmented(self, node: ast.AugAssign) -> None:
        for chain in self._chains(node.value):
            if type(node.target) is ast.Name and chain.endswith("*"):
                self.bind(node.target.id, chain, "assign", node.lineno)
        if type(node.target) is not ast.Name:
            self.value(node.target)

    def _return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        for chain in self._either(node.value):
            if chain != "?" and len(self.scope.returns) < _RETURN_LIMIT:
                self.scope.returns.append(chain)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer, before = self.scope, self.within
        index = len(self.definitions)
        name = f"{outer.name}.{node.name}" if outer.name else node.name
        if outer.kind == "function":
            outer.locals.add(node.name)
        self.definitions.append(None)
        scope = _Scope(index, name, "function", outer)
        self.scopes.append(scope)
        self.within = index
        decorators = tuple(self._decorator(decorator) for decorator in node.decorator_list)
        flags = ["async"] if type(node) is ast.AsyncFunctionDef else []
        if outer.kind == "class":
            _name_receiver(scope, node, decorators, outer, flags)
        types = self._types(node.args)
        returns = read_annotation(self, node.returns) if node.returns is not None else []
        defaults = self._defaults(node.args)
        parameters = tuple(
            Parameter(a.arg, types.get(a.arg, ""), defaults.get(a.arg, ""), _star(node.args, a))
            for a in _arguments(node.args)
        )
        scope.locals.update(parameter.name for parameter in parameters)
        self.scope = scope
        above, self.under = self.under, _Under()
        self.branch = 0
        self.body(node.body)
        self.under = above
        self.branch = above.level()
        self.scope, self.within = outer, before
        if scope.generator:
            flags.append("generator")
        first = min((d.lineno for d in node.decorator_list), default=node.lineno)
        self.definitions[index] = Definition(
            name,
            "method" if outer.kind == "class" else "function",
            min(first, node.lineno),
            node.end_lineno or node.lineno,
            outer.index,
            visibility=_visibility(name),
            decorators=decorators,
            parameters=parameters,
            returns=tuple(dict.fromkeys([*returns, *scope.returns])),
            flags=tuple(flags),
        )

    def _decorator(self, node: ast.expr) -> str:
        if type(node) is ast.Call:
            chain = self.path(node.func)
            self.refer("decorate", chain, node.lineno, self._arguments(node))
            return chain + "()"
        chain = self.path(node)
        self.refer("decorate", chain, node.lineno)
        return chain

    def _types(self, arguments: ast.arguments) -> dict[str, str]:
        return {
            argument.arg: "|".join(read_annotation(self, argument.annotation))
            for argument in _arguments(arguments)
            if argument.annotation is not None
        }

    def _defaults(self, arguments: ast.arguments) -> dict[str, str]:
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = [
            *zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        found = {}
        for argument, default in pairs:
            if default is not None:
                chain = self.handed_over(default)
                if chain[0] != "?":
                    found[argument.arg] = chain
        return found

    def _class(self, node: ast.ClassDef) -> None:
        outer, before = self.scope, self.within
        index = len(self.definitions)
        name = f"{outer.name}.{node.name}" if outer.name else node.name
        if outer.kind == "function":
            outer.locals.add(node.name)
        self.definitions.append(None)
        scope = _Scope(index, name, "class", outer)
        scope.cls = index
        self.scopes.append(scope)
        self.within = index
        decorators = tuple(self._decorator(decorator) for decorator in node.decorator_list)
        bases = []
        for base in node.bases:
            bare = base.value if isinstance(base, ast.Subscript) else base
            chain = self.path(bare)
            bases.append(chain)
            self.refer("inherit", chain, base.lineno)
            if isinstance(base, ast.Subscript):
                self.value(base.slice)
        for keyword in node.keywords:
            chain = self.handed_over(keyword.value)
            if keyword.arg == "metaclass":
                self.refer("decorate", chain, keyword.value.lineno)
        self.scope = scope
        self.body(node.body)
        self.scope, self.within = outer, before
        first = min((d.lineno for d in node.decorator_list), default=node.lineno)
        self.definitions[index] = Definition(
            name,
            "class",
            min(first, node.lineno),
            node.end_lineno or node.lineno,
            outer.index,
            visibility=_visibility(name),
            bases=tuple(bases),
            decorators=decorators,
        )

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.bind(alias.asname, f"<{alias.name}>", "import", node.lineno)
            else:
                root = alias.name.partition(".")[0]
                self.bind(root, f"<{root}>", "import", node.lineno)
            if not self.typing_only:
                self.refer("import", f"<{alias.name}>", node.lineno)

    def _import_from(self, node: ast.ImportFrom) -> None:
        spec = "." * node.level + (node.module or "")
        for alias in node.names:
            self.bind(alias.asname or alias.name, f"<{spec}>.{alias.name}", "import", node.lineno)
            if not self.typing_only:
                self.refer("import", f"<{spec}>.{alias.name}", node.lineno)

    def _if(self, node: ast.If) -> None:
        self.value(node.test)
        test = node.test
        name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
        before, self.typing_only = self.typing_only, self.typing_only or name == "TYPE_CHECKING"
        self.block(node.body, "branches")
        self.typing_only = before
        self.block(node.orelse, "branches")

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._iterate(node.target, node.iter)
        self.block(node.body, "loops")
        self.body(node.orelse)

    def _iterate(self, target: ast.expr, over: ast.expr) -> None:
        """Binds the target to an element of what is iterated over."""
        chains = self._chains(over) if isinstance(over, (ast.List, ast.Tuple, ast.Set)) else [self.value(over)]
        for chain in chains:
            self.assign_to(target, chain + "[]" if chain[0] not in "?%" else "?", "assign")

    def _raise(self, node: ast.Raise) -> None:
        """A class that is raised is instantiated."""
        if node.exc is not None:
            self.handed_over(node.exc)
        self.value(node.cause)

    def _while(self, node: ast.While) -> None:
        self.value(node.test)
        self.block(node.body, "loops")
        self.body(node.orelse)

    def _try(self, node: Any) -> None:
        self.body(node.body)
        for handler in node.handlers:
            self._except(handler)
        self.body(node.orelse)
        self.body(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self.value(node.subject)
        for case in node.cases:
            self._pattern(case.pattern, node.subject)
            self.value(case.guard)
            self.block(case.body, "branches")

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        asynchronous = type(node) is ast.AsyncWith
        enter, leave = ("__aenter__", "__aexit__") if asynchronous else ("__enter__", "__exit__")
        for item in node.items:
            chain = self.value(item.context_expr)
            if chain[0] not in "?%":
                line = item.context_expr.lineno
                self.refer("call", f"{chain}.{enter}", line)
                self.refer("call", f"{chain}.{leave}", line)
            if item.optional_vars is not None:
                self.assign_to(item.optional_vars, f"{chain}.{enter}()" if chain[0] not in "?%" else "?", "assign")
        self.body(node.body)

    def _except(self, node: ast.ExceptHandler) -> None:
        types = node.type
        for one in types.elts if isinstance(types, ast.Tuple) else [types] if types is not None else []:
            chain = self.value(one)
            if node.name and chain[0] not in "?%":
                self.bind(node.name, chain + "!", "narrow", node.lineno)
        if node.name:
            self.scope.locals.add(node.name)
        self.block(node.body, "handlers")

    def _global(self, node: ast.Global) -> None:
        for name in node.names:
            self.scope.globals[name] = 0

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            outer = self.scope.outer
            while outer is not None and (outer.kind != "function" or name not in outer.locals):
                outer = outer.outer
            if outer is not None:
                self.scope.globals[name] = outer.index

    def _pattern(self, node: ast.pattern, subject: ast.expr) -> None:
        """A pattern that names a class says what the subject is, and what it is called from here on."""
        for part in node.patterns if isinstance(node, ast.MatchOr) else [node]:
            inner = part.pattern if isinstance(part, ast.MatchAs) and part.pattern is not None else part
            if isinstance(inner, ast.MatchClass):
                chain = self.path(inner.cls) + "!"
                if isinstance(subject, ast.Name):
                    self.bind(subject.id, chain, "narrow", node.lineno)
                if isinstance(part, ast.MatchAs) and part.name:
                    self.bind(part.name, chain, "narrow", node.lineno)
                self._match_class(inner)
            else:
                self.children(part)

    def _match_class(self, node: ast.MatchClass) -> None:
        self.value(node.cls)
        for pattern in (*node.patterns, *node.kwd_patterns):
            self.children(pattern)


def _name_receiver(
    scope: _Scope,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    decorators: tuple[str, ...],
    outer: _Scope,
    flags: list[str],
) -> None:
    """What the first parameter of a method is: the instance, the class, or neither."""
    scope.cls = outer.index
    scope.self_name = scope.cls_name = ""
    positional = [*node.args.posonlyargs, *node.args.args]
    names = {decorator.rstrip("()").rpartition(".")[2] for decorator in decorators}
    if "staticmethod" in names:
        flags.append("static")
        return
    if names & {"property", "cached_property", "setter", "getter", "deleter", "hybrid_property"}:
        flags.append("property")
    if "abstractmethod" in names:
        flags.append("abstract")
    if "overload" in names:
        flags.append("overload")
    first = positional[0].arg if positional else ""
    if "classmethod" in names or node.name in ("__new__", "__init_subclass__", "__class_getitem__"):
        flags.append("class")
        scope.cls_name = first
    else:
        scope.self_name = first


def _may_leave(statement: ast.stmt) -> bool:
    """Whether what follows the statement may not run: a branch of it ends the function or the round of the loop."""
    if type(statement) is not ast.If:
        return False
    ends = (statement.body[-1], statement.orelse[-1]) if statement.orelse else (statement.body[-1],)
    return any(isinstance(end, (ast.Return, ast.Raise, ast.Continue, ast.Break)) for end in ends)


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg is not None:
        found.append(arguments.vararg)
    found.extend(arguments.kwonlyargs)
    if arguments.kwarg is not None:
        found.append(arguments.kwarg)
    return found


def _star(arguments: ast.arguments, argument: ast.arg) -> str:
    return "*" if argument is arguments.vararg else "**" if argument is arguments.kwarg else ""


def _template(node: ast.JoinedStr) -> str:
    parts = [
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "{}" for part in node.values
    ]
    return _whole("".join(parts)[:_ARGUMENT_LIMIT])


def _whole(value: str) -> str:
    """A text that can be written as UTF-8: a lone half of a surrogate pair is shown as its escape."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def _visibility(name: str) -> Any:
    for part in name.split("."):
        if part.startswith("_") and not (part.startswith("__") and part.endswith("__")):
            return "private"
    return "public"


def _names_something(value: str) -> bool:
    if "\n" in value:
        return False
    if " " in value:
        return value.lstrip()[:7].upper().startswith(("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER "))
    return "/" in value or "." in value or "_" in value or "(" in value
