"""Whether a route asks who is there: in its decorators and parameters, its class, its file, where it is registered, or
for the whole application. Only what is found counts: a guard that is not recognised here leaves its route open."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from tidegate.change.guards import (
    ASKS,
    BODY_LINES,
    NO_QUESTION,
    OPEN_PATHS,
    RUBY_ASKS,
    RUBY_BEFORE,
    ruby_covers,
    ruby_statement,
)
from tidegate.place.code import Code
from tidegate.place.values import Route, Seen
from tidegate.reach.answer import EntryPoint
from tidegate.reach.symbols import FileSymbols


def read_routes(
    points: Iterable[EntryPoint],
    files: Mapping[str, Code],
    symbols: Mapping[str, FileSymbols],
    tested: Callable[[EntryPoint], bool],
) -> tuple[Route, ...]:
    """The routes with their guards. A route with several handlers (middleware) is guarded by any of them."""
    grouped: dict[str, list[EntryPoint]] = {}
    for point in points:
        if point.kind in ("http", "rpc"):
            told = re.search(r"[^/{}?*]", point.path) or point.path in ("", "/")
            name = point.name if told else f"{point.name} ({point.handler.name or point.handler.path})"
            grouped.setdefault(name, []).append(point)
    everywhere = _everywhere(files)
    routes = []
    for name, group in sorted(grouped.items()):
        guard = next((one for point in group if (one := _guard(point, files, symbols)) is not None), everywhere)
        handler = group[-1].handler
        line = _definition(symbols.get(handler.path), handler.name)[0] or group[-1].line
        seen = Seen(handler.path, line, f"handled by {handler.name or 'the file'}")
        routes.append(Route(name, seen, guard, _open(group, files, symbols), any(tested(one) for one in group)))
    return (*routes, *_pages(files))


# Private

_SERVERS = re.compile(
    r"^\s*(?:import|from)\s+(streamlit|gradio|dash|chainlit|nicegui|panel|shiny|taipy|mesop|marimo)\b"
)
_SERVERS_ASK = re.compile(
    r"\bst\.(?:login|user\.is_logged_in|experimental_user)\b|\bauth\s*=|\bpassword_auth_callback\b|\bBasicAuth\("
)


def _pages(files: Mapping[str, Code]) -> list[Route]:
    """Frameworks that serve a page to whoever comes, without a route in the code: one route for each of them."""
    found: dict[str, Route] = {}
    asks: Seen | None = None
    for path in sorted(files):
        code = files[path]
        for number, line in code.spoken if code.language == "Python" else ():
            match = _SERVERS.match(line)
            if match is not None:
                route = Route(f"GET / of {match[1]}", Seen(path, number, "serves a page to whoever comes"))
                found.setdefault(match[1], route)
            if asks is None and _SERVERS_ASK.search(line):
                asks = Seen(path, number, "asks before it shows anything, as far as was seen")
    return [replace(one, guard=asks) for _, one in sorted(found.items())]


_CLASS = re.compile(r"^\s*(?:export\s+)?class\s+(\w+)")
_INHERITS = re.compile(r"^\s*class\s+[\w:]+\s*<\s*(?:::)?([\w:]+)")
_WHOLE_FILE = re.compile(
    r"(?i)(?:APIRouter|FastAPI|Blueprint)\(.{0,300}dependencies\s*=\s*\[.{0,300}(?:Depends|Security)\(|"
    r"\b(?:app|router|api|server)\.(?:use|Use|addHook|before_request)\b"
)
_IMPORTS = re.compile(r"\s*(?:import|from|require|use|using)\b|.*=\s*require\(")
_READS = re.compile(
    r"\brequest\.(?:args|form|json|data|values|GET|POST|files|body|query)\b|\breq(?:uest)?\.(?:query|body|params)\b|"
    r"\bparams\[|\.FormValue\(|\.URL\.Query\(|\bc\.(?:Query|Param|Bind)\w*\("
)
_GLOBAL = re.compile(r"(?i)DEFAULT_PERMISSION_CLASSES|LoginRequiredMiddleware")


def _open(group: Sequence[EntryPoint], files: Mapping[str, Code], symbols: Mapping[str, FileSymbols]) -> str:
    """Why nobody expects a route to ask. What calls itself a health check and reads what is sent to it is none."""
    why = _open_by_name(group[0])
    if why == "a health check":
        for point in group:
            code = files.get(point.handler.path)
            first, last = _definition(symbols.get(point.handler.path), point.handler.name)
            spans = list(range(first, last + 1))
            if code is not None and _registers(code, point):
                spans += _registration(code, point.line)
            if code is None or any(_READS.search(code.lines[n - 1]) for n in spans if 0 < n <= len(code.lines)):
                return ""
    return why


def _open_by_name(point: EntryPoint) -> str:
    path = (point.path or point.name.partition(" ")[2]).replace("{?}", "").rstrip("/")
    why = next((why for pattern, why in OPEN_PATHS if pattern.search(path)), "")
    if why == "a way to sign in" and _BEYOND.search(path):
        return ""
    return "" if why == "a health check" and re.search(r"[<:{*\[(]", path) else why


_BEYOND = re.compile(
    r"(?i)(?:^|[/_-])(?:log_?in|sign_?in|log_?out|token|oauth)/(?:[\w-]+[_-])?(?:admin|users|dump|export|debug|all)\b"
)
"""What stands below a way to sign in and is none itself."""


def _guard(point: EntryPoint, files: Mapping[str, Code], symbols: Mapping[str, FileSymbols]) -> Seen | None:
    code = files.get(point.handler.path)
    if code is None:
        return None
    first, last = _definition(symbols.get(point.handler.path), point.handler.name)
    spans = [_registration(code, point.line)] if _registers(code, point) else []
    if first and not _class_head(code, first):
        spans.append(range(first, min(last, first + BODY_LINES) + 1))
    for span in spans:
        found = _asks(code, span)
        if found is not None:
            return found
    action = point.handler.name.rpartition(".")[2].rpartition("#")[2]
    return (
        _of_class(code, point, symbols.get(point.handler.path))
        or _of_file(code, point)
        or _of_controller(files, point.handler.path, action)
    )


def _definition(symbols: FileSymbols | None, name: str) -> tuple[int, int]:
    for one in symbols.definitions if symbols is not None and name else ():
        if one.name == name:
            return one.line, one.end_line
    return 0, 0


def _registers(code: Code, point: EntryPoint) -> bool:
    """Whether the line of an entry point stands in the file of its handler: a route may be registered elsewhere."""
    if not 0 < point.line <= len(code.lines):
        return False
    texts = re.findall(r"[\"'`]([^\"'`]*)[\"'`]", " ".join(code.lines[point.line - 1 : point.line + 1]))
    path = "/" + point.path.strip("/")
    return any(path.endswith("/" + text.strip("/")) for text in texts if text.startswith("/") or text)


def _registration(code: Code, line: int) -> range:
    """The lines of the statement that begins here, and no line of the next one: until its brackets are closed."""
    depth, at = 0, line
    for at in range(line, min(line + BODY_LINES, len(code.lines) + 1)):
        text = code.lines[at - 1]
        depth += sum(text.count(one) for one in "([{") - sum(text.count(one) for one in ")]}")
        if depth <= 0:
            break
    return range(line, at + 1)


def _asks(code: Code, numbers: Iterable[int], *, quoted: bool = False) -> Seen | None:
    """The first question on these lines. Text asks nobody, unless a setting names its guards so (`quoted`)."""
    wanted = set(numbers)
    texts = _texts(code) if not quoted else frozenset()
    for number, line in code.spoken:
        if number in wanted and number not in texts and not _IMPORTS.match(line):
            match = ASKS.search(line) if quoted else _question(code.language, line)
            if match is not None and not NO_QUESTION.search(line):
                return Seen(code.path, number, f"asks by {match[0].strip('(@ ').removeprefix('Depends(')[:40]}")
    return None


def _question(language: str, line: str) -> re.Match[str] | None:
    """The first question that begins neither inside of a text nor behind a comment's mark."""
    quotes, mark = (
        (_QUOTED, "#") if language in _HASHED else (_QUOTED, "//") if language in _SLASHED else (_DOUBLE, "//")
    )
    inside = [(found.start(), found.end()) for found in quotes.finditer(line)]
    ends = (found.start() for found in re.finditer(re.escape(mark), line))
    end = next((at for at in ends if not any(first < at < last for first, last in inside)), len(line))
    for match in ASKS.finditer(line):
        if match.start() < end and not any(first < match.start() < last for first, last in inside):
            return match
    return None


_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_DOUBLE = re.compile(r"\"(?:\\.|[^\"\\])*\"")
_HASHED = frozenset(("Python", "Ruby"))
_SLASHED = frozenset(("JavaScript", "TypeScript", "TSX", "JSX", "Vue", "Svelte", "PHP"))


def _texts(code: Code) -> frozenset[int]:
    """The lines of Python that lie inside of a longer text."""
    found: set[int] = set()
    if code.tree is None:
        return frozenset()
    texts: list[ast.expr] = [one for one in code.source.of(ast.Constant) if isinstance(one.value, str)]
    for node in (*texts, *code.source.of(ast.JoinedStr)):
        found.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return frozenset(found)


def _class_head(code: Code, first: int) -> int:
    """The line that names the class that a definition is, under its decorators; 0 where it is none."""
    for number in range(first, min(first + 6, len(code.lines)) + 1):
        line = code.lines[number - 1]
        if _CLASS.match(line):
            return number
        if not re.match(r"\s*[@\[#)]|\s*$", line):
            return 0
    return 0


def _of_class(code: Code, point: EntryPoint, symbols: FileSymbols | None) -> Seen | None:
    """What the class of a handler says: its bases, its decorators, its permission classes."""
    owner = point.handler.name.rpartition(".")[0] or point.handler.name
    first, last = _definition(symbols, owner)
    head = _class_head(code, first) if first else 0
    if not head or code.language == "Ruby":
        return None
    numbers = [*range(first, head + 1)]
    numbers += [n for n in range(first, min(last, first + 30)) if "permission_classes" in code.lines[n - 1]]
    return _asks(code, numbers)


def _of_file(code: Code, point: EntryPoint) -> Seen | None:
    """What holds for all routes of a file: a router's dependencies."""
    for number, line in code.spoken:
        if _WHOLE_FILE.search(line) and _question(code.language, line) and not NO_QUESTION.search(line):
            if re.search(r"\.(?:use|Use)\(\s*[\"'`]/", line):  # a path of its own: which routes lie below is not told
                continue
            if code.language == "Python" or number <= point.line:
                return Seen(code.path, number, "asks for all routes of this file")
    return None


def _of_controller(files: Mapping[str, Code], path: str, action: str, depth: int = 4) -> Seen | None:
    """What a controller of Rails or one that it inherits from refuses before the action runs."""
    code = files.get(path)
    if code is None or code.language != "Ruby":
        return None
    for number, line in code.spoken:
        match = RUBY_BEFORE.match(line)
        if match is not None and RUBY_ASKS.match(match[1]) and ruby_covers(ruby_statement(code.lines, number), action):
            return Seen(code.path, number, f"asks by {match[1].split(',')[0].strip()[:60]}")
    above = next((m[1] for _, line in code.spoken if (m := _INHERITS.match(line))), "")
    if not above or depth == 0:
        return None
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", above.replace("::", "/")).lower() + ".rb"
    beside = path.rpartition("/")[0]
    places = (f"{beside}/{name}", f"{beside.rpartition('/')[0]}/{name}", f"app/controllers/{name}")
    found = next((one for one in places if one in files and one != path), "")
    return _of_controller(files, found, action, depth - 1) if found else None


def _everywhere(files: Mapping[str, Code]) -> Seen | None:
    """A guard of the whole application that its settings name."""
    for path in sorted(files):
        code = files[path]
        for number, line in code.spoken:
            if _GLOBAL.search(line):
                found = _asks(code, range(number, number + 4), quoted=True)
                if found is not None or "LoginRequiredMiddleware" in line:
                    return Seen(path, number, "asks for every route")
    return None
