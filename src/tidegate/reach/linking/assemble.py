"""Joins the linked files into one graph: slots to the methods that can answer them, names to all that bear them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tidegate.reach.graph import KINDS, SymbolGraph
from tidegate.reach.languages import LANGUAGES, family_of
from tidegate.reach.linking.edges import LinkedFile
from tidegate.reach.linking.known import Former, Known
from tidegate.reach.rules import NUMBER
from tidegate.reach.symbols import Definition

CONSTRUCTORS = ("__init__", "__new__", "__post_init__", "__attrs_post_init__", "<init>", "<clinit>", "constructor")
_COMMON = frozenset(
    "__call__ __iter__ __next__ __getitem__ __len__ __enter__ __exit__ __get__ __getattr__ __await__".split()
)
_LESS_COMMON = frozenset(
    "__eq__ __hash__ __bool__ __contains__ __setattr__ __set__ __setitem__ __str__ __aiter__ __anext__ __aenter__ "
    "__aexit__ __init_subclass__ __set_name__ __getattribute__ __lt__ __add__".split()
)
NAME_LIMIT = 400
"""A name that more methods bear says nothing; the call is counted as unresolved all the same."""


class Graph(Struct, frozen=True):
    """Nodes by number with their edges. `owner` is the class node whose instance a virtual edge to the node needs, -1.

    `above` has for each class node the class nodes that are live when it is: itself and what it inherits.
    """

    nodes: list[str]
    kinds: list[str]
    lines: list[int]
    owner: list[int]
    sources: list[int]
    targets: list[int]
    rules: list[int]
    at: list[int]
    width: list[int]
    branch: list[int]
    above: dict[int, tuple[int, ...]]
    external: frozenset[int]
    tests: dict[int, int]


class Delta(Struct, frozen=True):
    """What some files add to a graph: nodes after its own, edges (source, target, rule, line, width, branch), tests.

    `lines` has the lines of every definition of these files, as they are now.
    """

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    numbers: Mapping[str, int] = {}
    lines: Mapping[int, int] = {}
    edges: tuple[tuple[int, int, int, int, int, int], ...] = ()
    tests: Mapping[int, int] = {}


class _Members(dict[str, dict[str, str]]):
    """The members of each class by their names; those of a graph that is continued when they are asked for."""

    known: Known | None = None

    def __missing__(self, cls: str) -> dict[str, str]:
        found = self[cls] = {} if self.known is None else self.known.members(cls)
        return found


class _Orders(dict[str, tuple[str, ...]]):
    """The order of each class; what is no class stands alone."""

    known: Known | None = None

    def __missing__(self, cls: str) -> tuple[str, ...]:
        found = () if self.known is None else self.known.order(cls)
        if not found:
            return (cls,)
        self[cls] = found
        return found

    def has(self, cls: str) -> bool:
        return cls in self or (self.known is not None and self.known.is_class(cls))


class _Below(dict[str, list[str]]):
    """The classes that inherit from each."""

    known: Known | None = None

    def __missing__(self, cls: str) -> list[str]:
        found = self[cls] = [] if self.known is None else self.known.below(cls)
        return found


class _Builder:
    def __init__(self) -> None:
        self.number: dict[str, int] = {}
        self.kinds: list[str] = []
        self.lines: list[int] = []
        self.owner: list[int] = []
        self.sources: list[int] = []
        self.targets: list[int] = []
        self.rules: list[int] = []
        self.at: list[int] = []
        self.width: list[int] = []
        self.branch: list[int] = []
        self.members = _Members()
        self.orders = _Orders()
        self.external: set[str] = set()
        self.below = _Below()
        self.by_name: dict[str, list[str]] = {}
        self.called: set[str] = set()
        self.families: dict[str, str] = {}
        self.tests: dict[int, int] = {}
        self.overriding: dict[str, set[str]] = {}

    def family(self, key: str) -> str:
        """The language family of a symbol, by the suffix of its file."""
        path = key.partition(":")[0]
        suffix = path[path.rfind(".") :]
        found = self.families.get(suffix)
        if found is None:
            found = self.families[suffix] = family_of(path)
        return found

    def find(self, key: str) -> int | None:
        return self.number.get(key)

    def bearers(self, name: str) -> Sequence[str]:
        """All methods, functions and properties of this name that stand in a class."""
        return self.by_name.get(name, ())

    def node(self, key: str, kind: str = "", line: int = 0) -> int:
        number = self.find(key)
        if number is None:
            number = self.number[key] = len(self.kinds)
            self.kinds.append(kind)
            self.lines.append(line)
            self.owner.append(-1)
        elif kind and not self.kinds[number]:
            self.kinds[number], self.lines[number] = kind, line
        return number

    def edge(self, source: int, target: int, rule: str | int, line: int = 0, width: int = 1, branch: int = 0) -> None:
        self.sources.append(source)
        self.targets.append(target)
        self.rules.append(NUMBER[rule] if isinstance(rule, str) else rule)
        self.at.append(line)
        self.width.append(width)
        self.branch.append(branch)


class _Numbers(dict[str, int]):
    """The numbers of new nodes; a node of the graph is found as well."""

    def __init__(self, graph: SymbolGraph) -> None:
        super().__init__()
        self.of_graph = graph.names

    def __missing__(self, key: str) -> int:
        number = self.of_graph.find(key)
        if number is None:
            raise KeyError(key)
        return number


class _Continued(_Builder):
    """A builder that knows the graph's nodes and classes, and has no edges yet. Only new nodes are listed."""

    def __init__(self, graph: SymbolGraph, anew: frozenset[str]) -> None:
        super().__init__()
        self.known = self.members.known = self.orders.known = self.below.known = Known(graph, anew)
        self.number = self._numbers = _Numbers(graph)
        self.kinds = [KINDS[kind] for kind in graph.arrays.kinds]
        self.lines = [0] * len(graph)
        self.owner = [-1] * len(graph)

    def find(self, key: str) -> int | None:
        number = self._numbers.get(key)
        return self._numbers.of_graph.find(key) if number is None else number

    def bearers(self, name: str) -> Sequence[str]:
        return (*self.known.bearers(name), *self.by_name.get(name, ()))


def assemble(
    paths: Sequence[str], definitions: Mapping[str, Sequence[Definition]], linked: Mapping[str, LinkedFile]
) -> Graph:
    """The graph of all files. Nodes and edges stand in the order of paths and of their source."""
    made = _Builder()
    for path in paths:
        _define(made, path, definitions[path])
    _join(made, paths, definitions, linked)
    _fit_structures(made, definitions)
    _expand(made)
    above = {
        made.number[key]: tuple(made.number[k] for k in order if k in made.number) for key, order in made.orders.items()
    }
    return Graph(
        list(made.number),
        made.kinds,
        made.lines,
        made.owner,
        made.sources,
        made.targets,
        made.rules,
        made.at,
        made.width,
        made.branch,
        above,
        frozenset(made.number[key] for key in made.external),
        made.tests,
    )


def _join(
    made: _Builder,
    paths: Sequence[str],
    definitions: Mapping[str, Sequence[Definition]],
    linked: Mapping[str, LinkedFile],
) -> list[str]:
    """Takes over the classes, edges and tests of the files; answers with the classes."""
    classes = []
    for path in paths:
        for link in linked[path].classes:
            key = f"{path}:{definitions[path][link.index].name}"
            classes.append(key)
            # Of two classes of one name in one file either may be meant.
            made.orders[key] = tuple(dict.fromkeys((*made.orders[key], *link.order)))
            if link.external:
                made.external.add(key)
            for above in link.order[1:]:
                made.below[above].append(key)
    for path in paths:
        file = linked[path]
        if file.overriding:
            made.overriding[path] = {f"{path}:{definitions[path][index].name}" for index in file.overriding}
        own = [made.number[f"{path}:{d.name}"] for d in definitions[path]]
        family = f"~{family_of(path)}"
        for edge in file.edges:
            target = edge.target
            if "#" in target:
                made.called.add(target.rpartition("#")[2])
                # A name means its bearers in languages that can call each other.
                target = target + family if target[0] == "#" else target
            made.edge(own[edge.source], made.node(target), edge.rule, edge.line, 1, edge.branch)
        for test in file.tests:
            _test(made, path, definitions[path], test)
    return classes


def extend(
    graph: SymbolGraph,
    paths: Sequence[str],
    definitions: Mapping[str, Sequence[Definition]],
    linked: Mapping[str, LinkedFile],
) -> Delta:
    """What these linked files add to the graph, with what they mean for its slots, names and classes."""
    if not paths:
        return Delta()
    made = _Continued(graph, frozenset(paths))
    known = len(made.kinds)
    before = {path: [made.find(f"{path}:{d.name}") for d in definitions[path]] for path in paths}
    lines = {}
    for path in paths:
        _define(made, path, definitions[path])
        for definition in definitions[path]:
            lines[made.number[f"{path}:{definition.name}"]] = definition.line
    classes = _join(made, paths, definitions, linked)
    now = {key: Former(made.orders[key], made.members[key]) for key in classes}
    altered = {key: None for key in classes if made.known.former.get(key) != now[key]}
    altered |= dict.fromkeys(_fit_structures_again(made, classes))
    for key in list(made.number):
        _expand_node(made, key)
    for key in classes:
        _expand_class(made, key)
        own = made.find(f"{key}#%own")
        if own is not None and own < known:
            _expand_own(made, key, own)
    _expand_again(made, altered)
    for path in paths:
        for definition, old in zip(definitions[path], before[path], strict=True):
            if old is None and definition.kind in ("method", "property", "function") and definition.parent > 0:
                _answer_name(made, f"{path}:{definition.name}", known)
    edges = zip(made.sources, made.targets, made.rules, made.at, made.width, made.branch, strict=True)
    names = list(made.number)
    return Delta(
        tuple(names),
        tuple(made.kinds[known:]),
        {name: made.number[name] for name in names},
        lines,
        tuple(dict.fromkeys(edges)),
        made.tests,
    )


def _expand_again(made: _Continued, altered: Iterable[str]) -> None:
    """Classes with other members or bases answer to slots that the graph has already."""
    changed: dict[str, dict[str, None]] = {}
    for cls in altered:
        for one in (cls, *made.below[cls]):
            for above in made.orders[one]:
                changed.setdefault(above, {})[one] = None
    if not changed:
        return
    for key in made.known.slots():
        cls = key[: key.rfind("#")]
        if cls in changed:
            _expand_slot(made, key, changed[cls])


def _answer_name(made: _Builder, key: str, known: int) -> None:
    """A new method answers to a name that the graph has already."""
    name = key.rpartition(".")[2]
    target = made.number[key]
    family = family_of(key.partition(":")[0])
    asks = (f"#{name}~{family}", f"#.{name}~{family}") if made.kinds[target] == "property" else (f"#{name}~{family}",)
    for asked in asks:
        bearers = made.find(asked)
        if bearers is not None and bearers < known:
            made.edge(bearers, target, "name", 0, len(made.bearers(name)))


def _test(made: _Builder, path: str, definitions: Sequence[Definition], test: object) -> None:
    from tidegate.reach.linking.edges import TestLink

    if not isinstance(test, TestLink):
        raise TypeError(f"{test!r} is no test")
    number = made.node(test.node, "test", test.line)
    owner = made.number[f"{path}:{definitions[test.owner].name}"] if test.owner >= 0 else -1
    made.tests[number] = owner
    if test.inherited:
        made.edge(number, made.node(test.inherited), "own", test.line)
        made.edge(number, owner, "make", test.line)
        made.edge(number, owner, "own", test.line)


def _define(made: _Builder, path: str, definitions: Sequence[Definition]) -> None:
    for definition in definitions:
        key = f"{path}:{definition.name}"
        number = made.node(key, definition.kind, definition.line)
        parent = definitions[definition.parent] if definition.parent >= 0 else None
        if parent is not None and parent.kind in ("class", "interface"):
            name = definition.name.rpartition(".")[2]
            owner = f"{path}:{parent.name}"
            made.members[owner][name] = key
            made.owner[number] = made.number[owner]
            if definition.kind in ("method", "function", "property"):
                made.by_name.setdefault(name, []).append(key)
        elif parent is not None and definition.kind in ("method", "property"):
            # A member of an object that is no class: what calls it has often only its name.
            made.by_name.setdefault(definition.name.rpartition(".")[2], []).append(key)


def _expand(made: _Builder) -> None:
    """Edges out of slots, names and classes."""
    for key in list(made.number):
        _expand_node(made, key)
    for key in made.orders:
        _expand_class(made, key)


def _expand_node(made: _Builder, key: str) -> None:
    if key.startswith("#"):
        _expand_name(made, key)
    elif "#" in key and not key.endswith("#%own"):
        _expand_slot(made, key)


def _fit_structures(made: _Builder, definitions: Mapping[str, Sequence[Definition]]) -> None:
    """Where a language lets a class fit an interface that it does not name, its methods say whether it does."""
    structural = tuple(suffix for language in LANGUAGES if language.structural for suffix in language.suffixes)
    for path in definitions:
        if not path.endswith(structural):
            continue
        for definition in definitions[path]:
            if definition.kind == "interface":
                _fit(made, f"{path}:{definition.name}", path[path.rfind(".") :])


def _fit_structures_again(made: _Continued, classes: Sequence[str]) -> list[str]:
    """The classes that fit an interface which they did not name, where either was linked anew."""
    structural = tuple(suffix for language in LANGUAGES if language.structural for suffix in language.suffixes)
    found = []
    own = [key for key in dict.fromkeys(classes) if made.kinds[made.number[key]] == "interface"]
    for key in (*made.known.interfaces(), *own):
        path = key.partition(":")[0]
        if path.endswith(structural):
            found += _fit(made, key, path[path.rfind(".") :])
    return found


def _fit(made: _Builder, interface: str, suffix: str) -> list[str]:
    """Files the classes that fit below the interface; answers with those that did not stand there."""
    found: list[str] = []
    wanted = {name for above in made.orders[interface] for name in made.members[above]}
    if not wanted:
        return found
    rarest = min(wanted, key=lambda name: (len(made.bearers(name)), name))
    bearers = [bearer.rpartition(".")[0] for bearer in made.bearers(rarest)]
    for cls in dict.fromkeys(one for bearer in bearers for one in (bearer, *made.below[bearer])):
        if cls == interface or not made.orders.has(cls) or suffix not in cls:
            continue
        has = {name for above in made.orders[cls] for name in made.members[above]}
        if wanted <= has and interface not in made.orders[cls]:
            made.orders[cls] = (*made.orders[cls], interface)
            made.below[interface].append(cls)
            found.append(cls)
    return found


def _expand_name(made: _Builder, key: str) -> None:
    name, _, family = key[1:].rpartition("~")
    bearers = [one for one in made.bearers(name.removeprefix(".")) if made.family(one) == family]
    if name[:1] == ".":
        bearers = [one for one in bearers if made.kinds[made.number[one]] == "property"]
    if len(bearers) > NAME_LIMIT:
        return
    for bearer in bearers:
        made.edge(made.number[key], made.number[bearer], "name", 0, len(bearers))


def _expand_slot(made: _Builder, key: str, only: Iterable[str] | None = None) -> None:
    """The edges out of a slot, for these classes only where they are given."""
    cls, _, name = key.rpartition("#")
    classes = (cls, *made.below[cls]) if only is None else only
    if name.startswith("^"):
        _expand_super(made, key, cls, classes)
        return
    found: dict[str, None] = {}
    for one in classes:
        for wanted in _members(made, one, name) if name.endswith("%") else (name,):
            bearer = _lookup(made, one, wanted)
            if bearer:
                found[bearer] = None
    for bearer in found:
        if name == "%":
            made.edge(made.number[key], made.number[bearer], "framework", 0, _oddity(made, bearer.rpartition(".")[2]))
        else:
            made.edge(made.number[key], made.number[bearer], "dispatch", 0, len(found))


def _expand_super(made: _Builder, key: str, cls: str, classes: Iterable[str]) -> None:
    """What comes after a class differs with the class of the instance: mixins go on to each other."""
    name = key.rpartition("#^")[2]
    found: dict[str, None] = {}
    for one in classes:
        order = made.orders[one]
        for above in order[order.index(cls) + 1 :] if cls in order else ():
            bearer = made.members[above].get(name)
            if bearer:
                found[bearer] = None
                break
    for bearer in found:
        made.edge(made.number[key], made.number[bearer], "dispatch", 0, len(found))


def _members(made: _Builder, cls: str, beginning: str) -> Iterable[str]:
    start = beginning[:-1]
    for above in made.orders[cls]:
        for name, key in made.members[above].items():
            if name.startswith(start) and made.kinds[made.number[key]] == "method":
                yield name


def _lookup(made: _Builder, cls: str, name: str) -> str:
    for above in made.orders[cls]:
        key = made.members[above].get(name)
        if key:
            return key
    return ""


def _expand_class(made: _Builder, key: str) -> None:
    number = made.number[key]
    seen: set[str] = set()
    for above in made.orders[key]:
        for name, member in made.members[above].items():
            if name in seen:
                continue
            seen.add(name)
            target = made.number[member]
            if made.kinds[target] not in ("method", "property") or target in made.tests:
                continue
            if name in CONSTRUCTORS:
                made.edge(number, target, "construct")
            elif name.startswith("__") and name.endswith("__"):
                made.edge(number, target, "special", 0, _oddity(made, name))
    if key in made.external:
        for above in made.orders[key]:
            made.edge(number, _called_back(made, above), "framework")


def _called_back(made: _Builder, cls: str) -> int:
    """The node of a class's own methods that a base from outside can call; shared by all classes below it."""
    key = f"{cls}#%own"
    known = made.find(key)
    if known is not None:
        return known
    number = made.node(key)
    _expand_own(made, cls, number)
    return number


def _expand_own(made: _Builder, cls: str, number: int) -> None:
    # A file that marks what overrides a base marks all of it.
    overriding = made.overriding.get(cls.partition(":")[0])
    for name, member in made.members[cls].items():
        target = made.number[member]
        if overriding is not None and member not in overriding:
            continue
        special = name in CONSTRUCTORS or (name.startswith("__") and name.endswith("__"))
        if not special and made.kinds[target] in ("method", "property") and target not in made.tests:
            made.edge(number, target, "framework", 0, _oddity(made, name))


def _oddity(made: _Builder, name: str) -> int:
    """How unlikely it is that the outside calls a member of this name: 1, or more where other reasons explain it."""
    if name.startswith("__"):
        return 1 if name in _COMMON else 3 if name in _LESS_COMMON else 9
    return 9 if name.startswith("_") else 3 if name in made.called else 1
