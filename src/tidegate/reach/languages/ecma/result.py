"""What was found in a file becomes its symbols, once it is known which names the file binds."""

from __future__ import annotations

from tidegate.reach.languages.ecma.state import EXPORTS, Draft, Raw
from tidegate.reach.languages.ecma.testing import Testing
from tidegate.reach.symbols import Binding, Definition, FileSymbols, Parameter, Reference

_GLOBAL_NAMES = """
console Math JSON Object Array Promise Reflect Symbol Number String Boolean Date RegExp Error TypeError RangeError
SyntaxError EvalError ReferenceError URIError AggregateError Map Set WeakMap WeakSet WeakRef Proxy Intl BigInt
Buffer process setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask parseInt
parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI escape unescape structuredClone
globalThis global window document navigator location history localStorage sessionStorage fetch Request Response
Headers FormData Blob File URL URLSearchParams TextEncoder TextDecoder AbortController AbortSignal Event EventTarget
CustomEvent ReadableStream WritableStream TransformStream Uint8Array Uint16Array Uint32Array Int8Array Int16Array
Int32Array Float32Array Float64Array ArrayBuffer SharedArrayBuffer DataView Function eval alert performance crypto
atob btoa requestAnimationFrame WebSocket Infinity NaN undefined arguments describe it test expect beforeEach
afterEach beforeAll afterAll before after jest vi suite context specify __dirname __filename require module exports
Deno Bun
"""
_GLOBALS = frozenset(_GLOBAL_NAMES.split())
_SEEN_LIMIT = 100
_PLAIN_READS = (".length",)


def finish(state: Testing) -> FileSymbols:
    """What the file says, once everything was read."""
    state.link_hooks()
    _see_outside(state)
    bound = _bound_names(state)
    outer = _Known(state, bound)
    bindings = tuple(
        one
        if outer.fixed(one.value) == one.value
        else Binding(one.scope, one.name, outer.fixed(one.value), one.kind, one.within, one.line)
        for one in dict.fromkeys(state.bindings)
    )
    return FileSymbols(
        definitions=tuple(_definition(state, draft, outer) for draft in state.drafts),
        bindings=bindings + _hiding(state),
        references=tuple(outer.references(state.raw)),
        texts=tuple(dict.fromkeys(state.texts)),
        gaps=tuple(dict.fromkeys(state.gaps)),
    )


def _bound_names(state: Testing) -> set[str]:
    bound = {name for names in state.locals.values() for name in names}
    bound.update(name for _, name in state.named)
    bound.update(one.name for one in state.bindings)
    for draft in state.drafts:
        bound.update(parameter.name for parameter in draft.parameters)
    return bound


def _see_outside(state: Testing) -> None:
    """Code that sees the names of another definition than its parent's gets them as bindings."""
    for index, draft in enumerate(state.drafts):
        if draft.lexical == draft.parent or draft.lexical <= 0:
            continue
        above, at = set[int](), draft.parent
        while at >= 0:
            above.add(at)
            at = state.drafts[at].parent
        at = draft.lexical
        names: dict[str, int] = {}
        while at > 0 and at not in above:
            own = [*sorted(state.locals[at]), *(name for parent, name in state.named if parent == at)]
            names.update((name, at) for name in own if name not in names)
            at = state.drafts[at].lexical
        parameters = {parameter.name for parameter in draft.parameters} | state.locals[index]
        for name, scope in list(names.items())[:_SEEN_LIMIT]:
            if name not in parameters and scope != index:
                state.bindings.append(Binding(index, name, name, "assign", scope, draft.line))


def _hiding(state: Testing) -> tuple[Binding, ...]:
    """Local names without a known value that hide a name further out."""
    known = {(one.scope, one.name) for one in state.bindings} | set(state.named)
    names = {name for _, name in known}
    found: list[Binding] = []
    for index, local in state.locals.items():
        if index == 0:
            continue
        parameters = {parameter.name for parameter in state.drafts[index].parameters}
        for name in sorted(local & names):
            if name in parameters or (index, name) in known:
                continue
            at = state.drafts[index].parent
            while at >= 0 and (at, name) not in known:
                at = state.drafts[at].parent
            if at >= 0:
                found.append(Binding(index, name, "?", "assign", index, state.drafts[index].line))
    return tuple(found)


def _definition(state: Testing, draft: Draft, outer: _Known) -> Definition:
    flags = list(draft.flags)
    if draft.parent == 0 and draft.name in state.exported:
        flags.append("exported")
    return Definition(
        draft.name,
        draft.kind,
        draft.line,
        draft.end_line,
        draft.parent,
        "private" if draft.hidden else "public",
        tuple(dict.fromkeys(outer.fixed(base) for base in draft.bases)),
        tuple(draft.decorators),
        tuple(
            Parameter(p.name, "|".join(map(outer.fixed, p.type.split("|"))), outer.fixed(p.default), p.kind)
            for p in draft.parameters
        ),
        tuple(dict.fromkeys(outer.fixed(chain) for chain in draft.returns)),
        tuple(dict.fromkeys(flags)),
    )


class _Known:
    """Which names a file binds; chains whose root it does not bind and that the language brings begin with %."""

    def __init__(self, reader: Testing, bound: set[str]) -> None:
        self.reader = reader
        self.globals = _GLOBALS - bound
        self.cache: dict[str, str] = {"": ""}
        self.plain: dict[tuple[int, str], bool] = {}
        self.valued = {(one.scope, one.name) for one in reader.bindings if one.value[0] != "%"}

    def fixed(self, chain: str) -> str:
        known = self.cache.get(chain)
        if known is None:
            root = chain.partition(".")[0].partition("(")[0].partition("[")[0].partition("!")[0]
            known = chain
            if root in self.globals:
                known = "%" + root + chain[len(root) :].replace("()", "").replace("!", "")
            if root == EXPORTS:
                known = "default" + chain[len(EXPORTS) :]
            self.cache[chain] = known
        return known

    def references(self, raw: list[Raw]) -> list[Reference]:
        """The references that say something; repeated uses other than calls are written down once."""
        found: list[Reference] = []
        seen: set[tuple[int, str, str]] = set()
        for within, kind, chain, line, arguments in raw:
            chain = self.fixed(chain) or "?"
            if kind != "call" and kind != "decorate":
                if chain[0] in "?%" and kind != "inherit" and "." not in chain:
                    continue
                if (kind == "read" or kind == "pass" or kind == "type") and not self._worth(within, kind, chain):
                    continue
                key = (within, kind, chain)
                if key in seen:
                    continue
                seen.add(key)
            if arguments:
                arguments = tuple([one if one[:1] == '"' else self.fixed(one) for one in arguments])
            found.append(Reference(within, kind, chain, line, arguments))  # type: ignore[arg-type]
        return found

    def _worth(self, within: int, kind: str, chain: str) -> bool:
        if chain[0] == "%" or chain.endswith(_PLAIN_READS):
            return False
        if chain in ("self", "cls", "super", "?", "default"):
            return False
        if "." in chain or "(" in chain or "[" in chain or "!" in chain:
            return kind != "type" or self._bound(within, chain.partition(".")[0], kind)
        return self._bound(within, chain, kind)

    def _bound(self, within: int, name: str, kind: str) -> bool:
        """Whether a bare name means a definition or an import, or a local that may."""
        key = (within, name + kind[0])
        known = self.plain.get(key)
        if known is None:
            known = self.plain[key] = self._look(within, name, kind)
        return known

    def _look(self, within: int, name: str, kind: str) -> bool:
        reader, at = self.reader, within
        while at >= 0:
            if (at, name) in reader.named or (at, name) in self.valued:
                return at == 0 or (at, name) in reader.named or kind == "pass"
            if name in reader.locals[at]:
                return False
            at = reader.drafts[at].lexical
        return False
