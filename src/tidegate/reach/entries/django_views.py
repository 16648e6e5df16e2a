"""Which functions answer for a view of Django: functions, classes, and the actions of a view set."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.answer import SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.class_methods import class_methods
from tidegate.reach.entries.context import Context
from tidegate.reach.entries.follow import Follower
from tidegate.reach.entries.interface import Mark
from tidegate.reach.symbols import Definition

_ACTIONS = {
    "list": ("GET", ""),
    "create": ("POST", ""),
    "retrieve": ("GET", "{pk}"),
    "update": ("PUT", "{pk}"),
    "partial_update": ("PATCH", "{pk}"),
    "destroy": ("DELETE", "{pk}"),
}
_MIXINS = {
    "ModelViewSet": tuple(_ACTIONS),
    "ReadOnlyModelViewSet": ("list", "retrieve"),
    "ListModelMixin": ("list",),
    "CreateModelMixin": ("create",),
    "RetrieveModelMixin": ("retrieve",),
    "UpdateModelMixin": ("update", "partial_update"),
    "DestroyModelMixin": ("destroy",),
}


class Views:
    """The views of one tree."""

    def __init__(self, context: Context, follower: Follower) -> None:
        self._context = context
        self._follower = follower

    def of(self, path: str, mark: Mark, chain: str) -> Iterator[tuple[str, SymbolId]]:
        """Method and handler of what a pattern hands over; the symbol around the pattern where nobody can tell."""
        found = False
        for symbol in self._handlers(path, mark, chain):
            found = True
            yield from self._of_symbol(symbol)
        if not found:
            yield "*", self._context.symbol(path, mark.within)

    def of_set(self, path: str, mark: Mark, chain: str) -> Iterator[tuple[str, str, SymbolId]]:
        """Method, path below the registration and handler of every action of a view set."""
        symbols = self._context.handlers(path, mark.within, chain)
        for symbol in symbols:
            actions = self._actions(symbol, 0)
            for name, target in actions.items():
                yield (*_ACTIONS[name], target)
            yield from self._extra(symbol, 0)
            if not actions:
                yield "*", "", symbol
        if not symbols:
            yield "*", "", self._context.symbol(path, mark.within)

    # Private

    def _handlers(self, path: str, mark: Mark, chain: str) -> tuple[SymbolId, ...]:
        texts = chains.texts(chain)
        if texts and "." in texts[0]:  # a view by its dotted name
            module, _, name = texts[0].rpartition(".")
            return self._context.handlers(path, 0, f"<{module}>.{name}")
        found = self._context.handlers(path, mark.within, chain)
        if found or not chain.endswith("()"):
            return self._wrapped(path, mark, chain) + found
        return self._wrapped(path, mark, chain)

    def _wrapped(self, path: str, mark: Mark, chain: str) -> tuple[SymbolId, ...]:
        """The view inside of `login_required(view)`."""
        view = self._context.view(path)
        call = view.call_at(chain[:-2], mark.line) if view and chain.endswith("()") else None
        if call is None or call.line < mark.line or chain.endswith(".as_view()"):
            return ()
        found: tuple[SymbolId, ...] = ()
        for argument in call.arguments:
            if not chains.is_text(argument):
                found += self._context.handlers(path, mark.within, argument)
        return found

    def _of_symbol(self, symbol: SymbolId) -> Iterator[tuple[str, SymbolId]]:
        definition = self._definition(symbol)
        if definition is not None and definition.kind == "class":
            methods = class_methods(self._context, self._follower, symbol)
            yield from methods.items()
            if not methods:
                yield "*", symbol
            return
        for method in self._decorated(symbol, definition):
            yield method, symbol

    def _decorated(self, symbol: SymbolId, definition: Definition | None) -> tuple[str, ...]:
        for decorator in definition.decorators if definition else ():
            name = chains.last(decorator)
            if name in ("require_GET", "require_POST"):
                return (name.removeprefix("require_"),)
            if name == "require_safe":
                return ("GET",)
            if name in ("api_view", "require_http_methods") and definition is not None:
                return self._listed(symbol, definition, decorator) or ("GET",)
        return ("*",)

    def _listed(self, symbol: SymbolId, definition: Definition, decorator: str) -> tuple[str, ...]:
        view = self._context.view(symbol.path)
        calls = view.calls.get(decorator.removesuffix("()"), ()) if view else ()
        for call in calls:
            if definition.line <= call.line <= definition.end_line and call.arguments:
                methods = chains.texts(call.arguments[0]) or chains.texts(
                    chains.named(call.arguments, "request_method_list") or ""
                )
                if methods:
                    return tuple(sorted(methods))
                node = self._context.tokens(symbol.path).call(call.line, chains.last(decorator))
                return node.items[0].texts() if node and node.items else ()
        return ()

    def _definition(self, symbol: SymbolId) -> Definition | None:
        view = self._context.view(symbol.path)
        return view.definition(view.names.get(symbol.name, -1)) if view else None

    def _actions(self, symbol: SymbolId, depth: int) -> dict[str, SymbolId]:
        view, definition = self._context.view(symbol.path), self._definition(symbol)
        if view is None or definition is None or depth > 8:
            return {}
        found: dict[str, SymbolId] = {}
        for base in definition.bases:
            found |= dict.fromkeys(_MIXINS.get(chains.last(base), ()), symbol)
            for inherited in self._bases(symbol, definition, base):
                found |= self._actions(inherited, depth + 1)
        for name in _ACTIONS:
            if f"{symbol.name}.{name}" in view.names:
                found[name] = SymbolId(symbol.path, f"{symbol.name}.{name}")
        return found

    def _bases(self, symbol: SymbolId, definition: Definition, base: str) -> list[SymbolId]:
        values = self._follower.values(symbol.path, definition.parent, base, definition.line)
        own = [self._context.symbol(value.path, value.index) for value in values if value.index >= 0]
        return [one for one in own if one != symbol]

    def _extra(self, symbol: SymbolId, depth: int) -> Iterator[tuple[str, str, SymbolId]]:
        """The actions that `@action` declares, of the class and of its bases."""
        view, definition = self._context.view(symbol.path), self._definition(symbol)
        if view is None or definition is None or depth > 8:
            return
        own = view.names[symbol.name]
        for one in view.symbols.definitions:
            if one.parent != own or not any(chains.last(chain) == "action" for chain in one.decorators):
                continue
            call = next((c for c in view.calls.get("action", ()) if one.line <= c.line <= one.end_line), None)
            arguments = call.arguments if call else ()
            name = one.name.rpartition(".")[2]
            tail = (chains.texts(chains.named(arguments, "url_path") or "") or (name,))[0]
            detail = self._is_detail(symbol.path, call.line if call else one.line)
            methods = chains.texts(chains.named(arguments, "methods") or "") or ("GET",)
            for method in methods:
                yield method.upper(), f"{{pk}}/{tail}" if detail else tail, SymbolId(symbol.path, one.name)
        for base in definition.bases:
            for inherited in self._bases(symbol, definition, base):
                yield from self._extra(inherited, depth + 1)

    def _is_detail(self, path: str, line: int) -> bool:
        node = self._context.tokens(path).call(line, "action")
        found = node.get("detail") if node else None
        return found is not None and found.text == "True"
