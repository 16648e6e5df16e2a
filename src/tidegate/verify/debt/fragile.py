"""Calls to other machines that a silent peer can hold for ever, and commands whose failure nobody looks at.

What a library does by itself is its documentation's word:
- requests: "By default, requests do not time out unless a timeout value is set explicitly" (Advanced usage, Timeouts)
- urllib.request.urlopen, http.client, smtplib, imaplib, ftplib, poplib, socket.create_connection: the global default,
  which is none (docs.python.org, each `timeout`; socket.setdefaulttimeout)
- httpx: 5 s (Timeouts); aiohttp: 300 s in all (ClientTimeout); boto3: 60 s (Config): silent unless switched off
- subprocess.run: `check` is False by default (docs.python.org, subprocess)
- axios: `timeout` 0, which is none (Request Config); fetch: none (WHATWG Fetch), only an AbortSignal ends it
- Go net/http: "A Timeout of zero means no timeout" (Client); the functions of the package use DefaultClient
- Java RestTemplate on SimpleClientHttpRequestFactory: the system's default, none (setReadTimeout);
  java.net.http.HttpClient: none unless HttpRequest.Builder.timeout is called
- Rust reqwest: "Default is no timeout" (ClientBuilder.timeout)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tidegate.verify.debt.source import Site, Source

RULE = "fragile-integration"
TIMEOUTS = frozenset({"timeout", "connect_timeout", "socket_timeout"})


def fragile_calls(source: Source) -> Iterator[Site]:
    """Calls without a time limit where the library has none by itself, and commands that are not checked."""
    if source.language == "Python":
        if any(word in source.content for word in _WORDS):
            yield from _python(source)
    elif source.language in _PATTERNS:
        yield from _lines(source)


# Private

_WORDS = (
    b"requests",
    b"urlopen",
    b"httpx",
    b"aiohttp",
    b"create_connection",
    b"subprocess",
    b"smtplib",
    b"HTTPConn",
    b"imaplib",
    b"ftplib",
    b"poplib",
    b"HTTPSConn",
)
_VERBS = "get post put patch delete head options request".split()
_SECOND, _THIRD, _FOURTH = 2, 3, 4
_WAITS: dict[str, int] = {
    **{f"requests.{verb}": 99 for verb in _VERBS},
    "urllib.request.urlopen": _THIRD,
    "socket.create_connection": _SECOND,
    "http.client.HTTPConnection": _THIRD,
    "http.client.HTTPSConnection": 99,
    "smtplib.SMTP": _FOURTH,
    "smtplib.SMTP_SSL": 99,
    "imaplib.IMAP4_SSL": 99,
    "ftplib.FTP": 5,
    "poplib.POP3": _THIRD,
}
"""Calls that wait without end, with the number of arguments by position at which the last is the time limit."""
_SWITCHED_OFF = tuple(f"httpx.{verb}" for verb in (*_VERBS, "Client", "AsyncClient", "stream"))
_MEND = "pass a timeout, and say what happens when it passes"


def _python(source: Source) -> Iterator[Site]:
    if b"setdefaulttimeout" in source.content:
        return
    names = _imported(source)
    sessions = _sessions(source, names)
    for node in source.of(ast.Call):
        called = _called(node.func, names)
        head, _, verb = called.rpartition(".")
        if head in sessions and verb in _VERBS:
            called = f"requests.{verb}"
        site = _judge(source, node, called)
        if site is not None:
            yield site


def _judge(source: Source, node: ast.Call, called: str) -> Site | None:
    keywords = {one.arg: one.value for one in node.keywords}
    if None in keywords or any(isinstance(one, ast.Starred) for one in node.args):
        return None
    limit = keywords.get("timeout")
    off = isinstance(limit, ast.Constant) and limit.value is None
    if called in _WAITS and (off or (limit is None and len(node.args) < _WAITS[called])):
        return _site(node.lineno, ast.unparse(node), f"{called} waits without end where the other side is silent")
    if called in _SWITCHED_OFF and off:
        return _site(node.lineno, ast.unparse(node), f"{called} is told to wait without end")
    alone = isinstance(source.parents.get(node), ast.Expr)
    if called == "subprocess.run" and alone and "check" not in keywords:
        message = "nobody looks at whether this command succeeded"
        mend = "pass check=True, or read the return code"
        return Site(RULE, "low", node.lineno, f"fragile {ast.unparse(node)}", message, mend)
    return None


def _site(line: int, text: str, message: str) -> Site:
    return Site(RULE, "low", line, f"fragile {' '.join(text.split())}", message, _MEND)


def _imported(source: Source) -> dict[str, str]:
    """What the names of the file stand for: `rq` for `requests`, `urlopen` for `urllib.request.urlopen`."""
    names: dict[str, str] = {}
    for node in source.of(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                names[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _called(func: ast.expr, names: dict[str, str]) -> str:
    if isinstance(func, ast.Attribute):
        above = _called(func.value, names)
        return f"{above}.{func.attr}" if above else ""
    if isinstance(func, ast.Name):
        return names.get(func.id, f"<{func.id}>")
    return ""


def _sessions(source: Source, names: dict[str, str]) -> frozenset[str]:
    """The names that hold a `requests.Session`, unless the file mounts an adapter, which may hold the limit."""
    if b".mount(" in source.content or b"Session" not in source.content:
        return frozenset()
    found = set()
    for node in source.of(ast.Assign, ast.With, ast.AsyncWith):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if _called(node.value.func, names) in ("requests.Session", "requests.session"):
                found |= {_called(target, names) for target in node.targets}
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                made = item.context_expr
                if isinstance(made, ast.Call) and _called(made.func, names) in ("requests.Session", "requests.session"):
                    found |= {_called(item.optional_vars, names)} if item.optional_vars else set()
    return frozenset(found - {""})


_GO = (
    (r"\bhttp\.(?:Get|Post|PostForm|Head)\(", "http.{0} uses the default client, which waits without end"),
    (r"&?\bhttp\.Client\{\s*\}", "http.Client without a Timeout waits without end"),
)
_AXIOS = (
    (
        r"\baxios(?:\.(?:get|post|put|patch|delete|head|request))?\((?!\w*[cC]onfig\b)",
        "axios has no time limit by itself",
    ),
)
_PATTERNS: dict[str, tuple[tuple[str, str], ...]] = {
    "Go": _GO,
    "JavaScript": _AXIOS,
    "TypeScript": _AXIOS,
    "Java": (
        (r"\bnew RestTemplate\(\s*\)", "RestTemplate has no time limit by itself"),
        (r"\bHttpClient\.newHttpClient\(\)", "HttpClient has no time limit by itself"),
    ),
    "Rust": (
        (r"\breqwest::(?:blocking::)?get\(", "reqwest has no time limit by itself"),
        (r"\breqwest::(?:blocking::)?Client::new\(\)", "reqwest has no time limit by itself"),
    ),
}
_LIMITED = re.compile(r"(?i)timeout|deadline|AbortSignal|signal\b|axios\.create|interceptors|WithCancel|httptest")


def _lines(source: Source) -> Iterator[Site]:
    """A limit anywhere in the file counts: which call it holds for is not told apart."""
    if _LIMITED.search(source.text):
        return
    for pattern, message in _PATTERNS[source.language]:
        for match in re.finditer(pattern, source.text):
            number = source.text.count("\n", 0, match.start()) + 1
            line = source.line(number)
            if not line.lstrip().startswith(("//", "*", "/*", '"', "'", "`")):
                name = re.sub(r"\W+$", "", match[0]).rpartition(".")[2]
                yield _site(number, line, message.format(name))
