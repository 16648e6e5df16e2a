"""What asks before the functions, classes, routes and settings of a Python file."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from tidegate.change.guards import ASKS
from tidegate.change.python_source import parse_python
from tidegate.verify.access.values import Guard, Unit, Units, guard_of, level_of, opens, put, shown


def read(text: str) -> Units | None:
    """The units of a file by key; None where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse_python(text.encode())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    units: dict[str, Unit] = {}
    _block(tree.body, _of_module(tree), units)
    for unit in (*_routes(tree), *_settings(tree)):
        put(units, unit)
    return units


# Private

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Routers = Mapping[str, Sequence[Guard]]
_VERBS = frozenset("get post put patch delete dispatch list create retrieve update destroy partial_update".split())
_MIXIN = re.compile(
    r"\w*(?:Required|Auth\w*|Permission\w*|Admin|Staff|Superuser|Owner|Login\w*|AccessMixin)\w*Mixin\w*|\w*(?:Protected|Authenticated|LoginRequired)\w*"
)
_ATTRIBUTES = (
    "permission_classes",
    "permission_required",
    "authentication_classes",
    "required_scopes",
    "allowed_roles",
    "decorators",
    "method_decorators",
    "required_permissions",
)
_NEGATED = re.compile(r"\bnot\b|!=|is_anonymous|is None|== 0")
_MIDDLEWARE = re.compile(r"(?i)Login\w*Required|RequireLogin|AuthenticationMiddleware$")
_REFUSES = re.compile(
    r"(?i)PermissionDenied|Forbidden|Unauthori[sz]ed|NotAuthenticated|\b40[134]\b|redirect|login|abort|deny|denied"
)
_ASKS_STRONGLY = re.compile(
    r"(?i)is_staff|is_superuser|has_perm|is_admin|\brole|owner|permission|permitted|can_\w+|superuser"
)
_GUARDS = re.compile(
    r"(?i)^_*(?:has_(?:object_)?permission|test_func|is_(?:admin|staff|authenticated|authori[sz]ed|owner|allowed|superuser)\w*|"
    r"(?:require|ensure|check|verify|authenticate|authori[sz]e|enforce|validate)_?\w*(?:auth|perm|access|admin|owner|role|login|user|token|session|api_?key)\w*|"
    r"\w+_required|can_(?:view|edit|delete|change|access|manage|read|write)\w*|get_current_\w*user\w*)$"
)
_CALLS = re.compile(
    r"(?i)(?:^|\.)_*(?:check|require|ensure|verify|assert|enforce|authori[sz]e)\w*(?:auth|perm|access|admin|owner|role|login|logged)\w*$"
    r"|(?:^|\.)authori[sz]e$"
)


def _block(body: Sequence[ast.stmt], routers: _Routers, units: dict[str, Unit]) -> None:
    """The functions and classes of a body, also below conditions, without recursion."""
    left: list[tuple[Sequence[ast.stmt], str, tuple[Guard, ...]]] = [(body, "", ())]
    while left:
        statements, prefix, held = left.pop()
        for one in statements:
            if isinstance(one, _Function):
                put(units, _function(one, prefix, held, routers))
                left.append((one.body, f"{prefix}{one.name}.", ()))
            elif isinstance(one, ast.ClassDef):
                unit = _class(one, prefix)
                put(units, unit)
                left.append(
                    (one.body, f"{prefix}{one.name}.", tuple(replace(each, aside=True) for each in unit.guards))
                )
            else:
                inner = [getattr(one, name, None) for name in ("body", "orelse", "finalbody")]
                left += [(part, prefix, held) for part in inner if isinstance(part, list)]


def _function(node: _Function, prefix: str, held: tuple[Guard, ...], routers: _Routers) -> Unit:
    said = list(_said(node))
    found = [guard for text, line in said if (guard := guard_of(text, line)) is not None]
    routed = [guard for name in _routed(node) for guard in routers.get(name, ())]
    refuses = _refusals(node) if _GUARDS.match(node.name) else None
    opened = next((shown(text) for text, _ in said if opens(text)), "")
    name = f"{prefix}{node.name}"
    calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    named = frozenset(each.id for each in calls if isinstance(each, ast.Name))
    return Unit(name, name, node.lineno, (*found, *_inside(node), *held, *routed), opened, refuses, named)


def _routed(node: _Function) -> Iterator[str]:
    """The routers that a function is registered at."""
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and _path(one) is not None:
            yield _name(one.func).rpartition(".")[0]


def _path(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and isinstance(call.func, ast.Attribute):
        return first.value
    return None


def _said(node: _Function) -> Iterator[tuple[str, int]]:
    """The decorators, dependencies and annotations of a function that may ask."""
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and (
            _path(one) is not None or _name(one.func).rpartition(".")[2] in ("action", "api_view", "register")
        ):
            yield from _dependencies(one)
            yield from ((_text(word.value), word.value.lineno) for word in one.keywords if word.arg in _ATTRIBUTES)
        elif (isinstance(one, ast.Call) and _name(one.func) in ("permission_classes", "method_decorator")) or level_of(
            _name(one.func if isinstance(one, ast.Call) else one)
        ) is not None:
            yield _text(one), one.lineno
    arguments = node.args
    for value in (*arguments.defaults, *arguments.kw_defaults):
        if value is not None:
            yield from _dependencies(value)
    for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if parameter.annotation is not None:
            known = list(_dependencies(parameter.annotation))
            yield from known
            name = _name(parameter.annotation)
            if not known and re.search(
                r"(?i)^(?:Current\w*User\w*|\w*(?:User|Admin|Auth|Token)Dep|(?:Auth|Admin|Super)\w*User|RequireUser\w*)$",
                name,
            ):
                yield name, parameter.annotation.lineno


def _dependencies(node: ast.AST) -> Iterator[tuple[str, int]]:
    """What `Depends` and `Security` name."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and _name(one.func).rpartition(".")[2] in ("Depends", "Security") and one.args:
            words = _text(one.args[0])
            secured = _name(one.func).endswith("Security")
            if secured or level_of(words) is not None:
                yield (_text(one) if secured else f"Depends({words})"), one.lineno


def _class(node: ast.ClassDef, prefix: str) -> Unit:
    texts = [(_text(one), one.lineno) for one in node.decorator_list if level_of(_text(one)) is not None]
    texts += [(_text(one), one.lineno) for one in node.bases if _MIXIN.fullmatch(_name(one).rpartition(".")[2])]
    opened = ""
    for one in node.body:
        names = [_name(target) for target in one.targets] if isinstance(one, ast.Assign) else []
        if isinstance(one, ast.AnnAssign) and one.value is not None:
            names = [_name(one.target)]
        value = getattr(one, "value", None)
        if names and names[0] in _ATTRIBUTES and value is not None:
            words = _text(value)
            empty = isinstance(value, ast.List | ast.Tuple) and not value.elts
            if names[0] == "permission_classes" and (opens(words) or empty):
                opened = f"permission_classes = {words}"
            elif names[0] not in ("decorators", "method_decorators", "authentication_classes") and not empty:
                elements = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
                texts += [(f"{names[0]}: {_text(each)}", each.lineno) for each in elements]
            elif names[0] in ("decorators", "method_decorators") and level_of(words) is not None:
                texts.append((words, value.lineno))
        if isinstance(one, _Function) and one.name in (
            "get_permissions",
            "check_permissions",
            "test_func",
            "has_permission",
        ):
            texts.append((f"{one.name}: {_text(one.body[-1])}", one.lineno))
    found = [guard for text, line in texts if (guard := guard_of(text, line)) is not None]
    verbs = [one for one in node.body if isinstance(one, _Function) and one.name in _VERBS]
    own = [
        [guard for text, line in _said(one) if (guard := guard_of(text, line)) is not None] + list(_inside(one))
        for one in verbs
    ]
    if own and all(own):
        found += [replace(guard, aside=True) for guards in own for guard in guards]
    name = f"{prefix}{node.name}"
    return Unit(f"class {name}", name, node.lineno, tuple(found), opened)


def _inside(node: _Function) -> Iterator[Guard]:
    """What the body asks before it goes on: a condition that turns people away, or a call that does nothing else."""
    for one in node.body[:20]:
        if isinstance(one, ast.If) and not one.orelse and len(one.body) <= 3:
            asked, then = _text(one.test), " ".join(_text(each) for each in one.body)
            ends = isinstance(one.body[-1], ast.Raise | ast.Return) or "abort(" in then
            if (
                ends
                and _NEGATED.search(asked)
                and _REFUSES.search(then)
                and (ASKS.search(asked) or _ASKS_STRONGLY.search(asked))
            ):
                yield Guard(shown(f"if {asked}"), one.lineno, 2 if _ASKS_STRONGLY.search(asked) else 1)
        value = one.value if isinstance(one, ast.Expr) else None
        value = value.value if isinstance(value, ast.Await) else value
        if isinstance(value, ast.Call) and _CALLS.search(_name(value.func)):
            yield Guard(shown(_text(value)), one.lineno, 2)


def _refusals(node: _Function) -> int:
    count = 0
    for one in ast.walk(node):
        if isinstance(one, ast.Raise):
            count += 1
        elif isinstance(one, ast.Return) and one.value is not None:
            constant = isinstance(one.value, ast.Constant)
            count += 0 if constant and one.value.value is True else 1  # type: ignore[attr-defined]
        elif isinstance(one, ast.Call) and _REFUSES.search(_name(one.func)):
            count += 1
    return count


def _of_module(tree: ast.Module) -> _Routers:
    """What holds for all routes of a router: its dependencies, a function before each request."""
    found: dict[str, list[Guard]] = {}
    for one in tree.body:
        value = one.value if isinstance(one, ast.Assign) else None
        if isinstance(value, ast.Call) and _name(value.func).rpartition(".")[2] in ("APIRouter", "FastAPI"):
            given = [word.value for word in value.keywords if word.arg == "dependencies"]
            guards = [guard_of(text, line) for each in given for text, line in _dependencies(each)]
            for target in one.targets if isinstance(one, ast.Assign) else ():
                found.setdefault(_name(target), []).extend(guard for guard in guards if guard)
        for each in one.decorator_list if isinstance(one, _Function) else ():
            name = _name(each)
            if (
                isinstance(one, _Function)
                and name.endswith("before_request")
                and (level_of(one.name) or [*_inside(one)])
            ):
                guard = Guard(f"before_request: {one.name}", one.lineno, 2 if level_of(one.name) == 2 else 1)
                found.setdefault(name.rpartition(".")[0], []).append(guard)
    return found


def _routes(tree: ast.Module) -> Iterator[Unit]:
    """Routes that are registered by a call: Django's `path`, FastAPI's `include_router`."""
    for one in ast.walk(tree):
        if not isinstance(one, ast.Call) or not one.args:
            continue
        name = _name(one.func).rpartition(".")[2]
        if name in ("path", "re_path", "url") and len(one.args) >= 2:
            route, view = _text(one.args[0]), one.args[1]
            guards = []
            while isinstance(view, ast.Call) and view.args and level_of(_name(view.func)):
                guards.append(guard_of(_name(view.func), view.lineno))
                view = view.args[0]
            yield Unit(
                f"path {route} {_name(view.func if isinstance(view, ast.Call) else view)}",
                f"the route {route}",
                one.lineno,
                tuple(g for g in guards if g),
            )
        elif name == "include_router":
            given = [word.value for word in one.keywords if word.arg == "dependencies"]
            guards = [guard_of(text, line) for value in given for text, line in _dependencies(value)]
            yield Unit(
                f"include {_text(one.args[0])}",
                f"the router {_text(one.args[0])}",
                one.lineno,
                tuple(g for g in guards if g),
            )


def _settings(tree: ast.Module) -> Iterator[Unit]:
    """Guards of a whole application that its settings name."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Assign) and any(_name(t) in ("MIDDLEWARE", "MIDDLEWARE_CLASSES") for t in one.targets):
            constants = [each for each in ast.walk(one.value) if isinstance(each, ast.Constant)]
            found = tuple(
                Guard(str(each.value), each.lineno, 1) for each in constants if _MIDDLEWARE.search(str(each.value))
            )
            yield Unit("MIDDLEWARE", "every route", one.lineno, found)
        elif isinstance(one, ast.Dict):
            for key, value in zip(one.keys, one.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "DEFAULT_PERMISSION_CLASSES":
                    words = _text(value)
                    guard = guard_of(words, key.lineno)
                    yield Unit(
                        "DEFAULT_PERMISSION_CLASSES",
                        "every route without permission classes",
                        key.lineno,
                        (guard,) if guard else (),
                        words if opens(words) else "",
                    )


def _name(node: ast.AST) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def _text(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return ""
