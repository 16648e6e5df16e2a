"""What a file is likely about, cheaply: the packages that it imports, and hints for files that import none."""

from __future__ import annotations

from tidegate.reach.entries.chains import package_of, words
from tidegate.reach.symbols import Definition, FileSymbols

ROUTER_NAMES = words(
    "app application router routes server api blueprint bp fastify koa hono mux group rg engine e r g m s v1"
)
"""Names that people give to applications and routers that they are handed."""

ROUTER = "router"
DECORATED = "decorated"
MAIN = "main"
EVENT = "event-handler"
GRPC = "grpc-base"
INHERITS = "inherits"
_GRPC_BASES = ("Servicer", "ImplBase", "Server", "Service")


def features_of(symbols: FileSymbols) -> frozenset[str]:
    """Imported packages (with and without the path inside them), "." for an import of a neighbour, and hints.

    `ROUTER`: a parameter or a neighbour's name that is usually a router; `DECORATED`: something is decorated;
    `MAIN`: the file has a main function, or says what to do when it is run.
    """
    found = _imports(symbols)
    for definition in symbols.definitions:
        if definition.bases:
            found.add(INHERITS)
            if definition.bases[-1].endswith(_GRPC_BASES) or definition.bases[0].endswith(_GRPC_BASES):
                found.add(GRPC)
        if definition.decorators:
            found.add(DECORATED)
        if definition.name == "main" or definition.name.endswith(".main"):
            found.add(MAIN)
        if definition.parameters:
            found |= _parameters(definition)
    if any(text.value == "__main__" for text in symbols.texts):
        found.add(MAIN)
    return frozenset(found)


# Private


def _imports(symbols: FileSymbols) -> set[str]:
    found: set[str] = set()
    specs: set[str] = set()
    for binding in symbols.bindings:
        if binding.value.startswith("<"):
            specs.add(binding.value[1 : binding.value.find(">")])
            if binding.name in ROUTER_NAMES:
                found.add(ROUTER)
    for spec in specs:
        found.add(spec)
        found.add(package_of(spec))
        if "." in spec or "/" in spec:
            found.add(spec.replace("/", ".").split(".", 1)[0])
        if "grpc" in spec or spec.endswith(("_pb2", "pb")):
            found.add(GRPC)
    return found


def _parameters(definition: Definition) -> set[str]:
    names = [one.name for one in definition.parameters]
    found = {EVENT} if names[0] == "event" else set()
    return found if ROUTER_NAMES.isdisjoint(names) else found | {ROUTER}
