"""What a condition reads, and whether it can be meant as it stands.

Everything that could turn a missing fact into `false` without a word is refused here, when the rule is loaded: `has()`,
`null`, questions to a whole section, keys that are not written out, fractions that can become NaN. So is everything
that can never be true: a path that is not in the catalogue, a text that the fact cannot hold, a comparison of a number
with a text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import re2
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.facts import SECTIONS
from tidegate.policy.fields import catalogue, suggest
from tidegate.policy.syntax import Call, ListOf, Literal, Loop, MapOf, Name, Node, Select
from tidegate.settings import nearest

DEEPEST_LOOP = 2

Vocabulary = Mapping[str, Sequence[str]]
"""Texts that a path can hold beyond what its type says, such as the names of the domains for `change.domains[]`."""


class Reading(Struct, frozen=True):
    """What a condition reads: `paths` of the catalogue, and the lists that its loops go over."""

    paths: tuple[str, ...]
    loops: tuple[str, ...]


def read_condition(tree: Node, vocabulary: Vocabulary) -> Reading:
    """What the condition reads. Raises InputError for one that cannot be meant as it stands."""
    reader = _Reader(vocabulary)
    shape = reader.shape(tree, {})
    if shape.kind != "flag":
        raise InputError(f"the condition is a {shape.kind}, not true or false", mend="compare it with something")
    lists = {path for path in reader.paths if any(p.startswith(f"{path}[]") for p in reader.paths)}
    return Reading(tuple(p for p in reader.paths if p not in lists), tuple(dict.fromkeys(reader.loops)))


# Private


class _Shape(Struct, frozen=True):
    """What is known of a value before it is there. `path` is its path in the catalogue, empty when it was computed."""

    kind: str
    path: str = ""
    element: _Shape | None = None
    literals: tuple[str, ...] = ()


_ANY = _Shape("any")
_FLAG, _TEXT, _COUNT, _NUMBER = _Shape("flag"), _Shape("text"), _Shape("count"), _Shape("number")
_MOMENT, _SPAN = _Shape("moment"), _Shape("span")
_Scope = Mapping[str, _Shape]


class _Reader:
    """One walk through one tree. It keeps what it has seen, and nothing beyond that walk."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.paths: dict[str, None] = {}
        self.loops: list[str] = []
        self.depth = 0

    def shape(self, node: Node, scope: _Scope) -> _Shape:
        match node:
            case Literal():
                return _literal(node)
            case Name():
                return self.name(node, scope)
            case Select(operand, field, test):
                if test:
                    raise _refuse("has() turns a missing fact into false", "leave it out: a missing fact is unknown")
                return self.field_of(self.shape(operand, scope), field)
            case Call(function, arguments):
                return self.call(function, arguments, scope)
            case ListOf(elements):
                return self.list_of([self.shape(e, scope) for e in elements])
            case Loop():
                return self.loop(node, scope)
            case MapOf():
                raise _refuse("a condition cannot build a table or a message", "name the fact itself")

    def name(self, node: Name, scope: _Scope) -> _Shape:
        if node.name in scope:
            return scope[node.name]
        if node.name not in catalogue():
            raise _refuse(f"there is no fact {node.name}", nearest(node.name, (*SECTIONS, "now")))
        return self.fact(node.name)

    def fact(self, path: str) -> _Shape:
        field = catalogue()[path]
        if field.kind != "group":
            self.paths[path] = None
        if field.kind == "list":
            return _Shape("list", path, self.element(f"{path}[]"))
        return _Shape(field.kind, path)

    def element(self, path: str) -> _Shape:
        field = catalogue()[path]
        return _Shape(field.kind, path, self.element(f"{path}[]") if field.kind == "list" else None)

    def field_of(self, shape: _Shape, name: str) -> _Shape:
        if shape.kind != "group":
            raise _refuse(f"{shape.path or 'a computed value'} is a {shape.kind} and has no field {name}", "")
        path = f"{shape.path}.{name}"
        if path not in catalogue():
            if name in ("status", "unknowns") and "." not in shape.path:
                raise _refuse(
                    f"a condition cannot read {path}", "leave it out: a rule over an unknown fact is answered unknown"
                )
            raise _refuse(f"there is no fact {path}", suggest(path))
        return self.fact(path)

    def list_of(self, elements: Sequence[_Shape]) -> _Shape:
        for element in elements:
            if element.kind == "group" and "[]" not in element.path:
                raise _refuse(
                    f"{element.path} is a group of facts, not a value", f"name a field: {suggest(element.path)}"
                )
        kinds = {e.kind for e in elements}
        if not kinds:
            return _Shape("list", element=_ANY)
        if len(kinds) > 1 and kinds != {"count", "number"}:
            raise _refuse(f"a list cannot hold both {' and '.join(sorted(kinds))}", "keep one kind of value in it")
        literals = tuple(text for e in elements for text in e.literals)
        first = elements[0]
        path = first.path if len(elements) == 1 else ""
        return _Shape("list", element=_Shape(first.kind, path, first.element, literals))

    def loop(self, node: Loop, scope: _Scope) -> _Shape:
        over = self.shape(node.over, scope)
        if over.kind != "list" or over.element is None:
            what = over.path or f"a {over.kind}"
            raise _refuse(f"{what} is not a list", "all, exists, exists_one, filter and map go over lists")
        if node.second_variable:
            raise _refuse("a macro with two variables is not supported", "use the form with one variable")
        if node.variable in catalogue() or node.variable in scope:
            raise _refuse(f"the variable {node.variable} hides another name", "give it another name, such as f or x")
        if self.depth == DEEPEST_LOOP:
            raise _refuse(f"loops are nested more than {DEEPEST_LOOP} deep", "split the condition")
        self.depth += 1
        self.loops.append(over.path)
        inside = {**scope, node.variable: over.element, node.accumulator: self.shape(node.start, scope)}
        self.shape(node.condition, inside)
        step = self.shape(node.step, inside)
        self.depth -= 1
        result = self.shape(node.result, {**scope, node.accumulator: step})
        return _Shape("list", over.path, result.element) if result.kind == "list" else result

    def call(self, function: str, nodes: Sequence[Node], scope: _Scope) -> _Shape:
        if function == "_[_]":
            return self.index(nodes, scope)
        shapes = [self.shape(n, scope) for n in nodes]
        for shape in shapes:
            if shape.kind == "group":
                raise _refuse(f"{shape.path} is a group of facts, not a value", suggest(f"{shape.path}."))
        if function in ("_==_", "_!=_"):
            return self.compared(shapes[0], shapes[1])
        if function == "@in":
            if shapes[1].kind != "list" or shapes[1].element is None:
                raise _refuse(f"`in` asks for a list on its right, {shapes[1].path or shapes[1].kind} is none", "")
            return self.compared(shapes[0], shapes[1].element)
        if function in _ORDER:
            self.compared(shapes[0], shapes[1])
            return _ordered(shapes)
        if function in ("_/_", "_%_"):
            return _divided(shapes, nodes[1])
        if function == "matches":
            _check_pattern(nodes[1])
        rule = _FUNCTIONS.get(function)
        if rule is None:
            raise _refuse(f"the function {function} is not for conditions", f"known: {', '.join(NAMED_FUNCTIONS)}")
        return rule(function, shapes)

    def index(self, nodes: Sequence[Node], scope: _Scope) -> _Shape:
        container, key = self.shape(nodes[0], scope), nodes[1]
        if container.kind == "list" and container.element is not None:
            if self.shape(key, scope).kind != "count":
                raise _refuse("the index of a list is a whole number", "")
            return container.element
        if container.kind == "group" and isinstance(key, Literal) and isinstance(key.value, str):
            return self.field_of(container, key.value)
        raise _refuse(f"{container.path or container.kind} cannot be asked with a computed key", "write the path out")

    def compared(self, left: _Shape, right: _Shape) -> _Shape:
        if not _comparable(left, right):
            raise _refuse(
                f"{_said(left)} is a {left.kind} and {_said(right)} a {right.kind}: they are never equal",
                "compare values of one kind",
            )
        self.check_texts(left, right)
        self.check_texts(right, left)
        return _FLAG

    def check_texts(self, fact: _Shape, other: _Shape) -> None:
        if fact.kind == "list" and other.kind == "list" and fact.element is not None and other.element is not None:
            self.check_texts(fact.element, other.element)
        if not fact.path or fact.path not in catalogue():
            return
        values = self.vocabulary.get(fact.path) or catalogue()[fact.path].values
        wrong = next((text for text in other.literals if values and text not in values), None)
        if wrong is not None:
            raise _refuse(f'{fact.path.removesuffix("[]")} is never "{wrong}"', nearest(wrong, values))


def _literal(node: Literal) -> _Shape:
    if node.kind == "text":
        return _Shape("text", literals=(str(node.value),))
    if node.kind == "double" and not math.isfinite(float(node.value or 0)):
        raise _refuse("a number is too large", "write a smaller one")
    if node.kind in _LITERALS:
        return _LITERALS[node.kind]
    if node.kind == "null":
        raise _refuse("a fact is never null", "a missing text is empty, a missing fact is unknown")
    raise _refuse(f"a value of type {node.kind} is not for conditions", "write a plain number or text")


def _comparable(left: _Shape, right: _Shape) -> bool:
    if "any" in (left.kind, right.kind) or {left.kind, right.kind} == {"count", "number"}:
        return True
    if left.kind == "list" and right.kind == "list" and left.element and right.element:
        if "any" in (left.element.kind, right.element.kind):
            return True
        return "group" not in (left.element.kind, right.element.kind) and _comparable(left.element, right.element)
    return left.kind == right.kind


def _ordered(shapes: Sequence[_Shape]) -> _Shape:
    for shape in shapes:
        if shape.kind in ("flag", "list"):
            raise _refuse(f"{_said(shape)} is a {shape.kind}, which has no order", "compare with == or in")
        values = list(catalogue()[shape.path].values) if shape.path in catalogue() else []
        if values and sorted(values) not in (values, values[::-1]):
            raise _refuse(f"the order of {shape.path} is not that of the alphabet", f"use in [{', '.join(values)}]")
    return _FLAG


def _divided(shapes: Sequence[_Shape], divisor: Node) -> _Shape:
    """Whole numbers by zero are an error, which counts as unknown; fractions by zero are NaN, and that is false."""
    _same_numbers("a division", shapes)
    zero = not isinstance(divisor, Literal) or not divisor.value
    if shapes[0].kind == "number" and zero:
        raise _refuse("a fraction is divided by what may be zero", "multiply the other side of the comparison instead")
    return shapes[0]


def _same_numbers(what: str, shapes: Sequence[_Shape]) -> _Shape:
    kinds = {s.kind for s in shapes}
    if kinds == {"count", "number"}:
        raise _refuse(f"{what} cannot mix whole numbers and fractions", "write double(...) around the whole number")
    if not kinds <= {"count", "number"}:
        raise _refuse(f"{what} asks for numbers, not {' and '.join(sorted(kinds))}", "")
    return shapes[0]


def _sum(function: str, shapes: Sequence[_Shape]) -> _Shape:
    kinds = tuple(s.kind for s in shapes)
    if kinds == ("list", "list"):
        return shapes[1] if shapes[0].element in (None, _ANY) else shapes[0]
    if kinds == ("text", "text"):
        return _TEXT
    if "moment" in kinds or "span" in kinds:
        return _time_sum(function, kinds)
    return _same_numbers("a sum", shapes)


def _time_sum(function: str, kinds: tuple[str, ...]) -> _Shape:
    if kinds == ("span", "span"):
        return _SPAN
    if kinds == ("moment", "span") or (kinds == ("span", "moment") and function == "_+_"):
        return _MOMENT
    if kinds == ("moment", "moment") and function == "_-_":
        return _SPAN
    raise _refuse(f"{' and '.join(kinds)} cannot be added or subtracted", "")


def _check_pattern(node: Node) -> None:
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        raise _refuse("the pattern of matches() must be written out", "write it as a text")
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(node.value, options)
    except re2.error as error:
        raise _refuse(f"the pattern {node.value} is not RE2: {_decoded(error)}", "correct the pattern") from error


def _decoded(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _asks(result: _Shape, *kinds: tuple[str, ...]) -> Callable[[str, Sequence[_Shape]], _Shape]:
    """A function that takes values of these kinds, one tuple for every argument."""

    def rule(function: str, shapes: Sequence[_Shape]) -> _Shape:
        if len(shapes) != len(kinds):
            raise _refuse(f"{function} takes {len(kinds)} values, not {len(shapes)}", "")
        for shape, allowed in zip(shapes, kinds, strict=True):
            if shape.kind not in (*allowed, "any"):
                raise _refuse(f"{function} asks for a {' or '.join(allowed)}, {_said(shape)} is a {shape.kind}", "")
        return result

    return rule


def _either(_: str, shapes: Sequence[_Shape]) -> _Shape:
    same = shapes[1].kind == shapes[2].kind == "list" or _comparable(shapes[1], shapes[2])
    if shapes[0].kind != "flag" or not same:
        raise _refuse("`a ? b : c` asks for true or false and two values of one kind", "")
    return shapes[1] if shapes[2].element in (None, _ANY) else shapes[2]


def _said(shape: _Shape) -> str:
    if shape.path:
        return shape.path.removesuffix("[]") if shape.kind != "list" else shape.path
    return f'"{shape.literals[0]}"' if len(shape.literals) == 1 else "the other side"


def _refuse(what: str, mend: str) -> InputError:
    return InputError(what, mend=mend)


_LITERALS = {"bool": _FLAG, "int": _COUNT, "double": _NUMBER}
_ORDER = ("_<_", "_<=_", "_>_", "_>=_")
_NUMERIC = ("count", "number")
_FUNCTIONS: Mapping[str, Callable[[str, Sequence[_Shape]], _Shape]] = {
    "_&&_": _asks(_FLAG, ("flag",), ("flag",)),
    "_||_": _asks(_FLAG, ("flag",), ("flag",)),
    "!_": _asks(_FLAG, ("flag",)),
    "@not_strictly_false": _asks(_FLAG, ("flag",)),
    "_?_:_": _either,
    "_+_": _sum,
    "_-_": _sum,
    "_*_": lambda _, shapes: _same_numbers("a product", shapes),
    "-_": lambda _, shapes: _same_numbers("a minus sign", shapes),
    "size": _asks(_COUNT, ("text", "list")),
    "contains": _asks(_FLAG, ("text",), ("text",)),
    "startsWith": _asks(_FLAG, ("text",), ("text",)),
    "endsWith": _asks(_FLAG, ("text",), ("text",)),
    "matches": _asks(_FLAG, ("text",), ("text",)),
    "int": _asks(_COUNT, _NUMERIC),
    "double": _asks(_NUMBER, _NUMERIC),
    "timestamp": _asks(_MOMENT, ("text",)),
    "duration": _asks(_SPAN, ("text",)),
    "getFullYear": _asks(_COUNT, ("moment",)),
    "getMonth": _asks(_COUNT, ("moment",)),
    "getDate": _asks(_COUNT, ("moment",)),
    "getDayOfWeek": _asks(_COUNT, ("moment",)),
    "getHours": _asks(_COUNT, ("moment", "span")),
    "getMinutes": _asks(_COUNT, ("moment", "span")),
    "getSeconds": _asks(_COUNT, ("moment", "span")),
}
NAMED_FUNCTIONS = tuple(name for name in _FUNCTIONS if name.isalpha())
