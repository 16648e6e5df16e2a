"""Which method of the reader reads which kind of node of Java's grammar."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from tidegate.reach.languages.jvm_record import JvmReader
from tidegate.reach.languages.tree import node_kinds

GRAMMAR = "tree_sitter_java"
Handler: TypeAlias = Callable[..., str]
Tables: TypeAlias = tuple[dict[int, Handler], frozenset[int], frozenset[int], frozenset[int]]

_HANDLERS = {
    "identifier": "identifier",
    "this": "this",
    "super": "super_",
    "field_access": "field_access",
    "method_invocation": "method_invocation",
    "object_creation_expression": "new",
    "explicit_constructor_invocation": "delegation",
    "method_reference": "method_reference",
    "lambda_expression": "lambda_",
    **dict.fromkeys(["decimal_integer_literal", "hex_integer_literal", "true", "false"], "number"),
    "string_literal": "string",
    "binary_expression": "binary",
    "parenthesized_expression": "parenthesized",
    "ternary_expression": "ternary",
    "cast_expression": "cast",
    "array_access": "array_access",
    "array_creation_expression": "new_array",
    "class_literal": "class_literal",
    "instanceof_expression": "instance_of",
    "type_pattern": "typed_pattern",
    "record_pattern_component": "typed_pattern",
    "record_pattern": "record_pattern",
    "assignment_expression": "assignment",
    "update_expression": "update",
    "local_variable_declaration": "local_variable",
    "resource": "resource",
    "enhanced_for_statement": "for_each",
    "block": "block",
    "constructor_body": "block",
    "switch_block_statement_group": "case",
    "switch_rule": "case",
    "if_statement": "if_",
    "for_statement": "loop",
    "while_statement": "loop",
    "do_statement": "loop",
    "catch_clause": "handler",
    "catch_formal_parameter": "catch",
    "switch_expression": "switch",
    "switch_label": "switch_label",
    "labeled_statement": "labeled",
    "break_statement": "nothing",
    "continue_statement": "nothing",
    "modifiers": "nothing",
    "line_comment": "nothing",
    "block_comment": "nothing",
    "type_identifier": "type_node",
    "generic_type": "type_node",
    "scoped_type_identifier": "type_node",
    "array_type": "type_node",
    "annotated_type": "type_node",
    "wildcard": "type_node",
    "class_declaration": "class_",
    "interface_declaration": "class_",
    "enum_declaration": "class_",
    "record_declaration": "class_",
    "annotation_type_declaration": "class_",
    "method_declaration": "method",
    "annotation_type_element_declaration": "method",
    "constructor_declaration": "method",
    "compact_constructor_declaration": "method",
    "static_initializer": "initializer",
    "field_declaration": "field",
    "constant_declaration": "field",
    "enum_constant": "enum_constant",
    "package_declaration": "package_",
    "import_declaration": "import_",
}
_LEAVES = (
    "octal_integer_literal binary_integer_literal "
    "decimal_floating_point_literal hex_floating_point_literal character_literal null_literal asterisk "
    "integral_type floating_point_type boolean_type void_type dimensions underscore_pattern inferred_parameters"
)


@cache
def java_tables(reader: type[JvmReader]) -> Tables:
    """The handlers by kind, and the kinds of comments, of functions that stand as arguments, and of `if`."""
    names = node_kinds(GRAMMAR)
    methods = {**dict.fromkeys(_LEAVES.split(), "nothing"), **_HANDLERS}
    handlers: dict[int, Handler] = {
        kind: getattr(reader, methods.get(name, "children")) for kind, name in enumerate(names)
    }
    handlers[65535] = reader.error

    def kinds(*wanted: str) -> frozenset[int]:
        return frozenset(kind for kind, name in enumerate(names) if name in wanted)

    comments = kinds("line_comment", "block_comment")
    return handlers, comments, kinds("lambda_expression", "method_reference"), kinds("if_statement")
