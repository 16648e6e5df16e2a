"""Evaluates chains to what they can mean, over the files of one language family.

Lookups go from the inside out (a class is not seen from its methods), through imports and re-exports, attributes of
instances by the order of inheritance, calls to what they return. The receiver is kept: a method of a base class that
returns `self` returns the instance that it was called on. Which files an answer rests on is collected as a bit set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tidegate.reach.languages.interface import Language, Layout
from tidegate.reach.linking.classes import Classes
from tidegate.reach.linking.surroundings import Surroundings
from tidegate.reach.linking.table import Entry, FileTable
from tidegate.reach.linking.values import CLASS_KINDS, NOTHING, Place, Value, Values, merged, split_chain
from tidegate.reach.symbols import Binding, Definition, Parameter

Hint: TypeAlias = Callable[["Evaluator", FileTable, int, str], Values]
"""What a parameter means where nothing is written: the fixture of its name, what a container injects."""

DEPTH = 40
MOST_STEPS = 100_000
"""Chains that one file may evaluate: bindings that rest on each other in rings would otherwise take for ever."""

_ELEMENT = frozenset(["get", "pop", "popleft", "setdefault", "popitem", "next", "first", "last", "__enter__",
                      "__aenter__", "__next__", "__anext__", "__getitem__", "at", "find", "unwrap", "expect",
                      "then"])  # fmt: skip
_SAME = frozenset(["values", "copy", "filter", "slice", "concat", "iter", "stream", "into_iter", "iter_mut", "reversed",
                   "__iter__", "__aiter__", "toList", "sorted", "limit", "skip"])  # fmt: skip
_TEXTS = frozenset(["str", "bytes", "int", "float"])
_FUNCTION_KINDS = frozenset(["function", "method"])
_HOLDERS = frozenset(["constant", "variable"])
_OWN_TYPES: Mapping[str, Values] = {"%any": NOTHING, "%error": (("y", "%error"),)}
"""Types of a language that anything of ours may fit."""


class Evaluator:
    """Answers for the files of one tree. `table` gives a file's names by its number, read when first asked for.

    `world` has the names that every file sees, by language and name; `partial` the files that say more of a class of
    another file, by its language and name. What every answer rests on is added to `mask`; chains that are evaluated
    are counted in `spent`.
    """

    def __init__(
        self,
        paths: Sequence[str],
        table: Callable[[int], FileTable | None],
        languages: Sequence[Language],
        layouts: Mapping[str, Layout],
        hint: Hint | None = None,
    ) -> None:
        self.paths = paths
        self.number = {path: number for number, path in enumerate(paths)}
        self.table = table
        self.languages = languages
        self.layouts = layouts
        self.hint = hint
        self.world: Mapping[tuple[str, str], tuple[Place, ...]] = {}
        self.partial: Mapping[tuple[str, str], tuple[int, ...]] = {}
        self.asked: dict[int, set[str]] = {}
        self.spent = 0
        self.mask = 0
        self.touched: list[Value] | None = None
        self._memo: dict[tuple[int, int, str, Value | None], tuple[Values, int]] = {}
        self._running: set[object] = set()
        self._masks: dict[int, int] = {}
        self._files: dict[tuple[str, int], tuple[int, ...]] = {}
        self._imports: dict[tuple[int, int, str, str], tuple[Values, tuple[Value, ...], int]] = {}
        self._split: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._depth = 0
        self.around = Surroundings(self)
        classes = Classes(self, self._running)
        self.whole, self.parts, self.order = classes.whole, classes.parts, classes.order

    def forget(self) -> None:
        """Lets go of everything: it is part of rings, which take their memory along until somebody collects them."""
        self.__dict__.clear()

    # chains

    def chain(self, file: int, within: int, chain: str, receiver: Value | None = None) -> Values:
        """What the chain means inside a definition; () where that cannot be told."""
        key = (file, within, chain, receiver)
        known = self._memo.get(key)
        if known is not None:
            self.mask |= known[1]
            return known[0]
        if key in self._running or self._depth > DEPTH or self.spent > MOST_STEPS:
            return NOTHING
        self.spent += 1
        outer, self.mask = self.mask, 0
        touched, self.touched = self.touched, None
        self._running.add(key)
        self._depth += 1
        values = self._evaluate(file, within, chain, receiver)
        self._depth -= 1
        self._running.discard(key)
        if not self._running or values:
            # Many answers rest on the same files: one number for all of them.
            self._memo[key] = (values, self._masks.setdefault(self.mask, self.mask))
        self.mask |= outer
        self.touched = touched
        return values

    def steps(self, chain: str) -> tuple[str, tuple[str, ...]]:
        """A chain's root and steps, remembered."""
        found = self._split.get(chain)
        if found is None:
            found = self._split[chain] = split_chain(chain)
        return found

    def _evaluate(self, file: int, within: int, chain: str, receiver: Value | None) -> Values:
        if "|" in chain:
            found = [value for part in chain.split("|") for value in self.chain(file, within, part, receiver)]
            return merged(found)
        root, steps = self.steps(chain)
        values = self.root(file, within, root, receiver)
        if steps[:1] == ("!",) and values:
            values = self._types(file, within, root, values)
        for step in steps:
            if not values:
                break
            values = self.step(values, step)
        return values

    def _types(self, file: int, within: int, root: str, values: Values) -> Values:
        """A type is wanted: a method of the class around may be called as the type is."""
        table = self.table(file)
        while table is not None and within > 0 and all(value[0] in "dm" for value in values):
            within = table.definitions[within].parent
            values = self.name(file, within, root)
        return values

    def root(self, file: int, within: int, root: str, receiver: Value | None = None) -> Values:
        """What the first part of a chain means."""
        mark = root[:1]
        if mark == "<":
            spec = root[1:-1]
            if self.files_of(spec, file):
                return (("p", spec, file),)
            # A package of Python without a file of its own may have modules all the same.
            return (("x", spec, file),) if self.languages[file].submodules else (("x", spec),)
        if mark == "%":
            return _OWN_TYPES.get(root, (("b", root[1:]),))
        if mark == "?" or not root:
            return NOTHING
        if root in ("self", "cls", "super"):
            return self._receiver(file, within, root, receiver)
        return self.name(file, within, root, receiver)

    def _receiver(self, file: int, within: int, root: str, receiver: Value | None) -> Values:
        table = self.table(file)
        if table is None or within >= len(table.cls) or table.cls[within] < 0:
            return NOTHING
        own = self.whole((file, table.cls[within]))
        if root == "super":
            return (("s", *own, receiver),)
        if receiver is not None:
            kind = "i" if root == "self" else "c"
            return ((kind, receiver[1], receiver[2]),)
        return (("i" if root == "self" else "c", *own),)

    def step(self, values: Values, step: str) -> Values:
        """The values after one more step."""
        if len(values) == 1:
            return self._one(values[0], step)
        found: list[Value] = []
        for value in values:
            found.extend(self._one(value, step))
        return merged(found)

    def _one(self, value: Value, step: str) -> Values:
        if step == "()":
            return self.call(value)
        if step == "[]":
            return self._element(value)
        if step == "!":
            return self._instance(value)
        if step == "*":
            return (("l", value),)
        return self.member(value, step[1:])

    # names

    def name(self, file: int, within: int, name: str, receiver: Value | None = None) -> Values:
        """What a bare name means inside a definition, from the inside out."""
        table = self.table(file)
        if table is None:
            return NOTHING
        self.mask |= 1 << file
        language = self.languages[file]
        at, first, implicit = within, True, language.implicit_self
        while at >= 0:
            definition = table.definitions[at]
            if implicit or definition.kind not in CLASS_KINDS:
                found = self._in_scope(table, file, at, name, receiver)
                if found is not None:
                    return found
            elif first:
                # The body of a class is a scope for itself in Python; elsewhere it only has type parameters.
                body = language.submodules or _only_types(table.names.get((at, name), ()))
                found = self._in_scope(table, file, at, name, receiver) if body else None
                if found is not None:
                    return found
            at, first = definition.parent, False
        found = self.around.find(table, file, name)
        if not found and implicit and self._may_inherit(table, file, within):
            return (("y", name),)
        return found

    def _may_inherit(self, table: FileTable, file: int, within: int) -> bool:
        """Whether a class around has bases that are not known here."""
        while within >= 0:
            definition = table.definitions[within]
            if definition.kind in CLASS_KINDS and self.order((file, within))[1]:
                return True
            within = definition.parent
        return False

    def _in_scope(self, table: FileTable, file: int, scope: int, name: str, receiver: Value | None) -> Values | None:
        """The name in this very scope, or None where it has none."""
        definition = table.definitions[scope]
        entries = table.names.get((scope, name))
        parameter = _parameter_of(definition, name)
        if entries is None and parameter is None:
            if definition.kind in CLASS_KINDS and self.languages[file].implicit_self:
                order = self.order((file, scope))[0]
                return self._in_order(order, name, ("i", *order[0])) or None
            stars = table.stars.get(scope)
            if stars and (scope > 0 or not self.languages[file].open_world):
                return self.from_stars(file, stars, name) or None
            return None
        found: list[Value] = []
        if parameter is not None:
            found.extend(self._parameter(table, file, scope, parameter))
        unknown = False
        for entry in entries or ():
            values = self._entry(table, file, entry, receiver)
            unknown = unknown or not values
            found.extend(values)
        if unknown and all(value[0] == "b" for value in found):
            outer = definition.parent
            found = [
                value
                for entry in entries or ()
                if outer >= 0 and isinstance(entry, Binding) and entry.kind == "assign"
                for value in self._from_outside(file, outer, entry)
            ]
        return merged(found)

    def _from_outside(self, file: int, outer: int, entry: Binding) -> Values:
        """`node := node{}`: what the value of a binding means where its name still has the meaning from outside."""
        root, steps = self.steps(entry.value)
        values = self.name(file, outer, root) if root == entry.name and steps else NOTHING
        for step in steps:
            values = self.step(values, step)
        return values

    def from_stars(self, file: int, stars: Sequence[Binding], name: str) -> Values:
        """A name that a file has from what it imports whole."""
        found: list[Value] = []
        for star in stars:
            for module in self.chain(file, star.within, star.value.removesuffix(".*")):
                if module[0] == "p":
                    found.extend(self.member(module, name))
                elif module[0] == "c":
                    found.extend(value for value in self.member(module, name) if value[0] not in "xy")
        return merged(found)

    def _parameter(self, table: FileTable, file: int, scope: int, parameter: Parameter) -> Values:
        found: list[Value] = []
        outer = max(table.definitions[scope].parent, 0)
        if parameter.type:
            found.extend(self.chain(file, outer, parameter.type))
            if parameter.kind and found:
                found = [("l", value) for value in found]
        if parameter.default:
            found.extend(v for v in self.chain(file, outer, parameter.default) if v[0] != "b")
        if not found and self.hint is not None:
            found.extend(self.hint(self, table, scope, parameter.name))
        return merged(found)

    def _entry(self, table: FileTable, file: int, entry: Entry, receiver: Value | None) -> Values:
        if isinstance(entry, Binding):
            if receiver is not None and not self._same_receiver(table, entry, receiver):
                receiver = None
            if entry.kind == "import" and self.touched is not None:
                return self._imported(file, entry, self.touched)
            return self._bound(table, file, entry, receiver)
        definition = table.definitions[entry]
        if definition.kind in ("constant", "variable", "property") and not definition.parameters:
            if self.touched is not None:
                self.touched.append(("d", file, entry))
            if definition.kind == "property":
                return self.returned(file, entry, receiver) or NOTHING
            return (("d", file, entry),) if entry in table.children else NOTHING
        return (self._definition((file, entry)),)

    def _bound(self, table: FileTable, file: int, entry: Binding, receiver: Value | None) -> Values:
        """What a binding means. A field may be called as its type is: `Value Value`."""
        own = entry.kind == "annotation" and entry.scope and entry.value.startswith(entry.name)
        if own and self.steps(entry.value)[0] == entry.name:
            return self._from_outside(file, table.definitions[entry.scope].parent, entry)
        return self.chain(file, entry.within, entry.value, receiver)

    def _imported(self, file: int, entry: Binding, touched: list[Value]) -> Values:
        """What an import means, with the variables on the way written down as touched."""
        if self._running:
            # An answer from inside of another one may be cut short, where they rest on each other.
            key = (file, "import", entry.name, entry.value)
            if key in self._running or self._depth > DEPTH:
                return NOTHING
            self._running.add(key)
            values = self._evaluate(file, entry.within, entry.value, None)
            self._running.discard(key)
            return values
        known = self._imports.get((file, entry.within, entry.name, entry.value))
        if known is None:
            known = self._imported_first(file, entry)
        values, more, mask = known
        touched.extend(more)
        self.mask |= mask
        return values

    def _imported_first(self, file: int, entry: Binding) -> tuple[Values, tuple[Value, ...], int]:
        outer, self.mask = self.mask, 0
        before, self.touched = self.touched, []
        key = (file, "import", entry.name, entry.value)
        self._running.add(key)
        values = self._evaluate(file, entry.within, entry.value, None)
        self._running.discard(key)
        known = (values, tuple(self.touched or ()), self._masks.setdefault(self.mask, self.mask))
        self._imports[file, entry.within, entry.name, entry.value] = known
        self.mask, self.touched = outer, before
        return known

    def _same_receiver(self, table: FileTable, entry: Binding, receiver: Value) -> bool:
        return receiver[0] in "ic" and table.cls[entry.within] >= 0

    def _definition(self, place: Place) -> Value:
        table = self.table(place[0])
        kind = table.definitions[place[1]].kind if table is not None else ""
        return ("c", *self.whole(place)) if kind in CLASS_KINDS or kind == "type" else ("d", *place)

    # modules

    def files_of(self, spec: str, file: int) -> tuple[int, ...]:
        """The files of the tree that a module is made of."""
        known = self._files.get((spec, file))
        if known is not None:
            return known
        layout = self.layouts.get(self.languages[file].name)
        if layout is None:
            return ()
        self.asked.setdefault(file, set()).add(spec)
        found = tuple([self.number[path] for path in layout.find(spec, self.paths[file]) if path in self.number])
        self._files[spec, file] = found
        return found

    def module_name(self, file: int, name: str) -> Values:
        """A top-level name of a file."""
        table = self.table(file)
        if table is None or not table.definitions:
            return NOTHING
        self.mask |= 1 << file
        key = (file, 0, f"<>{name}", None)
        if key in self._running:
            return NOTHING
        self._running.add(key)
        found = self._in_scope(table, file, 0, name, None)
        self._running.discard(key)
        return found or NOTHING

    def _of_module(self, spec: str, file: int, name: str) -> Values:
        found: list[Value] = []
        files = self.files_of(spec, file)
        language = self.languages[file]
        if len(files) > 1 and not language.submodules and not language.open_world:
            return self.around.of_package(files, name)
        for other in files:
            found.extend(self.module_name(other, name))
        if found:
            return merged(found)
        if language.submodules:
            deeper = f"{spec}{name}" if spec.endswith(".") else f"{spec}.{name}"
            if self.files_of(deeper, file):
                return (("p", deeper, file),)
        for other in files:
            hook = self.module_name(other, "__getattr__")
            if hook:
                if self.touched is not None:
                    self.touched.extend(h for h in hook if h[0] == "d")
                return tuple(v for h in hook for v in self.call(h))
        return NOTHING

    # members

    def member(self, value: Value, name: str) -> Values:
        """What `.name` of a value means."""
        kind = value[0]
        if kind == "i" or kind == "c":
            return self._of_class(value, name)
        if kind == "p":
            return self._of_module(value[1], value[2], name)
        if kind == "x":
            return self._of_outside(value, name)
        if kind == "y":
            return (("y", f"{value[1]}.{name}"),)
        if kind == "s":
            return self._of_super(value, name)
        if kind == "l":
            return self._of_container(value[1], name)
        if kind == "b":
            return (value,) if value[1] in _TEXTS else (("b", "?"),)
        if kind == "m" or kind == "d":
            return self._of_function(value, name)
        return NOTHING

    def _of_outside(self, value: Value, name: str) -> Values:
        deeper = f"{value[1]}{name}" if value[1].endswith(".") else f"{value[1]}.{name}"
        if len(value) < 3:
            return (("x", deeper),)
        return (("p", deeper, value[2]),) if self.files_of(deeper, value[2]) else (("x", deeper, value[2]),)

    def _of_container(self, value: Value, name: str) -> Values:
        if name in _ELEMENT:
            return (("e", value),)
        if name in _SAME:
            return (("e", ("l", value)),)
        if name == "items":
            return (("e", ("l", ("l", value))),)
        return (("b", "?"),)

    def _of_function(self, value: Value, name: str) -> Values:
        if name in ("call", "apply", "bind", "__wrapped__", "__func__", "delay", "apply_async"):
            return (value,) if name.startswith("__") else (("e", value),) if name == "bind" else (value,)
        table = self.table(value[1])
        if table is None:
            return NOTHING
        found: list[Value] = []
        for entry in table.names.get((value[2], name), ()):
            found.extend(self._entry(table, value[1], entry, None))
        return merged(found)

    def _of_super(self, value: Value, name: str) -> Values:
        receiver = value[3]
        own = (value[1], value[2])
        order, _ = self.order((receiver[1], receiver[2]) if receiver is not None else own)
        parts = self.parts(own)
        rest = order[order.index(own) + 1 :] if own in order else self.order(own)[0][1:]
        rest = tuple(place for place in rest if place not in parts) if len(parts) > 1 else rest
        found = self._in_order(rest, name, receiver or ("i", *own))
        if found is None and self.order(own)[1]:
            return (("y", f"super.{name}"),)
        return found or NOTHING

    def _of_class(self, value: Value, name: str) -> Values:
        place = (value[1], value[2])
        if name == "__class__" and value[0] == "i":
            return (("c", *place),)
        order, external = self.order(place)
        found = self._in_order(order, name, value)
        if found is not None:
            return found
        if external:
            return (("y", f"{name}"),) if value[0] == "i" else (("x", name),)
        return NOTHING

    def _in_order(self, order: Sequence[Place], name: str, receiver: Value) -> Values | None:
        """The first class of the order that has the member, evaluated for the receiver; None where none has it."""
        for file, index in order:
            table = self.table(file)
            if table is None:
                continue
            entries = table.names.get((index, name))
            if entries is None:
                continue
            self.mask |= 1 << file
            found: list[Value] = []
            for entry in entries:
                found.extend(self._member_entry(table, file, entry, receiver))
            return merged(found)
        return None

    def _member_entry(self, table: FileTable, file: int, entry: Entry, receiver: Value) -> Values:
        if isinstance(entry, Binding):
            return self._bound(table, file, entry, receiver)
        definition = table.definitions[entry]
        if definition.kind == "method" or definition.kind == "function" or definition.kind == "property":
            if "property" in definition.flags or definition.kind == "property":
                if self.touched is not None:
                    self.touched.append(("m", file, entry, receiver))
                return self.returned(file, entry, receiver)
            return (("m", file, entry, receiver),)
        if definition.kind in ("constant", "variable"):
            if self.touched is not None:
                self.touched.append(("d", file, entry))
            parent = table.definitions[definition.parent]
            if any(base.endswith(("Enum", "Flag")) for base in parent.bases):
                return (("i", file, definition.parent),)
            return (("d", file, entry),) if entry in table.children else NOTHING
        return (self._definition((file, entry)),)

    # calls

    def call(self, value: Value) -> Values:
        """What a call of the value gives."""
        kind = value[0]
        if kind == "d":
            return self.returned(value[1], value[2], None)
        if kind == "m":
            return self.returned(value[1], value[2], value[3])
        if kind == "c":
            return (("i", value[1], value[2]),)
        if kind == "x" or kind == "y":
            return (("y", value[1]),)
        if kind == "e":
            return (value[1],)
        if kind == "i":
            order = self.order((value[1], value[2]))[0]
            declared = self._in_order(order, "()", value)
            if declared is not None:
                return declared
            return merged([v for m in self.member(value, "__call__") if m[0] == "m" for v in self.call(m)])
        if kind == "b" and value[1] in _TEXTS:
            return (value,)
        return NOTHING

    def returned(self, file: int, index: int, receiver: Value | None) -> Values:
        table = self.table(file)
        if table is None:
            return NOTHING
        self.mask |= 1 << file
        definition = table.definitions[index]
        found: list[Value] = []
        for chain in definition.returns:
            found.extend(self.chain(file, index, chain, receiver))
        if not found and definition.kind not in _FUNCTION_KINDS and definition.kind != "property":
            return NOTHING
        return merged(found)

    def _element(self, value: Value) -> Values:
        kind = value[0]
        if kind == "l":
            return (value[1],)
        if kind == "d":
            table = self.table(value[1])
            has_members = table is not None and table.definitions[value[2]].kind in _HOLDERS
            return (("a", value[1], value[2]),) if has_members else NOTHING
        if kind == "p" and not self.languages[value[2]].submodules:
            return tuple(("a", file, 0) for file in self.files_of(value[1], value[2]))
        if kind == "i":
            return self._element_of_instance(value)
        if kind == "c":
            return (value,)
        if kind == "x" or kind == "y" or (kind == "b" and value[1] in _TEXTS):
            return (value,) if kind != "x" else (("y", value[1]),)
        return NOTHING

    def _element_of_instance(self, value: Value) -> Values:
        declared = self._in_order(self.order((value[1], value[2]))[0], "[]", value)
        if declared is not None:
            return declared
        found: list[Value] = []
        for name in ("__getitem__", "__iter__", "__aiter__"):
            for method in self.member(value, name):
                if method[0] == "m":
                    found.extend(one[1] if one[0] == "l" else one for one in self.call(method))
            if found:
                break
        if not found and self.languages[value[1]].isolated:
            # `route[method]` is a member whose name is made while the code runs.
            return (("a", value[1], value[2]),)
        return merged(found)

    def _instance(self, value: Value) -> Values:
        kind = value[0]
        if kind == "c":
            return (("i", value[1], value[2]),)
        if kind == "x":
            return (("y", value[1]),)
        if kind in "iyl":
            return (value,)
        return NOTHING


def _parameter_of(definition: Definition, name: str) -> Parameter | None:
    for parameter in definition.parameters:
        if parameter.name == name:
            return parameter
    return None


def _only_types(entries: Sequence[Entry]) -> bool:
    return all(isinstance(entry, Binding) and entry.kind == "annotation" for entry in entries)
