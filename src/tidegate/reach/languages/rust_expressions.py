"""Rust's expressions and patterns as chains. What an expression uses is written down while its chain is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from tidegate.reach.languages.rust_tokens import read_tokens
from tidegate.reach.languages.rust_types import NOTHING, PLAIN, RustTypes
from tidegate.reach.languages.tree import TEXT_LIMIT, names_something, node_kinds, unescape
from tidegate.reach.symbols import Gap, Reference, Text

if TYPE_CHECKING:
    from tree_sitter import Node

_NAME = re.compile(r"[a-z_]\w*").fullmatch
_SILENT = (
    "unwrap expect unwrap_or unwrap_or_else unwrap_or_default unwrap_unchecked as_deref as_deref_mut ok_or ok_or_else "
    "map_err cloned copied or or_else"
)
_SAME = "clone as_ref as_mut to_owned borrow borrow_mut by_ref rev peekable collect lock as_slice to_vec chain boxed"
_ELEMENT = "get_mut pop_front pop_back first_mut last_mut nth peek remove swap_remove back front"
_OVER = (
    "for_each filter filter_map flat_map any all find find_map position inspect take_while skip_while partition map "
    "and_then is_some_and is_ok_and map_or map_or_else max_by_key min_by_key sort_by_key retain then"
)
SILENT = frozenset(_SILENT.split(" "))
"""Methods of Option and Result that give what these hold."""
SAME = frozenset(_SAME.split(" "))
"""Methods that give an equal value, or one that the same can be asked of."""
ELEMENT = frozenset(_ELEMENT.split(" "))
"""Methods that give an element."""
OVER = frozenset(_OVER.split(" "))
"""Methods whose closure is called with what is held."""
MAPPED = frozenset(["map", "and_then", "filter_map", "flat_map", "map_or", "map_or_else", "then"])
KEPT = SILENT | {"filter", "inspect", "take_while", "skip_while"}
_ITERATING = ("iter()", "iter_mut()", "*", "values()", "keys()", "lines()", "drain()", "enumerate()")
_WRAPPERS = re.compile(
    r"(?:Some|Ok|(?:\w+::)*(?:Box|Rc|Arc|Mutex|RwLock|RefCell|Cell|Pin|Cow|OnceCell)::(?:new|pin|from|clone|Borrowed|Owned))"
).fullmatch
_EMPTY = re.compile(r"(?:\w+::)*(Vec|VecDeque|HashMap|HashSet|BTreeMap|BTreeSet|String|PathBuf)::\w+").fullmatch
_MACROS = {"format": "%str", "concat": "%str", "stringify": "%str", "env": "%str", "matches": "%bool", "line": "%int"}
_MACROS_WITHOUT_VALUE = (
    "println print eprintln eprint write writeln panic assert assert_eq assert_ne debug_assert debug_assert_eq "
    "debug_assert_ne vec dbg todo unimplemented unreachable include_str include_bytes include compile_error cfg column "
    "file module_path option_env thread_local"
)
KNOWN_MACROS = frozenset(_MACROS_WITHOUT_VALUE.split(" ")) | frozenset(_MACROS)
_BENT = frozenset(["ref_pattern", "mut_pattern", "reference_pattern", "or_pattern", "captured_pattern"])


class RustExpressions(RustTypes):
    """`read` gives the chain of an expression, `value` that of one that is handed over, `path` of a beginning."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.methods: set[str] = set()
        self.quiet_macros = KNOWN_MACROS
        self.readers, self.most = _reader_table(cast("Hashable", type(self)))

    @classmethod
    def readers_of(cls) -> dict[str, Callable[[Any, Node], str]]:
        """What reads each kind of node. A reader is looked up by class, so that no instance refers to itself."""
        readers: dict[str, Callable[[Any, Node], str]] = {
            "identifier": cls._identifier,
            "self": _always("self"),
            "scoped_identifier": cls._scoped,
            "generic_function": cls._generic_function,
            "field_expression": cls._field,
            "call_expression": cls._call,
            "macro_invocation": cls._macro,
            "struct_expression": cls._struct_literal,
            "closure_expression": cls._closure,
            "reference_expression": cls._last,
            "unary_expression": cls._unary,
            "try_expression": cls._last,
            "await_expression": cls._last,
            "parenthesized_expression": cls._last,
            "async_block": cls._last,
            "unsafe_block": cls._last,
            "const_block": cls._last,
            "try_block": cls._last,
            "block": cls._block,
            "index_expression": cls._index,
            "binary_expression": cls._binary,
            "type_cast_expression": cls._cast,
            "array_expression": cls._array,
            "tuple_expression": cls._several,
            "string_literal": cls._string,
            "raw_string_literal": cls._string,
            "if_expression": cls._if,
            "match_expression": cls._match,
            "let_condition": cls._let_condition,
            "for_expression": cls._for,
            "while_expression": cls._loop,
            "loop_expression": cls._loop,
            "let_declaration": cls._let,
            "assignment_expression": cls._assignment,
            "return_expression": cls._returned,
            "break_expression": cls._returned,
            "integer_literal": _always("%int"),
            "float_literal": _always("%float"),
            "boolean_literal": _always("%bool"),
            "char_literal": _always("%int"),
        }
        for kind in ("line_comment", "block_comment", "lifetime", "label", "visibility_modifier", "field_identifier"):
            readers[kind] = _always("?")
        for kind in ("attribute_item", "inner_attribute_item", "mutable_specifier", "empty_statement"):
            readers[kind] = _always("?")
        for kind in ("type_identifier", "generic_type", "scoped_type_identifier", "reference_type", "type_arguments"):
            readers[kind] = cls.type_of
        return readers

    def read(self, node: Node) -> str:
        number = node.kind_id
        return self.readers[number](self, node) if number < self.most else self.broken(node)

    def parts(self, node: Node) -> str:
        """Whatever has no reader of its own is read part by part."""
        for part in node.named_children:
            self.read(part)
        return "?"

    def broken(self, node: Node) -> str:
        self.gaps.append(Gap(self.scope.index, "syntax", node.start_point[0] + 1))
        return self.parts(node)

    def under_branch(self, node: Node, what: str = "branches") -> str:
        self.under.enter(what)
        chain = self.read(node)
        self.under.leave(what)
        return chain

    # names

    def is_local(self, chain: str) -> bool:
        return chain in self.scope.locals or chain in NOTHING or chain in ("?", "cls")

    def _identifier(self, node: Node) -> str:
        return self._used(node, "read")

    def _used(self, node: Node, kind: str) -> str:
        name = self.cut(node)
        if not self.is_local(name):
            self.refer("pass" if kind == "pass" else "read", name, node)
            if name[0].isupper() and not name.isupper():
                return name + "()"
        return "?" if name == "None" else name

    def _scoped(self, node: Node) -> str:
        return self._used_path(node, "read")

    def _used_path(self, node: Node, kind: str) -> str:
        """A path as a value: a variant without fields is an instance of its enum, a constant is what it is."""
        chain = self.path_of(node)
        if chain == "?" or chain.rpartition(".")[0] in PLAIN:
            return "?"
        self.refer("pass" if kind == "pass" else "read", chain, node)
        last = chain.rpartition(".")[2]
        return chain + "()" if last[:1].isupper() and not last.isupper() else chain

    def _generic_function(self, node: Node) -> str:
        chain = self.path(node)
        self.refer("read", chain, node)
        return chain

    def path(self, node: Node) -> str:
        """The chain of an expression whose own use is written down by who asks."""
        kind = node.type
        if kind == "identifier":
            return self.cut(node)
        if kind == "self":
            return "self"
        if kind == "field_expression":
            return self._member(node)
        if kind == "scoped_identifier":
            return self.path_of(node)
        if kind == "generic_function":
            parts = node.named_children
            for part in parts[1:]:
                self.type_of(part)
            return self.path(parts[0])
        return self.read(node)

    def _member(self, node: Node) -> str:
        parts = node.named_children
        if len(parts) < 2:
            return "?"
        return f"{self.path(parts[0])}.{self.cut(parts[-1])}"

    def _field(self, node: Node) -> str:
        chain = self._member(node)
        root = chain.partition(".")[0]
        if root != "self" and not self.is_local(root) and root.isidentifier():
            self.refer("read", chain, node)
        return chain

    def value(self, node: Node) -> str:
        kind = node.type
        if kind == "identifier":
            return self._used(node, "pass")
        if kind == "scoped_identifier":
            return self._used_path(node, "pass")
        if kind == "reference_expression":
            inner = node.named_children
            return self.value(inner[-1]) if inner else "?"
        return self.read(node)

    # calls

    def _call(self, node: Node) -> str:
        function, arguments = node.named_children[0], node.named_children[-1]
        kind = function.type
        inner = function.named_children[0] if kind == "generic_function" else function
        if inner.type == "field_expression":
            return self._method_call(function, inner, arguments)
        if kind == "closure_expression" or kind == "parenthesized_expression":
            chain = self.read(function)
            self.arguments(arguments)
            return "?" if chain == "%func" else chain + "()"
        text = self.cut(function)
        if _WRAPPERS(text):
            given = self.arguments(arguments)
            return (given[0] or "?") if given and given[0][:1] != '"' else "%str" if given else "?"
        callee = self.path(function)
        given = self.arguments(arguments)
        if text in NOTHING:
            return "?"
        empty = _EMPTY(text)
        if empty:
            return PLAIN.get(empty[1], "%dict" if "Map" in empty[1] else "%list")
        if callee in self.scope.closures:
            return self.scope.closures[callee]
        if callee != "?":
            self._called(callee, function, given)
        return callee + "()" if callee != "?" else "?"

    def _called(self, callee: str, node: Node, given: tuple[str, ...]) -> None:
        line = node.end_point[0] + 1
        self.references.append(Reference(self.scope.index, "call", callee, line, given, self.under.branch))

    def _method_call(self, function: Node, field: Node, arguments: Node) -> str:
        parts = field.named_children
        receiver = self.path(parts[0])
        name = self.cut(parts[-1])
        if function is not field:
            for part in function.named_children[1:]:
                self.type_of(part)
        if name in OVER or name in SILENT:
            mapped = self._with_closure(receiver, name, arguments)
            if mapped is not None:
                self._called(f"{receiver}.{name}", field, ("%func",))
                return mapped
        given = self.arguments(arguments)
        if name in SILENT and name not in self.methods:
            return receiver
        self._called(f"{receiver}.{name}", field, given)
        if name not in self.methods:
            if name in SAME:
                return receiver
            if name in ELEMENT:
                return receiver + "[]"
            if name in ("to_string", "to_lowercase", "display"):
                return "%str"
        return f"{receiver}.{name}()"

    def _with_closure(self, receiver: str, name: str, arguments: Node) -> str | None:
        """`xs.map(|x| ...)`: the parameter of the closure is an element of a container, or what an Option holds."""
        listed = [part for part in arguments.named_children if part.type not in ("line_comment", "block_comment")]
        if not listed or listed[-1].type != "closure_expression":
            return None
        for part in listed[:-1]:
            self.value(part)
        closure = listed[-1]
        means = ("?",) if name in SILENT else (receiver + "[]", receiver)
        result = self._read_closure(closure, means)
        if name in MAPPED:
            plain = result[0] in "%?"
            return result if plain or not self._iterates(receiver) else result + "*"
        return receiver if name in KEPT else "?"

    @staticmethod
    def _iterates(receiver: str) -> bool:
        return receiver.endswith(_ITERATING)

    def arguments(self, node: Node) -> tuple[str, ...]:
        return tuple(
            [
                self._argument(part)
                for part in node.named_children
                if part.type not in ("line_comment", "block_comment", "attribute_item")
            ]
        )

    def _argument(self, node: Node) -> str:
        inner = node
        while inner.type == "reference_expression" and inner.named_children:
            inner = inner.named_children[-1]
        if inner.type in ("string_literal", "raw_string_literal"):
            self._string(inner)
            return f'"{self.literal(inner)[:TEXT_LIMIT]}"'
        if inner.type == "field_expression":
            chain = self._member(inner)
            root = chain.partition(".")[0]
            if not self.is_local(root) and root != "self":
                self.refer("pass", chain, inner)
            return chain
        if inner.type in ("identifier", "scoped_identifier"):
            before = self.value(inner)
            return "" if before == "?" else before.removesuffix("()")
        chain = self.value(inner)
        return "" if chain == "?" else chain

    def literal(self, node: Node) -> str:
        content = next((part for part in node.named_children if part.type == "string_content"), None)
        if content is None:
            return unescape(self.cut(node).partition('"')[2].rpartition('"')[0])
        if node.type == "raw_string_literal":
            return self.cut(content)
        return unescape(self.cut(node).partition('"')[2].rpartition('"')[0])

    def _string(self, node: Node) -> str:
        if 4 < node.end_byte - node.start_byte <= 4 * TEXT_LIMIT:
            value = self.literal(node)
            if names_something(value):
                self.texts.append(Text(self.scope.index, value, node.start_point[0] + 1))
        return "%str"

    def _macro(self, node: Node) -> str:
        """A macro is called by its name; what stands between its brackets is read as far as it looks like Rust."""
        name = node.child_by_field_name("macro")
        tree = next((part for part in node.named_children if part.type == "token_tree"), None)
        text = self.cut(name) if name is not None else ""
        short = text.rpartition("::")[2]
        given = read_tokens(self, tree, short not in KNOWN_MACROS) if tree is not None else ()
        if name is not None and short not in KNOWN_MACROS:
            self._called(self.path_of(name), name, given)
        if short == "vec":
            first = given[0] if given else ""
            return first + "*" if first and first[0] not in '"%' else "%list"
        return _MACROS.get(short, "?")

    # values

    def _struct_literal(self, node: Node) -> str:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        chain = self.path_of(name) if name is not None else "?"
        given: list[str] = []
        for part in body.named_children if body is not None else ():
            if part.type == "shorthand_field_initializer":
                field = self.cut(part).rpartition(" ")[2]
                self.value(part.named_children[-1])
                given.append(f"{field}={field}")
            elif part.type == "field_initializer":
                inner = part.named_children
                given.append(f"{self.cut(inner[0])}={self._argument(inner[-1])}")
            else:
                self.read(part)
        if chain == "?":
            return "?"
        self.refer("call", chain, node, tuple(given))
        return "cls!" if chain == "cls" else chain + "()"

    def _closure(self, node: Node) -> str:
        self._read_closure(node, ())
        return "%func"

    def _read_closure(self, node: Node, means: tuple[str, ...]) -> str:
        """The chain of what the closure gives. Its parameters are names of the definition around it."""
        listed, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        for part in listed.named_children if listed is not None else ():
            if part.type == "parameter":
                self.bind_parameter(part)
            elif means:
                for chain in means:
                    self.pattern(part, chain)
            else:
                self.pattern(part, "?")
        result = node.child_by_field_name("return_type")
        declared = self.type_of(result) if result is not None else ""
        chain = self.under_branch(body) if body is not None else "?"
        return declared or chain

    def bind_parameter(self, node: Node) -> None:
        kind, pattern = node.child_by_field_name("type"), node.child_by_field_name("pattern")
        chain = self.type_of(kind) if kind is not None else "?"
        if pattern is not None:
            self.pattern(pattern, chain, annotated=True)

    def _last(self, node: Node) -> str:
        chain = "?"
        for part in node.named_children:
            chain = self.read(part)
        return chain

    def _unary(self, node: Node) -> str:
        chain = self._last(node)
        return "%bool" if self.text[node.start_byte] == "!" else chain

    def _block(self, node: Node) -> str:
        """The chain of the last expression. What follows a statement that may leave the function may not run."""
        chain, exits = "?", 0
        for part in node.named_children:
            chain = self.read(part)
            if part.type == "expression_statement":
                if _may_leave(part):
                    exits += 1
                    self.under.enter("exits")
                chain = "?" if self.text[part.end_byte - 1] == ";" else chain
        if exits:
            self.under.leave("exits", exits)
        return chain

    def _index(self, node: Node) -> str:
        parts = node.named_children
        chain = self.path(parts[0])
        for part in parts[1:]:
            self.read(part)
        return chain if len(parts) > 1 and parts[-1].type == "range_expression" else chain + "[]"

    def _binary(self, node: Node) -> str:
        """The left side is walked in a loop, for sums can be thousands long."""
        rights: list[Node] = []
        left = node
        sign = node.children[1].type if node.child_count > 2 else ""
        while left.type == "binary_expression" and left.child_count > 2:
            rights.append(left.children[-1])
            left = left.children[0]
        chain = self.read(left)
        for right in reversed(rights):
            if sign in ("&&", "||"):
                self.under_branch(right)
            else:
                self.read(right)
        if sign in ("&&", "||", "==", "!=", "<", ">", "<=", ">="):
            return "%bool"
        return chain if chain[0] == "%" else "?"

    def _cast(self, node: Node) -> str:
        parts = node.named_children
        self.read(parts[0])
        return self.type_of(parts[-1])

    def _array(self, node: Node) -> str:
        chain = "?"
        for part in node.named_children:
            one = self.value(part)
            chain = one if chain == "?" else chain
        return chain + "*" if chain[0] not in "%?" else "%list"

    def _several(self, node: Node) -> str:
        for part in node.named_children:
            self.value(part)
        return "?"

    def _returned(self, node: Node) -> str:
        for part in node.named_children:
            self.value(part)
        return "?"

    # branches, loops, patterns

    def _if(self, node: Node) -> str:
        condition = node.child_by_field_name("condition")
        if condition is not None:
            self.read(condition)
        chains = [
            self.under_branch(part)
            for field in ("consequence", "alternative")
            if (part := node.child_by_field_name(field)) is not None
        ]
        return next((chain for chain in chains if chain[0] not in "%?"), chains[-1] if chains else "?")

    def _match(self, node: Node) -> str:
        value, body = node.child_by_field_name("value"), node.child_by_field_name("body")
        subject = self.read(value) if value is not None else "?"
        chains: list[str] = []
        for arm in body.named_children if body is not None else ():
            if arm.type == "match_arm":
                pattern, result = arm.child_by_field_name("pattern"), arm.child_by_field_name("value")
                if pattern is not None:
                    self._arm_pattern(pattern, subject)
                if result is not None:
                    chains.append(self.under_branch(result))
        return next((chain for chain in chains if chain[0] not in "%?"), chains[-1] if chains else "?")

    def _arm_pattern(self, node: Node, subject: str) -> None:
        condition = node.child_by_field_name("condition")
        inner = node.named_children
        if inner and inner[0] != condition:
            self.pattern(inner[0], subject)
        if condition is not None:
            self.read(condition)

    def _let_condition(self, node: Node) -> str:
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        chain = self.read(value) if value is not None else "?"
        if pattern is not None:
            self.pattern(pattern, chain)
        return "%bool"

    def _for(self, node: Node) -> str:
        pattern, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        chain = self.read(value) if value is not None else "?"
        body = node.child_by_field_name("body")
        if pattern is not None:
            known = chain[0] not in "%?"
            self.pattern(pattern, chain.removesuffix(".enumerate()") + "[]" if known else "?", over=True)
        if body is not None:
            self.under_branch(body, "loops")
        return "?"

    def _loop(self, node: Node) -> str:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if condition is not None:
            self.read(condition)
        if body is not None:
            self.under_branch(body, "loops")
        return "?"

    def _let(self, node: Node) -> str:
        pattern, kind, value = (node.child_by_field_name(field) for field in ("pattern", "type", "value"))
        declared = self.type_of(kind) if kind is not None else "?"
        chain = "?"
        if value is not None and pattern is not None:
            if value.type == "tuple_expression" and pattern.type == "tuple_pattern":
                for left, right in zip(pattern.named_children, value.named_children, strict=False):
                    self.pattern(left, self.value(right))
                return "?"
            chain = self._named_closure(pattern, value) if value.type == "closure_expression" else self.value(value)
        other = node.child_by_field_name("alternative")
        if other is not None:
            self.under_branch(other)
        if pattern is not None:
            if declared != "?":
                self.pattern(pattern, declared, annotated=True)
            if chain != "?" or declared == "?":
                self.pattern(pattern, chain)
        return "?"

    def _named_closure(self, pattern: Node, value: Node) -> str:
        result = self._read_closure(value, ())
        self.scope.closures[self.cut(pattern)] = result
        return "%func"

    def _assignment(self, node: Node) -> str:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        chain = self.value(right) if right is not None else "?"
        if left is None:
            return "?"
        if left.type == "identifier":
            name = self.cut(left)
            if name in self.scope.locals:
                self.bind(name, chain, "assign", left)
            elif name != "_":
                self.refer("write", name, left)
        elif left.type == "field_expression":
            self.refer("write", self._member(left), left)
        else:
            self.read(left)
        return "?"

    def pattern(self, node: Node, chain: str, *, annotated: bool = False, over: bool = False) -> None:
        """What the names of a pattern mean when it is matched with the chain."""
        kind = node.type
        if kind == "identifier" or kind == "shorthand_field_identifier":
            self._pattern_name(node, chain, annotated)
        elif kind == "tuple_struct_pattern":
            self._tuple_struct(node, chain)
        elif kind == "struct_pattern":
            self._struct_pattern(node)
        elif kind == "tuple_pattern" or kind == "slice_pattern":
            self._pattern_parts(node, chain, over)
        elif kind == "scoped_identifier":
            self._used_path(node, "read")
        elif kind in _BENT:
            for part in node.named_children:
                if part.type != "mutable_specifier":
                    self.pattern(part, chain, annotated=annotated, over=over)
        elif kind == "match_pattern":
            self._arm_pattern(node, chain)
        elif kind == "macro_invocation":
            self.read(node)

    def _pattern_name(self, node: Node, chain: str, annotated: bool) -> None:
        name = self.cut(node)
        if _NAME(name):
            self.bind(name, chain, "annotation" if annotated else "assign", node)
        elif not self.is_local(name):
            self.refer("read", name, node)

    def _pattern_parts(self, node: Node, chain: str, over: bool) -> None:
        """`(key, value)` of a loop: the last is the element. `[first, ..]`: each is one."""
        parts = [part for part in node.named_children if "comment" not in part.type]
        if node.type == "slice_pattern":
            chain, over = chain + "[]" if chain[0] not in "%?" else "?", True
        for place, part in enumerate(parts):
            every = node.type == "slice_pattern" or place == len(parts) - 1
            self.pattern(part, chain if over and every else "?")

    def _tuple_struct(self, node: Node, chain: str) -> None:
        head, *parts = node.named_children
        name = self.cut(head).rpartition("::")[2]
        if name in ("Some", "Ok", "Ready", "Continue"):
            for part in parts:
                self.pattern(part, chain)
            return
        owner = self.path_of(head)
        if name == "Err" or owner == "?":
            for part in parts:
                self.pattern(part, "?")
            return
        self.refer("read", owner, node)
        for place, part in enumerate(parts):
            self.pattern(part, f"{owner}!.{place}")

    def _struct_pattern(self, node: Node) -> None:
        head = node.child_by_field_name("type")
        owner = self.path_of(head) if head is not None else "?"
        if owner != "?":
            self.refer("read", owner, node)
        for part in node.named_children:
            if part.type != "field_pattern":
                continue
            name, inner = part.child_by_field_name("name"), part.child_by_field_name("pattern")
            if name is not None:
                chain = f"{owner}!.{self.cut(name)}" if owner != "?" else "?"
                self.pattern(inner if inner is not None else name, chain)


def _may_leave(statement: Node) -> bool:
    """Whether a branch of the statement ends the function or the round of the loop."""
    inner = statement.named_children
    if not inner or inner[0].type != "if_expression":
        return False
    body = inner[0].child_by_field_name("consequence")
    last = body.named_children[-1] if body is not None and body.named_children else None
    if last is not None and last.type == "expression_statement" and last.named_children:
        last = last.named_children[0]
    return last is not None and last.type in ("return_expression", "break_expression", "continue_expression")


def _always(chain: str) -> Callable[[Any, Node], str]:
    def read(_reader: object, _node: Node) -> str:
        return chain

    return read


@cache
def _reader_table(cls: Any) -> tuple[tuple[Callable[[Any, Node], str], ...], int]:
    """The readers of a class by the number of the kind of node, and how many numbers there are."""
    readers = cls.readers_of()
    names = node_kinds("tree_sitter_rust")
    return tuple(readers.get(name, cls.parts) for name in names), len(names)
