"""Revisions of Alembic: literal calls of `op` are steps, computed ones are said."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tidegate.infra.sql.lexer import Dialect
from tidegate.infra.sql.steps import Deed, Script, Step
from tidegate.infra.sql.syntax import (
    argument,
    calls_of,
    constants_of,
    executed,
    given,
    is_value,
    name_of,
    parsed,
    type_of,
)


def read_alembic(text: str, path: str, dialect: Dialect = "") -> Script | None:
    """An Alembic revision, None where the text is none. Raises SyntaxError for what is no Python."""
    tree = parsed(text)
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    if "upgrade" not in functions or "alembic" not in text:
        return None
    constants = constants_of(tree)
    down = functions.get("downgrade")
    steps: list[Step] = []
    for name, function in functions.items():
        if name != "downgrade":
            batches = _batches(function)
            for call in calls_of(function):
                steps += _alembic(call, batches, constants, dialect)
    return Script(
        path,
        tuple(sorted(steps, key=lambda step: step.line)),
        has_down=down is not None and any(map(_does_something, down.body)),
        dialect=dialect,
        wraps="autocommit_block" not in text,
    )


# Private


class _Call(Struct, frozen=True):
    """A call on a table. `shift` is where the arguments begin: a batch's calls do not name the table."""

    call: ast.Call
    table: str
    constants: Mapping[str, str]
    shift: int


def _does_something(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    return not isinstance(statement, (ast.Pass, ast.Raise))


def _batches(function: ast.FunctionDef) -> Mapping[str, str]:
    """The tables of `with op.batch_alter_table("t") as batch_op`, by the name that the block gives them."""
    found = {}
    for node in ast.walk(function):
        for item in node.items if isinstance(node, ast.With) else ():
            call = item.context_expr
            if (
                isinstance(call, ast.Call)
                and name_of(call) == "batch_alter_table"
                and isinstance(item.optional_vars, ast.Name)
            ):
                found[item.optional_vars.id] = argument(call, 0, "table_name", {}) or ""
    return found


def _alembic(
    call: ast.Call, batches: Mapping[str, str], constants: Mapping[str, str], dialect: Dialect
) -> Iterator[Step]:
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not isinstance(receiver, ast.Name) or (receiver.id != "op" and receiver.id not in batches):
        return
    name = name_of(call)
    batch = batches.get(receiver.id)
    line = call.lineno
    if name == "execute":
        yield from executed(call.args[0] if call.args else given(call, "sqltext"), constants, dialect, line)
        return
    reader = _ALEMBIC.get(name)
    if reader is None:
        return
    named = batch if batch is not None else argument(call, _PLACES.get(name, 0), "table_name", constants)
    if named is None and name in ("create_foreign_key", "create_unique_constraint", "create_check_constraint"):
        named = argument(call, 1, "source_table", constants)
    schema = argument(call, 99, "schema", constants) or argument(call, 99, "source_schema", constants)
    named = f"{schema}.{named}" if schema and named else named
    steps = list(reader(_Call(call, named or "", constants, 1 if batch is None else 0)))
    for step in steps:
        hard = step.deed in ("drop table", "drop column") and (named is None or step.name == "?")
        made = replace(step, deed="computed") if hard else step
        yield replace(made, line=line, text=f"op.{name}({ast.unparse(call)[len(name) + 4 :][:60]}")


_PLACES = {"create_index": 1, "create_unique_constraint": 1, "create_check_constraint": 1, "create_foreign_key": 1}
_Reader = Callable[[_Call], Iterator[Step]]


def _plain(deed: Deed) -> _Reader:
    def read(at: _Call) -> Iterator[Step]:
        column = argument(at.call, at.shift, "column_name", at.constants)
        yield Step(deed, at.table, column if column is not None else "?" if deed == "drop column" else "")

    return read


def _alembic_add(at: _Call) -> Iterator[Step]:
    column = at.call.args[at.shift] if len(at.call.args) > at.shift else given(at.call, "column")
    if isinstance(column, ast.Call):
        default = given(column, "server_default")
        yield Step(
            "add column",
            at.table,
            argument(column, 0, "name", at.constants) or "",
            type=type_of(column.args[1]) if len(column.args) > 1 else "",
            nullable=not is_value(given(column, "nullable"), False),
            default=ast.unparse(default) if default is not None else "",
            unique=is_value(given(column, "unique"), True),
        )


def _alembic_alter(at: _Call) -> Iterator[Step]:
    column = argument(at.call, at.shift, "column_name", at.constants) or ""
    new = argument(at.call, 99, "new_column_name", at.constants)
    if new:
        yield Step("rename column", at.table, new, type=column)
    type_, former = given(at.call, "type_"), given(at.call, "existing_type")
    if type_ is not None:
        yield Step(
            "change type", at.table, column, type=type_of(type_), former=type_of(former) if former is not None else ""
        )
    if is_value(given(at.call, "nullable"), False) and not is_value(given(at.call, "existing_nullable"), False):
        yield Step("set not null", at.table, column)


def _alembic_index(at: _Call) -> Iterator[Step]:
    yield Step(
        "create index",
        at.table,
        argument(at.call, 0, "index_name", at.constants) or "",
        unique=is_value(given(at.call, "unique"), True),
        online=is_value(given(at.call, "postgresql_concurrently"), True),
    )


def _alembic_proved(deed: Deed) -> _Reader:
    def read(at: _Call) -> Iterator[Step]:
        columns = next((ast.unparse(one) for one in at.call.args if isinstance(one, (ast.List, ast.Tuple))), "")
        names = columns.strip("[]()").replace("'", "")
        yield Step(deed, at.table, names, online=is_value(given(at.call, "postgresql_not_valid"), True))

    return read


def _alembic_rename(at: _Call) -> Iterator[Step]:
    old = argument(at.call, 0, "old_table_name", at.constants)
    new = argument(at.call, 1, "new_table_name", at.constants)
    if old and new:
        yield Step("rename table", at.table, new)


_ALEMBIC: Mapping[str, _Reader] = {
    "create_table": _plain("create table"),
    "drop_table": _plain("drop table"),
    "drop_column": _plain("drop column"),
    "add_column": _alembic_add,
    "alter_column": _alembic_alter,
    "create_index": _alembic_index,
    "create_unique_constraint": _alembic_proved("add unique"),
    "create_foreign_key": _alembic_proved("add foreign key"),
    "create_check_constraint": _alembic_proved("add check"),
    "rename_table": _alembic_rename,
}
