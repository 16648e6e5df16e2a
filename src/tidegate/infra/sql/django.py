"""Migrations of Django: the list of operations, read from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from tidegate.infra.sql.lexer import Dialect
from tidegate.infra.sql.steps import Deed, Script, Step
from tidegate.infra.sql.syntax import (
    TYPES,
    argument,
    calls_of,
    constants_of,
    executed,
    given,
    is_value,
    name_of,
    parsed,
    text_of,
    type_of,
)


def read_django(text: str, path: str, dialect: Dialect, former: Callable[[], Iterable[str]]) -> Script | None:
    """A Django migration, None where the text is none. `former` gives the texts of the earlier ones of the same app,
    in order, and is asked only where a field is altered. Raises SyntaxError for what is no Python."""
    if "migrations" not in text:
        return None
    tree = parsed(text)
    found = next((value for value in _operations(tree)), None)
    if found is None:
        return None
    if _squashes(tree):
        return Script(path, (), has_down=True)
    parts = path.split("/")
    app = parts[-3] if len(parts) > 2 else ""
    steps: list[Step] = []
    for call in _listed(found):
        steps += _django(call, app, tree, dialect, former)
    return Script(path, tuple(steps), has_down=True, dialect=dialect, wraps="atomic = False" not in text)


# Private


def _squashes(tree: ast.Module) -> bool:
    """Whether a migration stands for others: databases that ran those do not run it."""
    for node in tree.body:
        for one in node.body if isinstance(node, ast.ClassDef) and node.name == "Migration" else ():
            if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "replaces":
                return True
    return False


def _operations(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            for one in node.body:
                targets = (
                    one.targets
                    if isinstance(one, ast.Assign)
                    else [one.target]
                    if isinstance(one, ast.AnnAssign)
                    else []
                )
                if any(isinstance(target, ast.Name) and target.id == "operations" for target in targets):
                    value = one.value if isinstance(one, (ast.Assign, ast.AnnAssign)) else None
                    if value is not None:
                        yield value


def _listed(node: ast.AST) -> Iterator[ast.Call]:
    """The operations that touch the database: those of the state alone do not."""
    for one in node.elts if isinstance(node, (ast.List, ast.Tuple)) else ():
        if not isinstance(one, ast.Call):
            continue
        if name_of(one) == "SeparateDatabaseAndState":
            inside = given(one, "database_operations") or (one.args[0] if one.args else None)
            if inside is not None:
                yield from _listed(inside)
        else:
            yield one


def _django(
    call: ast.Call, app: str, tree: ast.Module, dialect: Dialect, former: Callable[[], Iterable[str]]
) -> Iterator[Step]:
    name, line = name_of(call), call.lineno
    if "MOVE_TO_PENDING" in ast.unparse(call):
        return
    if name == "RunSQL":
        yield from _run_sql(call.args[0] if call.args else given(call, "sql"), tree, dialect, line)
        return
    if name == "RunPython":
        yield from _run_python(call, tree, dialect)
        return
    model = argument(call, 0, "model_name", {}) or argument(call, 0, "name", {}) or ""
    here = Step("computed", f"{app}_{model.lower()}", line=line, text=ast.unparse(call)[:80])
    column = argument(call, 1, "name", {}) or ""
    field = call.args[2] if len(call.args) > 2 else given(call, "field")
    if name == "AddField" and isinstance(field, ast.Call):
        yield from _added(here, column, field)
    elif name == "AlterField" and isinstance(field, ast.Call):
        yield from _altered(here, model, column, field, former)
    elif name in ("RenameField", "RenameModel", "AlterModelTable"):
        yield from _renamed(here, call, app)
    else:
        # Subclasses of Django's own are named after them: SafeRemoveField, PostponedDeleteModel.
        deed = next((deed for ending, deed in _DEEDS.items() if name.endswith(ending)), None)
        if deed is not None:
            unique = "UniqueConstraint" in here.text
            yield replace(
                here,
                deed="add unique" if unique and deed == "add check" else deed,
                name=column if deed == "drop column" else "",
                online=name == "AddIndexConcurrently",
            )


_DEEDS: Mapping[str, Deed] = {
    "CreateModel": "create table",
    "DeleteModel": "drop table",
    "RemoveField": "drop column",
    "AddIndex": "create index",
    "AddIndexConcurrently": "create index",
    "AddConstraint": "add check",
}


def _renamed(here: Step, call: ast.Call, app: str) -> Iterator[Step]:
    name = name_of(call)
    if name == "AlterModelTable":
        yield replace(here, deed="rename table", name=argument(call, 1, "table", {}) or "")
        return
    place = 1 if name == "RenameField" else 0
    old, new = argument(call, place, "old_name", {}) or "", argument(call, place + 1, "new_name", {}) or ""
    if name == "RenameField":
        yield replace(here, deed="rename column", name=new, type=old)
    else:
        yield replace(here, deed="rename table", table=f"{app}_{old.lower()}", name=f"{app}_{new.lower()}")


def _added(here: Step, column: str, field: ast.Call) -> Iterator[Step]:
    if name_of(field) == "ManyToManyField":
        return
    default = given(field, "default") or given(field, "db_default")
    optional = is_value(given(field, "null"), True) or is_value(given(field, "blank"), True)
    automatic = any(is_value(given(field, key), True) for key in ("auto_now", "auto_now_add", "primary_key"))
    yield replace(
        here,
        deed="add column",
        name=column,
        type=type_of(field),
        nullable=optional or automatic,
        default="given" if default is not None else "",
    )


def _altered(
    here: Step, model: str, column: str, field: ast.Call, former: Callable[[], Iterable[str]]
) -> Iterator[Step]:
    old = _last_field(former(), model.lower(), column)
    if old is None:
        return
    if type_of(old) != type_of(field) and {name_of(old), name_of(field)} <= set(TYPES):
        yield replace(here, deed="change type", name=column, type=type_of(field), former=type_of(old))
    if is_value(given(old, "null"), True) and not is_value(given(field, "null"), True):
        yield replace(here, deed="set not null", name=column)
    if not is_value(given(old, "unique"), True) and is_value(given(field, "unique"), True):
        yield replace(here, deed="add unique", name=column, unique=True)


def _last_field(texts: Iterable[str], model: str, column: str) -> ast.Call | None:
    """The field as the earlier migrations leave it."""
    found: ast.Call | None = None
    for text in texts:
        if column not in text:
            continue
        try:
            tree = parsed(text)
        except SyntaxError:
            continue
        for operations in _operations(tree):
            for call in _listed(operations):
                named = (argument(call, 0, "model_name", {}) or argument(call, 0, "name", {}) or "").lower()
                if named != model:
                    continue
                if name_of(call) == "CreateModel":
                    found = dict(_fields(call)).get(column, found)
                elif name_of(call) in ("AddField", "AlterField") and argument(call, 1, "name", {}) == column:
                    field = call.args[2] if len(call.args) > 2 else given(call, "field")
                    found = field if isinstance(field, ast.Call) else found
    return found


def _fields(call: ast.Call) -> Iterator[tuple[str, ast.Call]]:
    listed = call.args[1] if len(call.args) > 1 else given(call, "fields")
    for one in listed.elts if isinstance(listed, (ast.List, ast.Tuple)) else ():
        if isinstance(one, ast.Tuple) and len(one.elts) == 2 and isinstance(one.elts[1], ast.Call):
            name = text_of(one.elts[0], {})
            if name is not None:
                yield name, one.elts[1]


def _run_sql(node: ast.AST | None, tree: ast.Module, dialect: Dialect, line: int) -> Iterator[Step]:
    constants = constants_of(tree)
    for one in node.elts if isinstance(node, (ast.List, ast.Tuple)) else (node,):
        inner = one.elts[0] if isinstance(one, ast.Tuple) and one.elts else one
        yield from executed(inner, constants, dialect, line)


def _run_python(call: ast.Call, tree: ast.Module, dialect: Dialect) -> Iterator[Step]:
    """What the function says in so many words: rows deleted without a filter, and SQL that it runs."""
    code = call.args[0] if call.args else given(call, "code")
    wanted = code.id if isinstance(code, ast.Name) else ""
    function = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == wanted), None)
    if function is None:
        return
    constants = constants_of(tree)
    for inner in calls_of(function):
        if name_of(inner) == "execute":
            yield from executed(inner.args[0] if inner.args else None, constants, dialect, inner.lineno)
        elif name_of(inner) == "delete" and ast.unparse(inner).endswith(
            (".objects.all().delete()", ".objects.delete()")
        ):
            model = ast.unparse(inner).split(".objects")[0].rpartition(".")[2]
            yield Step("delete all", model, text=ast.unparse(inner)[:80], line=inner.lineno)
