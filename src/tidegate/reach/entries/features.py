"""What a file is likely about, cheaply: the packages that it imports, and hints for files that import none."""

from __future__ import annotations

from tidegate.reach.entries.chains import package_of, words
from tidegate.reach.symbols import FileSymbols

ROUTER_NAMES = words(
    "app application router routes server api blueprint bp fastify koa hono mux group rg engine e r g m s v1"
)
"""Names that people give to applications and routers that they are handed."""

ROUTER = "router"
DECORATED = "decorated"
MAIN = "main"
EVENT = "event-handler"


def features_of(symbols: FileSymbols) -> frozenset[str]:
    """Imported packages (with and without the path inside them), "." for an import of a neighbour, and hints.

    `ROUTER`: a parameter or a neighbour's name that is usually a router; `DECORATED`: something is decorated;
    `MAIN`: the file has a main function, or says what to do when it is run.
    """
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
    for definition in symbols.definitions:
        if definition.decorators:
            found.add(DECORATED)
        if definition.name == "main" or definition.name.endswith(".main"):
            found.add(MAIN)
        if definition.parameters and definition.parameters[0].name == "event":
            found.add(EVENT)
        if definition.parameters and not ROUTER_NAMES.isdisjoint([one.name for one in definition.parameters]):
            found.add(ROUTER)
    if any(text.value == "__main__" for text in symbols.texts):
        found.add(MAIN)
    return frozenset(found)
