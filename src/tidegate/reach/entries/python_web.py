"""Routes of Python's web frameworks that hang on an application, a router or a blueprint.

Flask, Quart, flask-restful and flask-restx, FastAPI, Starlette, Sanic, aiohttp, Bottle and Falcon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.class_methods import class_methods
from tidegate.reach.entries.context import Context, http
from tidegate.reach.entries.dialect import Action, Dialect, Kind, Use, read_marks
from tidegate.reach.entries.features import DECORATED, ROUTER
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.follow import Follower
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.routes import Routing
from tidegate.reach.symbols import FileSymbols

VERBS = words("get post put delete patch head options trace")
_FLASK = ("flask", "quart", "flask_openapi3", "apiflask")
_KINDS: dict[tuple[str, str], Kind] = {
    **{
        (package, name): Kind("flask", True) for package in _FLASK for name in ("Flask", "Quart", "APIFlask", "OpenAPI")
    },
    **{
        (package, name): Kind("flask", False, "url_prefix")
        for package in _FLASK
        for name in ("Blueprint", "APIBlueprint")
    },
    ("flask_smorest", "Blueprint"): Kind("flask", False, "url_prefix"),
    ("flask_restful", "Api"): Kind("flask-restful", True, "prefix"),
    ("flask_restx", "Api"): Kind("flask-restful", True, "prefix"),
    ("flask_restx", "Namespace"): Kind("flask-restful", False, "path"),
    ("fastapi", "FastAPI"): Kind("fastapi", True),
    ("fastapi", "APIRouter"): Kind("fastapi", False, "prefix"),
    ("fastapi", "routing.APIRouter"): Kind("fastapi", False, "prefix"),
    ("starlette", "Starlette"): Kind("starlette", True),
    ("starlette", "Router"): Kind("starlette"),
    ("sanic", "Sanic"): Kind("sanic", True),
    ("sanic", "Blueprint"): Kind("sanic", False, "url_prefix"),
    ("aiohttp", "web.Application"): Kind("aiohttp", True),
    ("aiohttp", "web.Application.router"): Kind("aiohttp", True),
    ("aiohttp", "Application"): Kind("aiohttp", True),
    ("aiohttp", "web.RouteTableDef"): Kind("aiohttp", True),
    ("aiohttp", "RouteTableDef"): Kind("aiohttp", True),
    ("bottle", "Bottle"): Kind("bottle", True),
    ("falcon", "App"): Kind("falcon", True),
    ("falcon", "asgi.App"): Kind("falcon", True),
}
_ATTACH = words("register_blueprint include_router mount blueprint add_subapp add_namespace init_app")
_MIDDLEWARE = words("before_request after_request teardown_request middleware")
_ADD = words(
    "add_url_rule add_api_route add_route add_resource add_websocket_route add_api_websocket_route"
    " add_get add_post add_put add_delete add_patch add_view"
)
_ROUTE = words("route api_route websocket websocket_route")
_STEPS = VERBS | _ATTACH | _MIDDLEWARE | _ADD | _ROUTE


def _act(use: Use) -> Action | None:
    arguments = use.mark.arguments
    plain = chains.positional(arguments)
    if use.name in _ATTACH:
        return _attach(use, plain)
    if use.name in _MIDDLEWARE:
        return Action("middleware", handlers=plain[:1])
    if use.mark.what == "decorate":
        return _decorator(use, plain)
    return _added(use, plain) if use.name in _ADD else None


def _attach(use: Use, plain: tuple[str, ...]) -> Action | None:
    named = chains.named
    arguments = use.mark.arguments
    prefix = named(arguments, "url_prefix") or named(arguments, "prefix") or named(arguments, "path") or '""'
    if use.name in ("mount", "add_subapp"):
        child = named(arguments, "app") or (plain[1] if len(plain) > 1 else "")
        return Action("attach", paths=(plain[0] if plain else prefix,), child=child)
    replaces = use.name in ("register_blueprint", "blueprint", "add_namespace") and prefix != '""'
    return Action("attach", paths=(prefix,), child=plain[0] if plain else "", replaces=replaces)


def _methods(use: Use, default: tuple[str, ...]) -> tuple[str, ...]:
    value = chains.named(use.mark.arguments, "methods")
    if value is None:
        return default
    found = chains.texts(value)
    if not found:
        node = use.node()
        listed = node.get("methods") if node else None
        found = listed.texts() if listed else ()
        found = found or tuple(one.text.rpartition(".")[2] for one in (listed.items if listed else ()) if one.text)
    return tuple(sorted({method.upper() for method in found})) or ("*",)


def _path(use: Use, plain: tuple[str, ...]) -> tuple[str, ...]:
    for name in ("path", "rule", "uri"):
        value = chains.named(use.mark.arguments, name)
        if value is not None:
            plain = (value, *plain)
    if not plain:
        return ("",)
    return chains.texts(plain[0]) or ("{?}",)


def _decorator(use: Use, plain: tuple[str, ...]) -> Action | None:
    if use.name in _ROUTE:
        default = ("WS",) if use.name.startswith("websocket") else ("GET",)
        return Action("route", _methods(use, default), _path(use, plain)[:1], ("",))
    if use.name in VERBS:
        return Action("route", (use.name.upper(),), _path(use, plain)[:1], ("",))
    return None


def _added(use: Use, plain: tuple[str, ...]) -> Action | None:
    arguments = use.mark.arguments
    if use.name == "add_resource":
        return Action("route", ("resource",), tuple(t for one in plain[1:] for t in chains.texts(one)), plain[:1])
    names = ("view_func", "endpoint", "route", "handler")
    given = [value for name in names if (value := chains.named(arguments, name)) and not chains.is_text(value)]
    rest = [one for one in plain[1:] if not chains.is_text(one)]
    handler = (given + rest)[:1]
    default = ("WS",) if "websocket" in use.name else ("GET",)
    if use.name.startswith("add_") and use.name[4:] in VERBS:
        default = (use.name[4:].upper(),)
    if use.framework == "falcon":
        default = ("resource",)
    return Action("route", _methods(use, default), _path(use, plain)[:1], tuple(handler) or ("",))


DIALECT = Dialect(
    name="python-web",
    kinds=_KINDS,
    steps=_STEPS,
    derives=frozenset(),
    act=_act,
    names=frozenset(("app", "router", "blueprint", "bp", "api", "application", "routes")),
)


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    return read_marks(DIALECT, symbols)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    routing = Routing(DIALECT, marks, context)
    for point in routing.entries():
        yield from _with_methods(point, context, routing.follower)


def _with_methods(point: EntryPoint, context: Context, follower: Follower) -> Iterable[EntryPoint]:
    """A route to a class has the methods that the class or its bases define."""
    view = context.view(point.handler.path)
    index = view.names.get(point.handler.name) if view else None
    definition = view.definition(index) if view and index is not None else None
    if definition is None or definition.kind != "class":
        return (point,) if point.method != "resource" else (_again(point, "*", point.handler),)
    methods = class_methods(context, follower, point.handler)
    wanted = (
        methods
        if point.method in ("resource", "GET")
        else {verb: symbol for verb, symbol in methods.items() if verb == point.method}
    )
    return [_again(point, verb, symbol) for verb, symbol in sorted(wanted.items())] or (
        _again(point, "*" if point.method == "resource" else point.method, point.handler),
    )


def _again(point: EntryPoint, method: str, handler: SymbolId) -> EntryPoint:
    return http(method, point.path, point.framework, handler, point.line, point.probability)


_PACKAGES = frozenset(package for package, _ in _KINDS)
FINDERS = (Finder("python-web", _join, (".py",), _PACKAGES | {ROUTER, DECORATED}, _marks),)
