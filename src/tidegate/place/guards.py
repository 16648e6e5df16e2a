"""Whether a route asks who is there: in its decorators and parameters, its class, its file, where it is registered, or
for the whole application. Only what is found counts: a guard that is not recognised here leaves its route open."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

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
            grouped.setdefault(point.name, []).append(point)
    everywhere = _everywhere(files)
    routes = []
    for name, group in sorted(grouped.items()):
        guard = next((one for point in group if (one := _guard(point, files, symbols)) is not None), everywhere)
        handler = group[-1].handler
        line = _definition(symbols.get(handler.path), handler.name)[0] or group[-1].line
        seen = Seen(handler.path, line, f"handled by {handler.name or 'the file'}")
        routes.append(Route(name, seen, guard, _open_by_name(group[0]), any(tested(one) for one in group)))
    return tuple(routes)


# Private

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
    r"(?i)optional|AllowAny|skip_before_action|authenticate_or_nothing|def authenticate|anonymous|"
    r"@?allow_?unauthenticated"
)
_CLASS = re.compile(r"^\s*(?:export\s+)?class\s+(\w+)")
_BEFORE = re.compile(r"^\s*(?:prepend_)?before_action\s+(.*)")
_WHOLE_FILE = re.compile(
    r"(?i)(?:APIRouter|FastAPI|Blueprint)\(.*dependencies\s*=\s*\[.*(?:Depends|Security)\(|"
    r"\b(?:app|router|api|server)\.(?:use|Use|addHook|before_request)\b"
)
_GLOBAL = re.compile(r"(?i)DEFAULT_PERMISSION_CLASSES|LoginRequiredMiddleware")
_OPEN = (
    (
        re.compile(
            r"(?i)(?:^|[/_-])(?:health[\w-]*|ready|readyz|live|livez|liveness|readiness|ping|status|up|version|robots\.txt|favicon\w*)/?$"
        ),
        "a health check",
    ),
    (
        re.compile(
            r"(?i)(?:^|[/_-])(?:log_?in|sign_?in|log_?out|sign_?up|register|registration|access-token|token|oauth\w*|callback|password-recovery\w*|forgot\w*|reset\w*|password_resets?|verify-email)(?:[/_-]|$)"
        ),
        "a way to sign in",
    ),
    (re.compile(r"(?i)^\w+ /(?:static|assets|public|_next)(?:/|$)"), "files that anybody may have"),
)


def _open_by_name(point: EntryPoint) -> str:
    path = (point.path or point.name.partition(" ")[2]).rstrip("/")
    return next((why for pattern, why in _OPEN if pattern.search(path) or pattern.search(point.name)), "")


def _guard(point: EntryPoint, files: Mapping[str, Code], symbols: Mapping[str, FileSymbols]) -> Seen | None:
    code = files.get(point.handler.path)
    if code is None:
        return None
    first, last = _definition(symbols.get(point.handler.path), point.handler.name)
    spans = [range(point.line, point.line + 3)] if point.line else []
    if first:
        spans.append(range(_above(code, first), min(last, first + BODY_LINES) + 1))
    for span in spans:
        found = _asks(code, span)
        if found is not None:
            return found
    return _of_class(code, point, symbols.get(point.handler.path)) or _of_file(code, point)


def _definition(symbols: FileSymbols | None, name: str) -> tuple[int, int]:
    for one in symbols.definitions if symbols is not None and name else ():
        if one.name == name:
            return one.line, one.end_line
    return 0, 0


def _above(code: Code, line: int) -> int:
    """The first line of the decorators and annotations over a definition."""
    at = line - 1
    while (
        at > 0 and code.lines[at - 1].strip() and not re.match(r"\s*(?:def|class|return|end|\})\b", code.lines[at - 1])
    ):
        at -= 1
        if line - at > 12:
            break
    return at + 1


def _asks(code: Code, numbers: Iterable[int]) -> Seen | None:
    wanted = set(numbers)
    for number, line in code.spoken:
        if number in wanted:
            match = _ASKS.search(line)
            if match is not None and not _NOT.search(line):
                return Seen(code.path, number, f"asks by {match[0].strip()[:40]}")
    return None


def _of_class(code: Code, point: EntryPoint, symbols: FileSymbols | None) -> Seen | None:
    """What the class of a handler says: its bases, its decorators, its permission classes."""
    owner = point.handler.name.rpartition(".")[0] or point.handler.name
    first, last = _definition(symbols, owner)
    if not first or not _CLASS.match(code.lines[first - 1] if first <= len(code.lines) else ""):
        return None
    numbers = [*range(_above(code, first), first + 1)]
    numbers += [n for n in range(first, min(last, first + 30)) if "permission_classes" in code.lines[n - 1]]
    return _asks(code, numbers)


def _of_file(code: Code, point: EntryPoint) -> Seen | None:
    """What holds for all routes of a file: a router's dependencies, a controller's before_action."""
    action = point.handler.name.rpartition(".")[2].rpartition("#")[2]
    for number, line in code.spoken:
        if _WHOLE_FILE.search(line) and _ASKS.search(line) and not _NOT.search(line):
            if re.search(r"\.(?:use|Use)\(\s*[\"'`]/", line):  # a path of its own: which routes lie below is not told
                continue
            if code.language == "Python" or number <= point.line:
                return Seen(code.path, number, "asks for all routes of this file")
        match = _BEFORE.match(line) if code.language == "Ruby" else None
        if match is not None and _ASKS.search(match[1]) and _covers(_statement(code.lines, number), action):
            return Seen(code.path, number, f"asks by {match[1].split(',')[0].strip()[:60]}")
    return None


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
