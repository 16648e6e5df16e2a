"""Which HTTP methods a class answers: those of its own methods, of its bases, and of what frameworks' bases define."""

from __future__ import annotations

from tidegate.reach.answer import SymbolId
from tidegate.reach.entries.chains import last
from tidegate.reach.entries.context import Context
from tidegate.reach.entries.follow import Follower

VERBS = ("get", "post", "put", "delete", "patch", "head", "options")
_KNOWN = {
    "GET": ("TemplateView RedirectView ListView DetailView ListAPIView RetrieveAPIView ArchiveIndexView"),
    "POST": ("CreateAPIView LogoutView"),
    "GET POST": ("FormView CreateView UpdateView DeleteView LoginView ListCreateAPIView PasswordChangeView"),
    "DELETE": "DestroyAPIView",
    "PATCH PUT": "UpdateAPIView",
    "GET PATCH PUT": "RetrieveUpdateAPIView",
    "DELETE GET": "RetrieveDestroyAPIView",
    "DELETE GET PATCH PUT": "RetrieveUpdateDestroyAPIView",
}


def class_methods(context: Context, follower: Follower, symbol: SymbolId, depth: int = 0) -> dict[str, SymbolId]:
    """HTTP method to the symbol that answers it; the class itself where a base outside of the tree does."""
    view = context.view(symbol.path)
    index = view.names.get(symbol.name) if view else None
    definition = view.definition(index) if view and index is not None else None
    if view is None or definition is None or depth > 8:
        return {}
    found: dict[str, SymbolId] = {}
    for base in definition.bases:
        found |= dict.fromkeys(known_methods(base), symbol)
        for value in follower.values(symbol.path, definition.parent, base, definition.line):
            if value.index >= 0 and (value.path, value.index) != (symbol.path, index):
                inherited = context.symbol(value.path, value.index)
                found |= class_methods(context, follower, inherited, depth + 1)
    for verb in VERBS:
        for name in (f"{symbol.name}.{verb}", f"{symbol.name}.on_{verb}"):
            if name in view.names:
                found[verb.upper()] = SymbolId(symbol.path, name)
    return found


def known_methods(base: str) -> tuple[str, ...]:
    """What a framework's class answers by itself, by its name."""
    name = last(base)
    return next((tuple(key.split()) for key, names in _KNOWN.items() if name in names.split()), ())
