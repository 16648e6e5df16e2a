"""The same measures for JavaScript, TypeScript, Go, Java, Ruby and Rust, from the syntax trees of tree-sitter.

Cognitive complexity as in `complexity`. A named function inside another counts by itself (as SonarSource has it for
JavaScript); one without a name belongs to the function around it, one level deeper.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.verify.debt.complexity import Measured
from tidegate.verify.debt.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node


class Syntax(Struct, frozen=True):
    """The kinds of nodes of a language that matter. `lambdas` have no name of their own."""

    functions: frozenset[str]
    lambdas: frozenset[str]
    branches: frozenset[str]
    nests: frozenset[str]
    elses: frozenset[str]
    owners: frozenset[str]


def foreign_functions(source: Source, lines: frozenset[int] | None = None) -> Iterator[tuple[str, Node]]:
    """The named functions with their qualified names, outer before inner; only those with one of `lines`, if given."""
    syntax = SYNTAX.get(source.language)
    if syntax is None or source.root is None:
        return
    ordered = None if lines is None else sorted(lines)
    stack = [(source.root, "", 0)]
    while stack:
        node, above, depth = stack.pop()
        if depth > _DEEPEST or (ordered is not None and not _meets(node, ordered)):
            continue
        name = _name(node, syntax)
        if name and _is_function(node, syntax):
            yield above + name, node
        below = f"{above}{name}." if name and (node.type in syntax.owners or _is_function(node, syntax)) else above
        stack += [(child, below, depth + 1) for child in reversed(node.named_children)]


def measure_foreign(source: Source, name: str, node: Node) -> Measured:
    """The measures of a function. Markup (JSX) is no code: a function that holds some has no length."""
    counter = _Counter(SYNTAX[source.language])
    counter.inside(node, 0, 0)
    first = (node.child_by_field_name("name") or node).start_point[0] + 1
    last = node.end_point[0] + 1
    return Measured(
        name, first, last, counter.complexity, counter.deepest, _length(source, node) - counter.text, _parameters(node)
    )


# Private

_DEEPEST = 150
_ECMA = Syntax(
    functions=frozenset({"function_declaration", "method_definition", "generator_function_declaration"}),
    lambdas=frozenset({"arrow_function", "function_expression", "generator_function"}),
    branches=frozenset({"if_statement"}),
    nests=frozenset(
        "for_statement for_in_statement while_statement do_statement catch_clause ternary_expression "
        "switch_statement".split()
    ),
    elses=frozenset({"else_clause"}),
    owners=frozenset({"class_declaration", "class", "abstract_class_declaration"}),
)
SYNTAX: dict[str, Syntax] = {
    "JavaScript": _ECMA,
    "TypeScript": _ECMA,
    "Go": Syntax(
        functions=frozenset({"function_declaration", "method_declaration"}),
        lambdas=frozenset({"func_literal"}),
        branches=frozenset({"if_statement"}),
        nests=frozenset("for_statement expression_switch_statement type_switch_statement select_statement".split()),
        elses=frozenset(),
        owners=frozenset(),
    ),
    "Java": Syntax(
        functions=frozenset({"method_declaration", "constructor_declaration"}),
        lambdas=frozenset({"lambda_expression"}),
        branches=frozenset({"if_statement"}),
        nests=frozenset(
            "for_statement enhanced_for_statement while_statement do_statement catch_clause ternary_expression "
            "switch_expression".split()
        ),
        elses=frozenset(),
        owners=frozenset({"class_declaration", "interface_declaration", "enum_declaration", "record_declaration"}),
    ),
    "Rust": Syntax(
        functions=frozenset({"function_item"}),
        lambdas=frozenset({"closure_expression"}),
        branches=frozenset({"if_expression"}),
        nests=frozenset("for_expression while_expression loop_expression match_expression".split()),
        elses=frozenset({"else_clause"}),
        owners=frozenset({"impl_item", "trait_item", "mod_item"}),
    ),
    "Ruby": Syntax(
        functions=frozenset({"method", "singleton_method"}),
        lambdas=frozenset({"block", "do_block", "lambda"}),
        branches=frozenset({"if", "unless"}),
        nests=frozenset("for while until case rescue conditional if_modifier unless_modifier rescue_modifier".split()),
        elses=frozenset({"elsif", "else"}),
        owners=frozenset({"class", "module", "singleton_class"}),
    ),
}


def _meets(node: Node, lines: list[int]) -> bool:
    from bisect import bisect_left

    at = bisect_left(lines, node.start_point[0] + 1)
    return at < len(lines) and lines[at] <= node.end_point[0] + 1


def _is_function(node: Node, syntax: Syntax) -> bool:
    return node.type in syntax.functions or node.type in syntax.lambdas


def _name(node: Node, syntax: Syntax) -> str:
    if node.type in syntax.lambdas:
        return _given_name(node)
    if node.type == "impl_item":
        named = node.child_by_field_name("type")
    elif node.type in syntax.functions or node.type in syntax.owners:
        named = node.child_by_field_name("name")
    else:
        return ""
    name = _text(named)
    receiver = node.child_by_field_name("receiver")
    if receiver is not None and node.type == "method_declaration":
        return f"{_text(receiver).strip('()').split()[-1].lstrip('*') if _text(receiver).strip('() ') else ''}.{name}"
    return name


def _given_name(node: Node) -> str:
    """The variable, field or property that a function without a name is given to."""
    around = node.parent
    if around is None or around.type not in ("variable_declarator", "pair", "public_field_definition"):
        return ""
    field = "key" if around.type == "pair" else "name"
    named = around.child_by_field_name(field)
    return _text(named) if named is not None and len(named.text or b"") < 80 else ""


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


class _Counter:
    def __init__(self, syntax: Syntax) -> None:
        self._syntax = syntax
        self.complexity = self.deepest = self.text = 0

    def inside(self, node: Node, nesting: int, depth: int) -> None:
        if depth > _DEEPEST:
            return
        for child in node.named_children:
            self.read(child, nesting, depth + 1)

    def read(self, node: Node, nesting: int, depth: int) -> None:
        syntax, kind = self._syntax, node.type
        if kind in syntax.branches:
            self._add(nesting)
            self._branch(node, nesting, depth)
        elif kind in syntax.nests:
            self._add(nesting)
            self.inside(node, nesting + 1, depth)
        elif kind in syntax.lambdas:
            if not _given_name(node):
                self.inside(node, nesting + (kind not in ("block", "do_block")), depth)
        elif kind in syntax.functions:
            return
        elif kind in _TEXTS:
            self.text += node.end_point[0] - node.start_point[0]
        else:
            self._flat(node, kind)
            self.inside(node, nesting, depth)

    def _add(self, nesting: int) -> None:
        self.complexity += 1 + nesting
        self.deepest = max(self.deepest, nesting + 1)

    def _flat(self, node: Node, kind: str) -> None:
        if kind in ("binary_expression", "binary"):
            operator = _operator(node)
            around = node.parent
            markup = around is not None and around.type == "jsx_expression"
            if operator in _LOGICAL and not markup and _operator(around) != operator:
                self.complexity += 1
        elif kind in ("break_statement", "continue_statement") and node.named_child_count:
            self.complexity += 1

    def _branch(self, node: Node, nesting: int, depth: int) -> None:
        """A condition that is counted already, and what follows where it does not hold."""
        syntax = self._syntax
        other = node.child_by_field_name("alternative")
        for child in node.named_children:
            if other is None or child.id != other.id:
                body = child.type not in ("binary_expression", "binary", "parenthesized_expression")
                self.read(child, nesting + body, depth + 1)
        if other is None or depth > _DEEPEST:
            return
        self.complexity += 1
        chained = other.named_children[0] if other.type in syntax.elses and other.named_children else other
        if other.type == "elsif":
            self._branch(other, nesting, depth + 1)
        elif chained.type in syntax.branches and self._directly(other, chained):
            self._branch(chained, nesting, depth + 1)
        else:
            self.inside(other, nesting + 1, depth + 1)

    def _directly(self, other: Node, chained: Node) -> bool:
        return other.id == chained.id or (other.type == "else_clause" and other.named_child_count == 1)


_TEXTS = ("raw_string_literal", "template_string", "string_literal", "string", "heredoc_body", "text_block")
_LOGICAL = ("&&", "||", "and", "or")


def _operator(node: Node | None) -> str:
    if node is None or node.type not in ("binary_expression", "binary"):
        return ""
    return _text(node.child_by_field_name("operator"))


def _length(source: Source, node: Node) -> int:
    text = node.text or b""
    if source.path.endswith((".jsx", ".tsx")) or b"/>" in text or b"</" in text:
        return 0
    lines = source.lines[node.start_point[0] : node.end_point[0] + 1]
    return sum(1 for line in lines if line.strip() and not line.lstrip().startswith(("//", "#", "*", "/*")))


def _parameters(node: Node) -> int:
    parameters = node.child_by_field_name("parameters")
    if parameters is None:
        return 0
    count = 0
    for child in parameters.named_children:
        if child.type in ("comment", "self_parameter", "line_comment", "block_comment", "attribute_item"):
            continue
        names = child.children_by_field_name("name") if child.type == "parameter_declaration" else []
        count += max(1, len(names))
    return count
