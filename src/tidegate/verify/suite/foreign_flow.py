"""The assertions in the body of one test of a language that is read with tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tidegate.verify.suite.dialects import Dialect
from tidegate.verify.suite.foreign_idle import expected_of, idle_condition, idle_reason, stands_alone, subject_of
from tidegate.verify.suite.foreign_known import Known, is_empty, known_of, unused_function
from tidegate.verify.suite.values import CLOSE, EXACT, ROUGH, Assertion

if TYPE_CHECKING:
    from tree_sitter import Node


def text_of(node: Node | None) -> str:
    """The source text of a node, "" of none."""
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")


def squeezed(text: str) -> str:
    """A text without layout: blanks, commas at the end of a list, and the kind of quotes say nothing."""
    return re.sub(r"\s+|,(?=\s*[)\]}])", "", text).replace("'", '"')


def called(node: Node) -> str:
    """What a call calls, as it is written: `t.Errorf`, `expect(x).toBe`, `assert_eq`."""
    function = node.child_by_field_name("function") or node.child_by_field_name("macro")
    if function is not None:
        return re.sub(r"::<.*>$", "", text_of(function), flags=re.DOTALL)
    name = text_of(node.child_by_field_name("name") or node.child_by_field_name("method"))
    left = text_of(node.child_by_field_name("object") or node.child_by_field_name("receiver"))
    return f"{left}.{name}" if left else name


_MACRO = re.compile(
    r"(std::)?(vec|format|println|eprintln|print|dbg|write|writeln|matches|concat|include_str|json|env|cfg)"
)


class Flow:
    """What one body asserts. `calls` are the names that it calls itself where they can run."""

    def __init__(self, dialect: Dialect, helpers: Mapping[str, bool], name: str) -> None:
        self.assertions: list[Assertion] = []
        self.unseen = False
        self.repeats = False
        self.skipped = ""
        self.maybe_skipped = ""
        self.named: set[str] = set()
        self._dialect, self._helpers, self._name = dialect, helpers, name
        self._known = Known()

    def read(self, body: Node) -> None:
        """Take in the whole body of the test."""
        self._known = known_of(text_of(body), self._dialect.grammar, self._name)
        self.walk(body)

    def walk(self, node: Node, idle: str = "", condition: str = "", depth: int = 0) -> None:
        """Goes through a node and what is in it; `idle` is why nothing here can fail."""
        kind, dialect = node.type, self._dialect
        idle = idle or self._never(node)
        if kind in dialect.calls and self._call(node, idle, condition, depth):
            return
        if kind == "member_expression" and text_of(node).startswith("expect(") and stands_alone(node):
            bare = "its matcher is not called" if re.search(r"\.to[A-Z]\w+$", text_of(node)) else ""
            self._add(node, text_of(node), ROUGH, idle or bare)
            return
        if kind in ("throw_statement", "try_expression", "assert_statement"):
            self._add(node, text_of(node), ROUGH, idle, opaque=True)
        if kind in ("if_modifier", "unless_modifier"):
            condition = text_of(node.child_by_field_name("condition"))
        if kind in dialect.tries:
            self._try(node, idle, depth)
        elif kind in dialect.ifs:
            self._if(node, idle, depth)
        elif kind in dialect.loops:
            self._loop(node, idle, depth)
        else:
            self._children(node, idle, condition, depth)

    def _never(self, node: Node) -> str:
        """Why what is in a node never runs, or fails without a word; "" where it may run and fail."""
        unused = unused_function(node, self._known)
        if unused:
            return (
                "it stands in a function that nothing calls"
                if unused == "_"
                else (f"it stands in `{unused}`, which nothing calls")
            )
        if node.type in self._dialect.calls and "." in (what := called(node)):
            over, _, how = what.rpartition(".")
            if how in ("forEach", "each", "map", "for_each") and is_empty(over):
                return "it stands in a loop over nothing and never runs"
        if node.type == "let_declaration" and re.match(r"let _ = (std::)?(panic::)?catch_unwind\(", text_of(node)):
            return f"its panic is caught and forgotten in line {node.start_point[0] + 1}"
        return ""

    def _ends(self, node: Node) -> bool:
        """Whether nothing below a statement runs."""
        if node.type == "expression_statement" and node.named_child_count == 1:
            node = node.named_children[0]
        if node.type == "if_statement" and text_of(node.child_by_field_name("condition")).strip("() ") == "true":
            inner = node.child_by_field_name("consequence")
            last = inner.named_children[-1:] if inner is not None and inner.type == "block" else [inner]
            return any(one is not None and one.type in self._dialect.ends for one in last)
        return node.type in self._dialect.ends or bool(re.match(r"(t|st|suite)\.Skip", text_of(node)))

    def _children(self, node: Node, idle: str, condition: str, depth: int) -> None:
        for child in node.named_children:
            if child.type == "comment":
                continue
            self.walk(child, idle, condition, depth + 1)
            if self._ends(child) and not idle and not condition and child.next_named_sibling is not None:
                idle = f"it stands after the `return` in line {child.start_point[0] + 1} and never runs"

    def _if(self, node: Node, idle: str, depth: int) -> None:
        test = node.child_by_field_name("condition")
        text = text_of(test).strip("() ")
        never = f"it stands below `if {text}` and never runs" if text in ("false", "0", "nil", "null") else ""
        for child in node.named_children:
            if child == test:
                self.walk(child, idle, "", depth + 1)
            else:
                self.walk(child, idle or ("" if child.type.startswith("else") else never), text, depth + 1)

    def _loop(self, node: Node, idle: str, depth: int) -> None:
        self.repeats = True
        head = next((child for child in node.named_children if child.type == "range_clause"), node)
        over = head.child_by_field_name("right") or head.child_by_field_name("value")
        never = "it stands in a loop over nothing and never runs" if is_empty(text_of(over)) else ""
        self._children(node, idle or never, "", depth)

    def _try(self, node: Node, idle: str, depth: int) -> None:
        handlers = [child for child in node.named_children if child.type in self._dialect.handlers]
        others = [child for child in node.named_children if child.type not in self._dialect.handlers]
        start, named, unseen = len(self.assertions), set(self.named), self.unseen
        for child in others:
            self.walk(child, idle, "", depth + 1)
        certain = any(not one.idle for one in self.assertions[start:]) or "hasAssertions" in self.named
        certain = (
            certain or re.search(r"\bthrow\b|\bdone\(|\braise\b|\bfail\b", "".join(map(text_of, others))) is not None
        )
        for handler in handlers:
            body = handler.child_by_field_name("body") or handler
            line = handler.start_point[0] + 1
            if self._dialect.catches.search(text_of(handler).partition("{")[0]) and self._is_quiet(body):
                self._mark(start, f"its failure is swallowed by the handler in line {line}")
                self.named, self.unseen = named, unseen
            before = len(self.assertions)
            self.walk(body, idle, "", depth + 1)
            if not certain and self.assertions[before:] and self._dialect.grammar != "tree_sitter_ruby":
                reason = f"it runs only if something is thrown in line {node.start_point[0] + 1}"
                self._mark(before, f"{reason}, and nothing says that it must be")

    def _is_quiet(self, body: Node) -> bool:
        said = [
            child
            for child in body.named_children
            if "comment" not in child.type and child.type not in ("exceptions", "exception_variable")
        ]
        return all(re.match(r"(console\.|System\.|e\.printStackTrace|puts|p |print|log)", text_of(one)) for one in said)

    def _mark(self, start: int, reason: str) -> None:
        self.assertions[start:] = [
            one
            if one.idle
            else Assertion(one.line, one.text, one.subject, one.strength, reason, one.limit, one.opaque, one.expected)
            for one in self.assertions[start:]
        ]

    def _call(self, node: Node, idle: str, condition: str, depth: int) -> bool:
        """Takes a call in; whether all that is in it is done."""
        what = called(node)
        last = re.split(r"[.:]", what)[-1]
        short = re.sub(r"\(.*\)", "()", what, flags=re.DOTALL)
        if re.match(r"expect\.(assertions|hasAssertions)$", what):
            self.named.add("hasAssertions")
            return True
        if re.match(r"(t|tt|st|suite)\.(Skip|Skipf|SkipNow)$", what) or (
            what in ("skip", "pending") and "ruby" in self._dialect.grammar
        ):
            if condition or depth > 6:
                self.maybe_skipped = self.maybe_skipped or f"`{text_of(node)[:60]}`"
            else:
                self.skipped = self.skipped or f"`{text_of(node)[:60]}`"
            return True
        if self._is_assertion(short, what, last):
            self._asserted(node, what, idle, condition)
            arguments = node.child_by_field_name("arguments")
            for child in arguments.named_children if arguments is not None else ():
                if "function" in child.type or child.type in ("lambda", "lambda_expression", "func_literal", "block"):
                    self.walk(child, idle, "", depth + 1)
            return True
        if node.type == "macro_invocation" and not idle and not _MACRO.fullmatch(what):
            self.unseen = True
        if what in self._helpers and not idle:
            self.unseen = self.unseen or self._helpers[what]
        if not idle:
            self.named.add(what)
        return False

    def _is_assertion(self, short: str, what: str, last: str) -> bool:
        if re.match(r"allow(_any_instance_of)?\(", what):
            return False
        if what in self._helpers and not re.match(r"(assert|expect)", what):
            return False
        if "expect(" in what or re.search(r"\b(assert|require|Expect|assertThat|verify)\b", short):
            return True
        return bool(self._dialect.asserts.search(short if "." in short and len(short) < 40 else last))

    def _asserted(self, node: Node, what: str, idle: str, condition: str) -> None:
        dialect = self._dialect
        text = text_of(node)
        if dialect.grammar == "tree_sitter_go" and re.match(
            r"\w{1,2}\.(Error|Fatal|Fail)\w*$|(suite|tb)\.(Error|Fatal|Fail)", what
        ):
            strength = EXACT if "!=" in condition and "nil" not in condition else ROUGH
            idle = idle or idle_condition(condition, self._known)
            self._add(node, condition or what, strength, idle, subject=condition.partition("!=")[0] or text)
            return
        strength = EXACT if dialect.exact.search(what) else CLOSE if dialect.close.search(what) else ROUGH
        if dialect.grammar == "tree_sitter_ruby" and re.search(r"\.(to|not_to|to_not)$", what):
            strength = EXACT if re.search(r"\beq[l]?\b|\(?eq\(|match_array|contain_exactly", text) else CLOSE
        expected = expected_of(node, what)
        reason = idle or ("" if what in self._helpers else idle_reason(node, what, self._name, self._known))
        self._add(node, text, strength, reason, subject=subject_of(node, what), expected=expected)

    def _add(
        self,
        node: Node,
        text: str,
        strength: int,
        idle: str,
        *,
        subject: str = "",
        expected: str = "",
        opaque: bool = False,
    ) -> None:
        line = node.start_point[0] + 1
        short = squeezed(text)
        self.assertions.append(
            Assertion(line, short, squeezed(subject) or short, strength, idle, 0.0, opaque, squeezed(expected))
        )
