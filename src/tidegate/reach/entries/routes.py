"""Paths of routes joined through applications, routers, groups, blueprints and mounts, for any web framework.

A dialect says what a call means in one family of frameworks; the rest is the same everywhere: who holds a router, what
it was attached to and under which prefix, which function was handed one. A prefix that nobody can tell is `{?}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.context import Context, http
from tidegate.reach.entries.dialect import UNKNOWN, Action, Dialect, Kind, Use, join_path
from tidegate.reach.entries.follow import Follower, Made, Site, Value
from tidegate.reach.entries.interface import Mark

MOST_PREFIXES = 12
DEEPEST = 16
GUESSED = 0.7
"""How likely a call on a router that nobody could trace is a route, by its name and arguments alone."""


class Prefix(Struct, frozen=True, order=True):
    """One way to a router: its prefix, its framework, and whether the framework was recognised."""

    text: str
    framework: str
    sure: bool = True


class _Attachment(Struct, frozen=True):
    path: str
    within: int
    chain: str
    line: int
    prefix: str
    replaces: bool = False


class _Span(Struct, frozen=True):
    start: int
    end: int
    within: int
    chain: str
    prefix: str


class Routing:
    """The routes of all files that one dialect marked."""

    def __init__(self, dialect: Dialect, marks: Mapping[str, tuple[Mark, ...]], context: Context) -> None:
        self._dialect = dialect
        self._marks = marks
        self._context = context
        self.follower = Follower(context)
        self._spans: dict[str, list[_Span]] = {}
        self._known: dict[tuple[str, int, str, int], tuple[Prefix, ...]] = {}
        self._attached: dict[Site, list[_Attachment]] = {}
        context.fetch(path for path in marks if any(self._is_closure(mark) for mark in marks[path]))
        self._attach_all()

    def entries(self) -> Iterator[EntryPoint]:
        """Every route, with each of its prefixes and methods."""
        for path, marks in self._marks.items():
            for mark in marks:
                if mark.what != "pass":
                    yield from self._routes(path, mark)

    def prefixes(self, path: str, within: int, chain: str, line: int, depth: int = 0) -> tuple[Prefix, ...]:
        """The ways to the router that the chain means at the line; () where it is no router."""
        key = (path, within, chain, line)
        if key not in self._known:
            if depth > DEEPEST:
                return ()
            self._known[key] = ()
            found = self._prefixes(path, within, chain, line, depth)
            self._known[key] = tuple(sorted(set(found)))[:MOST_PREFIXES]
        return self._known[key]

    # Private. The routes.

    def _routes(self, path: str, mark: Mark) -> Iterator[EntryPoint]:
        within = self._scope(path, mark)
        for prefix in self.prefixes(path, within, chains.receiver(mark.chain), mark.line):
            action = self._dialect.act(self._use(path, mark, prefix.framework))
            if action is None or action.what == "attach":
                continue
            if action.what == "middleware":
                yield from self._middleware(path, within, mark, prefix, action)
                continue
            handlers = self._handlers(path, mark, action)
            sure = prefix.sure or (bool(handlers) and mark.what == "decorate")
            if not sure and not self._believable(path, mark, action, handlers):
                continue
            for text in action.paths:
                for method in action.methods:
                    full = join_path(prefix.text, text.replace("{}", UNKNOWN))
                    for handler in handlers:
                        yield http(method, full, prefix.framework, handler, mark.line, 1.0 if sure else GUESSED)

    def _middleware(self, path: str, within: int, mark: Mark, prefix: Prefix, action: Action) -> Iterator[EntryPoint]:
        if not prefix.sure:
            return
        chosen = [self._context.symbol(path, mark.within)] if mark.what == "decorate" else []
        for chain in action.handlers if not chosen else ():
            chosen += self._context.handlers(path, within, chain)
        for text in action.paths:
            for handler in chosen:
                yield http("*", join_path(join_path(prefix.text, text), "*"), prefix.framework, handler, mark.line)

    def _handlers(self, path: str, mark: Mark, action: Action) -> list[SymbolId]:
        here = self._context.symbol(path, mark.within)
        if mark.what == "decorate":
            return [here]
        found: list[SymbolId] = []
        for place, chain in enumerate(action.handlers):
            symbols = self._handed(path, mark, chain, 0)
            if not symbols and place == len(action.handlers) - 1:
                symbols = (here,)
            found += [symbol for symbol in symbols if symbol not in found]
        return found or [here]

    def _handed(self, path: str, mark: Mark, chain: str, depth: int) -> tuple[SymbolId, ...]:
        """What the chain hands over, with what is handed to it where it is a call: `auth(handler)`."""
        found = self._context.handlers(path, mark.within, chain)
        view = self._context.view(path)
        call = view.call_at(chain[:-2], mark.line) if view and chain.endswith("()") and depth < 4 else None
        for argument in call.arguments if call else ():
            found += self._handed(path, mark, argument, depth + 1)
        return found

    def _believable(self, path: str, mark: Mark, action: Action, handlers: list[SymbolId]) -> bool:
        """Whether a call on something unknown looks like a route: a path, and a function for it."""
        if not any(text.startswith(("/", UNKNOWN)) or text == "" for text in action.paths):
            return False
        root = chains.split(mark.chain)[0]
        real = any(handler != self._context.symbol(path, mark.within) for handler in handlers)
        return root in self._dialect.names or (self._dialect.wrapped and real)

    def _use(self, path: str, mark: Mark, framework: str) -> Use:
        def calls(chain: str) -> tuple[str, ...]:
            view = self._context.view(path)
            found = view.call_at(chain, mark.line) if view else None
            return found.arguments if found and found.line == mark.line else ()

        return Use(chains.last(mark.chain), path, mark, framework, lambda: self._context.call(path, mark), calls)

    def _scope(self, path: str, mark: Mark) -> int:
        """Where the names of a mark are read: around a decorated definition, not in it."""
        definition = self._context.definition(path, mark.within) if mark.what == "decorate" else None
        return definition.parent if definition else mark.within

    # Private. Their prefixes.

    def _prefixes(self, path: str, within: int, chain: str, line: int, depth: int) -> Iterator[Prefix]:
        root, steps = chains.split(chain)
        if len(steps) >= 2 and steps[-1] == "()" and steps[-2][1:] in self._dialect.derives:
            yield from self._derived(path, within, chain[:-2], line, depth)
            return
        span = self._span_at(path, within, root, line) if not steps else None
        if span is not None:
            for outer in self.prefixes(path, span.within, span.chain, span.start, depth + 1):
                yield Prefix(join_path(outer.text, span.prefix), outer.framework, outer.sure)
            return
        for value in self.follower.values(path, within, chain, line):
            yield from self._made(value, root, depth)

    def _derived(self, path: str, within: int, call: str, line: int, depth: int) -> Iterator[Prefix]:
        view = self._context.view(path)
        found = view.call_at(call, line) if view else None
        arguments = found.arguments if found else ()
        text = self._prefix_text(path, within, arguments, chains.last(call))
        for outer in self.prefixes(path, within, chains.receiver(call), line, depth + 1):
            yield Prefix(join_path(outer.text, text), outer.framework, outer.sure)

    def _prefix_text(self, path: str, within: int, arguments: tuple[str, ...], name: str) -> str:
        if name in self._dialect.passes:
            return ""
        found = chains.positional(arguments)
        return self.text_of(path, within, found[0]) if found else ""

    def _made(self, value: Value, root: str, depth: int) -> Iterator[Prefix]:
        made = value.made
        kind = self._kind(value)
        own = self._own_prefix(made, kind)
        site = made.site or self._holder(made)
        found = False
        for one in self._attached.get(site, []) if site else []:
            for outer in self.prefixes(one.path, one.within, one.chain, one.line, depth + 1):
                found = True
                text = join_path(outer.text, one.prefix)
                framework = kind.framework if kind else outer.framework
                yield Prefix(text if one.replaces else join_path(text, own), framework, outer.sure or kind is not None)
        if found:
            return
        derived = chains.split(made.written)[1][-2:]
        if len(derived) == 2 and derived[1] == "()" and derived[0][1:] in self._dialect.derives:
            yield from self.prefixes(made.path, made.within, made.written, made.line, depth + 1)
            return
        if kind is None and (value.chain or (value.index >= 0 and not self._dialect.wrapped)):
            return
        if kind is not None:
            yield Prefix(own if kind.root else join_path(UNKNOWN, own), kind.framework)
        elif root in self._dialect.names or self._dialect.wrapped:
            yield Prefix(UNKNOWN, self._dialect.name, False)

    def _holder(self, made: Made) -> Site | None:
        """The variable that holds a router whose calls are chained to where it is made: `api = Router().use(a)`."""
        view = self._context.view(made.path)
        if view is None or not made.written.endswith("()"):
            return None
        lines = [call.line for call in view.calls.get(made.written[:-2], ()) if call.line <= made.line]
        start = max(lines, default=made.line)
        before = max((line for line in lines if line < start), default=0)
        near = [
            one
            for one in view.symbols.bindings
            if before < one.line <= start and one.value.startswith(made.written + ".")
        ]
        last = max(near, key=lambda one: one.line, default=None)
        if last is not None:
            return Site(made.path, last.scope, last.name)
        around = view.definition(made.within)
        return Site(made.path, made.within, "") if around and around.kind in ("function", "method") else None

    def _kind(self, value: Value) -> Kind | None:
        if value.chain:
            return self._dialect.kinds.get(chains.external(value.chain))
        view = self._context.view(value.path) if value.index >= 0 and value.instance else None
        definition = view.definition(value.index) if view else None
        own = self._own_kind(value.path, definition.name) if definition else None
        if own is not None:
            return own
        for base in definition.bases if definition else ():
            for parent in self.follower.values(value.path, definition.parent if definition else 0, base, 0):
                found = self._kind(parent) if parent.chain else None
                if found:
                    return found
        return None

    def _own_kind(self, path: str, name: str) -> Kind | None:
        """The kind of a framework's class in the framework's own tree."""
        folders = path.split("/")[:-1]
        for (package, known), kind in self._dialect.kinds.items():
            if known.rpartition(".")[2] == name and package.rpartition("/")[2] in folders:
                return kind
        return None

    def _own_prefix(self, made: Made, kind: Kind | None) -> str:
        if kind is None or not kind.prefix or not made.written.endswith("()"):
            return ""
        view = self._context.view(made.path)
        call = view.call_at(made.written[:-2], made.line) if view else None
        if call is None:
            return ""
        for name in kind.prefix.split(","):
            value = chains.named(call.arguments, name)
            if value is not None:
                return self.text_of(made.path, made.within, value)
        node = (
            self._context.tokens(made.path).call(made.line, chains.last(made.written)) if "" in call.arguments else None
        )
        for option in node.items if node else ():
            inner = option.get(kind.prefix.split(",")[0])
            if inner is not None:
                return inner.text if inner.kind == "text" else UNKNOWN
        return ""

    # Private. What holds what.

    def _attach_all(self) -> None:
        for path, marks in self._marks.items():
            for mark in marks:
                if mark.what == "pass":
                    self._hand_over(path, mark)
                elif mark.what == "call":
                    self._attach(path, mark)
                    if self._is_closure(mark):
                        self._add_span(path, mark)

    def _attach(self, path: str, mark: Mark) -> None:
        action = self._dialect.act(self._use(path, mark, ""))
        if action is None or action.what != "attach" or not action.child:
            return
        prefix = self.text_of(path, mark.within, action.paths[0]) if action.paths else ""
        receiver = chains.receiver(mark.chain)
        attachment = _Attachment(path, mark.within, receiver, mark.line, prefix, action.replaces)
        for value in self.follower.values(path, mark.within, action.child, mark.line):
            if value.made.site is not None:
                self._attached.setdefault(value.made.site, []).append(attachment)
            if value.index >= 0 and not value.instance:
                self._attach_parameter(value.path, value.index, 0, attachment)
        for symbol in self._context.handlers(path, mark.within, action.child) if action.child.endswith("()") else ():
            self._attach_result(symbol, attachment)

    def _attach_result(self, symbol: SymbolId, attachment: _Attachment) -> None:
        """What a function makes and gives back without a variable."""
        view = self._context.view(symbol.path)
        index = view.names.get(symbol.name) if view else None
        if index is not None:
            self._attached.setdefault(Site(symbol.path, index, ""), []).append(attachment)

    def _attach_parameter(self, path: str, index: int, place: int, attachment: _Attachment) -> None:
        definition = self._context.definition(path, index)
        parameters = definition.parameters if definition else ()
        if parameters and parameters[0].name in ("self", "cls"):
            parameters = parameters[1:]
        if place < len(parameters):
            self._attached.setdefault(Site(path, index, parameters[place].name), []).append(attachment)

    def _hand_over(self, path: str, mark: Mark) -> None:
        for value in self.follower.values(path, mark.within, mark.chain, mark.line):
            if value.index < 0 or value.instance:
                continue
            for place, argument in enumerate(chains.positional(mark.arguments)):
                if argument and argument[0] not in '"%?':
                    attachment = _Attachment(path, mark.within, argument, mark.line, "")
                    self._attach_parameter(value.path, value.index, place, attachment)

    def _is_closure(self, mark: Mark) -> bool:
        return (
            mark.what == "call"
            and chains.last(mark.chain) in self._dialect.closures
            and bool({"", "%func"} & set(mark.arguments))
        )

    def _add_span(self, path: str, mark: Mark) -> None:
        node = self._context.call(path, mark)
        if node is None:
            return
        prefix = self.text_of(path, mark.within, mark.arguments[0]) if mark.arguments[0] else ""
        written = chains.named(mark.arguments, "prefix")
        if written is not None:
            prefix = self.text_of(path, mark.within, written)
        option = next((one.get("prefix") for one in node.items if one.kind == "map" and one.get("prefix")), None)
        if option is not None:
            prefix = option.text if option.kind == "text" else UNKNOWN
        span = _Span(mark.line, node.end_line, mark.within, chains.receiver(mark.chain), prefix)
        self._spans.setdefault(path, []).append(span)

    def _span_at(self, path: str, within: int, root: str, line: int) -> _Span | None:
        """The innermost closure around the line, unless the name was bound inside of it or means another router."""
        inside = [span for span in self._spans.get(path, ()) if span.start < line <= span.end and span.within == within]
        if not inside:
            return None
        span = max(inside, key=lambda one: (one.start, -one.end))
        view = self._context.view(path)
        bound = view.bindings.get((within, root), []) if view else []
        if root != chains.split(span.chain)[0] and any(
            value.index >= 0 or (value.chain and self._kind(value) is None)
            for value in self.follower.values(path, within, root, span.start)
        ):
            return None
        if any(span.start < one.line <= line and not one.value.endswith("!") for one in bound):
            return None
        return span

    def text_of(self, path: str, within: int, argument: str) -> str:
        """The text that an argument gives: a literal, or a constant of the tree; `{?}` for what is neither."""
        found = chains.texts(argument)
        if found:
            return found[0].replace("{}", UNKNOWN)
        for symbol in self._context.resolve(path, within, argument):
            text = self._constant(symbol)
            if text is not None:
                return text
        for value in self.follower.values(path, within, argument, 0):
            if value.made.site is not None and value.made.written.startswith("%str"):
                text = self._assigned(value.made.path, value.made.line, value.made.site.name)
                if text is not None:
                    return text
        return UNKNOWN

    def _constant(self, symbol: SymbolId) -> str | None:
        line = self._context.line_of(symbol)
        return self._assigned(symbol.path, line, symbol.name.rpartition(".")[2]) if symbol.name else None

    def _assigned(self, path: str, line: int, name: str) -> str | None:
        node = self._context.tokens(path).value(line, name)
        return node.text.replace("{}", UNKNOWN) if node is not None and node.kind == "text" else None


def all_entries(dialect: Dialect, marks: Mapping[str, tuple[Mark, ...]], context: Context) -> Iterable[EntryPoint]:
    """The routes of one dialect."""
    return Routing(dialect, marks, context).entries()
