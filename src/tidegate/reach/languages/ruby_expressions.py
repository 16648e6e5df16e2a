"""Ruby's expressions as chains. What an expression uses is written down while its chain is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tidegate.reach.languages import ruby_words as words
from tidegate.reach.languages.ruby_scope import Draft, Scope
from tidegate.reach.languages.tree import STEP_LOOK_ALIKES, TEXT_LIMIT, names_something, node_kinds, unescape
from tidegate.reach.symbols import Binding, BindingKind, Gap, Reference, ReferenceKind, Text

if TYPE_CHECKING:
    from tree_sitter import Node

_GRAMMAR = "tree_sitter_ruby"
_PLAIN = {
    "integer": "%int", "float": "%float", "true": "%bool", "false": "%bool", "regex": "%str", "symbol_array": "%list",
    "string_array": "%list", "character": "%str", "rational": "%float", "complex": "%float", "range": "%list",
}  # fmt: skip
_SILENT = ("comment", "nil", "forward_argument", "uninterpreted", "empty_statement", "string_content",
           "escape_sequence", "hash_key_symbol", "heredoc_content", "heredoc_end", "redo", "retry",
           "undef")  # fmt: skip
_TRUTH = frozenset(["==", "!=", "<", "<=", ">", ">=", "===", "=~", "!~", "defined?", "!", "not"])
UNIONS = frozenset(["if", "unless", "conditional", "case", "begin", "binary", "if_modifier", "unless_modifier", "elsif",
                    "else", "then", "case_match", "rescue_modifier", "parenthesized_statements"])  # fmt: skip
_BRANCHES = frozenset(["then", "else", "elsif", "when", "in_clause", "rescue", "ensure", "begin", "body_statement"])
_STRINGS = frozenset(["string", "simple_symbol", "delimited_symbol", "bare_string", "bare_symbol", "chained_string",
                      "heredoc_beginning"])  # fmt: skip


Reader: TypeAlias = "Callable[[RubyExpressions, Node], str]"


class RubyExpressions:
    """`read` gives the chain of a value. `alternatives` has what the last conditional could have given."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.drafts: list[Draft] = []
        self.bindings: list[Binding] = []
        self.references: list[Reference] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.alternatives: list[str] = []
        self.described = ""
        self.scope = Scope(0, 0, "", "?")
        self.plain = source.isascii()
        self.text = source.decode("ascii") if self.plain else ""
        self._readers = self._table()

    @classmethod
    def more_readers(cls) -> dict[str, str]:
        """The readers of calls and definitions: the names of methods by kind."""
        return {}

    @classmethod
    @cache
    def _table(cls) -> tuple[Reader, ...]:
        """The readers by the number of a kind, made once."""
        readers: dict[str, Reader] = {
            "identifier": cls._identifier,
            "constant": cls._constant,
            "scope_resolution": cls._constant,
            "self": lambda reader, _: reader.scope.me,
            "instance_variable": lambda reader, node: reader.member_of_me(reader.cut(node)),
            "class_variable": lambda reader, node: reader.member_of_me(reader.cut(node)),
            "global_variable": lambda reader, node: reader.cut(node),
            "assignment": cls._assignment,
            "operator_assignment": cls._assignment,
            "string": cls._string,
            "simple_symbol": cls._string,
            "delimited_symbol": cls._string,
            "chained_string": cls._string,
            "array": cls._array,
            "hash": cls._hash,
            "pair": cls._pair,
            "element_reference": cls._element,
            "binary": cls._binary,
            "unary": cls._unary,
            "super": cls._super,
            "lambda": lambda reader, node: reader.block(node),
            "block": lambda reader, node: reader.block(node),
            "do_block": lambda reader, node: reader.block(node),
            "return": cls._return,
            "case": cls._case,
            "for": cls._for,
            "rescue": cls._rescue,
            "alias": cls._alias,
            "parenthesized_statements": cls.last,
            "then": cls.last,
            "else": cls.last,
            "body_statement": cls.last,
            "block_body": cls.last,
            "begin": cls._branches,
            "if": cls._branches,
            "unless": cls._branches,
            "elsif": cls._branches,
            "conditional": cls._branches,
            "rescue_modifier": cls._branches,
            "subshell": cls._string,
        }
        readers.update((name, _always(chain)) for name, chain in _PLAIN.items())
        readers.update((name, _always("?")) for name in _SILENT)
        readers.update((name, getattr(cls, method)) for name, method in cls.more_readers().items())
        return tuple([readers.get(name, cls.parts) for name in node_kinds(_GRAMMAR)])

    # what everything is read with

    def read(self, node: Node) -> str:
        number = node.kind_id
        return self._readers[number](self, node) if number < len(self._readers) else self.broken(node)

    def parts(self, node: Node) -> str:
        """Whatever has no reader of its own is read part by part."""
        for part in node.named_children:
            self.read(part)
        return "?"

    def last(self, node: Node) -> str:
        """A sequence gives what its last statement gives."""
        chain = "?"
        self.alternatives = []
        for part in node.named_children:
            kind = part.type
            if kind == "heredoc_body" or kind == "comment":
                self.read(part)
            elif kind in ("rescue", "else", "ensure"):
                before = [chain]
                self.read(part)
                self.alternatives = [*before, *self.alternatives]
            else:
                self.alternatives = []
                chain = self.read(part)
        return chain

    def broken(self, node: Node) -> str:
        self.gaps.append(Gap(self.scope.index, "syntax", node.start_point[0] + 1))
        return self.parts(node)

    def cut(self, node: Node) -> str:
        if self.plain:
            return self.text[node.start_byte : node.end_byte]
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def refer(self, kind: ReferenceKind, chain: str, line: int, arguments: tuple[str, ...] = ()) -> None:
        self.references.append(Reference(self.scope.index, kind, chain, line, arguments))

    def bind(self, scope: int, name: str, value: str, kind: BindingKind, line: int) -> None:
        if value != "?":
            self.bindings.append(Binding(scope, name, value, kind, self.scope.index, line))

    def gap(self, reason: str, line: int) -> None:
        self.gaps.append(Gap(self.scope.index, reason, line))

    def member_of_me(self, name: str) -> str:
        return f"{self.scope.me}.{name}" if self.scope.me != "?" else name

    def values(self, node: Node) -> list[str]:
        """Everything that an expression may give."""
        self.alternatives = []
        chain = self.read(node)
        found = [chain, *self.alternatives] if node.type in UNIONS else [chain]
        self.alternatives = []
        return list(dict.fromkeys(one for one in found if one != "?")) or ["?"]

    # names

    def _identifier(self, node: Node) -> str:
        name = self.cut(node)
        if name in self.scope.locals:
            return name
        if name == "described_class" and self.described:
            return self.described
        if name in words.VISIBILITIES and self.scope.is_body:
            self.visibility(name, [])
            return "?"
        return self.call_by_name(name, node)

    def visibility(self, name: str, given: list[Node]) -> None:
        """`private` alone, or with the names of what it is about."""
        raise NotImplementedError

    def call_by_name(self, name: str, node: Node) -> str:
        """A bare name that is no local variable is a call."""
        name = name.translate(STEP_LOOK_ALIKES)
        if name == "new" and self.scope.me == "cls":
            name = "cls"
        self.refer("call", name, node.start_point[0] + 1)
        return name + "()"

    def _constant(self, node: Node) -> str:
        chain = self.constant_path(node)
        if chain != "?":
            self.refer("read", chain, node.start_point[0] + 1)
        return chain

    def constant_path(self, node: Node) -> str:
        """A constant's chain, without writing down its use."""
        text = self.cut(node)
        if node.type == "constant":
            return text
        path = text.removeprefix("::").replace("::", ".")
        if path.replace(".", "").replace("_", "").isalnum():
            return path
        parts = node.named_children
        root = self.read(parts[0]) if len(parts) > 1 else "?"
        return f"{root}.{self.cut(parts[-1])}" if root != "?" else "?"

    # assignments

    def _assignment(self, node: Node) -> str:
        parts = [part for part in node.named_children if part.type != "comment"]
        if len(parts) < 2:
            return self.parts(node)
        left, right = parts[0], parts[-1]
        if left.type == "constant" and (made := self.constant(node, left, right)):
            return made
        if left.type == "left_assignment_list":
            return self._spread(left, right)
        values = self.values(right)
        if node.type == "operator_assignment" and left.type in ("call", "element_reference"):
            self.read(left)
        self.assign(left, values)
        return values[0]

    def constant(self, node: Node, left: Node, right: Node) -> str:
        """A constant of a class or file is a definition; "" where it is none."""
        raise NotImplementedError

    def _spread(self, left: Node, right: Node) -> str:
        targets = left.named_children
        if right.type == "right_assignment_list":
            given = [self.values(part) for part in right.named_children]
            single = ["?"]
        else:
            given = []
            single = [value + "[]" for value in self.values(right) if value not in ("?", "%list")] or ["?"]
        for place, target in enumerate(targets):
            self.assign(target, given[place] if len(given) == len(targets) else single)
        return "?"

    def assign(self, target: Node, values: list[str]) -> None:
        kind, line = target.type, target.start_point[0] + 1
        if kind == "identifier":
            name = self.cut(target)
            self.scope.locals.add(name)
            for value in values:
                if value != name:
                    self.bind(self.scope.index, name, value, "assign", line)
        elif kind in ("instance_variable", "class_variable", "global_variable"):
            owner = 0 if kind == "global_variable" else self.scope.owner
            for value in values:
                self.bind(owner, self.cut(target), value, "assign", line)
        elif kind == "call":
            self._set(target, values, line)
        elif kind == "element_reference":
            chain = self.read(target)[:-2]
            self.refer("call", f"{chain}.［］=", line, (_argument(values[0]),))
        elif kind in ("splat_argument", "rest_assignment", "destructured_left_assignment"):
            for part in target.named_children:
                self.assign(part, ["?"])
        else:
            self.read(target)

    def _set(self, target: Node, values: list[str], line: int) -> None:
        receiver, method = target.child_by_field_name("receiver"), target.child_by_field_name("method")
        if receiver is None or method is None:
            self.read(target)
            return
        chain = self.receiver(receiver)
        name = self.cut(method)
        self.refer("call", f"{chain}.{name}=" if chain != "?" else f"?.{name}=", line, (_argument(values[0]),))

    def receiver(self, node: Node) -> str:
        """What a call is made on: a constant in front of a call is no use of its own."""
        kind = node.type
        if kind == "constant" or kind == "scope_resolution":
            return self.constant_path(node)
        return self.read(node)

    # literals

    def text_of(self, node: Node) -> str:
        """The text of a string or symbol, with {} for its holes; what is in the holes is read."""
        kind = node.type
        if kind == "simple_symbol":
            return self.cut(node)[1:]
        parts = []
        for part in node.named_children:
            inner = part.type
            if inner == "string_content":
                parts.append(self.cut(part))
            elif inner == "escape_sequence":
                parts.append(unescape(self.cut(part)))
            elif inner == "string":
                parts.append(self.text_of(part))
            else:
                self.read(part)
                parts.append("{}")
        return "".join(parts)[:TEXT_LIMIT]

    def literal(self, node: Node) -> str:
        """The text of a literal, which is written down where it may name something outside of the code."""
        if node.type == "hash_key_symbol":
            return self.cut(node)
        text = self.text_of(node)
        if names_something(text):
            self.texts.append(Text(self.scope.index, text, node.start_point[0] + 1))
        return text

    def _string(self, node: Node) -> str:
        self.literal(node)
        return "%str"

    def _array(self, node: Node) -> str:
        found = {self.handed(part) for part in node.named_children}
        only = found.pop() if len(found) == 1 else ""
        return only + "*" if only.endswith("()") else "%list"

    def _hash(self, node: Node) -> str:
        self.parts(node)
        return "%dict"

    def _pair(self, node: Node) -> str:
        for part in node.named_children:
            self.handed(part)
        return "?"

    def handed(self, node: Node) -> str:
        """A value that goes elsewhere: a constant in it is handed over."""
        if node.type in ("constant", "scope_resolution"):
            chain = self.constant_path(node)
            if chain != "?":
                self.refer("pass", chain, node.start_point[0] + 1)
            return chain
        return self.read(node)

    def argument(self, node: Node) -> str:
        """An argument of a call as a reference lists it."""
        kind = node.type
        if kind in _STRINGS:
            return f'"{self.literal(node)}"'
        if kind == "pair":
            parts = node.named_children
            if len(parts) == 2 and parts[0].type in ("hash_key_symbol", "simple_symbol", "string"):
                return f"{self.literal(parts[0])}={self.argument(parts[1])}"
            if len(parts) == 1 and parts[0].type == "hash_key_symbol":
                name = self.cut(parts[0])
                chain = name if name in self.scope.locals else self.call_by_name(name, parts[0])
                return f"{name}={chain}"
        if kind == "splat_argument" or kind == "hash_splat_argument":
            self.parts(node)
            return ""
        return _argument(self.handed(node))

    # operators and statements

    def _element(self, node: Node) -> str:
        parts = node.named_children
        if not parts:
            return "?"
        chain = self.receiver(parts[0])
        for part in parts[1:]:
            self.handed(part)
        if chain.startswith(("self.", "cls.")) or chain[:1].isupper() or chain in ("self", "cls"):
            self.refer("call", f"{chain}.［］", node.start_point[0] + 1)
        return chain + "[]"

    def _binary(self, node: Node) -> str:
        parts = node.children
        if len(parts) != 3:
            return self.parts(node)
        sign = parts[1].type
        if sign in ("||", "&&", "or", "and"):
            left, right = self.values(parts[0]), self.values(parts[2])
            self.alternatives = [*left, *right] if sign in ("||", "or") else right
            return "?"
        left_chain, line = self.read(parts[0]), node.start_point[0] + 1
        self.handed(parts[2])
        if left_chain.startswith(("self.", "cls.")) or left_chain in ("self", "cls"):
            self.refer("call", f"{left_chain}.{sign.translate(STEP_LOOK_ALIKES)}", line)
        if sign in _TRUTH:
            return "%bool"
        return left_chain if left_chain.startswith("%") or sign == "<<" else "?"

    def _unary(self, node: Node) -> str:
        chain = self.parts(node)
        return "%bool" if node.children and node.children[0].type in _TRUTH else chain

    def _super(self, node: Node) -> str:
        chain = f"super.{self.scope.method or 'initialize'}"
        self.refer("call", chain, node.start_point[0] + 1)
        return chain + "()"

    def _return(self, node: Node) -> str:
        for part in node.named_children:
            for value in part.named_children[:1] if len(part.named_children) == 1 else ():
                self.returned(self.values(value))
            if len(part.named_children) > 1:
                self.parts(part)
        return "?"

    def returned(self, values: list[str]) -> None:
        """What the method around this gives."""
        if not self.scope.method:
            return
        local = [value for value in values if value != "?"]
        self.drafts[self.scope.index].returns += local

    def _branches(self, node: Node) -> str:
        """What each branch gives is an alternative."""
        found: list[str] = []
        parts = [part for part in node.named_children if part.type != "comment"]
        for place, part in enumerate(parts):
            self.alternatives = []
            chain = self.read(part)
            if (
                part.type in _BRANCHES
                or node.type == "begin"
                or (place and node.type in ("conditional", "rescue_modifier"))
            ):
                found += [chain, *self.alternatives]
        self.alternatives = [chain for chain in dict.fromkeys(found) if chain != "?"]
        return self.alternatives[0] if len(self.alternatives) == 1 else "?"

    def _case(self, node: Node) -> str:
        value = node.child_by_field_name("value")
        name = self.cut(value) if value is not None and value.type == "identifier" else ""
        found: list[str] = []
        for part in node.named_children:
            if part.type == "when" and name:
                for pattern in part.children_by_field_name("pattern"):
                    inner = pattern.named_children
                    if inner and inner[0].type in ("constant", "scope_resolution"):
                        chain = self.constant_path(inner[0])
                        if chain != "?":
                            self.bind(self.scope.index, name, chain + "!", "narrow", part.start_point[0] + 1)
            self.alternatives = []
            chains = [self.read(inner) for inner in part.named_children] if part.type == "when" else [self.read(part)]
            if part.type in ("when", "else"):
                found += [*chains[-1:], *self.alternatives]
        self.alternatives = [chain for chain in dict.fromkeys(found) if chain != "?"]
        return "?"

    def _for(self, node: Node) -> str:
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        if pattern is not None and value is not None and value.named_children:
            chain = self.read(value.named_children[0])
            self.assign(pattern, ["?" if chain.startswith(("%", "?")) else chain + "[]"])
        for part in node.named_children[2:]:
            self.read(part)
        return "?"

    def _rescue(self, node: Node) -> str:
        caught: list[str] = []
        chain = "?"
        for part in node.named_children:
            if part.type == "exceptions":
                for kind in part.named_children:
                    chain = self.read(kind)
                    if kind.type in ("constant", "scope_resolution") and chain != "?":
                        caught.append(chain + "!")
            elif part.type == "exception_variable":
                for target in part.named_children:
                    self.assign(target, caught or ["?"])
            else:
                chain = self.read(part)
        return chain

    def _alias(self, node: Node) -> str:
        new, old = node.child_by_field_name("name"), node.child_by_field_name("alias")
        if new is not None and old is not None:
            self.alias(self.cut(new).lstrip(":"), self.cut(old).lstrip(":"), node.start_point[0] + 1)
        return "?"

    def alias(self, new: str, old: str, line: int) -> None:
        new, old = new.translate(STEP_LOOK_ALIKES), old.translate(STEP_LOOK_ALIKES)
        if new != old:
            self.bind(self.scope.owner, new, self.instance_member(old), "assign", line)

    def instance_member(self, name: str) -> str:
        return f"self.{name}" if self.scope.owner else name

    # blocks

    def block(self, node: Node, element: str = "?") -> str:
        """A block belongs to the definition around it; its parameters are local variables there."""
        chain = "%func"
        for part in node.named_children:
            kind = part.type
            if kind in ("block_parameters", "lambda_parameters"):
                self.block_parameters(part, element)
            elif kind in ("block", "do_block"):
                self.block(part)
            else:
                self.read(part)
        return chain

    def block_parameters(self, node: Node, element: str = "?") -> None:
        """The parameters of a block are local variables; the first one may be an element."""
        for place, part in enumerate(node.named_children):
            if part.type == "identifier":
                name = self.cut(part)
                self.scope.locals.add(name)
                if place == 0 and element != "?":
                    self.bind(self.scope.index, name, element, "assign", part.start_point[0] + 1)
            else:
                for name_node in _names_in(part):
                    self.scope.locals.add(self.cut(name_node))


def _always(chain: str) -> Reader:
    return lambda *_: chain


def _argument(chain: str) -> str:
    return "" if chain == "?" else chain


def _names_in(node: Node) -> list[Node]:
    """The names that a parameter of a complicated form introduces."""
    if node.type == "identifier":
        return [node]
    name = node.child_by_field_name("name")
    if name is not None:
        return [name]
    found: list[Node] = []
    stack = list(node.named_children)
    while stack:
        part = stack.pop()
        if part.type == "identifier":
            found.append(part)
        elif part.type != "comment":
            stack.extend(part.named_children)
    return found
