"""Rust's paths and types as chains, and what every part of the reader shares: the source, the scope, what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.tree import Under
from tidegate.reach.symbols import Binding, BindingKind, Definition, Gap, Reference, ReferenceKind, Text

if TYPE_CHECKING:
    from tree_sitter import Node

_INTEGERS = "i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize char"
PLAIN = {
    **dict.fromkeys(_INTEGERS.split(" "), "%int"),
    "str": "%str",
    "String": "%str",
    "PathBuf": "%str",
    "bool": "%bool",
    "f32": "%float",
    "f64": "%float",
}
_TRANSPARENT = (
    "Option Result Box Rc Arc Cow Pin RefCell Cell Mutex RwLock OnceCell OnceLock LazyLock Lazy Weak MutexGuard Ref "
    "RefMut RwLockReadGuard RwLockWriteGuard ManuallyDrop MaybeUninit NonNull Wrapping Reverse Poll Saturating"
)
TRANSPARENT = frozenset(_TRANSPARENT.split(" "))
_SEQUENCES = "Vec VecDeque LinkedList HashSet BTreeSet BinaryHeap IndexSet SmallVec ArrayVec"
SEQUENCES = frozenset(_SEQUENCES.split(" "))
MAPS = frozenset(["HashMap", "BTreeMap", "IndexMap", "FxHashMap", "AHashMap", "DashMap"])
_ITERATORS = frozenset(["Iterator", "IntoIterator", "DoubleEndedIterator", "ExactSizeIterator", "Stream"])
_FUTURES = frozenset(["Future", "IntoFuture"])
_FUNCTIONS = frozenset(["Fn", "FnMut", "FnOnce"])
STANDARD = (
    "Some None Ok Err Self self super crate Sized Send Sync Copy Unpin Debug Display Clone Default Eq PartialEq Ord "
    "PartialOrd Hash Drop From Into TryFrom TryInto AsRef AsMut ToString ToOwned FromStr Any Error drop usize _"
)
NOTHING = (
    frozenset(STANDARD.split(" "))
    | frozenset(PLAIN)
    | TRANSPARENT
    | SEQUENCES
    | MAPS
    | _ITERATORS
    | _FUTURES
    | _FUNCTIONS
)
_PATHS = frozenset(["type_identifier", "identifier", "scoped_type_identifier", "scoped_identifier"])
_FIRST = frozenset(["reference_type", "pointer_type", "bracketed_type", "parenthesized_type"])


class Scope:
    """The definition whose code is being read. `modules` are the inline modules around it, from the outside in."""

    __slots__ = ("bounds", "closures", "index", "locals", "modules", "name", "type_parameters")

    def __init__(self, index: int, name: str, modules: tuple[str, ...]) -> None:
        self.index = index
        self.name = name
        self.modules = modules
        self.locals: set[str] = set()
        self.type_parameters: set[str] = set()
        self.bounds: list[tuple[str, str]] = []
        self.closures: dict[str, str] = {}


class RustTypes:
    """Reads paths and types. Every name of a type that is met is a reference of kind "type"."""

    def __init__(self, source: bytes) -> None:
        # Latin-1 keeps offsets of bytes as offsets of characters; texts beyond ASCII are mended when they are cut out.
        self.text = source.decode("latin-1")
        self.plain = source.isascii()
        self.definitions: list[Definition | None] = []
        self.bindings: list[Binding] = []
        self.references: list[Reference] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.scope = Scope(0, "", ())
        self.under = Under()
        self.declared: set[str] = set()
        self.known: dict[str, tuple[str, tuple[str, ...]]] = {}

    def cut(self, node: Node) -> str:
        text = self.text[node.start_byte : node.end_byte]
        return text if self.plain or text.isascii() else text.encode("latin-1").decode("utf-8", "replace")

    def refer(self, kind: ReferenceKind, chain: str, node: Node, arguments: tuple[str, ...] = ()) -> None:
        line = node.start_point[0] + 1
        self.references.append(Reference(self.scope.index, kind, chain, line, arguments, self.under.branch))

    def bind(self, name: str, chain: str, kind: BindingKind, node: Node) -> None:
        """A local name means the chain; "?" is written down too, for it hides what stands outside."""
        scope = self.scope
        if name == "_" or chain == name or (chain == "?" and name in scope.locals):
            return
        scope.locals.add(name)
        line = node.start_point[0] + 1
        self.bindings.append(Binding(scope.index, name, chain, kind, scope.index, line))

    # paths

    def path_of(self, node: Node) -> str:
        """The chain of a path: `crate::a::B` is "<crate>.a.B", `Self::new` is "cls.new"."""
        text = self.cut(node)
        if "<" in text or " " in text or "\n" in text:
            return self._by_parts(node)
        return self.spell(text.split("::"))

    def spell(self, names: list[str]) -> str:
        """The chain of the names of a path. What begins with a crate is told by its name not standing in this file."""
        first = names[0]
        first = first.removeprefix("r#")
        if first == "Self":
            return ".".join(["cls", *names[1:]])
        if first in ("crate", "$crate"):
            return ".".join(["<crate>", *names[1:]])
        if first == "self" and len(names) > 1:
            return ".".join(["<self>", *self.scope.modules, *names[1:]])
        if first == "super":
            return self._above(names)
        if first == "":
            return ".".join([f"<{names[1]}>", *names[2:]]) if len(names) > 1 else "?"
        if len(names) > 1 and self._is_crate(first):
            return ".".join([f"<{first}>", *names[1:]])
        return ".".join([first, *names[1:]]) if len(names) > 1 else first

    def _is_crate(self, name: str) -> bool:
        scope = self.scope
        known = name in self.declared or name in scope.locals or name in scope.type_parameters
        return not known and name.islower() and name not in PLAIN

    def _above(self, names: list[str]) -> str:
        steps = 0
        while steps < len(names) and names[steps] == "super":
            steps += 1
        inline = self.scope.modules
        if steps <= len(inline):
            return ".".join(["<self>", *inline[: len(inline) - steps], *names[steps:]])
        root = "::".join(["super"] * (steps - len(inline)))
        return ".".join([f"<{root}>", *names[steps:]])

    def _by_parts(self, node: Node) -> str:
        """A path with type arguments in it, or that begins with `<Type as Trait>`."""
        kind = node.type
        if kind in ("scoped_identifier", "scoped_type_identifier"):
            path, name = node.child_by_field_name("path"), node.child_by_field_name("name")
            if path is None or name is None:
                return "?"
            return f"{self._by_parts(path)}.{self.cut(name)}"
        if kind in ("generic_type", "generic_type_with_turbofish", "generic_function"):
            inner = node.named_children
            for part in inner[1:]:
                self.type_of(part)
            return self._by_parts(inner[0])
        if kind == "bracketed_type":
            return self._qualified(node)
        text = self.cut(node)
        if "<" in text or "(" in text:
            return self.class_of(node) or "?"
        return self.spell(["".join(part.split()) for part in text.split("::")])

    def _qualified(self, node: Node) -> str:
        inner = node.named_children
        if inner and inner[0].type == "qualified_type":
            parts = inner[0].named_children
            if len(parts) > 1:
                self.type_of(parts[-1])
            return self.class_of(parts[0]) or "?"
        return self.class_of(inner[0]) or "?" if inner else "?"

    # types

    def type_of(self, node: Node) -> str:
        """The chain of an instance of a type, "?" where it says nothing."""
        text = self.cut(node)
        known = self.known.get(text)
        if known is None:
            names: list[str] = []
            known = self._type(node, names), tuple(dict.fromkeys(names))
            if not self.scope.modules and "super" not in text:
                self.known[text] = known
        for name in known[1]:
            if name not in self.scope.type_parameters:
                self.refer("type", name, node)
        return known[0]

    def class_of(self, node: Node) -> str:
        """The chain of a type itself, "" for one without a name."""
        chain = self.type_of(node)
        return "cls" if chain == "cls!" else chain[:-1] if chain.endswith("!") else ""

    def _type(self, node: Node, names: list[str]) -> str:
        kind = node.type
        if kind in _PATHS:
            return self._named(node, names)
        if kind == "generic_type":
            return self._generic(node, names)
        if kind in _FIRST:
            inner = [part for part in node.named_children if part.type not in ("lifetime", "mutable_specifier")]
            return self._type(inner[-1], names) if inner else "?"
        if kind in ("dynamic_type", "abstract_type", "bounded_type", "higher_ranked_trait_bound"):
            return self._bounded(node, names)
        if kind == "array_type":
            element = node.child_by_field_name("element")
            return _container(self._type(element, names)) if element is not None else "?"
        if kind == "primitive_type":
            return PLAIN.get(self.cut(node), "?")
        self._every(node, names)
        return "%func" if kind == "function_type" else "?"

    def _named(self, node: Node, names: list[str]) -> str:
        text = self.cut(node)
        if text == "Self":
            return "cls!"
        plain = PLAIN.get(text)
        if plain is not None:
            return plain
        chain = self.path_of(node)
        if text not in NOTHING and chain != "?" and not chain.startswith("cls"):
            names.append(chain)
        return chain + "!" if chain != "?" else "?"

    def _generic(self, node: Node, names: list[str]) -> str:
        inner = node.named_children
        base = self._type(inner[0], names)
        name = self.cut(inner[0]).rpartition("::")[2]
        listed = [part for part in inner[-1].named_children if part.type != "lifetime"] if len(inner) > 1 else []
        bound = [part for part in listed if part.type == "type_binding"]
        chains = [self._type(part, names) for part in listed if part.type != "type_binding"]
        for part in bound:
            kind = part.child_by_field_name("type")
            if kind is not None:
                chains.append(self._type(kind, names))
        if name in TRANSPARENT or (name.endswith("Result") and chains):
            return chains[0] if chains else "?"
        if name in SEQUENCES or name in _ITERATORS:
            return _container(chains[-1] if name in _ITERATORS else chains[0]) if chains else "%list"
        if name in MAPS:
            return _container(chains[1], "%dict") if len(chains) > 1 else "%dict"
        if name in _FUTURES and chains:
            return chains[-1]
        return "%func" if name in _FUNCTIONS else base

    def _bounded(self, node: Node, names: list[str]) -> str:
        """`dyn Trait + Send`, `impl Trait`: the first bound that is not of the language itself."""
        found = "?"
        for part in node.named_children:
            if part.type in ("lifetime", "type_parameters"):
                continue
            chain = self._type(part, names)
            if found == "?" and chain != "?" and chain[:-1] not in NOTHING:
                found = chain
        if node.type != "bounded_type" and "Fn" in self.cut(node) and found == "?":
            return "%func"
        return found

    def _every(self, node: Node, names: list[str]) -> None:
        stack = list(node.named_children)
        while stack:
            part = stack.pop()
            if part.type in ("type_identifier", "scoped_type_identifier"):
                self._named(part, names)
            else:
                stack.extend(part.named_children)


def _container(chain: str, plain: str = "%list") -> str:
    return chain + "*" if chain[0] not in "%?" else plain
