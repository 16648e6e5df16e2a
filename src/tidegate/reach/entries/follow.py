"""Where the value of a chain was made: names followed through variables, imports, fields and returns of functions.

The linker says which symbol a chain means; routers need more: the variable that holds one, the call that made it and
its arguments, across files. Bounded in depth and in the number of answers.
"""

from __future__ import annotations

from msgspec import Struct

from tidegate.reach.entries.chains import split
from tidegate.reach.entries.context import Context, FileView
from tidegate.reach.symbols import Binding

DEEPEST = 24
MOST_VALUES = 6
MOST_STEPS = 200
"""How many names one question may follow: conditions that bind a name several times multiply."""

_CLASSES = ("class", "interface", "type")


class Site(Struct, frozen=True, order=True):
    """A variable: where it stands, and the definition whose scope it is in."""

    path: str
    scope: int
    name: str


class Made(Struct, frozen=True):
    """Where a value was made: `written` is how the file writes it at the line, inside the definition `within`.

    `site` is the variable that it was put into first, None where it went into none.
    """

    path: str
    within: int
    line: int
    written: str
    site: Site | None = None


class Value(Struct, frozen=True):
    """What a chain comes from.

    `chain` begins with an import from outside the tree ("<flask>.Flask()"), or is "" where the way ends: at a
    parameter without a type, or at a name that nobody binds. `index` in `path` is a definition of the tree (-1 for
    none): a function, or a class, of which it is an instance where `instance`.
    """

    made: Made
    chain: str = ""
    path: str = ""
    index: int = -1
    instance: bool = False


class _At(Struct, frozen=True):
    path: str
    within: int
    line: int
    made: Made


class Follower:
    """Follows chains in one tree, and remembers the answers."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[tuple[str, int, str, int], tuple[Value, ...]] = {}
        self._left = 0

    def values(self, path: str, within: int, chain: str, line: int) -> tuple[Value, ...]:
        """What the chain comes from when it is read at the line, the most likely first."""
        key = (path, within, chain, line)
        if key not in self._known:
            self._known[key] = ()
            self._left = MOST_STEPS
            self._known[key] = self._chain(_At(path, within, line, Made(path, within, line, chain)), chain, 0)[
                :MOST_VALUES
            ]
        return self._known[key]

    # Private

    def _chain(self, at: _At, chain: str, depth: int) -> tuple[Value, ...]:
        self._left -= 1
        if depth > DEEPEST or self._left < 0 or not chain:
            return ()
        root, steps = split(chain)
        if root.startswith("<"):
            return self._imported(at, root, steps, depth)
        if root.startswith("%"):
            return (Value(at.made, chain),)
        if root in ("?", "super"):
            return ()
        view = self._context.view(at.path)
        if view is None:
            return ()
        if root in ("self", "cls"):
            index = view.class_of(at.within)
            return self._members(at, at.path, index, steps, depth, root == "self") if index >= 0 else ()
        return self._name(at, view, root, steps, depth)

    def _name(self, at: _At, view: FileView, name: str, steps: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        scope = at.within
        while (definition := view.definition(scope)) is not None:
            bound = view.bindings.get((scope, name))
            parameter = next((one for one in definition.parameters if one.name == name), None)
            if parameter is not None and bound:
                bound = [one for one in bound if one.line <= at.line and one.kind not in ("annotation", "narrow")]
            if bound and (definition.kind not in _CLASSES or scope == at.within):
                return self._bound(at, _before(bound, at.line), steps, depth)
            if parameter is not None:
                return self._parameter(at, Site(at.path, scope, name), parameter.type, steps, depth)
            inner = view.names.get(f"{definition.name}.{name}" if definition.name else name)
            if inner is not None and view.symbols.definitions[inner].kind not in ("variable", "constant"):
                return self._members(at, at.path, inner, steps, depth, False)
            scope = definition.parent
        return self._elsewhere(at, name, steps, depth)

    def _elsewhere(self, at: _At, chain: str, steps: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        """A name that the file does not bind: the linker may know it (a Go package, a Python submodule)."""
        found: list[Value] = []
        for symbol in self._context.resolve(at.path, at.within, chain)[:MOST_VALUES]:
            view = self._context.view(symbol.path)
            if view is None or symbol.name == "" or (symbol.path == at.path and symbol.name == chain):
                continue
            there = _At(symbol.path, 0, 0, at.made)
            if (0, symbol.name) in view.bindings:
                found += self._chain(there, symbol.name + "".join(steps), depth + 1)
            elif symbol.name in view.names:
                found += self._members(there, symbol.path, view.names[symbol.name], steps, depth + 1, False)
        return tuple(found) or (Value(at.made),)

    def _bound(self, at: _At, bound: list[Binding], steps: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        found: list[Value] = []
        for binding in bound:
            if binding.value == binding.name:
                continue
            line = binding.line or at.line
            made = at.made
            if not steps and binding.kind != "import" and not binding.value.startswith("<."):
                made = Made(at.path, binding.within, line, binding.value, Site(at.path, binding.scope, binding.name))
            found += self._chain(_At(at.path, binding.within, line, made), binding.value + "".join(steps), depth + 1)
        return tuple(found)

    def _parameter(self, at: _At, site: Site, kind: str, steps: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        made = at.made if steps else Made(at.path, site.scope, at.line, "", site)
        here = _At(at.path, site.scope, at.line, made)
        found = self._chain(here, kind + "".join(steps), depth + 1) if kind else ()
        own = tuple(value for value in found if value.chain or value.index >= 0)
        return own or (Value(made),)

    def _imported(self, at: _At, root: str, steps: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        files = [one.path for one in self._context.resolve(at.path, 0, root) if one.name == ""]
        name = steps[0][1:] if steps and steps[0].startswith(".") else ""
        for path in files if len(files) == 1 else ():
            found = self._in_module(at, path, name, steps, depth)
            if found:
                return found
        symbols = self._context.resolve(at.path, 0, root + steps[0]) if name else ()
        found_all: list[Value] = []
        for symbol in symbols[:MOST_VALUES]:
            view = self._context.view(symbol.path)
            if view is None or files == [symbol.path]:
                continue
            there = _At(symbol.path, 0, 0, at.made)
            if symbol.name == "":
                following = steps[1][1:] if len(steps) > 1 and steps[1].startswith(".") else ""
                found_all += self._in_module(there, symbol.path, following, steps[1:], depth + 1)
            else:
                found_all += self._chain(there, symbol.name + "".join(steps[1:]), depth + 1)
        if found_all or files or symbols:
            return tuple(found_all)
        return (Value(at.made, root + "".join(steps)),)

    def _in_module(self, at: _At, path: str, name: str, steps: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        view = self._context.view(path)
        if view is None:
            return ()
        rest = "".join(steps[1:])
        if not name or name == "default":
            rest = rest if name else "".join(steps)
            names = ["default", "module.exports", "exports"]
        else:
            names = [name, "*"]
        for one in names:
            chain = one + rest if one != "*" else ""
            there = _At(path, 0, 0, at.made)
            if (0, one) in view.bindings:
                bound = view.bindings[(0, one)]
                if one == "*":
                    every = [b.value.removesuffix(".*") + f".{name}{rest}" for b in bound]
                    found = tuple(value for b in every for value in self._chain(there, b, depth + 1) if not value.chain)
                    if found:
                        return found
                    continue
                return self._bound(there, bound, split(chain)[1] if "." not in one else split("x" + rest)[1], depth + 1)
            if view.names.get(one):
                return self._members(there, path, view.names[one], split("x" + rest)[1], depth + 1, False)
        return ()

    def _members(
        self, at: _At, path: str, index: int, steps: tuple[str, ...], depth: int, instance: bool
    ) -> tuple[Value, ...]:
        """The steps taken from a definition of the tree: a function, a class or (`instance`) an instance of it."""
        view = self._context.view(path)
        definition = view.definition(index) if view else None
        if view is None or definition is None or depth > DEEPEST:
            return ()
        if not steps:
            return (Value(at.made, "", path, index, instance),)
        first, rest = steps[0], steps[1:]
        if first in ("()", "!") and definition.kind in _CLASSES:
            return self._members(at, path, index, rest, depth + 1, True)
        if first == "()":
            return self._returned(path, index, rest, depth)
        if first.startswith("."):
            return self._member(at, path, index, steps, depth)
        return ()

    def _returned(self, path: str, index: int, rest: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        definition = self._context.definition(path, index)
        found: list[Value] = []
        for answer in definition.returns[:MOST_VALUES] if definition else ():
            line = definition.end_line if definition else 0
            there = _At(path, index, line, Made(path, index, line, answer))
            found += self._chain(there, answer + "".join(rest), depth + 1)
        # A typed answer says less than an expression: `return r` knows how r was made.
        made = [value for value in found if not value.chain.endswith("!")]
        return tuple(made or found)

    def _member(self, at: _At, path: str, index: int, steps: tuple[str, ...], depth: int) -> tuple[Value, ...]:
        view = self._context.view(path)
        definition = view.definition(index) if view else None
        if view is None or definition is None:
            return ()
        name, rest = steps[0][1:], steps[1:]
        if (index, name) in view.bindings:
            there = _At(path, index, 0, at.made)
            bound = view.bindings[(index, name)]
            made = [one for one in bound if one.kind != "annotation"] or bound
            found = self._bound(there, made, rest, depth + 1)
            if any(value.chain or value.index >= 0 for value in found) or made is bound:
                return found
            return self._bound(there, bound, rest, depth + 1)
        inner = view.names.get(f"{definition.name}.{name}")
        if inner is not None:
            return self._members(at, path, inner, rest, depth + 1, False)
        for base in definition.bases:
            found = self._chain(_At(path, definition.parent, definition.line, at.made), base, depth + 1)
            for value in found:
                if value.index >= 0 and (value.path, value.index) != (path, index):
                    inherited = self._member(at, value.path, value.index, steps, depth + 1)
                    if inherited:
                        return inherited
        return ()


def _before(bound: list[Binding], line: int) -> list[Binding]:
    """The bindings that hold at the line: the last one above it, with those of its own line; else all."""
    # Parameters of functions written in place are annotations here: what is assigned outside of them goes first.
    bound = [binding for binding in bound if binding.kind != "annotation"] or bound
    earlier = [binding for binding in bound if binding.line <= line and binding.kind != "narrow"]
    if not earlier or not line:
        return bound[-MOST_VALUES:]
    latest = max(binding.line for binding in earlier)
    return [binding for binding in earlier if binding.line == latest]
