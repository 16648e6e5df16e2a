"""Which method of the reader reads which kind of node of Kotlin's grammar."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from tidegate.reach.languages.jvm_record import JvmReader
from tidegate.reach.languages.tree import node_kinds

GRAMMAR = "tree_sitter_kotlin"
Handler: TypeAlias = Callable[..., str]

_HANDLERS = {
    "identifier": "identifier",
    "this_expression": "this",
    "super_expression": "super_",
    "navigation_expression": "navigation",
    "callable_reference": "callable_reference",
    "call_expression": "call",
    "lambda_literal": "lambda_",
    "number_literal": "number",
    "float_literal": "number",
    "string_literal": "string",
    "multiline_string_literal": "string",
    "binary_expression": "binary",
    "parenthesized_expression": "first",
    "unary_expression": "first",
    "if_expression": "if_",
    "when_expression": "if_",
    "try_expression": "if_",
    "is_expression": "is_",
    "as_expression": "as_",
    "index_expression": "index",
    "infix_expression": "infix",
    "object_literal": "object_",
    "assignment": "assignment",
    "property_declaration": "property",
    "for_statement": "for_",
    "while_statement": "loop",
    "do_while_statement": "loop",
    "block": "block",
    "catch_block": "catch",
    "return_expression": "jump",
    "anonymous_function": "anonymous_function",
    "collection_literal": "collection",
    "user_type": "type_node",
    "nullable_type": "type_node",
    "function_type": "type_node",
    "type_constraint": "constraint",
    "type_modifiers": "nothing",
    "class_declaration": "class_",
    "object_declaration": "class_",
    "companion_object": "class_",
    "function_declaration": "function",
    "secondary_constructor": "function",
    "anonymous_initializer": "initializer",
    "enum_entry": "enum_entry",
    "type_alias": "type_alias",
    "package_header": "package_",
    "import": "import_",
    "file_annotation": "file_annotation",
}
_LEAVES = (
    "character_literal line_comment block_comment label string_content escape_sequence "
    "modifiers annotation shebang visibility_modifier"
)


@cache
def kotlin_tables(reader: type[JvmReader]) -> tuple[dict[int, Handler], frozenset[int], frozenset[int]]:
    """The handlers by kind, and the kinds of comments and of plain names."""
    names = node_kinds(GRAMMAR)
    methods = {**dict.fromkeys(_LEAVES.split(), "nothing"), **_HANDLERS}
    handlers: dict[int, Handler] = {
        kind: getattr(reader, methods.get(name, "children")) for kind, name in enumerate(names)
    }
    handlers[65535] = reader.error
    comments = frozenset(kind for kind, name in enumerate(names) if name in ("line_comment", "block_comment"))
    return handlers, comments, frozenset(kind for kind, name in enumerate(names) if name == "identifier")
