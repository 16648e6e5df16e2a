"""The record of what a Java or Kotlin file says, and where its reader stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tidegate.reach.languages.jvm import (
    ALWAYS_CALLED_BACK,
    CALLED_BACK,
    JAVA_LANG,
    MADE_OUTSIDE,
    PACKAGE_ROOTS,
    QUIET_CALLS,
    QUIET_MARKS,
    REFLECTIVE_CALLS,
    is_facade,
    split_qualified,
)
from tidegate.reach.languages.tree import names_something
from tidegate.reach.symbols import (
    Binding,
    BindingKind,
    Definition,
    DefinitionKind,
    FileSymbols,
    Gap,
    Parameter,
    Reference,
    ReferenceKind,
    Text,
    Visibility,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMED_MEMBERS = frozenset(["getMethod", "getDeclaredMethod", "getField", "getDeclaredField"])


class Scope:
    """One definition while it is read.

    `locals` maps a local name to "*" where it is a container, to "=" where only values say its type, to "" else;
    `fields` has the fields that are containers, `typed` those with a written type; `types` maps a type variable to
    what it stands for, "" for anything.
    """

    __slots__ = (
        "anonymous",
        "fields",
        "index",
        "kind",
        "locals",
        "name",
        "outer",
        "reads",
        "simple",
        "tests",
        "typed",
        "types",
        "under",
        "uses",
    )

    def __init__(self, index: int, name: str, simple: str, kind: str, outer: Scope | None) -> None:
        self.index = index
        self.name = name
        self.simple = simple
        self.kind = kind
        self.outer = outer
        self.locals: dict[str, str] = dict(outer.locals) if outer else {}
        self.fields: dict[str, str] = (dict(outer.fields) if kind == "class" else outer.fields) if outer else {}
        self.types: dict[str, str] = outer.types if outer else {}
        self.reads: set[str] = set()
        self.uses: set[str] = set()
        self.anonymous: dict[str, int] = {}
        self.tests = Tests()
        self.typed: set[str] = set()
        self.under = [0, 0, 0, 0]

    def enclosing_class(self) -> Scope:
        """The class around, itself included; the module where there is none."""
        scope = self
        while scope.kind != "class" and scope.outer is not None:
            scope = scope.outer
        return scope

    def qualify(self, name: str) -> str:
        """The qualified name of a definition in this scope."""
        return f"{self.name}.{name}" if self.name else name

    def number(self, base: str) -> str:
        """The name of the next anonymous class of this base in this definition."""
        count = self.anonymous.get(base, 0) + 1
        self.anonymous[base] = count
        return f"{base}${count}"


class Tests:
    """The tests and set-up methods of a class: what runs before and after each of its tests."""

    __slots__ = ("set_up", "tests")

    def __init__(self) -> None:
        self.tests: list[tuple[int, int]] = []
        self.set_up: list[str] = []


class Record:
    """What was found in a file so far, and where the reader stands (`scope`)."""

    def __init__(self) -> None:
        self.definitions: list[Definition] = []
        self.bindings: list[Binding] = []
        self.references: list[Reference] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.package = ""
        self.roots: frozenset[str] = PACKAGE_ROOTS
        self.imported: set[str] = set()
        self.scope = Scope(0, "", "", "module", None)
        self.branch = 0

    def refer(self, kind: ReferenceKind, chain: str, line: int, arguments: tuple[str, ...] = ()) -> None:
        """Add a reference of the definition that is read now. A chain that says nothing is none."""
        if chain and chain[0] != "?" and chain[0] != "%":
            self.references.append(Reference(self.scope.index, kind, chain, line, arguments, self.branch))

    def read(self, chain: str, line: int) -> None:
        """Add a read, once for each chain in a definition."""
        reads = self.scope.reads
        if chain not in reads:
            reads.add(chain)
            self.references.append(Reference(self.scope.index, "read", chain, line, (), self.branch))

    def use(self, chain: str, line: int) -> None:
        """Add the use of a type, once for each type in a definition."""
        uses = self.scope.uses
        if chain not in uses:
            uses.add(chain)
            self.references.append(Reference(self.scope.index, "type", chain, line, (), self.branch))

    def bind(self, name: str, value: str, kind: BindingKind, line: int, scope: Scope | None = None) -> None:
        """Bind a name in a scope (in the one that is read now); a value that says nothing hides other names."""
        at = scope or self.scope
        self.bindings.append(Binding(at.index, name, value or "?", kind, self.scope.index, line))

    def local(self, name: str, value: str, kind: BindingKind, line: int) -> None:
        """Bind a local name, and remember that it is one."""
        self.scope.locals[name] = "*" if _holds(value) else "=" if kind == "assign" else ""
        self.bindings.append(Binding(self.scope.index, name, value or "?", kind, self.scope.index, line))

    def has_field(self, name: str, mark: str, line: int) -> None:
        """Bind a field to its written type, "" where that says nothing."""
        self.bind(name, mark, "annotation", line)
        if mark:
            self.scope.typed.add(name)
        if _holds(mark):
            self.scope.fields[name] = "*"

    def assigned(self, name: str, value: str, line: int, scope: Scope, within: int = -1) -> None:
        """Bind a name to a value that it is given, where that says more than what is known already.

        A value that is made of the name itself does not. Of a field with a written type (`typed`), only the class that
        it is an instance of does.
        """
        if value[0] in '"%?' or _root(value) == name or (name in scope.typed and scope.fields.get(name) == "*"):
            return
        if name in scope.typed and not (value[0].isupper() and value.endswith("()") and "." not in value):
            return
        self.bindings.append(Binding(scope.index, name, value, "assign", max(within, 0) or self.scope.index, line))

    def text(self, value: str, line: int) -> None:
        """Add a text literal where it may name something outside of the code."""
        if names_something(value):
            self.texts.append(Text(self.scope.index, value, line))

    def gap(self, reason: str, line: int) -> None:
        """Add a place where reading stops."""
        gap = Gap(self.scope.index, reason, line)
        if not self.gaps or self.gaps[-1] != gap:
            self.gaps.append(gap)

    def is_container(self, chain: str) -> bool:
        """Whether what a chain means is known, in this file, to hold elements."""
        if not chain:
            return False
        if chain[-1] == "*":
            return True
        scope = self.scope
        if chain.startswith("self."):
            return scope.fields.get(chain[5:]) == "*"
        mark = scope.locals.get(chain)
        return (scope.fields.get(chain) if mark is None else mark) == "*"

    def enter(self, name: str, simple: str, kind: str) -> Scope:
        """Step into a new definition; it is filled by `define` before the next one starts."""
        scope = Scope(len(self.definitions), name, simple, kind, self.scope)
        self.definitions.append(_PLACE)
        self.go_to(scope)
        return scope

    def leave(self) -> None:
        """Step back into the definition around."""
        self.go_to(self.scope.outer or self.scope)

    def go_to(self, scope: Scope) -> None:
        """Read on in this definition, under the conditions that were left there."""
        self.scope = scope
        self.branch = _level(scope.under)

    def under(self, what: int, change: int) -> None:
        """Step into (1) or out of (-1) a condition: `LOOP`, `EXIT`, `BRANCH`, `HANDLER`."""
        levels = self.scope.under
        levels[what] += change
        self.branch = _level(levels)

    def define(
        self,
        kind: DefinitionKind,
        lines: tuple[int, int],
        flags: Iterable[str] = (),
        *,
        visibility: Visibility = "public",
        bases: Iterable[str] = (),
        decorators: Iterable[str] = (),
        parameters: Iterable[Parameter] = (),
        returns: Iterable[str] = (),
    ) -> None:
        """Say what the definition that is read now is."""
        scope = self.scope
        self.definitions[scope.index] = Definition(
            scope.name,
            kind,
            *lines,
            scope.outer.index if scope.outer else -1,
            visibility,
            tuple(bases),
            tuple(decorators),
            tuple(parameters),
            tuple(chain for chain in returns if chain),
            tuple(flags),
        )

    def call_set_up(self, scope: Scope) -> None:
        """Let each test of a class call what runs around it, and the making of the class.

        The tests of a nested class also run what the class around them sets up. A class calls its set-up methods, so
        that the tests of a class that inherits them reach them.
        """
        tests = scope.tests
        for index, line in tests.tests:
            self.references.append(Reference(index, "call", scope.simple, line))
            self.references += [Reference(index, "call", f"{scope.simple}!.{name}", line) for name in tests.set_up]
        line = self.definitions[scope.index].line
        self.references += [Reference(scope.index, "call", f"{scope.simple}!.{name}", line) for name in tests.set_up]
        if scope.outer is not None and scope.outer.kind == "class":
            scope.outer.tests.tests += tests.tests

    def symbols(self) -> FileSymbols:
        """Everything that was found."""
        return FileSymbols(
            tuple(self.definitions),
            tuple(self.bindings),
            tuple(self.references),
            tuple(self.texts),
            tuple(self.gaps),
            self.package,
        )


def _holds(chain: str) -> bool:
    return chain[-1:] == "*" or chain == "%list"


def _root(chain: str) -> str:
    """The name that a chain begins with; that of the member where it begins with the instance."""
    chain = chain.removeprefix("self.")
    at = 0
    while at < len(chain) and chain[at] not in ".([!*":
        at += 1
    return chain[:at]


LOOP, EXIT, BRANCH, HANDLER = range(4)


def _level(under: list[int]) -> int:
    """`Reference.branch` for code under so many conditions of each kind."""
    if under[HANDLER]:
        return 5
    if under[BRANCH]:
        return 3 if under[BRANCH] == 1 else 4
    return 2 if under[EXIT] else 1 if under[LOOP] else 0


_PLACE = Definition("", "variable", 0, 0, -1)


def line_of(node: Node) -> int:
    """The line that a node begins in, from 1."""
    return node.start_point[0] + 1


class JvmReader(Record):
    """Reads nodes through `handlers`, by their kind. `element` is what a function among the arguments of the call that
    is read now is given, `made` what the function that was read last answers with.
    """

    def __init__(self, source: bytes) -> None:
        super().__init__()
        self.source = source
        self.thawing = b"readObject" in source
        self.reflective = b".reflect" in source or b"java.lang.invoke" in source
        self.handlers: Mapping[int, Callable[..., str]] = {}
        self.comment_kinds: frozenset[int] = frozenset()
        self.function_kinds: frozenset[int] = frozenset()
        self.if_kinds: frozenset[int] = frozenset()
        self.name_kinds: frozenset[int] = frozenset()
        self.element = ""
        self.made = ""
        self.marks_read: list[tuple[str, tuple[str, ...], int]] = []
        self.containers: set[str] = set()
        self.foreign: set[str] = set()

    def source_of(self, node: Node) -> str:
        """The source of a node."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def value(self, node: Node) -> str:
        """Read a node; the chain of its value."""
        return self.handlers[node.kind_id](self, node)

    def children(self, node: Node) -> str:
        """Read what stands inside of a node."""
        handlers = self.handlers
        for child in node.named_children:
            handlers[child.kind_id](self, child)
        return ""

    def nothing(self, _: Node) -> str:
        """Literals, comments and punctuation."""
        return ""

    def error(self, node: Node) -> str:
        """What the grammar does not understand: said, and read as far as it goes."""
        self.gap("syntax", line_of(node))
        return self.children(node)

    def implied(self, name: str) -> None:
        """Bind what Java sees without an import: types of the language, and the functions of a Kotlin file."""
        if name in self.imported:
            return
        if name in JAVA_LANG:
            value = f"<java.lang>.{name}"
        elif is_facade(name):
            value = f"<{self.package}>"
        else:
            return
        self.imported.add(name)
        self.bindings.append(Binding(0, name, value, "import", 0))

    def receiver(self, node: Node) -> str:
        """The value of what a member is asked of, "?" where it says nothing."""
        value = self.handlers[node.kind_id](self, node)
        if not value:
            return "?"
        return "%str" if value[0] == '"' else value

    def own_call(self, name: str) -> str:
        """The chain of a call without a receiver: a member of the innermost class around that declares the method.

        Neither a local variable of this name nor a base from outside hides it; what no class around declares is
        inherited or imported. A static method is one of the class, for it needs no instance.
        """
        scope, inner = self.scope.enclosing_class(), True
        while scope.outer is not None:
            static = self.methods_of(scope.index).get(name)
            if static is not None:
                own = ("cls" if static else "self") if inner else scope.simple if static else scope.simple + "!"
                return f"{own}.{name}"
            scope, inner = scope.outer.enclosing_class(), False
        return f"self.{name}" if name in self.scope.locals else name

    def methods_of(self, index: int) -> Mapping[str, bool]:
        """The names of the methods that a class declares, each with whether all of that name are static."""
        raise NotImplementedError

    def mark(self, chain: str, arguments: tuple[str, ...], line: int) -> None:
        """Add an annotation of the definition that is read now; a quiet one is no reference."""
        self.marks_read.append((chain, arguments, line))
        if chain.rpartition(".")[2] not in QUIET_MARKS:
            self.references.append(Reference(self.scope.index, "decorate", chain, line, arguments))

    def kept_of(self, name: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """The arguments of a call, without the instances where it only stores, compares or prints them."""
        if name not in QUIET_CALLS or not arguments:
            return arguments
        return tuple([argument if argument[:1] == '"' else "" for argument in arguments])

    def own_bases(self, bases: Sequence[str]) -> tuple[str, ...]:
        """The bases of a class that can be made, without those that `called_back` speaks for.

        A type of the same name from elsewhere is a base; so is all that an abstract class leaves to others.
        """
        return tuple(base for base in bases if base not in CALLED_BACK or base in self.foreign)

    def made_with(self, base: str, line: int) -> None:
        """To make an instance of a class makes one of the class that it extends: its fields, its constructor."""
        if base and base not in CALLED_BACK:
            self.references.append(Reference(self.scope.index, "call", base, line))

    def called_back(self, scope: Scope, bases: Sequence[str]) -> None:
        """Let a class hand over those of its methods that the platform calls."""
        declared = self.methods_of(scope.index)
        names = [CALLED_BACK.get(base, "") for base in bases if base not in self.foreign]
        line = self.definitions[scope.index].line
        for name in dict.fromkeys(" ".join([*names, ALWAYS_CALLED_BACK]).split()):
            if name in declared:
                self.references.append(Reference(scope.index, "pass", f"{scope.simple}!.{name}", line))

    def made_outside(self, value: str, mark: str, line: int) -> None:
        """After a cast of what somebody else made, an instance of the class exists; so it does where one is thawed."""
        if mark[-1:] == "!" and (self.thawing or value[:-2].rpartition(".")[2] in MADE_OUTSIDE):
            self.refer("pass", mark[:-1], line)

    def all_of(self, receiver: str, name: str, line: int) -> None:
        """`Color.values()` hands over every constant of an enum, which makes them."""
        if name in ("values", "valueOf", "entries", "allOf") and receiver.rpartition(".")[2][:1].isupper():
            self.refer("pass", receiver, line)

    def reflect(self, receiver: str, name: str, arguments: tuple[str, ...], line: int) -> None:
        """Say what a reflective call names, or that nobody knows."""
        if name == "forName" and receiver == "Class":
            literal = arguments[0] if arguments else ""
            if literal.startswith('"') and "{}" not in literal:
                self.refer("pass", split_qualified(literal[1:-1].replace("$", ".")), line)
            else:
                self.gap("reflection", line)
        elif self.reflective and name in REFLECTIVE_CALLS:
            literal = arguments[0] if arguments else ""
            known = receiver[0] != "?" and "(" not in receiver and receiver not in self.scope.locals
            if known and name in _NAMED_MEMBERS and literal[:1] == '"':
                self.read(f"{receiver}.{literal[1:-1]}", line)
            else:
                self.gap("reflection", line)
        elif name == "loadClass":
            self.gap("reflection", line)

    def nested(self, node: Node | None, what: int) -> str:
        """Read what runs only under a condition."""
        if node is None:
            return ""
        self.under(what, 1)
        value = self.handlers[node.kind_id](self, node)
        self.under(what, -1)
        return value
