"""Which machines it calls: addresses in source and configuration, packages that call their maker, what only a variable
names. An address that is merely written somewhere (a link, a namespace) is told apart and opens nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tidegate.place.code import Code
from tidegate.place.values import Host, Seen

NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""What is written into a manifest as a host; nothing else ever is."""


class Called(NamedTuple):
    """What a reading found: machines, addresses that are only written down, calls whose target is computed, stores."""

    hosts: tuple[Host, ...]
    named_only: tuple[Host, ...]
    dynamic: tuple[Seen, ...]
    stores: tuple[Seen, ...]


class Client(NamedTuple):
    """A package that calls out. `hosts` are its maker's; without any the host is in its settings. `store`: it keeps
    data there."""

    hosts: tuple[str, ...] = ()
    port: int = 443
    store: bool = False


CLIENTS: Mapping[str, Client] = {
    **dict.fromkeys(("boto3", "botocore", "aioboto3", "aws-sdk", "@aws-sdk"), Client(("*.amazonaws.com",))),
    "stripe": Client(("api.stripe.com",)),
    "openai": Client(("api.openai.com",)),
    **dict.fromkeys(("anthropic", "@anthropic-ai"), Client(("api.anthropic.com",))),
    **dict.fromkeys(
        ("google.generativeai", "google.genai", "@google/generative-ai", "@google/genai"),
        Client(("generativelanguage.googleapis.com",)),
    ),
    **dict.fromkeys(("google.cloud", "@google-cloud", "cloud.google.com/go"), Client(("*.googleapis.com",))),
    **dict.fromkeys(("azure", "@azure"), Client(("*.azure.com", "*.windows.net"))),
    **dict.fromkeys(("sendgrid", "@sendgrid/mail"), Client(("api.sendgrid.com",))),
    "twilio": Client(("api.twilio.com",)),
    **dict.fromkeys(("slack_sdk", "@slack/web-api"), Client(("slack.com",))),
    **dict.fromkeys(("huggingface_hub", "transformers"), Client(("huggingface.co",))),
    **dict.fromkeys(("cohere", "cohere-ai"), Client(("api.cohere.com",))),
    **dict.fromkeys(("replicate",), Client(("api.replicate.com",))),
    "pycurl": Client(),
    "locust": Client(),
    **dict.fromkeys(
        ("psycopg", "psycopg2", "asyncpg", "pg", "postgres", "pg-promise", "github.com/lib/pq", "github.com/jackc/pgx"),
        Client((), 5432, True),
    ),
    **dict.fromkeys(("pymysql", "MySQLdb", "mysql", "mysql2", "trilogy"), Client((), 3306, True)),
    **dict.fromkeys(("redis", "ioredis", "github.com/redis/go-redis", "aioredis"), Client((), 6379, True)),
    **dict.fromkeys(("pymongo", "motor", "mongoose", "mongodb", "mongoid"), Client((), 27017, True)),
    **dict.fromkeys(
        ("sqlalchemy", "sqlmodel", "peewee", "tortoise", "django.db", "@prisma/client", "sequelize", "typeorm", "knex"),
        Client((), 0, True),
    ),
    **dict.fromkeys(("smtplib", "nodemailer", "emails", "aiosmtplib"), Client((), 587)),
    **dict.fromkeys(("pika", "amqplib", "kombu", "aio_pika"), Client((), 5672)),
    **dict.fromkeys(("kafka", "confluent_kafka", "kafkajs"), Client((), 9092)),
    **dict.fromkeys(("sentry_sdk", "@sentry/node", "@sentry/nextjs"), Client()),
    **dict.fromkeys(("sqlite3", "better-sqlite3", "aiosqlite"), Client((), -1, True)),
}
"""Packages and what they call, by the name that source imports. Port 0: it depends; -1: none, the store is a file."""


def read_calls(files: Iterable[Code]) -> Called:
    """What the files call. The order of the answer does not depend on that of the files."""
    hosts: dict[tuple[str, int], Host] = {}
    named: dict[str, Host] = {}
    dynamic: set[Seen] = set()
    stores: dict[str, Seen] = {}
    for code in sorted(files, key=lambda one: one.path):
        for host, called in _addresses(code):
            if called:
                hosts.setdefault((host.name, host.port), host)
            else:
                named.setdefault(host.name, host)
        dynamic.update(_computed(code))
        for package, line in _imports(code):
            client = CLIENTS[package]
            seen = Seen(code.path, line, f"uses {package}")
            for name in client.hosts:
                hosts.setdefault((name, client.port), Host(name, client.port, f"the package {package}", seen))
            if client.store:
                stores.setdefault(package, seen)
            if not client.hosts and client.port >= 0:
                port = f" (port {client.port} by default)" if client.port else ""
                if not any(one.text.startswith(f"{package} connects") for one in dynamic):
                    dynamic.add(Seen(code.path, line, f"{package} connects to what its settings name{port}"))
    only = (host for name, host in named.items() if not any(known == name for known, _ in hosts))
    return Called(tuple(sorted(hosts.values())), tuple(sorted(only)), tuple(sorted(dynamic)), tuple(stores.values()))


# Private

_URL = re.compile(
    r"(?i)\b(https?|wss?|postgres(?:ql)?|mysql|redis|rediss|mongodb(?:\+srv)?|amqps?|smtps?)://([^\s\"'`<>\\)\]},;]+)"
)
_PORTS = {
    "https": 443,
    "http": 80,
    "wss": 443,
    "ws": 80,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "redis": 6379,
    "rediss": 6379,
    "mongodb": 27017,
    "mongodb+srv": 27017,
    "amqp": 5672,
    "amqps": 5671,
    "smtp": 25,
    "smtps": 465,
}
_NOBODY = re.compile(
    r"(?:^|\.)(?:localhost|example\.(?:com|org|net|edu)|example|test|invalid|local|internal|svc|"
    r"w3\.org|schema\.org|json-schema\.org|xmlsoap\.org|openxmlformats\.org|purl\.org|ns\.adobe\.com)$|"
    r"your|placeholder|^(?:schemas?)\."
)
_CALLS = re.compile(
    r"(?i)\b(?:requests|httpx|aiohttp|session|client|axios|got|superagent|http|https|net::http|httparty|faraday|"
    r"resttemplate|webclient|reqwest)\b\s*(?:\.|::)\s*\w+\s*\(|(?<![.\w])fetch\s*\(|"
    r"\burlopen\s*\(|\bnew (?:URL|WebSocket)\s*\(|"
    r"\bcurl\b|\bwget\b|\bread_csv\s*\(|\bread_json\s*\("
)
_HTTP = re.compile(
    r"\b(?:requests|httpx|aiohttp|axios|superagent|faraday|httparty|reqwest)\b|\b(?:py)?curl\b|Net::HTTP|\bnet/http\b|"
    r"\burlopen\b|(?<![.\w])fetch\s*\(|\bhttp\.(?:Get|Post|NewRequest)"
)
"""A file that holds one of these calls the addresses that it names."""

_SETS = re.compile(
    r"(?i)(?:url|uri|host|endpoint|base|api|server|origin|webhook|dsn|addr(?:ess)?)s?[\"']?\s*(?::|=|,|\()"
)
_LINKS = re.compile(
    r"(?i)(?:auth\w*_?url|href|src|xmlns(?::\w+)?|homepage|repository|bugs|license|docs?_url|documentation|link|\$schema|cdn|"
    r"cors|allowed|origins?|issues|redirect\w*|referer|user.?agent)[\"']?\s*[:=]|install|\bsee\b|<a |registry\."
)
_SKIPPED = re.compile(
    r"(?i)(?:^|/)(?:package|composer|tsconfig[\w.]*|renovate|biome|components|manifest|angular|nx|turbo)\.json$|\.html?$|"
    r"(?:^|/)(?:pyproject\.toml|Cargo\.toml|Gemfile|[\w.-]*Dockerfile[\w.-]*|Makefile|\.pre-commit-config\.yaml)$|"
    r"\.(?:css|scss|svg|erb|md|rst|txt|properties\.xml|gemspec|lock)$"
)
_BROWSER = re.compile(r"(?:^|/)(?:static|public|assets|app/javascript)/.*\.[cm]?[jt]sx?$")
_SERVER = re.compile(r"\brequire\s*\(|\bprocess\.|\bmodule\.exports\b|[\"']node:|\b(?:Deno|Bun)\.")
"""What runs in the browser of whoever looks at it, and calls from there."""

_JS_COMPUTED = re.compile(
    r"\b(?:fetch|axios(?:\.(?:get|post|put|patch|delete|request))?|got(?:\.\w+)?|superagent\.\w+)\s*\((?!\s*[\"'/)])\s*(`\$\{|[\w.]+)"
)
_RB_COMPUTED = re.compile(
    r"\b(?:Net::HTTP\.(?:get\w*|post\w*|start|new)|HTTParty\.\w+|Faraday\.new|URI\.open|RestClient\.\w+)\s*\(?(?!\s*[\"'])\s*[\w@:.\[]+"
)
_GO_COMPUTED = re.compile(
    r"\b(?:http\.(?:Get|Post|Head|PostForm|NewRequest(?:WithContext)?)\((?![^)]*\"https?://)|grpc\.(?:Dial\w*|NewClient)\((?!\"))"
)
_IMPORT_PY = re.compile(r"^\s*(?:import|from)\s+([\w.]+)")
_IMPORT_JS = re.compile(r"""(?:\bfrom\s*|\brequire\s*\(\s*|^\s*import\s*\(?\s*)["']([@\w./-]+)["']""")
_IMPORT_GO = re.compile(r"""^\s*(?:import\s+)?(?:\w+\s+)?"([\w./-]+)"\s*$""")
_IMPORT_RB = re.compile(r"""^\s*(?:gem|require)\s*\(?["']([\w./-]+)["']""")
_VERBS = frozenset("get post put patch delete head options request stream urlopen Request".split())
_HEADS = frozenset(("requests", "httpx", "urllib", "urllib3", "aiohttp"))


def _is_browser(code: Code) -> bool:
    """Whether a script lies where scripts for browsers lie, and uses nothing that only a server has."""
    return bool(_BROWSER.search(code.path)) and not any(_SERVER.search(line) for _, line in code.spoken)


def _addresses(code: Code) -> Iterator[tuple[Host, bool]]:
    if _SKIPPED.search(code.path) or _is_browser(code):
        return
    calls_out = code.kind == "source" and any(_HTTP.search(line) for _, line in code.spoken)
    for number, match in code.find(_URL):
        scheme = match[1].lower()
        rest = match[2].rsplit("@", 1)[-1]
        name, _, port = re.split(r"[/?#]", rest, maxsplit=1)[0].partition(":")
        name = name.lower().rstrip(".")
        if not NAME.fullmatch(name) or _NOBODY.search(name):
            continue
        line = code.lines[number - 1]
        before = line[: line.find(match[0])]
        if re.search(r"\s(?:#|//)\s", before):  # a comment at the end of a line
            continue
        prose = before.endswith(" ") and not re.search(r"(?i)curl|wget", before)
        link = prose or bool(_LINKS.search(before))
        called = not link and name[0] != "*" and (calls_out or bool(_CALLS.search(before) or _SETS.search(before)))
        at = int(port) if port.isdigit() and 0 < int(port) < 65_536 else _PORTS[scheme]
        yield Host(name, at, "an address in the code", Seen(code.path, number, f"names {name}")), called


def _computed(code: Code) -> Iterator[Seen]:
    """Calls whose target is told only when they are made."""
    if code.language == "Python":
        yield from _computed_python(code)
        return
    if _is_browser(code):
        return
    pattern = {"Ruby": _RB_COMPUTED, "Go": _GO_COMPUTED}.get(code.language)
    if code.language in ("JavaScript", "TypeScript", "TSX", "Vue", "Svelte"):
        pattern = _JS_COMPUTED
    for number, match in code.find(pattern) if pattern is not None else ():
        what = match[0].partition("(")[0].strip()
        yield Seen(code.path, number, f"{what}(...) calls an address that is computed")


def _computed_python(code: Code) -> Iterator[Seen]:
    if code.tree is None:
        return
    names = _names(code)
    for node in code.source.of(ast.Call):
        chain = _resolved(_chain(node.func), names)
        head, _, verb = chain.rpartition(".")
        if chain in _SOCKETS:
            yield Seen(code.path, node.lineno, f"{chain}(...) connects to an address of its own")
            continue
        if not (verb in _VERBS and head.partition(".")[0] in _HEADS) and verb != "urlopen" and chain != "urlopen":
            continue
        named = [word.value for word in node.keywords if word.arg == "url"]
        position = 1 if verb in ("request", "stream") else 0
        given = named[0] if named else node.args[position] if len(node.args) > position else None
        if given is not None and not _starts_known(given):
            yield Seen(code.path, node.lineno, f"{chain}(...) calls an address that is computed")


def _names(code: Code) -> dict[str, str]:
    """What a name of the file stands for: a module under another name, a function of one, a session of a client."""
    found: dict[str, str] = {}
    for module in code.source.of(ast.Import):
        found.update({one.asname: one.name for one in module.names if one.asname})
    for part in code.source.of(ast.ImportFrom):
        if part.module and not part.level:
            found.update({one.asname or one.name: f"{part.module}.{one.name}" for one in part.names})
    made: list[tuple[ast.expr | None, ast.expr | None]] = [
        (target, node.value) for node in code.source.of(ast.Assign) for target in node.targets
    ]
    made += [(node.target, node.value) for node in code.source.of(ast.AnnAssign)]
    blocks: list[ast.With | ast.AsyncWith] = [*code.source.of(ast.With), *code.source.of(ast.AsyncWith)]
    made += [(item.optional_vars, item.context_expr) for block in blocks for item in block.items]
    for target, value in made:
        name = _chain(target) if target is not None else ""
        if name and isinstance(value, ast.Call) and _resolved(_chain(value.func), found) in _SESSIONS:
            found[name] = "requests"
    return found


def _resolved(chain: str, names: Mapping[str, str]) -> str:
    """The chain with the longest beginning that a name stands for replaced."""
    known = chain
    while known and known not in names:
        known = known.rpartition(".")[0]
    return names[known] + chain[len(known) :] if known else chain


_SESSIONS = frozenset(
    ("requests.Session", "requests.session", "httpx.Client", "httpx.AsyncClient", "aiohttp.ClientSession")
) | {"urllib3.PoolManager"}
_SOCKETS = frozenset(
    ("socket.create_connection", "asyncio.open_connection", "http.client.HTTPConnection", "http.client.HTTPSConnection")
) | {"websockets.connect", "ftplib.FTP", "telnetlib.Telnet", "xmlrpc.client.ServerProxy"}


def _starts_known(node: ast.expr) -> bool:
    """Whether the host of an address stands in the source, whatever path follows."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    if isinstance(node, ast.BinOp):
        return _starts_known(node.left)
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and bool(re.match(r"\w+://[^/{]+/?", text))


def _chain(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _imports(code: Code) -> Iterator[tuple[str, int]]:
    """The clients of the table that a file imports, each once, with the line."""
    pattern = {"Python": _IMPORT_PY, "Go": _IMPORT_GO, "Ruby": _IMPORT_RB}.get(code.language)
    if code.language in ("JavaScript", "TypeScript", "TSX", "Vue", "Svelte"):
        pattern = _IMPORT_JS
    known: set[str] = set()
    for number, match in code.find(pattern) if pattern is not None else ():
        package = _client(match[1])
        if package and package not in known:
            known.add(package)
            yield package, number


def _client(written: str) -> str:
    """The key of the table for a name that is imported: itself, or what it lies in."""
    parts = re.split(r"([./])", written)
    for end in range(len(parts), 0, -2):
        name = "".join(parts[:end])
        if name in CLIENTS:
            return name
    return ""
