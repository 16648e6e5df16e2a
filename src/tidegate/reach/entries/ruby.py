"""Routes of Rails by config/routes.rb, routes of Sinatra, and jobs of Sidekiq and ActiveJob."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from msgspec import Struct

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.context import Context, entry, http
from tidegate.reach.entries.dialect import join_path
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.interface import Mark
from tidegate.reach.symbols import FileSymbols

_VERBS = words("get post put patch delete options head")
_MANY = {
    "index": ("GET", ""),
    "create": ("POST", ""),
    "new": ("GET", "new"),
    "show": ("GET", ":id"),
    "edit": ("GET", ":id/edit"),
    "update": ("PATCH", ":id"),
    "destroy": ("DELETE", ":id"),
}
_ONE = {name: (verb, tail.removeprefix(":id").lstrip("/")) for name, (verb, tail) in _MANY.items() if name != "index"}
_LINE = re.compile(r"^\s*(\w+)\b[ (]*(.*)$")
_NAME = re.compile(r""":(\w+)|["']([^"']*)["']""")


class _Block(Struct, frozen=True):
    """One open block: what it puts before paths and before controllers; `singular` for what is inside `resource`."""

    path: str = ""
    module: str = ""
    controller: str = ""
    member: str = ""


def _join(_: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    paths = [p for p in context.sources.paths if p.endswith("config/routes.rb") or "config/routes/" in p]
    paths = [p for p in paths if p.endswith(".rb")]
    context.fetch(paths)
    controllers = {p: p for p in context.sources.paths if p.endswith("_controller.rb")}
    for path in paths:
        yield from _Routes(path, controllers, context).entries()


class _Routes:
    """One file of routes, read line by line: its blocks end with `end`."""

    def __init__(self, path: str, controllers: dict[str, str], context: Context) -> None:
        self._path = path
        self._controllers = controllers
        self._context = context
        self._blocks: list[_Block] = []

    def entries(self) -> Iterator[EntryPoint]:
        for number, line in _statements(self._context.text(self._path)):
            if re.match(r"^\s*end\b", line):
                if self._blocks:
                    self._blocks.pop()
                continue
            match = _LINE.match(line)
            word, rest = (match[1], match[2]) if match else ("", "")
            block = _Block()
            if word in ("resources", "resource"):
                block = yield from self._resources(word, rest, number)
            elif word in _VERBS or word in ("match", "root"):
                yield from self._route(word, rest, number)
            elif word in ("namespace", "scope"):
                block = self._scope(word, rest)
            elif word == "collection":
                block = _Block(member="collection")
            elif word == "member":
                block = _Block(member="member")
            if re.search(r"\bdo\b(\s*\|[^|]*\|)?\s*$", line) or word in ("if", "unless", "case", "begin", "def"):
                self._blocks.append(block)

    # Private

    def _prefix(self, member: bool = True) -> str:
        found = ""
        for place, block in enumerate(self._blocks):
            text = block.path
            following = self._blocks[place + 1] if place + 1 < len(self._blocks) else None
            if following is not None and following.member == "collection":
                text = text.rpartition("/:")[0] or text
            elif following is not None and following.member == "member" and "/:" in text:
                text = text.rpartition("/:")[0] + "/:id"
            elif place == len(self._blocks) - 1 and block.controller and not member:
                text = text.rpartition("/:")[0] or text
            found = join_path(found, text) if text else found
        return found

    def _module(self) -> str:
        return "".join(f"{block.module}/" for block in self._blocks if block.module)

    def _resources(self, word: str, rest: str, line: int) -> Generator[EntryPoint, None, _Block]:
        last = _Block()
        head = re.split(r",?\s*\w+:|\bdo\b|=>", rest)[0]
        for name in [first or second for first, second in _NAME.findall(head)]:
            path = _option(rest, "path") or name
            controller = _option(rest, "controller") or (name if word == "resources" else f"{name.rstrip('s')}s")
            actions = dict(_MANY if word == "resources" else _ONE)
            only, without = _names(rest, "only"), _names(rest, "except")
            chosen = [one for one in actions if (only is None or one in only) and one not in (without or ())]
            param = _option(rest, "param") or "id"
            base = join_path(self._prefix(), path)
            for action in chosen:
                verb, tail = actions[action]
                yield self._entry(verb, join_path(base, tail.replace(":id", f":{param}")), controller, action, line)
            single = name.removesuffix("s") if not name.endswith("ies") else name[:-3] + "y"
            inner = f"{path}/:{single}_{param}" if word == "resources" else path
            last = _Block(inner, _option(rest, "module"), controller)
        return last

    def _route(self, word: str, rest: str, line: int) -> Iterator[EntryPoint]:
        to = _option(rest, "to") or next(iter(re.findall(r"=>\s*[\"']([^\"']+#[^\"']+)[\"']", rest)), "")
        names = [first or second for first, second in _NAME.findall(re.split(r",\s*\w+:|=>|\bdo\b", rest)[0])]
        if word == "root":
            names, to = ["/"], to or (names[0] if names else "")
        verbs = [word.upper()]
        if word == "match":
            verbs = [one.upper() for one in _names(rest, "via") or []] or ["*"]
            verbs = ["*" if verb == "ALL" else verb for verb in verbs]
        on_collection = _option(rest, "on") == "collection"
        around = next((block.controller for block in reversed(self._blocks) if block.controller), "")
        for name in names:
            controller, _, action = to.partition("#") if "#" in to else ("", "", "")
            if not controller and "/" in name.strip("/") and not around:
                controller, _, action = name.strip("/").rpartition("/")
            controller = controller or _option(rest, "controller") or around
            action = action or _option(rest, "action") or name.strip("/").rpartition("/")[2]
            prefix = self._prefix(not on_collection)
            if _option(rest, "on") == "member" and "/:" in prefix:
                prefix = f"{prefix.rpartition('/:')[0]}/:id"
            path = join_path(prefix, "" if word == "root" else name)
            for verb in verbs if word != "root" else ["GET"]:
                yield self._entry(verb, path or "/", controller, action, line)

    def _scope(self, word: str, rest: str) -> _Block:
        names = [first or second for first, second in _NAME.findall(re.split(r",?\s*\w+:|\bdo\b", rest)[0])]
        name = names[0] if names else ""
        path = _option(rest, "path")
        if word == "namespace":
            return _Block(path if "path:" in rest else name, _option(rest, "module") or name)
        return _Block(path or name, _option(rest, "module"), _option(rest, "controller"))

    def _entry(self, verb: str, path: str, controller: str, action: str, line: int) -> EntryPoint:
        path = path.removesuffix("(.:format)") or "/"
        return http(verb, path, "rails", self._handler(self._module() + controller.lstrip("/"), action), line)

    def _handler(self, controller: str, action: str) -> SymbolId:
        ends = f"app/controllers/{controller}_controller.rb"
        file = next((one for one in self._controllers if one == ends or one.endswith("/" + ends)), "")
        view = self._context.view(file) if file else None
        if view is None:
            return SymbolId(file or self._path, "")
        found = [name for name in view.names if name.rpartition(".")[2] == action]
        classes = [one.name for one in view.symbols.definitions if one.kind == "class"]
        return SymbolId(file, (found or classes or [""])[0])


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, continued ones joined."""
    held, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        bare = re.sub(r"(^|\s)#(?!\{).*$", "", line).rstrip()
        held, start = (held + " " + bare.strip(), start) if held else (bare, number)
        if bare.endswith((",", "\\")):
            continue
        inline = re.match(r"^(\s*\w+[^{]*)\{([^{}|]*)\}\s*$", held)
        if inline and re.match(r"\s*(collection|member|namespace|scope|resources?)\b", held):
            yield from ((start, f"{inline[1].rstrip()} do"), (start, inline[2]), (start, "end"))
        elif held.strip():
            yield start, held
        held = ""


def _option(rest: str, name: str) -> str:
    match = re.search(rf"""\b{name}:\s*(?::(\w+)|["']([^"']*)["'])|:{name}\s*=>\s*(?::(\w+)|["']([^"']*)["'])""", rest)
    return next((one for one in match.groups() if one), "") if match else ""


def _names(rest: str, name: str) -> list[str] | None:
    match = re.search(rf"\b{name}:\s*(\[[^\]]*\]|%i\[[^\]]*\]|%w\[[^\]]*\]|:\w+)", rest)
    return re.findall(r"\w+", match[1].removeprefix("%i").removeprefix("%w")) if match else None


def _class_marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for place, one in enumerate(symbols.definitions):
        bases = {base.rpartition(".")[2] if "Sidekiq" not in base else "Sidekiq" for base in one.bases}
        if bases & {"Sidekiq", "ApplicationJob", "ApplicationWorker"} or "ActiveJob.Base" in one.bases:
            found.append(Mark("ruby", "sidekiq" if "Sidekiq" in bases else "active-job", place, one.line, one.name))
    sinatra = any("sinatra" in one.value.lower() for one in symbols.bindings if one.kind == "import") or any(
        base.startswith("Sinatra") for one in symbols.definitions for base in one.bases
    )
    for reference in symbols.references if sinatra else ():
        if reference.kind == "call" and reference.chain in _VERBS and reference.arguments:
            within, line = reference.within, reference.line
            found.append(Mark("ruby", "sinatra", within, line, reference.chain, reference.arguments))
    return tuple(found)


def _join_classes(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    for path, every in marks.items():
        view = context.view(path)
        for mark in every:
            symbol = context.symbol(path, mark.within)
            if mark.what == "sinatra":
                for text in chains.texts(mark.arguments[0]):
                    yield http(mark.chain.upper(), text, "sinatra", symbol, mark.line)
                continue
            perform = f"{symbol.name}.perform"
            handler = SymbolId(path, perform) if view and perform in view.names else symbol
            yield entry("job", symbol.name, mark.what, handler, mark.line)


FINDERS = (
    Finder("rails", _join),
    Finder("ruby", _join_classes, (".rb",), words("inherits sinatra"), _class_marks),
)
