"""Routes of JavaScript's and TypeScript's web frameworks that hang on an application or a router.

Express, Koa's routers, Fastify, Hono, Restify, Polka, Elysia and find-my-way's like.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.answer import EntryPoint
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.context import Context
from tidegate.reach.entries.dialect import Action, Dialect, Kind, Use, read_marks
from tidegate.reach.entries.features import ROUTER
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.routes import all_entries
from tidegate.reach.symbols import FileSymbols

SUFFIXES = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
VERBS = words("get post put delete patch head options all del any ws")
_APPS = words("Express Application Router IRouter e.Express e.Router core.Express")
_KINDS: dict[tuple[str, str], Kind] = {
    ("express", ""): Kind("express", True),
    ("express", "application"): Kind("express", True),
    ("express", "Router"): Kind("express"),
    **{("express", name): Kind("express", name in ("Express", "Application")) for name in _APPS - {"Router"}},
    ("express-promise-router", ""): Kind("express"),
    ("koa", ""): Kind("koa", True),
    ("koa", "Application"): Kind("koa", True),
    **{
        (package, name): Kind("koa", True, "prefix")
        for package in ("koa-router", "@koa/router")
        for name in ("", "Router")
    },
    **{("fastify", name): Kind("fastify", True) for name in ("", "fastify", "Fastify")},
    **{
        ("fastify", name): Kind("fastify")
        for name in ("FastifyInstance", "FastifyPluginAsync", "FastifyPluginCallback")
    },
    **{("hono", name): Kind("hono", True) for name in ("Hono", "")},
    **{("@hono/zod-openapi", name): Kind("hono", True) for name in ("OpenAPIHono",)},
    ("restify", "createServer"): Kind("restify", True),
    ("polka", ""): Kind("polka", True),
    ("elysia", "Elysia"): Kind("elysia", True, "prefix"),
}
_STEPS = VERBS | words("use route register mount on openapi addHook before after routes")


def _act(use: Use) -> Action | None:
    plain = use.mark.arguments
    if use.name in VERBS:
        return _verb(use, plain)
    if use.name == "on" and use.framework == "hono" and len(plain) > 2:
        return Action("route", chains.texts(plain[0]) or ("*",), chains.texts(plain[1])[:1] or ("{?}",), plain[2:])
    if use.name == "route":
        return _route(use, plain)
    if use.name in ("use", "register", "mount"):
        return _use(use, plain)
    return None


def _verb(use: Use, plain: tuple[str, ...]) -> Action | None:
    method = {"all": "*", "any": "*", "del": "DELETE", "ws": "WS"}.get(use.name, use.name.upper())
    inner = chains.receiver(use.mark.chain)
    if inner.endswith("route()") or ".route()." in inner:
        # app.route("/x").get(f).post(g): the receiver has the path, every argument is a handler
        return Action("route", (method,), ("",), _whole(use, plain) or ("",))
    if not plain or (len(plain) < 2 and plain[0] and not plain[0].startswith(('"/', '"*', '"{', '""'))):
        return None
    plain = _whole(use, plain)
    found = chains.texts(plain[0])
    if not found and plain[0]:
        return None if use.framework == "" else Action("route", (method,), ("{?}",), plain[1:])
    if not found:
        found = _listed(use) or ("{?}",)
    handlers = plain[1:]
    if use.framework == "koa" and len(plain) > 2 and chains.is_text(plain[1]):
        found, handlers = chains.texts(plain[1]), plain[2:]
    return Action("route", (method,), found, handlers or ("",))


def _whole(use: Use, plain: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments with "" for a function written in place at their end, which readers leave out."""
    node = use.node() if use.framework else None
    given = chains.positional(plain)
    return (*given, "") if node is not None and len(node.items) > len(given) else given


def _listed(use: Use) -> tuple[str, ...]:
    node = use.node()
    return node.items[0].texts() if node and node.items else ()


def _route(use: Use, plain: tuple[str, ...]) -> Action | None:
    if len(plain) == 2 and chains.is_text(plain[0]) and not chains.is_text(plain[1]):
        return Action("attach", paths=(plain[0],), child=plain[1])
    if use.framework not in ("fastify", "hapi"):
        return None
    node = use.node()
    option = next((one for one in node.items if one.kind == "map"), None) if node else None
    if option is None:
        return None
    url, method, handler = option.get("url") or option.get("path"), option.get("method"), option.get("handler")
    methods = tuple(one.upper() for one in method.texts()) if method else ()
    chain = handler.text if handler is not None and handler.kind == "word" else ""
    return Action("route", methods or ("*",), (url.text if url and url.kind == "text" else "{?}",), (chain,))


def _use(use: Use, plain: tuple[str, ...]) -> Action | None:
    plain = chains.positional(plain)
    if not plain:
        return None
    has_path = bool(chains.texts(plain[0]))
    given = plain[1:] if has_path else plain
    children = [one for one in given if one]
    if use.framework and use.name == "register":
        return None
    if use.framework and children:
        return Action("middleware", paths=(chains.texts(plain[0])[0] if has_path else "",), handlers=tuple(children))
    if not children:
        return None
    prefix = plain[0] if has_path else '""'
    if use.name == "register":
        prefix = _option(use) or '""'
        children = children[:1]
    child = children[-1].removesuffix(".routes()").removesuffix(".middleware()")
    return Action("attach", paths=(prefix,), child=child)


def _option(use: Use) -> str:
    written = chains.named(use.mark.arguments, "prefix")
    if written is not None:
        return written
    node = use.node() if "" in use.mark.arguments else None
    for one in node.items if node else ():
        found = one.get("prefix")
        if found is not None:
            return f'"{found.text}"' if found.kind == "text" else "{?}"
    return ""


DIALECT = Dialect(
    name="javascript-web",
    kinds=_KINDS,
    steps=_STEPS,
    derives=words("route basePath prefix group guard use") | VERBS,
    act=_act,
    passes=VERBS | words("use guard"),
    closures=words("register group"),
    names=words("app router server routes fastify application route"),
)


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    return read_marks(DIALECT, symbols)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    yield from all_entries(DIALECT, marks, context)


_PACKAGES = frozenset(package for package, _ in _KINDS)
FINDERS = (Finder("javascript-web", _join, SUFFIXES, _PACKAGES | {ROUTER}, _marks),)
