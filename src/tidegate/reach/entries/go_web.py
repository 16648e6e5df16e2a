"""Routes of Go: net/http with the patterns of Go 1.22, gin, echo, chi, gorilla/mux, fiber, macaron and flamego."""

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

METHODS = words("GET POST PUT DELETE PATCH HEAD OPTIONS CONNECT TRACE")
_TITLES = frozenset(method.title() for method in METHODS)
_GIN, _ECHO, _CHI = "github.com/gin-gonic/gin", "github.com/labstack/echo", "github.com/go-chi/chi"
_MUX, _FIBER = "github.com/gorilla/mux", "github.com/gofiber/fiber"
_KINDS: dict[tuple[str, str], Kind] = {
    ("net/http", ""): Kind("net/http", True),
    ("net/http", "NewServeMux"): Kind("net/http", True),
    ("net/http", "ServeMux"): Kind("net/http", True),
    **{(_GIN, name): Kind("gin", True) for name in ("Default", "New", "Engine")},
    **{(_GIN, name): Kind("gin") for name in ("RouterGroup", "IRouter", "IRoutes")},
    **{(_ECHO, name): Kind("echo", True) for name in ("New", "Echo")},
    (_ECHO, "Group"): Kind("echo"),
    **{(_CHI, name): Kind("chi", True) for name in ("NewRouter", "NewMux")},
    **{(_CHI, name): Kind("chi") for name in ("Router", "Mux")},
    **{(_MUX, name): Kind("gorilla/mux", True) for name in ("NewRouter",)},
    (_MUX, "Router"): Kind("gorilla/mux"),
    **{(_FIBER, name): Kind("fiber", True) for name in ("New", "App")},
    **{(_FIBER, name): Kind("fiber") for name in ("Router", "Group")},
    **{("gopkg.in/macaron.v1", name): Kind("macaron", True) for name in ("New", "Classic", "Macaron", "NewWithLogger")},
    ("gopkg.in/macaron.v1", "Router"): Kind("macaron"),
    **{("gopkg.in/macaron", name): Kind("macaron", True) for name in ("New", "Classic", "Macaron")},
    **{("github.com/flamego/flamego", name): Kind("flamego", True) for name in ("New", "Classic", "Flame")},
    ("github.com/flamego/flamego", "Router"): Kind("flamego"),
    ("github.com/julienschmidt/httprouter", "New"): Kind("httprouter", True),
    ("github.com/julienschmidt/httprouter", "Router"): Kind("httprouter", True),
}
_PASSES = words("Subrouter With Methods Host Schemes Headers Queries Name StrictSlash Use") | METHODS | _TITLES
_DERIVES = words("Group PathPrefix Path Combo Route") | _PASSES
_STEPS = (
    METHODS
    | _TITLES
    | words("Any All Add Match Handle HandleFunc Handler HandlerFunc Method MethodFunc Methods Mount Route Group Use")
)


def _act(use: Use) -> Action | None:
    plain = use.mark.arguments
    name = use.name
    if name in ("Handle", "HandleFunc", "Handler", "HandlerFunc"):
        return _handle(use, plain)
    if name in METHODS or name in _TITLES or name in ("Any", "All"):
        return _verb(use, plain, "*" if name in ("Any", "All") else name.upper())
    if name in ("Method", "MethodFunc", "Add", "Match", "Methods"):
        return _with_method(use, plain)
    if name == "Mount" and len(plain) == 2:
        return Action("attach", paths=(plain[0],), child=plain[1])
    if name == "Use":
        return Action("middleware", handlers=tuple(one for one in plain if one and one != "%func")) if plain else None
    if name == "Route" and len(plain) > 2 and len(chains.texts(plain[1])) == 1:
        methods = tuple(one.strip() for one in chains.texts(plain[1])[0].split(","))
        return Action("route", methods, chains.texts(plain[0]) or ("{?}",), plain[2:])
    return None


def _verb(use: Use, plain: tuple[str, ...], method: str) -> Action | None:
    receiver = chains.receiver(use.mark.chain)
    if "Combo()" in receiver:
        return Action("route", (method,), ("",), plain or ("",))
    if len(plain) < 2 or use.framework == "net/http":
        return None
    return Action("route", (method,), _path(plain[0]), _ordered(use, plain[1:]))


def _ordered(use: Use, handlers: tuple[str, ...]) -> tuple[str, ...]:
    """The handler last: echo writes its middleware after it."""
    return handlers[::-1] if use.framework == "echo" else handlers


def _path(argument: str) -> tuple[str, ...]:
    return chains.texts(argument) or ("{?}" if not argument or argument[0] in "%?" else argument,)


def _handle(use: Use, plain: tuple[str, ...]) -> Action | None:
    if not plain:
        return None
    first = chains.texts(plain[0])
    if len(plain) >= 3 and first and (first[0] in METHODS or use.framework in ("gin", "httprouter")):
        return Action("route", first, _path(plain[1]), plain[2:])
    if len(plain) == 1:
        if not use.name.startswith("Handler"):
            return None
        return Action("route", _listed_methods(use) or ("*",), ("",), plain)
    method, _, rest = first[0].partition(" ") if first else ("", "", "")
    if rest and method in METHODS:
        path = rest.strip()
        return Action("route", (method,), (path if path.startswith("/") else path[path.find("/") :],), plain[1:])
    return Action("route", _listed_methods(use) or ("*",), _path(plain[0]), plain[1:])


def _listed_methods(use: Use) -> tuple[str, ...]:
    """The methods that gorilla/mux is told in a call before or after this one."""
    found = [one for argument in use.call(use.mark.chain + "().Methods") for one in chains.texts(argument)]
    before = use.mark.chain
    while not found and ".Methods()" in before:
        before = before[: before.rfind(".Methods()")]
        found = [one for argument in use.call(before + ".Methods") for one in chains.texts(argument)]
    return tuple(found)


def _with_method(use: Use, plain: tuple[str, ...]) -> Action | None:
    if len(plain) < 3:
        return None
    methods = chains.texts(plain[0])
    if not methods:
        node = use.node()
        methods = node.items[0].texts() if node and node.items else ()
    methods = tuple(part.strip() for one in methods for part in one.split(",") if part.strip())
    return Action("route", methods or ("*",), _path(plain[1]), plain[2:])


DIALECT = Dialect(
    name="go-web",
    kinds=_KINDS,
    steps=_STEPS,
    derives=_DERIVES,
    act=_act,
    passes=_PASSES,
    closures=words("Route Group"),
    names=words("r router mux m e g group rg app engine api v1 server"),
    wrapped=True,
)


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    return read_marks(DIALECT, symbols)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    yield from all_entries(DIALECT, marks, context)


_PACKAGES = frozenset(package for package, _ in _KINDS)
FINDERS = (Finder("go-web", _join, (".go",), _PACKAGES | {ROUTER}, _marks),)
