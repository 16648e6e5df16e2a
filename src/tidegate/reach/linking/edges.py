"""Every use that one file makes of other symbols, as edges. The evaluator says what a chain means, this what follows.

The target of an edge is a text:

    path:name          a definition; `path:` is the module
    path:Class#m       the member m of an instance of that class, whichever class it really is (a slot)
    path:Class#m%      every member that begins so
    path:Class#^m      the next member m after that class, in the order of whichever class the instance has
    #m                 anything of this name: what is left where a receiver is not known
    #.m                any property of this name
"""

from __future__ import annotations

import re

from msgspec import Struct

from tidegate.reach.linking.evaluate import Evaluator
from tidegate.reach.linking.pytests import MODULE_SET_UP, SET_UP, Fixtures, is_test, is_test_file
from tidegate.reach.linking.table import FileTable
from tidegate.reach.linking.values import Place, Value, Values
from tidegate.reach.rules import NUMBER
from tidegate.reach.symbols import Definition, Reference, Text

_CODE = re.compile(r"(?:^|[^\w.])\.?([A-Za-z_]\w*)\(|\.([A-Za-z_]\w*)\(")
"""What a text that becomes code calls."""

_TEST_MODULE = re.compile(r"(?:^|/)__tests__/|[._-](?:test|spec)\.[cm]?[jt]sx?$").search
"""Whether a file of this path is one that test runners of JavaScript load."""

_PLAIN_DECORATORS = frozenset(
    [
        *("overload", "abstractmethod", "override", "final", "property", "cached_property", "staticmethod"),
        *("classmethod", "setter", "getter", "deleter", "contextmanager", "asynccontextmanager", "wraps"),
        *("lru_cache", "cache", "parametrize", "skipif", "skip", "xfail", "usefixtures", "fixture", "dataclass"),
    ]
)
"""Decorators that hand the function to nobody who would call it later."""


class Edge(Struct, frozen=True, array_like=True, gc=False):
    """The definition `source` of the file uses `target` in `line`; `rule` is the rule's number."""

    source: int
    rule: int
    line: int
    target: str
    branch: int = 0


class ClassLink(Struct, frozen=True, array_like=True, gc=False):
    """One class: the order in which its members are looked up (nodes), and whether a base is not known here."""

    index: int
    order: tuple[str, ...]
    external: bool


class TestLink(Struct, frozen=True, array_like=True, gc=False):
    """One test by its node. `inherited` is the node of the method that it runs, "" where that is its own."""

    node: str
    line: int
    owner: int
    inherited: str = ""


class LinkedFile(Struct, frozen=True, array_like=True):
    """The edges of one file. `calls` could mean something here, `unresolved` of them could not be told.

    `overriding` are the methods that say that they override one of a base, where a language has a word for it.
    `rests_on` is the set of files that the answers rest on, as a bit set.
    """

    edges: tuple[Edge, ...]
    classes: tuple[ClassLink, ...]
    tests: tuple[TestLink, ...]
    calls: int
    unresolved: int
    rests_on: bytes
    overriding: tuple[int, ...] = ()


class _File:
    def __init__(self, evaluator: Evaluator, table: FileTable) -> None:
        self.evaluator = evaluator
        self.table = table
        self.edges: dict[tuple[int, int, str], tuple[int, int]] = {}
        self.by_value = evaluator.languages[table.index].by_value
        self.called_back = evaluator.languages[table.index].called_back
        self.overrides = evaluator.languages[table.index].implicit_self
        self.open_world = evaluator.languages[table.index].open_world
        self.structural = evaluator.languages[table.index].structural
        self.isolated = evaluator.languages[table.index].isolated
        self.aliases = {(b.line, b.value) for b in table.symbols.bindings if b.scope == 0 and b.kind == "assign"}
        self.branch = 0
        self.calls = 0
        self.unresolved = 0
        self.set_ups: dict[int, list[Place]] = {}
        self.followed: dict[tuple[int, str], tuple[Values, str, tuple[tuple[str, str], ...]]] = {}
        self.trail: list[tuple[str, str]] | None = None
        self.fixtures_asked: dict[int, list[str]] | None = None
        self.overriding: list[int] = []

    def link(self) -> None:
        # Not kept: a ring with each of its methods would hold the memory of every file.
        readers = {
            "call": self._call,
            "read": self._read,
            "pass": self._pass,
            "write": self._write,
            "inherit": self._inherit,
            "decorate": self._decorate,
            "type": self._type,
            "override": self._override,
            "import": self._import,
        }
        for reference in self.table.symbols.references:
            self.branch = reference.branch
            readers[reference.kind](reference)
        self.branch = 0
        for text in self.table.symbols.texts:
            self._text(text)
        definitions = self.table.definitions
        for number, definition in enumerate(definitions):
            if number == 0:
                continue
            parent = definitions[definition.parent]
            own = self.table.key(number)
            if parent.kind in ("function", "method"):
                self.add(definition.parent, "inside", definition.line, own)
            elif parent.kind in ("constant", "variable"):
                self._member_of_object(number)
            elif definition.kind in ("variable", "constant"):
                self.add(definition.parent, "value", definition.line, own)
                if any(base.endswith(("Enum", "Flag")) for base in parent.bases):
                    self.add(number, "make", definition.line, self.table.key(definition.parent))
            self.add(number, "module", definition.line, f"{self.table.path}:")
            if definition.kind in ("class", "interface"):
                self._parts(number)
            elif self.open_world and definition.kind in ("function", "method"):
                self._twins(number)
        if self.by_value:
            self._values()

    def _parts(self, number: int) -> None:
        """A class that is written in several places is all of them."""
        place = (self.table.index, number)
        for part in self.evaluator.parts(place) if self.evaluator.whole(place) == place else ():
            if part != place:
                self._to_place(number, "inside", self.table.definitions[number].line, part)

    def _twins(self, number: int) -> None:
        """A function that is declared in one place and written in another is both of them."""
        evaluator, definition = self.evaluator, self.table.definitions[number]
        name = definition.name.rpartition(".")[2]
        if self.table.definitions[definition.parent].kind in ("class", "interface"):
            holders = evaluator.parts(evaluator.whole((self.table.index, definition.parent)))
        else:
            language = evaluator.languages[self.table.index].name
            holders = tuple((place[0], 0) for place in evaluator.world.get((language, name), ()))
        if len(holders) < 2:
            return
        declared = "abstract" in definition.flags
        for file, scope in dict.fromkeys(holders):
            table = evaluator.table(file)
            for entry in table.names.get((scope, name), ()) if table is not None else ():
                if table and isinstance(entry, int) and ("abstract" in table.definitions[entry].flags) != declared:
                    self._to_place(number, "call", definition.line, (file, entry))

    def _member_of_object(self, number: int) -> None:
        """What an object made by a function can do belongs to the function: the object goes where nobody knows."""
        definitions = self.table.definitions
        at = definitions[number].parent
        while definitions[at].kind in ("constant", "variable"):
            at = definitions[at].parent
        if definitions[at].kind in ("function", "method"):
            self.add(at, "inside", definitions[number].line, self.table.key(number))

    def _values(self) -> None:
        """Variables, fields and parameters that are instances of their class."""
        for binding in self.table.symbols.bindings:
            if binding.kind == "annotation":
                self._is_made(binding.within, binding.value, binding.within, binding.line)
        for number, definition in enumerate(self.table.definitions):
            for parameter in definition.parameters:
                if parameter.type:
                    self._is_made(max(definition.parent, 0), parameter.type, number, definition.line)

    def _is_made(self, within: int, chain: str, source: int, line: int) -> None:
        for value in self.evaluator.chain(self.table.index, within, chain):
            if value[0] == "i":
                owner = self.evaluator.table(value[1])
                if owner is not None and owner.definitions[value[2]].kind != "interface":
                    self.add(source, "make", line, owner.key(value[2]))

    def add(self, source: int, rule: str, line: int, target: str) -> None:
        if self.trail is not None:
            self.trail.append((rule, target))
        key = (source, NUMBER[rule], target)
        known = self.edges.get(key)
        if known is None or known[1] > self.branch:
            self.edges[key] = (line, self.branch)

    # tests

    def link_tests(self, fixtures: Fixtures) -> tuple[TestLink, ...]:
        """The tests of the file, with edges to the fixtures and set-up methods that run for them."""
        found = []
        for number, definition in enumerate(self.table.definitions):
            if "test" in definition.flags or is_test(self.table, number):
                found.append(TestLink(self.table.key(number), definition.line, self.table.cls[number]))
                self._runs_for(fixtures, number, number)
                if self.isolated:
                    self.add(number, "set-up", definition.line, f"{self.table.path}:")
            elif fixtures.takes_fixtures(self.table, number):
                self._named_fixtures(fixtures, number, number)
            elif definition.kind == "class" and definition.bases:
                found.extend(self._inherited(fixtures, number))
        if not found and self.isolated and _TEST_MODULE(self.table.path) and self._runs_something():
            # Its tests are made elsewhere, by a function that it calls.
            found.append(TestLink(self.table.key(0), 1, -1))
        return tuple(found)

    def _runs_something(self) -> bool:
        return any(r.kind == "call" and r.within == 0 for r in self.table.symbols.references)

    def _inherited(self, fixtures: Fixtures, cls: int) -> list[TestLink]:
        """The tests that a class has from its bases. A group of tests does not run those of the groups around it."""
        order, external = self.evaluator.order((self.table.index, cls))
        definition = self.table.definitions[cls]
        by_name = is_test_file(self.table.path) and (external or definition.name.rpartition(".")[2].startswith("Test"))
        around = {(self.table.index, cls), *self.evaluator.parts(self.evaluator.whole((self.table.index, cls)))}
        above = definition.parent
        while above > 0:
            around.add((self.table.index, above))
            above = self.table.definitions[above].parent
        found, seen = [], set(self.table.members.get(cls, ()))
        for place in order:
            other = self.evaluator.table(place[0]) if place not in around else None
            for child in other.children.get(place[1], ()) if other else ():
                name = other.definitions[child].name.rpartition(".")[2] if other else ""
                if other and name not in seen and _is_inherited(other.definitions[child], name, by_name):
                    seen.add(name)
                    node = f"{self.table.key(cls)}.{name}"
                    found.append(TestLink(node, definition.line, cls, other.key(child)))
        if found:
            self._runs_for(fixtures, cls, cls)
        return found

    def _runs_for(self, fixtures: Fixtures, number: int, source: int) -> None:
        line = self.table.definitions[number].line
        cls = self.table.cls[number]
        if self.table.definitions[number].kind != "class":
            self._named_fixtures(fixtures, number, source)
        for place in fixtures.automatic(self.table, number):
            self._to_place(source, "fixture", line, place)
        if cls >= 0:
            self._to_place(source, "make", line, self.evaluator.whole((self.table.index, cls)))
            for place in self._set_up(cls):
                self._to_place(source, "set-up", line, place)
        for name in MODULE_SET_UP:
            for entry in self.table.names.get((0, name), ()):
                if isinstance(entry, int):
                    self._to_place(source, "set-up", line, (self.table.index, entry))

    def _set_up(self, cls: int) -> list[Place]:
        """The methods of a class that run before and after each of its tests."""
        found = self.set_ups.get(cls)
        if found is None:
            instance = ("i", self.table.index, cls)
            members = [value for name in SET_UP for value in self.evaluator.member(instance, name)]
            found = self.set_ups[cls] = [(value[1], value[2]) for value in members if value[0] == "m"]
        return found

    def asked_fixtures(self) -> dict[int, list[str]]:
        """The fixtures that a test or a class asks for by `usefixtures`."""
        if self.fixtures_asked is None:
            self.fixtures_asked = {}
            for reference in self.table.symbols.references:
                if reference.kind == "decorate" and reference.chain.endswith("usefixtures"):
                    names = [argument[1:-1] for argument in reference.arguments]
                    self.fixtures_asked.setdefault(reference.within, []).extend(names)
        return self.fixtures_asked

    def _named_fixtures(self, fixtures: Fixtures, number: int, source: int) -> None:
        definition = self.table.definitions[number]
        names = [p.name for p in definition.parameters if p.name not in ("self", "cls", "request")]
        for user in {number, self.table.cls[number]}:
            names += self.asked_fixtures().get(user, ())
        for name in names:
            for place in fixtures.find(self.table, number, name):
                self._to_place(source, "fixture", definition.line, place)

    def _to_place(self, source: int, rule: str, line: int, place: Place) -> None:
        other = self.evaluator.table(place[0])
        if other is not None:
            self.evaluator.mask |= 1 << place[0]
            self.add(source, rule, line, other.key(place[1]))

    # values to targets

    def follow(self, reference: Reference, chain: str) -> tuple[Values, str]:
        """What the chain means, and the last name in it; what it touches on the way becomes edges."""
        known = self.followed.get((reference.within, chain))
        if known is None:
            self.trail = []
            values, name = self._follow(reference, chain)
            self.followed[reference.within, chain] = (values, name, tuple(self.trail))
            self.trail = None
            return values, name
        # Tests above all say the same in many lines.
        for rule, target in known[2]:
            self.add(reference.within, rule, reference.line, target)
        return known[0], known[1]

    def _follow(self, reference: Reference, chain: str) -> tuple[Values, str]:
        evaluator = self.evaluator
        root, steps = evaluator.steps(chain)
        touched: list[Value] = []
        evaluator.touched = touched
        values = evaluator.root(self.table.index, reference.within, root)
        name = root if not steps else ""
        for at, step in enumerate(steps, 1):
            if step[0] == ".":
                name = step[1:]
                for value in values:
                    if value[0] == "d":
                        self.add(reference.within, "pass", reference.line, self.key(value))
                    elif value[0] == "i" and self.structural:
                        self._field(reference, value, name)
                if not values and at < len(steps) and _may_be_ours(name):
                    self.add(reference.within, "name", reference.line, f"#.{name}")
            if values:
                if name[-1:] == "%" and step == steps[-1]:
                    break
                found = evaluator.step(values, step)
                if not found and step[0] == "." and at < len(steps) and self._is_open(values):
                    self.add(reference.within, "name", reference.line, f"#.{name}")
                values = found
        evaluator.touched = None
        for value in touched:
            if value[0] == "m":
                self.to_method(reference, value, "property")
            else:
                self.add(reference.within, "variable", reference.line, self.key(value))
        return values, name

    def _is_open(self, values: Values) -> bool:
        """Whether these are objects that may have got a member elsewhere, so that only its name says which it is."""
        return self.isolated and all(value[0] in "dp" for value in values)

    def _field(self, reference: Reference, value: Value, name: str) -> None:
        """A field of an interface: in a class that fits it may be a function that is run when it is read."""
        table = self.evaluator.table(value[1])
        if table is None or table.definitions[value[2]].kind != "interface":
            return
        if any(not isinstance(entry, int) for entry in table.names.get((value[2], name), ())):
            self.add(reference.within, "property", reference.line, f"{table.key(value[2])}#{name}")

    def key(self, value: Value) -> str:
        table = self.evaluator.table(value[1])
        if table is None:
            raise LookupError(value)
        return table.key(value[2])

    def to_method(self, reference: Reference, value: Value, rule: str) -> None:
        """An edge to a method of a receiver: to the slot where it may be overridden."""
        receiver = value[3]
        table = self.evaluator.table(value[1])
        if table is None:
            raise LookupError(value)
        definition = table.definitions[value[2]]
        if receiver is not None and receiver[0] == "i" and "#" not in definition.name:
            owner = self.evaluator.table(receiver[1])
            if owner is None:
                raise LookupError(receiver)
            if self.by_value and owner.definitions[receiver[2]].kind != "interface":
                rule = "call" if rule == "method" else rule
                self.add(reference.within, rule, reference.line, table.key(value[2]))
                self.add(reference.within, "make", reference.line, owner.key(receiver[2]))
                if not self.overrides:
                    return
            name = definition.name.rpartition(".")[2]
            self.add(reference.within, rule, reference.line, f"{owner.key(receiver[2])}#{name}")
        else:
            self.add(reference.within, rule, reference.line, table.key(value[2]))
            if receiver is not None and receiver[0] == "c":
                self.add(reference.within, "pass-class", reference.line, self.key(receiver))

    def _call(self, reference: Reference) -> None:  # noqa: C901 one branch for each kind of value
        values, name = self.follow(reference, reference.chain)
        within, line = reference.within, reference.line
        root = reference.chain
        outside = True
        if values:
            self.calls += 1
        for value in values:
            kind = value[0]
            if kind == "d":
                self.add(within, "call", line, self.key(value))
                outside = False
            elif kind == "m":
                if root.startswith("super."):
                    self.add(within, "super", line, self.key(value))
                else:
                    self.to_method(reference, value, "method")
                outside = False
            elif kind == "c":
                self.add(within, "make", line, self.key(value))
                outside = False
            elif kind == "i":
                self.add(within, "method", line, f"{self.key(value)}#__call__")
                outside = False
            elif kind == "a":
                self._any_member(reference, value)
                outside = False
            elif kind == "y" and "." in root and _may_be_ours(name) and not value[1].startswith("super."):
                self.add(within, "outside-name", line, f"#{name}")
        if root == f"super.{name}" and self.table.cls[within] >= 0:
            self.add(within, "super", line, f"{self.table.key(self.table.cls[within])}#^{name}")
        if not values:
            self._unresolved(reference, name)
        if outside:
            self._escapes(reference, values)

    def _any_member(self, reference: Reference, value: Value) -> None:
        """`handlers[name]`: any function of the object or module, any method of the instance."""
        table = self.evaluator.table(value[1])
        if table is not None and table.definitions[value[2]].kind == "class":
            self.add(reference.within, "by-name", reference.line, f"{table.key(value[2])}#%")
            return
        for child in table.children.get(value[2], ()) if table else ():
            definition = table.definitions[child] if table else None
            if table and definition and definition.kind in ("function", "method", "class"):
                self.add(reference.within, "by-name", reference.line, table.key(child))

    def _unresolved(self, reference: Reference, name: str) -> None:
        if name[:1] == "#" and self._private(reference, name):
            return
        if "." not in reference.chain or not _may_be_ours(name):
            if reference.chain.isidentifier() and self._is_parameter(reference):
                self.calls += 1
                self.unresolved += 1
            return
        self.calls += 1
        self.unresolved += 1
        self.add(reference.within, "name", reference.line, f"#{name}")

    def _private(self, reference: Reference, name: str) -> bool:
        """`other.#name` is the member of the class around, whatever `other` is."""
        cls = self.table.cls[reference.within]
        while cls >= 0:
            for entry in self.table.names.get((cls, name), ()):
                if isinstance(entry, int):
                    self.add(reference.within, "call", reference.line, self.table.key(entry))
                    return True
            parent = self.table.definitions[cls].parent
            cls = self.table.cls[parent] if parent >= 0 else -1
        return False

    def _is_parameter(self, reference: Reference) -> bool:
        at = reference.within
        while at >= 0:
            definition = self.table.definitions[at]
            if any(p.name == reference.chain for p in definition.parameters):
                return True
            at = definition.parent
        return False

    def _escapes(self, reference: Reference, callees: Values) -> None:
        """Instances that are handed to something that is not known: what they answer to may be called."""
        names = self.called_back
        if names is not None and any(value[0] in "xy" and _is_of_others(value[1]) for value in callees):
            names = None
        for argument in reference.arguments:
            chain = argument.partition("=")[2] if "=" in argument and '"' not in argument else argument
            if not chain or chain[0] == '"' or not (chain[0].isalpha() or chain[0] in "_<"):
                continue
            for value in self.evaluator.chain(self.table.index, reference.within, chain):
                if value[0] != "i":
                    continue
                for name in ["%"] if names is None else self._answers(value, names):
                    self.add(reference.within, "escape", reference.line, f"{self.key(value)}#{name}")

    def _answers(self, value: Value, names: frozenset[str]) -> list[str]:
        """Those of these methods that an instance has."""
        evaluator = self.evaluator
        found: list[str] = []
        for file, index in evaluator.order((value[1], value[2]))[0]:
            table = evaluator.table(file)
            if table is not None:
                found.extend(name for name in table.members.get(index, ()) if name in names)
        return list(dict.fromkeys(found))

    def _read(self, reference: Reference) -> None:
        # `name = function` in a module runs nothing: who uses the name is found through it.
        alias = reference.within == 0 and (reference.line, reference.chain) in self.aliases
        self._use(reference, "mention" if alias else "pass", "mention")

    def _pass(self, reference: Reference) -> None:
        self._use(reference, "pass", "pass-class")

    def _use(self, reference: Reference, function_rule: str, class_rule: str) -> None:
        values, name = self.follow(reference, reference.chain)
        if name[-1:] == "%":
            self._by_beginning(reference, values, name)
            return
        for value in values:
            kind = value[0]
            if kind == "d":
                self.add(reference.within, function_rule, reference.line, self.key(value))
                if function_rule == "pass":
                    self._hand_over(reference, value)
            elif kind == "a":
                self._any_member(reference, value)
            elif kind == "m":
                self.to_method(reference, value, function_rule)
            elif kind == "c":
                self.add(reference.within, class_rule, reference.line, self.key(value))
            elif kind == "p":
                self._to_module(reference, value, "mention")
        if not values and "." in reference.chain and _may_be_ours(name):
            self.add(reference.within, "name", reference.line, f"#{name}")

    def _hand_over(self, reference: Reference, value: Value) -> None:
        """Whoever gets an object may call what it has."""
        table = self.evaluator.table(value[1])
        if table is None or table.definitions[value[2]].kind not in ("constant", "variable"):
            return
        for child in table.children.get(value[2], ()):
            if table.definitions[child].kind in ("function", "method"):
                self.add(reference.within, "pass", reference.line, table.key(child))

    def _by_beginning(self, reference: Reference, values: Values, name: str) -> None:
        for value in values:
            if value[0] in "ic":
                self.add(reference.within, "by-name", reference.line, f"{self.key(value)}#{name}")
            elif value[0] == "p":
                for file in self.evaluator.files_of(value[1], value[2]):
                    table = self.evaluator.table(file)
                    for child in table.children.get(0, ()) if table else ():
                        if table and table.definitions[child].name.startswith(name[:-1]):
                            self.add(reference.within, "by-name", reference.line, table.key(child))

    def _write(self, reference: Reference) -> None:
        holder, _, name = reference.chain.rpartition(".")
        if not holder or "." in name:
            return
        values = self.evaluator.chain(self.table.index, reference.within, holder)
        if _may_be_ours(name) and self._is_open(values):
            self.add(reference.within, "name", reference.line, f"#.{name}")
        for value in values:
            if value[0] in "ic":
                for method in self.evaluator.order((value[1], value[2]))[0]:
                    table = self.evaluator.table(method[0])
                    entries = table.names.get((method[1], name), ()) if table else ()
                    for entry in entries:
                        if table and isinstance(entry, int) and "property" in table.definitions[entry].flags:
                            self.add(reference.within, "property", reference.line, table.key(entry))

    def _inherit(self, reference: Reference) -> None:
        parent = max(self.table.definitions[reference.within].parent, 0)
        for value in self.evaluator.chain(self.table.index, parent, reference.chain):
            if value[0] in "cd":
                self.add(reference.within, "inherit", reference.line, self.key(value))

    def _decorate(self, reference: Reference) -> None:
        values, name = self.follow(reference, reference.chain)
        for value in values:
            if value[0] == "d":
                self.add(reference.within, "decorate", reference.line, self.key(value))
            elif value[0] == "m":
                self.to_method(reference, value, "decorate")
            elif value[0] == "c":
                self.add(reference.within, "make", reference.line, self.key(value))
            elif value[0] == "i":
                self.add(reference.within, "decorate", reference.line, f"{self.key(value)}#__call__")
        definition = self.table.definitions[reference.within]
        if definition.kind not in ("function", "method") or name in _PLAIN_DECORATORS:
            return
        in_class = self.table.definitions[definition.parent].kind in ("class", "interface")
        if not in_class or all(value[0] in "xy" for value in values):
            self.add(max(definition.parent, 0), "register", reference.line, self.table.key(reference.within))

    def _type(self, reference: Reference) -> None:
        for value in self.evaluator.chain(self.table.index, reference.within, reference.chain):
            if value[0] == "c":
                self.add(reference.within, "type", reference.line, self.key(value))

    def _override(self, reference: Reference) -> None:
        self.overriding.append(reference.within)

    def _import(self, reference: Reference) -> None:
        spec, _, name = reference.chain[1:].partition(">")
        root: Value = ("p", spec, self.table.index)
        inside = self.table.definitions[reference.within].kind in ("function", "method")
        self._to_module(reference, root, "load" if inside or self.isolated else "import")
        if name and self.evaluator.languages[self.table.index].submodules:
            for value in self.evaluator.member(root, name[1:]):
                if value[0] == "p":
                    self._to_module(reference, value, "load" if inside else "import")

    def _text(self, text: Text) -> None:
        """A text that names a module or something in it: "package.module", "package.module:name"."""
        for found in _CODE.finditer(text.value):
            name = found.group(1) or found.group(2)
            if _may_be_ours(name):
                self.add(text.within, "text", text.line, f"#{name}")
        if self.isolated and text.value.startswith(("./", "../")):
            self._to_module(Reference(text.within, "read", "", text.line), ("p", text.value, self.table.index), "text")
        spec, _, name = text.value.partition(":")
        if not all(part.isidentifier() for part in spec.split(".")) or (name and not name.isidentifier()):
            return
        root: Value = ("p", spec, self.table.index)
        files = self.evaluator.files_of(spec, self.table.index)
        within, line = text.within, text.line
        for file in files:
            self.evaluator.mask |= 1 << file
            self.add(within, "text", line, f"{self.evaluator.paths[file]}:")
        if not files and "." in spec and not name:
            spec, _, name = spec.rpartition(".")
            root = ("p", spec, self.table.index)
        if not name or not self.evaluator.files_of(spec, self.table.index):
            return
        touched: list[Value] = []
        self.evaluator.touched = touched
        values = self.evaluator.member(root, name)
        self.evaluator.touched = None
        for value in (*values, *touched):
            if value[0] in "cd":
                self.add(within, "pass-class" if value[0] == "c" else "text", line, self.key(value))

    def _to_module(self, reference: Reference, value: Value, rule: str) -> None:
        for file in self.evaluator.files_of(value[1], value[2]):
            self.evaluator.mask |= 1 << file
            self.add(reference.within, rule, reference.line, f"{self.evaluator.paths[file]}:")


def _is_inherited(definition: Definition, name: str, by_name: bool) -> bool:
    """Whether a member of a base is a test of the class below: it says so, or, in Python, its name does."""
    return "test" in definition.flags or (by_name and name.startswith("test") and definition.kind == "method")


def _is_of_others(spec: str) -> bool:
    """Whether a package's path begins with a host, as in Go: github.com/a/b, and not net/http."""
    return "/" in spec and "." in spec.partition("/")[0]


def _may_be_ours(name: str) -> bool:
    """Whether a name says enough to look for its bearers: every class has the special methods of the language."""
    return name.isidentifier() and not (name.startswith("__") and name.endswith("__"))


def link_file(evaluator: Evaluator, table: FileTable, fixtures: Fixtures) -> LinkedFile:
    """The edges of one file, in the order of their source."""
    evaluator.mask = 1 << table.index
    evaluator.spent = 0
    file = _File(evaluator, table)
    file.link()
    tests = file.link_tests(fixtures)
    classes = []
    for number, definition in enumerate(table.definitions):
        if definition.kind in ("class", "interface"):
            order, external = evaluator.order((table.index, number))
            if order[0] != (table.index, number):
                continue
            names = []
            for place in order:
                other = evaluator.table(place[0])
                if other is not None:
                    names.append(other.key(place[1]))
            classes.append(ClassLink(number, tuple(names), external))
    edges = tuple(Edge(s, r, line, target, branch) for (s, r, target), (line, branch) in file.edges.items())
    mask = evaluator.mask
    rests_on = mask.to_bytes((mask.bit_length() + 7) // 8, "little")
    return LinkedFile(
        edges, tuple(classes), tests, file.calls, file.unresolved, rests_on, tuple(dict.fromkeys(file.overriding))
    )
