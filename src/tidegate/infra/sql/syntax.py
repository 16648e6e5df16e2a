"""Calls in Python's syntax tree: their names, their literal arguments, types of columns, and SQL that they run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from tidegate.infra.sql.lexer import Dialect
from tidegate.infra.sql.reader import steps_of
from tidegate.infra.sql.steps import Step

_NAMED_NEXT = re.compile(
    r"(^|\b(TABLE|FROM|INTO|UPDATE|COLUMN|EXISTS|TRUNCATE|WHERE|JOIN|ON|DROP|ALTER)|[.;])\s*$", re.IGNORECASE
)
TYPES = {
    "String": "varchar",
    "Unicode": "varchar",
    "VARCHAR": "varchar",
    "CHAR": "char",
    "Text": "text",
    "TEXT": "text",
    "UnicodeText": "text",
    "Integer": "integer",
    "INTEGER": "integer",
    "BigInteger": "bigint",
    "BIGINT": "bigint",
    "SmallInteger": "smallint",
    "SMALLINT": "smallint",
    "Numeric": "numeric",
    "NUMERIC": "numeric",
    "DECIMAL": "numeric",
    "Float": "float",
    "DateTime": "timestamp",
    "TIMESTAMP": "timestamp",
    "Date": "date",
    "Boolean": "boolean",
    "JSON": "json",
    "JSONB": "jsonb",
    "CharField": "varchar",
    "SlugField": "varchar",
    "TextField": "text",
    "IntegerField": "integer",
    "PositiveIntegerField": "integer",
    "BigIntegerField": "bigint",
    "SmallIntegerField": "smallint",
    "PositiveSmallIntegerField": "smallint",
    "DecimalField": "numeric",
    "FloatField": "double",
    "DateTimeField": "timestamp",
    "DateField": "date",
    "BooleanField": "boolean",
    "EmailField": "varchar",
    "URLField": "varchar",
    "JSONField": "jsonb",
    "PositiveBigIntegerField": "bigint",
}


def parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from error


def deeds_of(text: str) -> str:
    """What a migration does going up, whatever it looks like: functions but for the way back, and operations."""
    try:
        tree = parsed(text)
    except SyntaxError:
        return text
    kept = [one for one in tree.body if isinstance(one, (ast.FunctionDef, ast.ClassDef))]
    return "\n".join(
        ast.dump(inner)
        for one in kept
        if one.name != "downgrade"
        for inner in one.body
        if not (isinstance(inner, ast.Assign) and ast.unparse(inner.targets[0]) in ("dependencies", "replaces"))
    )


def calls_of(function: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def constants_of(tree: ast.Module) -> Mapping[str, str]:
    """Names of the module that stand for one text."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            text = text_of(node.value, {})
            if text is not None:
                found[node.targets[0].id] = text
    return found


def name_of(call: ast.Call) -> str:
    """The last name of what is called, "" where it has none."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def text_of(node: ast.AST | None, constants: Mapping[str, str]) -> str | None:
    """The text that an expression is, None where it is put together."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return _settled(node)
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left, constants), text_of(node.right, constants)
        return left + right if left is not None and right is not None else None
    if (
        isinstance(node, ast.Call)
        and name_of(node) in ("text", "dedent", "DDL", "SQL", "strip")
        and (node.args or _inner(node))
    ):
        return text_of(node.args[0] if node.args else _inner(node), constants)
    return None


def _settled(node: ast.JoinedStr) -> str | None:
    """A formatted text whose verbs and tables are fixed: what is put in is a value, and stands here as 0."""
    found = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            found += str(part.value)
        elif _NAMED_NEXT.search(found) or (found.count("'") % 2 == 0 and found[-1:].isalnum()):
            return None
        else:
            found += "0"
    return found


def _inner(call: ast.Call) -> ast.AST | None:
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def given(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def argument(call: ast.Call, place: int, name: str, constants: Mapping[str, str]) -> str | None:
    node = call.args[place] if len(call.args) > place else given(call, name)
    return text_of(node, constants)


def is_value(node: ast.AST | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def type_of(node: ast.AST) -> str:
    """A type of a column as SQL has it; the class's own name where it is none that is known."""
    call = node if isinstance(node, ast.Call) else None
    func = call.func if call is not None else node
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    sizes = [str(one.value) for one in (call.args if call else ()) if isinstance(one, ast.Constant)]
    for key in ("length", "max_length", "precision", "max_digits", "scale", "decimal_places"):
        size = given(call, key) if call is not None else None
        if isinstance(size, ast.Constant) and isinstance(size.value, int):
            sizes.append(str(size.value))
    known = TYPES.get(name, name.lower())
    sized = known in ("varchar", "char", "numeric") and sizes and all(size.isdigit() for size in sizes)
    return f"{known}({', '.join(sizes)})" if sized else known


def executed(node: ast.AST | None, constants: Mapping[str, str], dialect: Dialect, line: int) -> Iterator[Step]:
    text = text_of(node, constants)
    if text is not None:
        yield from (replace(step, line=line) for step in steps_of(text, dialect))
    elif node is not None:
        words = ast.unparse(node)
        if any(verb in words.upper() for verb in ("DROP ", "TRUNCATE", "DELETE ", "UPDATE ", "ALTER ", "GRANT ")):
            yield Step("computed", "", text=words[:60], line=line)
