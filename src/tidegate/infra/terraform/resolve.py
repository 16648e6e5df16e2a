"""Settles expressions of one folder: locals, defaults, references, calls. What cannot be settled stays in words.

Two expressions that nobody can settle are the same value where their words are equal, so the words carry all that the
value depends on.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Protocol

from tidegate.infra.terraform.bodies import blocks_of
from tidegate.infra.terraform.documents import policy_document
from tidegate.infra.terraform.folders import Folder
from tidegate.infra.terraform.functions import OTHERS, UnsettledError, call, text_of
from tidegate.infra.terraform.operators import apply
from tidegate.infra.terraform.scanning import UnreadableError
from tidegate.infra.terraform.steps import as_text, flag, grouped, step
from tidegate.infra.terraform.syntax import (
    Block,
    Call,
    Choice,
    Expression,
    For,
    ListOf,
    Literal,
    Member,
    Name,
    ObjectOf,
    Opaque,
    Operation,
    Splat,
    Template,
)
from tidegate.infra.terraform.words import in_text, later, text, words_of
from tidegate.infra.values import Later, Value

Local = Mapping[str, Value]
"""Names that are bound by a loop or an instance: `each`, `count`, a `for`'s."""

NOTHING: Local = {}
LONGEST = 1_000_000
"""No text that people write is longer, in characters."""

_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1}


class Around(Protocol):
    """What a folder does not hold itself: files, and the outputs of the modules that it calls."""

    def text(self, path: str) -> str | None: ...

    def spend(self) -> None:
        """One more step of work. Raises RecursionError when there have been more than any real code needs."""
        ...

    def output(self, caller: Resolver, module: str, name: str) -> Value | None:
        """The value of a local module's output, None where the module cannot be followed."""
        ...


class Resolver:
    """The names of one folder with what is bound to them. `prefix` is the address of the module that this is."""

    def __init__(self, folder: Folder, inputs: Mapping[str, Value], around: Around, prefix: str = "") -> None:
        self.folder = folder
        self.prefix = prefix
        self.inputs = inputs
        self.around = around
        self.locals: dict[str, Expression] = {}
        self.variables: dict[str, Block] = {}
        self.resources: dict[str, Block] = {}
        self.data: dict[str, Block] = {}
        self.modules: dict[str, Block] = {}
        self.outputs: dict[str, Block] = {}
        self._settled: dict[str, Value] = {}
        self._open: set[str] = set()
        for block in folder.blocks:
            self._index(block)

    def value(self, expression: Expression, local: Local = NOTHING) -> Value:
        """What an expression comes to, with `Later` where it cannot be settled."""
        try:
            return self._value(expression, local)
        except RecursionError:
            return later("(nested too deeply)")

    def document(self, name: str, local: Local = NOTHING) -> Value:
        """A data source's policy document, by `TYPE.NAME`."""
        return self._once(f"data.{name}", lambda: policy_document(self.data[name], self, local))

    def blocks(self, block: Block, kind: str, local: Local) -> list[Value]:
        """The bodies of the inner blocks of one kind, dynamic ones unfolded."""
        return blocks_of(block, self, local).get(kind, [])

    # Private

    def _index(self, block: Block) -> None:
        if block.kind == "locals":
            self.locals.update(block.attributes)
        # Terraform refuses a block with more or fewer labels.
        if len(block.labels) == _LABELS.get(block.kind):
            tables = {"resource": self.resources, "data": self.data, "module": self.modules, "output": self.outputs}
            tables.get(block.kind, self.variables)[".".join(block.labels)] = block

    def _value(self, found: Expression, local: Local) -> Value:
        self.around.spend()
        match found:
            case Literal(value):
                return value
            case Member() | Name():
                return self._reference(found, local)
            case Template(parts):
                return self._template(parts, local)
            case Call(name, arguments, spread):
                return self._call(name, arguments, spread, local)
            case ListOf(items):
                return [self._value(one, local) for one in items]
            case ObjectOf(pairs):
                return self._object(pairs, local)
            case Choice(condition, yes, no):
                return self._choice(condition, yes, no, local)
            case Operation(operator, operands):
                return apply(operator, [self._value(one, local) for one in operands])
            case Splat(of, each):
                return self._splat(of, each, local)
            case For():
                return self._for(found, local)
            case Opaque(written):
                return later(written)
        raise TypeError(type(found).__name__)

    def _template(self, parts: tuple[str | Expression, ...], local: Local) -> Value:
        values = [part if isinstance(part, str) else self._value(part, local) for part in parts]
        if any(isinstance(part, Opaque) for part in parts):
            return text("".join(one if isinstance(one, str) else as_text(one) for one in values))
        if (
            sum(len(one.words if isinstance(one, Later) else one) for one in values if isinstance(one, (str, Later)))
            > LONGEST
        ):
            return later("(a text that is too long)")
        try:
            return "".join(map(text_of, values))
        except TypeError:
            return text("".join(map(as_text, values)))

    def _call(self, name: str, arguments: tuple[Expression, ...], spread: bool, local: Local) -> Value:
        values = [self._value(one, local) for one in arguments]
        if spread and values and isinstance(values[-1], list):
            values[-1:] = values[-1]
        named = name in ("file", "templatefile") and values and isinstance(values[0], str)
        if named and (found := self._file(values)) is not None:
            return found
        try:
            return call(name, values)
        except UnsettledError:
            return later(f"{name}({', '.join(map(words_of, values))})")

    def _file(self, values: list[Value]) -> Value:
        """A file beside the code. A template that names variables stays in words that hold its text."""
        path = posixpath.normpath(values[0])
        if f"file {path}" in self._open or path.startswith(("../", "/")) or (found := self.around.text(path)) is None:
            return None
        if len(values) == 1:
            return found
        from tidegate.infra.terraform.expressions import Reader

        self._open.add(f"file {path}")
        try:
            return self._value(Reader("").template(found), values[1] if isinstance(values[1], dict) else {})
        except UnreadableError:
            return later(f"templatefile({words_of(path)}, {words_of(found)}, {words_of(values[1])})")
        finally:
            self._open.discard(f"file {path}")

    def _object(self, pairs: tuple[tuple[Expression, Expression], ...], local: Local) -> Value:
        made: dict[str, Value] = {}
        for key, inner in pairs:
            named = self._value(key, local)
            made[in_text(named) if isinstance(named, Later) else as_text(named)] = self._value(inner, local)
        return made

    def _choice(self, condition: Expression, yes: Expression, no: Expression, local: Local) -> Value:
        decided = flag(self._value(condition, local))
        if decided is not None:
            return self._value(yes if decided else no, local)
        either, other = self._value(yes, local), self._value(no, local)
        if either == other:
            return either
        return later(f"{words_of(self._value(condition, local))} ? {words_of(either)} : {words_of(other)}")

    def _splat(self, of: Expression, each: Expression, local: Local) -> Value:
        items = self._value(of, local)
        if isinstance(items, Later):
            tail = words_of(self._value(each, {**local, "*": later("*")})).removeprefix("*")
            return later(f"{items.words}[*]{tail}")
        listed = items if isinstance(items, list) else [] if items is None else [items]
        return [self._value(each, {**local, "*": one}) for one in listed]

    def _for(self, loop: For, local: Local) -> Value:
        over = self._value(loop.over, local)
        if not isinstance(over, (list, dict)) or (isinstance(over, dict) and OTHERS in over):
            names = {name: later(name) for name in loop.names}
            inner = {**local, **names}
            shown = [words_of(self._value(part, inner)) for part in (loop.key, loop.value, loop.condition) if part]
            return later(f"for {', '.join(loop.names)} in {words_of(over)}: {' : '.join(shown)}")
        made: list[tuple[Value, Value]] = []
        for key, item in over.items() if isinstance(over, dict) else enumerate(over):
            bound = (key, item) if len(loop.names) == 2 else (item,)
            inner = {**local, **dict(zip(loop.names, bound, strict=False))}
            if loop.condition is not None:
                kept = flag(self._value(loop.condition, inner))
                if kept is None:
                    return later(f"for {', '.join(loop.names)} in {words_of(over)}: if {loop.condition}")
                if not kept:
                    continue
            made.append((self._value(loop.key, inner) if loop.key else None, self._value(loop.value, inner)))
        if loop.key is None:
            return [value for _, value in made]
        return grouped(made) if loop.grouped else {as_text(key): value for key, value in made}

    def _reference(self, found: Expression, local: Local) -> Value:
        steps: list[str | Expression] = []
        while isinstance(found, Member):
            steps.append(found.name)
            found = found.of
        steps.reverse()
        if not isinstance(found, Name):
            return self._stepped(self._value(found, local), steps, local)
        if found.name in local:
            return self._stepped(local[found.name], steps, local)
        settled, used = self._named(found.name, steps)
        if used:
            return self._stepped(settled, steps[used:], local)
        return self._stepped(later(self.prefix + found.name), steps, local)

    def _named(self, root: str, steps: list[str | Expression]) -> tuple[Value, int]:
        """The value of a name of the folder, and how many steps after the root name it; none where it has none."""
        first, second, *_ = (*(one if isinstance(one, str) else "" for one in steps), "", "")
        if root == "var" and first:
            return self._once(f"var.{first}", lambda: self._variable(first)), 1
        if root == "local" and first in self.locals:
            return self._once(f"local.{first}", lambda: self._value(self.locals[first], NOTHING)), 1
        if root == "path" and first in ("module", "root", "cwd"):
            return (self.folder.path or ".") if first == "module" else later(f"path.{first}"), 1
        if root == "data" and first == "aws_iam_policy_document" and f"{first}.{second}" in self.data:
            # With a count it is written `x[0].json`.
            used = next((n for n, one in enumerate(steps[2:4], 3) if one in ("json", "minified_json")), 0)
            return (self.document(f"{first}.{second}"), used) if used else (None, 0)
        if root == "module" and first and second:
            output = self.around.output(self, first, second)
            return (output, 2) if output is not None else (None, 0)
        if f"{root}.{first}" in self.resources and second not in ("id", "arn", ""):
            return self._attribute(f"{root}.{first}", second)
        return None, 0

    def _variable(self, name: str) -> Value:
        if name in self.inputs:
            return self.inputs[name]
        if name in self.folder.given and not self.prefix:
            return self._value(self.folder.given[name], NOTHING)
        block = self.variables.get(name)
        if block is not None and "default" in block.attributes:
            return self._value(block.attributes["default"], NOTHING)
        return later(f"{self.prefix}var.{name}")

    def _attribute(self, name: str, attribute: str) -> tuple[Value, int]:
        """An attribute that another resource of the folder is given in so many words."""
        block = self.resources[name]
        if attribute not in block.attributes or {"count", "for_each"} & set(block.attributes):
            return None, 0
        value = self._once(f"{name}.{attribute}", lambda: self._value(block.attributes[attribute], NOTHING))
        return (None, 0) if isinstance(value, Later) else (value, 2)

    def _stepped(self, value: Value, steps: list[str | Expression], local: Local) -> Value:
        for one in steps:
            value = step(value, one if isinstance(one, str) else self._value(one, local))
        return value

    def _once(self, name: str, settle: Settle) -> Value:
        if name in self._settled:
            return self._settled[name]
        if name in self._open:
            return later(f"{self.prefix}{name}")
        self._open.add(name)
        try:
            found = settle()
        finally:
            self._open.discard(name)
        self._settled[name] = found
        return found


class Settle(Protocol):
    def __call__(self) -> Value: ...


def called_locally(source: Value) -> bool:
    """Whether a module's source is a folder of the same tree."""
    return isinstance(source, str) and source.startswith(("./", "../"))
