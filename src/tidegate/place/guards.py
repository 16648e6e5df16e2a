"""Whether a route asks who is there: in its decorators and parameters, its class, its file, where it is registered, or
for the whole application. Only what is found counts: a guard that is not recognised here leaves its route open."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from tidegate.place.code import Code
from tidegate.place.values import Route, Seen
from tidegate.reach.answer import EntryPoint
from tidegate.reach.symbols import FileSymbols

BODY_LINES = 12
"""How far below its head a handler is searched for the question."""


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


_ASKS = re.compile(
    r"(?i)\b\w*(?:login_?required|permission_?required|requires?_?(?:auth|login|admin|api_?key|role|user|scope|session|logged)\w*|"
    r"auth_required|jwt_required|token_required|api_key_required|user_passes_test|authenticate\w*|authori[sz]e\w*|"
    r"ensure_?(?:auth|logged)\w*|is_?authenticated|is_?logged_?in|logged_?in_?\w*|verify_?(?:token|jwt|api_?key|auth|session)\w*|"
    r"check_?(?:auth|permission|token)\w*|current_?(?:active_?)?(?:super)?user|get_current\w*|IsAuthenticated|"
    r"LoginRequiredMixin|PermissionRequiredMixin|UserPassesTestMixin|get_?server_?session|hasRole|hasAuthority|PreAuthorize|"
    r"RolesAllowed|auth_?(?:middleware|guard)|protect(?:ed)?(?:_?(?:route|procedure))?)\b|"
    r"\bauth\.required\b|\bpassport\.|\bSecurity\s*\(|\bHTTPBearer\b|\bOAuth2\w*Bearer\b|\bDepends\(\s*\w*(?:auth|user|token|admin)\w*|"
    r"@Secured\b|\[Authorize|\bUseGuards\s*\(|\bsession\.get\(\s*[\"']\w*user|\bsession\[[\"':]\w*user|"
    r"\bif\s*\(?\s*!\s*(?:session|req\.user|ctx\.user|user)\b|\bgetSession\s*\(|\bawait auth\(\)"
)
_NOT = re.compile(
    r"(?i)(?<!passport)\.authenticate\(|optional|AllowAny|skip_before_action|authenticate_or_nothing|"
    r"def authenticate|anonymous|"
    r"@?allow_?unauthenticated"
)
_CLASS = re.compile(r"^\s*(?:export\s+)?class\s+(\w+)")
_INHERITS = re.compile(r"^\s*class\s+[\w:]+\s*<\s*(?:::)?([\w:]+)")
_BEFORE = re.compile(r"^\s*(?:prepend_)?before_action\s+(.*)")
_WHOLE_FILE = re.compile(
    r"(?i)(?:APIRouter|FastAPI|Blueprint)\(.*dependencies\s*=\s*\[.*(?:Depends|Security)\(|"
    r"\b(?:app|router|api|server)\.(?:use|Use|addHook|before_request)\b"
)
_IMPORTS = re.compile(r"\s*(?:import|from|require|use|using)\b|.*=\s*require\(")
_RUBY_ASKS = re.compile(
    r":?(?:require_\w*(?:login|logged|user|admin|auth|moderator|member|session)\w*|authenticate_\w+!|authorize\w*|"
    r"ensure_\w+|login_required|verify_\w*(?:token|user|auth)\w*|doorkeeper_authorize!)"
)
"""What a before_action refuses by. `authenticate_user` without `!` mostly just looks whether somebody is there."""

_READS = re.compile(
    r"\brequest\.(?:args|form|json|data|values|GET|POST|files|body|query)\b|\breq(?:uest)?\.(?:query|body|params)\b|"
    r"\bparams\[|\.FormValue\(|\.URL\.Query\(|\bc\.(?:Query|Param|Bind)\w*\("
)
_GLOBAL = re.compile(r"(?i)DEFAULT_PERMISSION_CLASSES|LoginRequiredMiddleware")
_OPEN = (
    (
        re.compile(
            r"(?i)(?:^|/)(?:health[\w-]*|ready|readyz|live|livez|liveness|readiness|ping|status|up|version|robots\.txt|favicon\w*)/?$"
        ),
        "a health check",
    ),
    (
        re.compile(
            r"(?i)(?:^|[/_-])(?:log_?in|sign_?in|log_?out|sign_?up|register|registration|access-token|token|oauth\w*|callback|password-recovery\w*|forgot\w*|reset\w*|password_resets?|verify-email)(?:[/_-]|$)"
        ),
        "a way to sign in",
    ),
    (re.compile(r"(?i)^/(?:static|assets|public|_next)(?:/|$)"), "files that anybody may have"),
)


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
    why = next((why for pattern, why in _OPEN if pattern.search(path)), "")
    return "" if why == "a health check" and re.search(r"[<:{*\[(]", path) else why


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


def _asks(code: Code, numbers: Iterable[int]) -> Seen | None:
    wanted = set(numbers)
    for number, line in code.spoken:
        if number in wanted and not _IMPORTS.match(line):
            match = _ASKS.search(line)
            if match is not None and not _NOT.search(line):
                return Seen(code.path, number, f"asks by {match[0].strip('(@ ').removeprefix('Depends(')[:40]}")
    return None


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
        if _WHOLE_FILE.search(line) and _ASKS.search(line) and not _NOT.search(line):
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
        match = _BEFORE.match(line)
        if match is not None and _RUBY_ASKS.match(match[1]) and _covers(_statement(code.lines, number), action):
            return Seen(code.path, number, f"asks by {match[1].split(',')[0].strip()[:60]}")
    above = next((m[1] for _, line in code.spoken if (m := _INHERITS.match(line))), "")
    if not above or depth == 0:
        return None
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", above.replace("::", "/")).lower() + ".rb"
    beside = path.rpartition("/")[0]
    places = (f"{beside}/{name}", f"{beside.rpartition('/')[0]}/{name}", f"app/controllers/{name}")
    found = next((one for one in places if one in files and one != path), "")
    return _of_controller(files, found, action, depth - 1) if found else None


def _statement(lines: Sequence[str], number: int) -> str:
    """A statement of Ruby over as many lines as it has: each but the last ends in a comma or an open bracket."""
    text = ""
    for line in lines[number - 1 : number + 11]:
        text += line.partition(" #")[0].rstrip() + " "
        if not text.rstrip().endswith((",", "[", "(", "\\")) and text.count("[") <= text.count("]"):
            break
    return text


def _covers(statement: str, action: str) -> bool:
    """Whether a before_action runs for this action. One with a condition of its own is not believed."""
    if re.search(r"\b(?:if|unless):|\b(?:if|unless)\s", statement):
        return False
    if re.search(r"\b(?:only|except)\b", statement) and not re.search(
        r"\b(?:only|except):\s*(?:%[iw][\[(]|\[|:)", statement
    ):
        return False
    for word, inside in (("only", True), ("except", False)):
        match = re.search(rf"\b{word}:\s*(%[iw][\[(][^\])]*[\])]|\[[^\]]*\]|:\w+)", statement)
        if match is not None:
            return (action in re.findall(r"\w+", match[1].removeprefix("%i").removeprefix("%w"))) is inside
    return True


def _everywhere(files: Mapping[str, Code]) -> Seen | None:
    """A guard of the whole application that its settings name."""
    for path in sorted(files):
        code = files[path]
        for number, line in code.spoken:
            if _GLOBAL.search(line):
                found = _asks(code, range(number, number + 4))
                if found is not None or "LoginRequiredMiddleware" in line:
                    return Seen(path, number, "asks for every route")
    return None
